"""The files of a connection by shared memory: NAME_request and NAME_response in /dev/shm.

The server makes and removes them. It holds a lock on the first one, so that a name in use is told from leftovers.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bbipc.shm.ring import CONTROL_BYTES, MAX_CAPACITY, Ring

FOLDER: Final = Path("/dev/shm")
SUFFIX: Final = ".shm"
MIN_CAPACITY: Final = 1024
"""Bytes of the smallest ring: the message that a response is too long fits into it."""
_MAX_NAME: Final = 255 - len("_response")


class ShmError(OSError):
    """There can be no such connection; the message says why."""


class ServerWatch:
    """Whether a server is still there: the memory itself does not tell its clients.

    An orderly end removes the file. The kernel gives the lock back of a server that was killed; bb 5.0.0 holds none, and then
    there is nothing to be seen.

    Args:
        file: the requests; closed by close().
    """

    def __init__(self, file: int) -> None:
        self._file = file
        self._locks = not self._is_unlocked()

    def is_gone(self) -> bool:
        """Whether it has ended."""
        return os.fstat(self._file).st_nlink == 0 or (self._locks and self._is_unlocked())

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._file)

    def _is_unlocked(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(self._file, fcntl.LOCK_UN)
        return True


@dataclass(frozen=True, slots=True)
class Rings:
    """Both directions.

    Attributes:
        name: without a folder and ".shm".
        requests: from the client to the server.
        responses: from the server to the client.
        server: for clients: whether the server is still there.
    """

    name: str
    requests: Ring
    responses: Ring
    server: ServerWatch | None = None

    def close(self) -> None:
        """Give the memory back."""
        self.requests.close()
        self.responses.close()
        if self.server is not None:
            self.server.close()


def name_of(path: str) -> str:
    """The name in a path "NAME.shm"; raises ShmError."""
    name = path.removesuffix(SUFFIX)
    if not name or "/" in name or "\0" in name or len(os.fsencode(name)) > _MAX_NAME:
        raise ShmError(f"{path!r} names no shared memory: expected NAME.shm without a folder, as bb.js gives it")
    return name


def request_path(name: str) -> Path:
    """The file of the requests."""
    return FOLDER / f"{name}_request"


def response_path(name: str) -> Path:
    """The file of the responses."""
    return FOLDER / f"{name}_response"


@contextmanager
def created(name: str, request_size: int, response_size: int) -> Iterator[Rings]:
    """Rings of the server, of at least so many bytes; their files are removed at the end.

    Raises:
        ShmError: they cannot be made.
    """
    sizes = [_capacity(size) for size in (request_size, response_size)]
    paths = [request_path(name), response_path(name)]
    temporary = [FOLDER / f".bbipc-{os.getpid()}-{path.name.removeprefix(name)}" for path in paths]
    files: list[int] = []
    try:
        try:
            for path, size in zip(temporary, sizes, strict=True):
                files.append(_new_file(path, size))
            _check_space(sum(sizes))
            requests, responses = (Ring.create(file, size) for file, size in zip(files, sizes, strict=True))
            requests.publish()
            responses.publish()
            # A client maps the requests as soon as there is a file, and what it sees then is final: bb.js takes a ring without
            # its capacity for a full one.
            for old, new in zip(reversed(temporary), reversed(paths), strict=True):
                _move(old, new)
        except OSError as error:
            raise ShmError(f"cannot make shared memory {name}: {error.strerror or error}") from None
        rings = Rings(name, requests, responses)
        try:
            yield rings
        finally:
            rings.close()
    finally:
        for number, file in enumerate(files):
            for path in (temporary[number], paths[number]):
                with suppress(OSError):
                    if os.path.samestat(os.fstat(file), os.lstat(path)):
                        path.unlink()
            os.close(file)


def opened(name: str) -> Rings | None:
    """Rings of a client, or None if the server has not made them yet; raises ShmError."""
    opened_files: list[int] = []
    try:
        paths = (request_path(name), response_path(name))
        opened_files.extend(os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW) for path in paths)
        # A server publishes the requests last.
        requests = Ring.open(opened_files[0])
        responses = None if requests is None else Ring.open(opened_files[1])
        if requests is None or responses is None:
            return None
        return Rings(name, requests, responses, ServerWatch(os.dup(opened_files[0])))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ShmError(f"cannot use shared memory {name}: {error.strerror or error}") from None
    finally:
        for file in opened_files:
            os.close(file)


def _capacity(size: int) -> int:
    capacity = max(MIN_CAPACITY, 1 << (size - 1).bit_length()) if size > 0 else 0
    if not MIN_CAPACITY <= capacity <= MAX_CAPACITY:
        raise ShmError(f"a ring of {size} bytes, expected 1 .. {MAX_CAPACITY}")
    return capacity


def _new_file(path: Path, capacity: int) -> int:
    path.unlink(missing_ok=True)  # of a process that had our number, and was killed
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.fchmod(file, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(file, CONTROL_BYTES + capacity)
    except OSError:
        os.close(file)
        path.unlink(missing_ok=True)
        raise
    return file


def _move(old: Path, new: Path) -> None:
    """Unlike rename(), this never replaces the file of a server that has begun at the same time."""
    _remove_leftover(new)
    try:
        new.hardlink_to(old)
    except FileExistsError:
        raise ShmError("another server uses it") from None
    old.unlink()


def _remove_leftover(path: Path) -> None:
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    except OSError:  # no file of ours, but whatever it is, it is in the way
        path.unlink()
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ShmError("another server uses it") from None
    else:
        path.unlink(missing_ok=True)
    finally:
        os.close(file)


def _check_space(needed: int) -> None:
    """Pages are taken when they are used first; it is better to know now that there are too few."""
    status = os.statvfs(FOLDER)
    if status.f_blocks > 0 and status.f_bavail * status.f_frsize < needed:
        raise ShmError(f"{FOLDER} has no room for {needed} bytes")

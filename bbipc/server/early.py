"""The first milliseconds of a server, before Trio or anything else that takes long is imported.

Clients start a server and connect at once; a client may also be gone, or want the server to end, before it is ready. So the
socket listens, the parent is known, and signals are noted from the first instant on. Nothing heavy is imported here, and what
was begun here is taken over by the server: :func:`take` and :func:`hand_over_signals`.
"""

from __future__ import annotations

import os
import signal
import socket
import stat
from contextlib import suppress
from types import FrameType
from typing import Final, NamedTuple

from bbipc.server.config import DEFAULT_SOCKET_MODE, Config
from bbipc.server.errors import StartError

PARENT: Final = os.getppid()
"""The process that started this one, unless that has ended already."""
MAX_SOCKET_PATH: Final = 107
"""Bytes in the path of a Unix socket on Linux, its terminating zero not counted."""


class Listening(NamedTuple):
    """A socket that listens at a path, and the device and number of its file."""

    path: str
    socket: socket.socket
    identity: tuple[int, int]

    def close(self) -> None:
        """Listen no more, and remove the file if it is still this one."""
        self.socket.close()
        with suppress(OSError):
            if _identity(self.path) == self.identity:
                os.unlink(self.path)  # noqa: PTH108


_prepared: list[Listening] = []  # at most one: begun by prepare(), and not yet the server's
_noted: list[int] = []  # signals that arrived before the server could obey them


def prepare(config: Config) -> None:
    """Begin to listen if the input is a socket. What cannot be done now, the server tries again, and reports."""
    path = config.input
    if path is not None and path.endswith(".sock") and "LISTEN_PID" not in os.environ:
        mode = DEFAULT_SOCKET_MODE if config.socket_mode is None else config.socket_mode
        with suppress(StartError):
            _prepared.append(listen(path, config.backlog, mode))


def take(path: str) -> Listening | None:
    """What prepare() has begun at `path`; it is the caller's now."""
    return _prepared.pop() if _prepared and _prepared[0].path == path else None


def abandon() -> None:
    """End what prepare() has begun, if the server has not taken it."""
    while _prepared:
        _prepared.pop().close()


def note_signals() -> None:
    """Note SIGTERM and SIGINT from now on; a second one ends the process."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _note)


def _note(number: int, _frame: FrameType | None) -> None:
    _noted.append(number)
    if len(_noted) > 1:
        raise SystemExit(0)


def hand_over_signals() -> None:
    """Send what was noted again: there are other handlers now."""
    while _noted:
        os.kill(os.getpid(), _noted.pop())


def listen(path: str, backlog: int, mode: int) -> Listening:
    """A socket that listens at `path`, with the permissions `mode`; raises StartError.

    The file appears at its place only when connect() works: clients wait for it. A stale socket is replaced, one at which
    another server answers is not, nor is any other file.
    """
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        raise StartError(f"the path of the socket is longer than {MAX_SOCKET_PATH} bytes: {path}")
    if _is_something_else(path):
        raise StartError(f"{path} exists and is not a socket: remove it, or give another path")
    if _is_alive(path):
        raise StartError(f"another server is listening at {path}")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _bind(listener, path, backlog, mode)
        return Listening(path, listener, _identity(path))
    except OSError as error:
        listener.close()
        raise StartError(f"cannot listen at {path}: {error.strerror}") from None


def _is_something_else(path: str) -> bool:
    """Whether there is a file which is not a socket: it is somebody's, and not to be replaced."""
    try:
        return not stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False


def _is_alive(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except BlockingIOError:
            return True  # its queue is full
        except OSError:
            return False
        return True


def _identity(path: str) -> tuple[int, int]:
    status = os.lstat(path)
    return status.st_dev, status.st_ino


def _bind(listener: socket.socket, path: str, backlog: int, mode: int) -> None:
    """Listen under a temporary name, then move the file to `path`. It never has other permissions than `mode`."""
    folder = os.path.dirname(path) or "."  # noqa: PTH120 - pathlib takes longer to import than all of this
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    old_mask = os.umask(0o777 & ~mode)
    try:
        # By way of /proc the temporary path is short whatever the directory is called.
        temporary = f"/proc/self/fd/{descriptor}/.bbipc-{os.getpid()}.sock"
        with suppress(FileNotFoundError):
            os.unlink(temporary)  # noqa: PTH108
        listener.bind(temporary)
        listener.listen(backlog)
        try:
            os.rename(temporary, path)  # noqa: PTH104
        except OSError:
            os.unlink(temporary)  # noqa: PTH108
            raise
    finally:
        os.umask(old_mask)
        os.close(descriptor)

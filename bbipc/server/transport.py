"""Where bytes come from and go to: standard streams, files, Unix sockets."""

from __future__ import annotations

import logging
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import trio

from bbipc.server.errors import StartError
from bbipc.server.streams import FdStream, SocketStream

MAX_SOCKET_PATH = 107
"""Bytes in the path of a Unix socket on Linux, its terminating zero not counted."""

DEFAULT_MODE = 0o600
"""Permissions of a Unix socket: who may connect is who may write."""

FIRST_INHERITED = 3
"""The first descriptor that systemd hands over, SD_LISTEN_FDS_START."""

log = logging.getLogger("bbipc.server")


def claim_standard_output() -> int:
    """A private descriptor of standard output. From now on, what anything prints goes to standard error instead: only
    frames may reach the client."""
    private = os.dup(1)
    os.dup2(2, 1)
    return private


@contextmanager
def standard_stream() -> Iterator[FdStream]:
    """Standard input and output, which are the client's alone."""
    output = claim_standard_output()
    try:
        with _stream(0, output) as stream:
            yield stream
    finally:
        os.close(output)


@contextmanager
def replay_stream(path: str) -> Iterator[FdStream]:
    """A file, and standard output; raises StartError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise StartError(f"cannot read --input {path}: {error.strerror}") from None
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise StartError(f"cannot read --input {path}: it is a directory")
        output = claim_standard_output()
        try:
            with _stream(descriptor, output) as stream:
                yield stream
        finally:
            os.close(output)
    finally:
        os.close(descriptor)


@contextmanager
def socket_stream(accepted: socket.socket) -> Iterator[SocketStream]:
    """A connection that was accepted; it stays the caller's to be closed."""
    stream = SocketStream(accepted.fileno())
    try:
        yield stream
    finally:
        stream.close()


@contextmanager
def _stream(receive_fd: int, send_fd: int) -> Iterator[FdStream]:
    stream = FdStream(receive_fd, send_fd)
    try:
        yield stream
    finally:
        stream.close()


def inherited_socket() -> socket.socket | None:
    """The listening socket that systemd has handed over, once: the variables that announce it are removed.

    Raises:
        StartError: what was handed over is not exactly one listening stream socket.
    """
    if os.environ.pop("LISTEN_PID", None) != str(os.getpid()):
        return None
    count = os.environ.pop("LISTEN_FDS", "0")
    os.environ.pop("LISTEN_FDNAMES", None)
    if count != "1":
        raise StartError(f"systemd handed over {count} sockets, expected one: give the unit a single ListenStream=")
    os.set_inheritable(FIRST_INHERITED, False)
    try:
        inherited = socket.socket(fileno=FIRST_INHERITED)
        listens = inherited.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise StartError(f"what systemd handed over is no socket: {error.strerror}") from None
    if not listens or inherited.type != socket.SOCK_STREAM:
        raise StartError("what systemd handed over does not listen for streams: use ListenStream= and Accept=no")
    return inherited


class Listener:
    """Accepts connections. `shared`: others may have the socket, too, so that its flags are left alone and a thread waits for
    the connection that somebody else may have taken."""

    def __init__(self, listening: socket.socket, *, shared: bool = False) -> None:
        self._socket, self._shared = listening, shared
        if not shared:
            listening.setblocking(False)

    async def accept(self) -> socket.socket:
        """The next connection, non-blocking. Raises OSError, at once, if the system cannot give it to us now."""
        while True:
            if self._shared:
                await trio.lowlevel.wait_readable(self._socket)
                accepted, _ = await trio.to_thread.run_sync(self._socket.accept, abandon_on_cancel=True)
            else:
                try:
                    accepted, _ = self._socket.accept()
                except BlockingIOError:
                    await trio.lowlevel.wait_readable(self._socket)
                    continue
                except ConnectionAbortedError:
                    continue
            accepted.setblocking(False)
            return accepted


@contextmanager
def unix_listener(path: str, backlog: int, mode: int | None = None) -> Iterator[Listener]:
    """A listener at `path`, with the permissions `mode` (None: 0600); raises StartError.

    The file appears at its place only when connect() works: clients wait for it. A stale file is replaced, a socket at
    which another server answers is not. At the end the file is removed if it is still this one.

    If systemd has handed over a listening socket (sd_listen_fds(3)), that one is used, and its file is left alone.
    """
    inherited = inherited_socket()
    if inherited is not None:
        if mode is not None:
            log.warning("--socket-mode is of no use here: systemd has made the socket; set SocketMode= in its unit")
        with inherited:
            yield Listener(inherited, shared=True)
        return
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        raise StartError(f"the path of the socket is longer than {MAX_SOCKET_PATH} bytes: {path}")
    if _is_something_else(path):
        raise StartError(f"{path} exists and is not a socket: remove it, or give another path")
    if _is_alive(path):
        raise StartError(f"another server is listening at {path}")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        identity = _bind(listener, path, backlog, DEFAULT_MODE if mode is None else mode)
    except OSError as error:
        listener.close()
        raise StartError(f"cannot listen at {path}: {error.strerror}") from None
    try:
        yield Listener(listener)
    finally:
        trio.lowlevel.notify_closing(listener)
        listener.close()
        with suppress(OSError):
            if _identity(path) == identity:
                Path(path).unlink()


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


def _bind(listener: socket.socket, path: str, backlog: int, mode: int) -> tuple[int, int]:
    """Listen under a temporary name, then move the file to `path`. It never has other permissions than `mode`."""
    directory = Path(path).absolute().parent
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    old_mask = os.umask(0o777 & ~mode)
    try:
        # By way of /proc the temporary path is short whatever the directory is called.
        temporary = Path(f"/proc/self/fd/{descriptor}/.bbipc-{os.getpid()}.sock")
        temporary.unlink(missing_ok=True)
        listener.bind(str(temporary))
        listener.listen(backlog)
        try:
            temporary.rename(path)
        except OSError:
            temporary.unlink()
            raise
    finally:
        os.umask(old_mask)
        os.close(descriptor)
    return _identity(path)

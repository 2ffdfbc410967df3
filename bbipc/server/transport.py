"""Where bytes come from and go to: standard streams, files, Unix sockets."""

from __future__ import annotations

import errno
import logging
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager

import trio

from bbipc.server import early
from bbipc.server.config import DEFAULT_SOCKET_MODE
from bbipc.server.errors import StartError
from bbipc.server.streams import FdStream, SocketStream

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
        raise StartError(f"what systemd handed over is not a socket: {error.strerror}") from None
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
                try:
                    accepted, _ = await trio.to_thread.run_sync(self._socket.accept, abandon_on_cancel=True)
                except RuntimeError as error:
                    raise OSError(errno.ENOMEM, str(error)) from error  # no thread can be had now
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
    """The listener at `path`, see :func:`bbipc.server.early.listen`; raises StartError. At the end the file is removed if it is
    still this one.

    If systemd has handed over a listening socket (sd_listen_fds(3)), that one is used, and its file is left alone.
    """
    inherited = inherited_socket()
    if inherited is not None:
        if mode is not None:
            log.warning("--socket-mode is of no use here: systemd has made the socket; set SocketMode= in its unit")
        with inherited:
            yield Listener(inherited, shared=True)
        return
    listening = early.take(path) or early.listen(path, backlog, DEFAULT_SOCKET_MODE if mode is None else mode)
    try:
        yield Listener(listening.socket)
    finally:
        trio.lowlevel.notify_closing(listening.socket)
        listening.close()

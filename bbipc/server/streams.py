"""Bytes to and from a client.

Descriptors that we were given (standard input and output) may share their *description* with other processes, and with it the
flag O_NONBLOCK: whoever sets it changes how the others' reads and writes behave, also after our death, and whoever clears it
would make ours wait. So that flag is never touched, nor relied on:

* a pipe, a FIFO or a terminal is opened anew by way of /proc, which makes a description of our own;
* a socket is asked for each call not to wait;
* a file never makes anybody wait;
* for everything else, threads wait.

Two things matter when requests take microseconds: what is there already is received without a visit to Trio's scheduler, and a
response is handed to the system without waking another task.
"""

from __future__ import annotations

import os
import select
import socket
import stat
from typing import Final, NamedTuple, Protocol

import trio

from bbipc.server.descriptors import never_waits, open_anew

CHUNK: Final = 64 * 1024
"""Bytes read at once: what a pipe holds by default."""


class Descriptors(NamedTuple):
    """What a thread may read and write while no task does so: sockets, or such as do not block."""

    receive: int
    send: int


class ByteStream(Protocol):
    """Both directions of a connection. One task receives, one sends."""

    @property
    def descriptors(self) -> Descriptors | None:
        """For a thread that does both; None if that is not possible."""

    def receive_nowait(self) -> bytes | None:
        """Some bytes, if there are any; none at the end of the input; None if one has to wait. Raises
        trio.BrokenResourceError."""

    async def wait_readable(self) -> None:
        """Until receive_nowait() may tell something else than None."""

    def peer_is_gone(self) -> bool:
        """Whether it is certain that nobody will read what is sent: at the end of the input, this tells a client that has
        closed only its half from one that is not there any more."""

    def send_nowait(self, data: bytes | bytearray) -> int:
        """Send as much of `data` as is possible without waiting; how much. After 0, wait_writable() comes next, and then a call
        whose data begins with the same bytes. Raises trio.BrokenResourceError."""

    async def wait_writable(self) -> None:
        """Until send_nowait() may send something."""


async def send_all(stream: ByteStream, data: bytes) -> None:
    """Send `data`, waiting as long as it takes. Raises trio.BrokenResourceError."""
    rest = bytearray(data)
    while True:
        del rest[: stream.send_nowait(rest)]
        if not rest:
            return
        await stream.wait_writable()


def _broken(what: str, error: OSError) -> trio.BrokenResourceError:
    return trio.BrokenResourceError(f"cannot {what}: {error.strerror}")


class _Descriptor:
    """Reading or writing a descriptor that does not block: one of our own, or one that never waits."""

    def __init__(self, descriptor: int, *, ours: bool = False) -> None:
        self._descriptor, self._ours = descriptor, ours

    @property
    def for_threads(self) -> int | None:
        """See :class:`Descriptors`."""
        return self._descriptor if self._ours else None

    def close(self) -> None:
        """End its use; the descriptor stays open if it is not ours."""
        trio.lowlevel.notify_closing(self._descriptor)
        if self._ours:
            os.close(self._descriptor)

    def receive_nowait(self) -> bytes | None:
        try:
            return os.read(self._descriptor, CHUNK)
        except BlockingIOError:
            return None
        except OSError as error:
            raise _broken("read", error) from error

    async def wait_readable(self) -> None:
        await trio.lowlevel.wait_readable(self._descriptor)

    def send_nowait(self, data: bytes | bytearray) -> int:
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise _broken("write", error) from error

    async def wait_writable(self) -> None:
        await trio.lowlevel.wait_writable(self._descriptor)


class _Socket(_Descriptor):
    """A socket that others may have, too."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(os.dup(descriptor), ours=True)
        self._socket = socket.socket(fileno=self._descriptor)

    def close(self) -> None:
        trio.lowlevel.notify_closing(self._descriptor)
        self._socket.close()

    def receive_nowait(self) -> bytes | None:
        try:
            return self._socket.recv(CHUNK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError as error:
            raise _broken("read", error) from error

    def send_nowait(self, data: bytes | bytearray) -> int:
        try:
            return self._socket.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise _broken("write", error) from error


class _Threads(_Descriptor):
    """Anything else: threads wait. One that waits when the process ends is left behind."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self._limiter = trio.CapacityLimiter(1)
        self._chunk: bytes | None = None
        self._offered = b""
        self._written = 0

    def receive_nowait(self) -> bytes | None:
        chunk, self._chunk = self._chunk, None
        return chunk

    async def wait_readable(self) -> None:
        try:
            self._chunk = await trio.to_thread.run_sync(
                os.read, self._descriptor, CHUNK, limiter=self._limiter, abandon_on_cancel=True
            )
        except OSError as error:
            raise _broken("read", error) from error

    def send_nowait(self, data: bytes | bytearray) -> int:
        written, self._written = self._written, 0
        if not written:
            self._offered = bytes(data[:CHUNK])
        return written

    async def wait_writable(self) -> None:
        try:
            self._written = await trio.to_thread.run_sync(
                os.write, self._descriptor, self._offered, limiter=self._limiter, abandon_on_cancel=True
            )
        except OSError as error:
            raise _broken("write", error) from error


def _side(descriptor: int, flags: int) -> _Descriptor:
    """How to read or write what others may have, too."""
    if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return _Socket(descriptor)
    if never_waits(descriptor):
        return _Descriptor(descriptor)
    own = open_anew(descriptor, flags)
    return _Threads(descriptor) if own is None else _Descriptor(own, ours=True)


class FdStream:
    """The stream of two descriptors that others may have, too. It does not own them, and leaves them as they are."""

    def __init__(self, receive_fd: int, send_fd: int) -> None:
        self._send_fd = send_fd
        self._receiver = _side(receive_fd, os.O_RDONLY)
        try:
            self._sender = _side(send_fd, os.O_WRONLY)
        except BaseException:
            self._receiver.close()
            raise
        # What a connection calls, without a step in between.
        self.receive_nowait = self._receiver.receive_nowait
        self.wait_readable = self._receiver.wait_readable
        self.send_nowait = self._sender.send_nowait
        self.wait_writable = self._sender.wait_writable

    @property
    def descriptors(self) -> Descriptors | None:
        """See :class:`ByteStream`."""
        receive, send = self._receiver.for_threads, self._sender.for_threads
        return None if receive is None or send is None else Descriptors(receive, send)

    def close(self) -> None:
        """End every use of this object; the descriptors stay open."""
        self._receiver.close()
        self._sender.close()

    def peer_is_gone(self) -> bool:
        """See :class:`ByteStream`."""
        return _is_hung_up(self._send_fd)


class SocketStream(_Descriptor):
    """The stream of a non-blocking socket that nobody else has. It does not own it."""

    @property
    def descriptors(self) -> Descriptors:
        """See :class:`ByteStream`."""
        return Descriptors(self._descriptor, self._descriptor)

    def peer_is_gone(self) -> bool:
        """See :class:`ByteStream`."""
        return _is_hung_up(self._descriptor)


def _is_hung_up(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, 0)  # hang-ups and errors are always reported
    return bool(poll.poll(0))

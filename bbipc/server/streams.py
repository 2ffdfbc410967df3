"""Bytes to and from a client.

A :class:`FdStream` differs from Trio's own streams in two ways that matter when requests take microseconds: receive()
does not visit the scheduler if bytes are there already, and send_nowait() hands a response to the system without waking
another task.
"""

from __future__ import annotations

import os
import select
from typing import Final, Protocol

import trio

CHUNK: Final = 64 * 1024
"""Bytes read at once: what a pipe holds by default."""


class ByteStream(Protocol):
    """Both directions of a connection. One task receives, one sends."""

    def receive_nowait(self) -> bytes | None:
        """Some bytes, if there are any; none at the end of the input; None if one has to wait. Raises
        trio.BrokenResourceError."""

    async def wait_readable(self) -> None:
        """Until receive_nowait() may tell something else than None."""

    def peer_is_gone(self) -> bool:
        """Whether it is certain that nobody will read what is sent: at the end of the input, this tells a client that has
        closed only its half from one that is not there any more."""

    def send_nowait(self, data: bytes | bytearray) -> int:
        """Send as much of `data` as is possible without waiting; how much. Raises trio.BrokenResourceError."""

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


class FdStream:
    """The stream of two file descriptors, or twice the same one. It does not own them.

    They are made non-blocking; close() restores what they were.
    """

    def __init__(self, receive_fd: int, send_fd: int) -> None:
        self._receive_fd, self._send_fd = receive_fd, send_fd
        self._were_blocking = [(fd, os.get_blocking(fd)) for fd in (receive_fd, send_fd)]
        for fd, _ in self._were_blocking:
            os.set_blocking(fd, False)

    def close(self) -> None:
        """End every use of this object; the descriptors stay open."""
        for fd, was_blocking in reversed(self._were_blocking):
            trio.lowlevel.notify_closing(fd)
            os.set_blocking(fd, was_blocking)

    def receive_nowait(self) -> bytes | None:
        """See :class:`ByteStream`."""
        try:
            return os.read(self._receive_fd, CHUNK)
        except BlockingIOError:
            return None
        except OSError as error:
            raise trio.BrokenResourceError(f"cannot read: {error.strerror}") from error

    async def wait_readable(self) -> None:
        """See :class:`ByteStream`."""
        await trio.lowlevel.wait_readable(self._receive_fd)

    def peer_is_gone(self) -> bool:
        """See :class:`ByteStream`."""
        poll = select.poll()
        poll.register(self._send_fd, 0)  # hang-ups and errors are always reported
        return bool(poll.poll(0))

    def send_nowait(self, data: bytes | bytearray) -> int:
        """See :class:`ByteStream`."""
        try:
            return os.write(self._send_fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise trio.BrokenResourceError(f"cannot write: {error.strerror}") from error

    async def wait_writable(self) -> None:
        """See :class:`ByteStream`."""
        await trio.lowlevel.wait_writable(self._send_fd)

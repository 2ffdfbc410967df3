"""Ways to a server: a process of our own, a Unix socket, or any stream that already exists. For Trio and asyncio alike."""

import os
import signal
import socket as sockets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from os import PathLike, fspath
from subprocess import PIPE, Popen
from typing import TYPE_CHECKING, Final

import anyio
from anyio.abc import ByteStream, SocketAttribute
from anyio.lowlevel import checkpoint

from bbipc.client.errors import ServerUnreachable

if TYPE_CHECKING:
    import trio

__all__ = ["CHUNK", "GRACE", "Transport", "TrioStream", "connected", "exit_text", "given", "spawned"]

CHUNK: Final = 65536
"""Bytes that are asked for at once: as many as a pipe holds."""

GRACE: Final = 5.0
"""Seconds that a server gets to end by itself after its input was closed, and again after SIGTERM."""

_STATUS_PATIENCE: Final = 1.0
"""Seconds that an error message waits for the exit status of a process that closed its output."""
_POLL_SECONDS: Final = 0.01


async def _nothing() -> str:
    return ""


@dataclass(frozen=True)
class Transport:
    """A stream to a server.

    Attributes:
        stream: to send and to receive, at the same time.
        name: for messages.
        why_ended: says, when the server has ended the stream, what is known about the reason.
        send_now: sends the beginning of what it is given, as much as goes without waiting, and returns how many bytes; an error
            is left to the next `stream.send`. None if there is no such thing.
        pid: of the server, if it is a process of ours.
        max_request: the longest request that it carries, in bytes without its length; None: there is no limit.
    """

    stream: ByteStream
    name: str
    why_ended: Callable[[], Awaitable[str]] = _nothing
    send_now: Callable[[bytes], int] | None = None
    pid: int | None = None
    max_request: int | None = None


class PipeStream(ByteStream):
    """Two pipes as a stream. The ends of both directions are told apart: a server that reads no more may still answer, which
    the streams of asyncio's processes do not show.

    Args:
        reading: a descriptor in non-blocking mode.
        writing: another.
        close: closes both.
    """

    def __init__(self, reading: int, writing: int, close: Callable[[], None]) -> None:
        self._reading = reading
        self._writing = writing
        self._close = close
        self._closed = False

    async def receive(self, max_bytes: int = CHUNK) -> bytes:
        """At least one byte."""
        while True:
            await anyio.wait_readable(self._descriptor(self._reading))
            try:
                data = os.read(self._descriptor(self._reading), max_bytes)
            except BlockingIOError:
                continue
            except OSError as error:
                raise anyio.BrokenResourceError from error
            if not data:
                raise anyio.EndOfStream
            return data

    async def send(self, item: bytes) -> None:
        """All of `item`."""
        rest = memoryview(item)
        while rest:
            await checkpoint()  # each time: the reader may be so fast that nothing else ever waits
            try:
                rest = rest[os.write(self._descriptor(self._writing), rest) :]
            except BlockingIOError:
                await anyio.wait_writable(self._descriptor(self._writing))
            except OSError as error:
                raise anyio.BrokenResourceError from error

    def send_now(self, item: bytes) -> int:
        """See `Transport`."""
        try:
            return 0 if self._closed else os.write(self._writing, item)
        except OSError:
            return 0

    async def send_eof(self) -> None:
        """Not possible without closing both."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Close both pipes; who waits at them gets ClosedResourceError."""
        if not self._closed:
            self._closed = True
            for descriptor in (self._reading, self._writing):
                anyio.notify_closing(descriptor)
            self._close()
        await checkpoint()

    def _descriptor(self, descriptor: int) -> int:
        if self._closed:
            raise anyio.ClosedResourceError
        return descriptor


class TrioStream(ByteStream):
    """A stream of Trio's with the methods of anyio's."""

    def __init__(self, stream: "trio.abc.Stream") -> None:
        import trio  # noqa: PLC0415 - whoever made the stream has it

        self._stream = stream
        self._broken = trio.BrokenResourceError
        self._closed = trio.ClosedResourceError

    async def receive(self, max_bytes: int = CHUNK) -> bytes:
        """At least one byte."""
        try:
            data = await self._stream.receive_some(max_bytes)
        except self._broken as error:
            raise anyio.BrokenResourceError from error
        except self._closed as error:
            raise anyio.ClosedResourceError from error
        if not data:
            raise anyio.EndOfStream
        return bytes(data)

    async def send(self, item: bytes) -> None:
        """All of `item`."""
        try:
            await self._stream.send_all(item)
        except self._broken as error:
            raise anyio.BrokenResourceError from error
        except self._closed as error:
            raise anyio.ClosedResourceError from error

    async def send_eof(self) -> None:
        """Not needed here."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()


@asynccontextmanager
async def spawned(
    command: Sequence[str | PathLike[str]], grace: float = GRACE, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Transport]:
    """Start `command` and talk to its standard input and output; what it writes to standard error goes to ours.

    At the end its input is closed; a process that does not end by itself within `grace` seconds is sent SIGTERM, and SIGKILL
    after `grace` more seconds. This takes its time even if the surrounding scope was cancelled. Without an `environment` the
    process gets ours.

    Raises:
        ServerUnreachable: it cannot be started.
    """
    words = [fspath(word) for word in command]
    await checkpoint()
    process = _start(words, environment)

    async def why_ended() -> str:
        with anyio.move_on_after(_STATUS_PATIENCE):
            return f": {words[0]} {exit_text(await _exit_status(process))}"
        return ""

    stream = _pipes_of(process)
    try:
        yield Transport(stream, words[0], why_ended, stream.send_now, process.pid)
    finally:
        with anyio.CancelScope(shield=True):
            await stream.aclose()
            await _end(process, grace)


def _start(words: Sequence[str], environment: Mapping[str, str] | None) -> "Popen[bytes]":
    # By our own thread: a server may ask the kernel to be told of the end of the *thread* that started it.
    if not words:
        raise ServerUnreachable("the command of the server is empty")
    try:
        return Popen(words, stdin=PIPE, stdout=PIPE, bufsize=0, env=environment)
    except OSError as error:
        raise ServerUnreachable(f"cannot start {words[0]}: {error.strerror}") from None
    except ValueError as error:
        raise ServerUnreachable(f"cannot start {words[0]!r}: {error}") from None


def _pipes_of(process: "Popen[bytes]") -> PipeStream:
    requests, responses = process.stdin, process.stdout
    assert requests is not None
    assert responses is not None

    def close() -> None:
        requests.close()
        responses.close()

    for pipe in (requests, responses):
        os.set_blocking(pipe.fileno(), False)
    return PipeStream(responses.fileno(), requests.fileno(), close)


async def _exit_status(process: "Popen[bytes]") -> int:
    """Wait for the end of `process`, without a thread where the kernel can tell (Linux 5.3)."""
    if process.poll() is None:
        try:
            descriptor = os.pidfd_open(process.pid)
        except OSError:
            descriptor = None
        if descriptor is not None:
            try:
                await anyio.wait_readable(descriptor)
            finally:
                os.close(descriptor)
    while (status := process.poll()) is None:
        await anyio.sleep(_POLL_SECONDS)
    return status


async def _end(process: "Popen[bytes]", grace: float) -> None:
    for insist in (process.terminate, process.kill):
        with anyio.move_on_after(grace):
            await _exit_status(process)
            return
        insist()
    await _exit_status(process)


@asynccontextmanager
async def connected(path: str | PathLike[str]) -> AsyncIterator[Transport]:
    """Connect to the Unix socket at `path`.

    Raises:
        ServerUnreachable: nobody listens there.
    """
    try:
        stream = await anyio.connect_unix(fspath(path))
    except OSError as error:
        raise ServerUnreachable(f"cannot connect to {fspath(path)}: {error.strerror or error}") from None
    connection = stream.extra(SocketAttribute.raw_socket)

    def send_now(data: bytes) -> int:
        try:
            return connection.send(data, sockets.MSG_DONTWAIT)
        except OSError:
            return 0

    async with stream:
        yield Transport(stream, fspath(path), send_now=send_now)


@asynccontextmanager
async def given(stream: "ByteStream | trio.abc.Stream") -> AsyncIterator[Transport]:
    """A stream that somebody else made, anyio's or Trio's; it is closed at the end."""
    ours = stream if isinstance(stream, ByteStream) else TrioStream(stream)
    async with ours:
        yield Transport(ours, "the server")


def exit_text(status: int) -> str:
    """An exit status of `subprocess` in words."""
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"

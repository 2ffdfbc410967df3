"""A server that a test plays by hand, at the other end of a socket, under a clock that never waits, in Trio and in asyncio."""

import asyncio
import selectors
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
import msgpack
import trio.testing
from anyio.abc import SocketStream, TaskGroup, UNIXSocketStream

from bbipc.client import Client, Dialect, open_client

HASH = bytes(range(32))
BACKENDS: Final = ("trio", "asyncio")
PATIENCE: Final = 1000.0
"""Seconds by the clock that never waits, after which a test fails instead of hanging."""


class Server:
    """The server's end. What it receives is msgpack-decoded; what it sends can be any bytes."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self._buffer = b""

    async def receive(self) -> Any:
        """The next request; None at the end."""
        payload = await self.receive_payload()
        return None if payload is None else msgpack.unpackb(payload)

    async def receive_payload(self) -> bytes | None:
        while len(self._buffer) < 4 or len(self._buffer) < 4 + struct.unpack("<I", self._buffer[:4])[0]:
            try:
                self._buffer += await self.stream.receive(65536)
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return None
        length = struct.unpack("<I", self._buffer[:4])[0]
        payload, self._buffer = self._buffer[4 : 4 + length], self._buffer[4 + length :]
        return payload

    async def send_payload(self, payload: bytes) -> None:
        await self.stream.send(struct.pack("<I", len(payload)) + payload)

    async def send(self, value: Any) -> None:
        await self.send_payload(msgpack.packb(value))

    async def hang_up(self) -> None:
        await self.stream.aclose()


def digest(value: bytes = HASH) -> list[Any]:
    return ["Blake2sResponse", {"hash": value}]


def error(message: str) -> list[Any]:
    return ["ErrorResponse", {"message": message}]


async def streams() -> tuple[SocketStream, SocketStream]:
    """The client's end of a connection, and the server's."""
    ours, theirs = socket.socketpair()
    return await UNIXSocketStream.from_socket(ours), await UNIXSocketStream.from_socket(theirs)


@asynccontextmanager
async def scripted(dialect: Dialect | None = Dialect.TAGGED, **options: Any) -> AsyncIterator[tuple[Client, Server]]:
    """A client of a server that the test plays."""
    ours, theirs = await streams()
    async with theirs, open_client(stream=ours, dialect=dialect, **options) as client:
        yield client, Server(theirs)


class Task:
    """A task whose result is looked at later."""

    def __init__(self, tasks: TaskGroup, work: Callable[[], Awaitable[Any]]) -> None:
        self.scope = anyio.CancelScope()
        self.value: Any = None
        self.error: Exception | None = None
        self.done = anyio.Event()
        tasks.start_soon(self._run, work)

    async def _run(self, work: Callable[[], Awaitable[Any]]) -> None:
        with self.scope:
            try:
                self.value = await work()
            except Exception as raised:
                self.error = raised
        self.done.set()

    async def result(self) -> Any:
        await self.done.wait()
        if self.error is not None:
            raise self.error
        return self.value


class _Jumping(selectors.DefaultSelector):
    """Lets time jump when nothing is ready: what a socket pair carries within this process is ready at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout is not None:
            self.now += max(timeout, 0.0)
        return ready


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def options_of(backend: str) -> dict[str, Any]:
    """Options for `anyio.run` that give `backend` a clock which never waits."""
    if backend == "trio":
        return {"clock": trio.testing.MockClock(autojump_threshold=0)}
    return {"loop_factory": _JumpingLoop}


def run(test: Callable[[], Awaitable[None]], *, backends: tuple[str, ...] = BACKENDS) -> None:
    """Run `test` in each of the event loops, with a deadline: a test that hangs fails at once."""

    async def bounded() -> None:
        with anyio.fail_after(PATIENCE):
            await test()

    for backend in backends:
        try:
            anyio.run(bounded, backend=backend, backend_options=options_of(backend))
        except BaseException as raised:
            raised.add_note(f"(under {backend})")
            raise

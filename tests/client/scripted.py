"""A server that a test plays by hand, at the other end of an in-memory stream, under a clock that never waits."""

import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgpack
import trio
import trio.testing

from bbipc.client import Client, Dialect, open_client

HASH = bytes(range(32))


class Server:
    """The server's end. What it receives is msgpack-decoded; what it sends can be any bytes."""

    def __init__(self, stream: trio.StapledStream[Any, Any]) -> None:
        self.stream = stream
        self._buffer = b""

    async def receive(self) -> Any:
        """The next request; None at the end."""
        payload = await self.receive_payload()
        return None if payload is None else msgpack.unpackb(payload)

    async def receive_payload(self) -> bytes | None:
        while len(self._buffer) < 4 or len(self._buffer) < 4 + struct.unpack("<I", self._buffer[:4])[0]:
            data = await self.stream.receive_some(65536)
            if not data:
                return None
            self._buffer += data
        length = struct.unpack("<I", self._buffer[:4])[0]
        payload, self._buffer = self._buffer[4 : 4 + length], self._buffer[4 + length :]
        return payload

    async def send_payload(self, payload: bytes) -> None:
        await self.stream.send_all(struct.pack("<I", len(payload)) + payload)

    async def send(self, value: Any) -> None:
        await self.send_payload(msgpack.packb(value))

    async def hang_up(self) -> None:
        await self.stream.aclose()


def digest(value: bytes = HASH) -> list[Any]:
    return ["Blake2sResponse", {"hash": value}]


def error(message: str) -> list[Any]:
    return ["ErrorResponse", {"message": message}]


@asynccontextmanager
async def scripted(dialect: Dialect | None = Dialect.TAGGED, **options: Any) -> AsyncIterator[tuple[Client, Server]]:
    """A client of a server that the test plays."""
    ours, theirs = trio.testing.memory_stream_pair()
    async with open_client(stream=ours, dialect=dialect, **options) as client:
        yield client, Server(theirs)


class Task:
    """A task whose result is looked at later."""

    def __init__(self, nursery: trio.Nursery, work: Callable[[], Awaitable[Any]]) -> None:
        self.scope = trio.CancelScope()
        self.value: Any = None
        self.error: Exception | None = None
        self.done = trio.Event()
        nursery.start_soon(self._run, work)

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


def run(test: Callable[[], Awaitable[None]]) -> None:
    """Run `test` with a mock clock and a deadline in it: a test that hangs fails at once."""

    async def bounded() -> None:
        with trio.fail_after(1000):
            await test()

    trio.run(bounded, clock=trio.testing.MockClock(autojump_threshold=0))

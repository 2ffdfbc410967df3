"""The way to a server over shared memory (docs/protocol.md): for Trio and asyncio alike."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, TypeVar

import anyio
from anyio.abc import ByteStream
from anyio.lowlevel import checkpoint

from bbipc.client.errors import ServerUnreachable
from bbipc.client.transport import CHUNK, Transport
from bbipc.shm import files
from bbipc.shm.files import Rings, ServerWatch, ShmError
from bbipc.shm.ring import Ring, RingBroken

__all__ = ["RingStream", "attached"]

_HEADER_BYTES: Final = 4
_T = TypeVar("_T")
_LOOK: Final = 200
"""Milliseconds after which one looks whether the server is still there: the memory does not tell."""


class RingStream(ByteStream):
    """The rings of a server as a stream of whole frames. Threads sleep at them, and are interrupted when nobody waits any more.

    Args:
        rings: both directions.
        server: tells when it has ended.
    """

    def __init__(self, rings: Rings, server: ServerWatch) -> None:
        self._rings = rings
        self._server = server
        self._threads = anyio.CapacityLimiter(2)  # one in each direction
        self._closed = False

    async def receive(self, max_bytes: int = CHUNK) -> bytes:  # noqa: ARG002 - a frame is taken as a whole
        """At least one frame."""
        await checkpoint()
        responses = self._rings.responses
        while True:
            gone = self._server.is_gone()
            if data := self._of_ring(responses.take):
                return data
            if gone:
                raise anyio.EndOfStream
            await self._sleep(responses, partial(responses.wait_for_data, _LOOK))

    async def send(self, item: bytes) -> None:
        """All of `item`, which is a whole number of frames."""
        await checkpoint()
        requests = self._rings.requests
        rest = memoryview(item)
        while rest:
            sent = self._of_ring(partial(requests.put, rest))
            rest = rest[sent:]
            if not rest:
                return
            if self._server.is_gone():
                raise anyio.BrokenResourceError
            length = int.from_bytes(rest[:_HEADER_BYTES], "little")
            await self._sleep(requests, partial(requests.wait_for_room, length, _LOOK))

    def send_now(self, item: bytes) -> int:
        """See `Transport`."""
        try:
            return 0 if self._closed else self._rings.requests.put(item)
        except (RingBroken, ValueError):
            return 0

    async def send_eof(self) -> None:
        """There is no such thing in shared memory."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """End all waiting; who waits gets ClosedResourceError."""
        self._closed = True
        for ring in (self._rings.requests, self._rings.responses):
            ring.interrupt(on=True)
        await checkpoint()

    def _of_ring(self, operation: Callable[[], _T]) -> _T:
        if self._closed:
            raise anyio.ClosedResourceError
        try:
            return operation()
        except (RingBroken, ValueError) as error:
            raise anyio.BrokenResourceError from error

    async def _sleep(self, ring: Ring, wait: Callable[[], None]) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_interrupt_at_end, ring)
            await anyio.to_thread.run_sync(wait, limiter=self._threads)
            tasks.cancel_scope.cancel()
        if not self._closed:
            ring.interrupt(on=False)


async def _interrupt_at_end(ring: Ring) -> None:
    try:
        await anyio.sleep_forever()
    finally:
        ring.interrupt(on=True)


@asynccontextmanager
async def attached(name: str) -> AsyncIterator[Transport]:
    """Attach to the shared memory `name` (with or without ".shm") of a server, whose only client we are.

    Raises:
        ServerUnreachable: it is not there.
    """
    await checkpoint()
    try:
        rings = files.opened(files.name_of(name))
    except ShmError as error:
        raise ServerUnreachable(str(error)) from None
    if rings is None or rings.server is None:
        raise ServerUnreachable(f"there is no shared memory {name}: start the server first")
    stream = RingStream(rings, rings.server)
    try:
        yield Transport(stream, name, send_now=stream.send_now, max_request=rings.requests.max_message)
    finally:
        with anyio.CancelScope(shield=True):
            await stream.aclose()
        rings.close()

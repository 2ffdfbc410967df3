"""A client at the other end of two rings in shared memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import trio

from bbipc.server.cheap import MAX_IDS, CheapAnswers
from bbipc.shm.files import Rings
from bbipc.shm.ring import Ring, RingBroken
from bbipc.wire.frame import HEADER_BYTES

if TYPE_CHECKING:
    from bbipc.shm.serving import RingServer

_LONG: Final = 3_600_000
"""Milliseconds of one sleep of a thread. What wakes it is the other side, or an interrupt."""

log = logging.getLogger("bbipc.shm")
_T = TypeVar("_T")


class ShmStream:
    """The requests of a client as a stream of frames, and the way back (:class:`bbipc.server.streams.ByteStream`).

    Threads of Trio's sleep at the rings; cancellation interrupts them. A broken ring ends the input, and is told to the log.

    Args:
        rings: both directions.
        cheap: answers cheap requests.
    """

    def __init__(self, rings: Rings, cheap: CheapAnswers) -> None:
        self._rings = rings
        self._cheap = cheap
        self._asked = False
        self._server: RingServer | None = None
        self._gone = False
        self._taken = b""  # by serve()
        self._next_length = 0  # of the response for which there was no room
        self.broken = False

    @property
    def descriptors(self) -> None:
        """See :class:`ByteStream`: there are none."""
        return

    @property
    def max_response(self) -> int:
        """The longest response that the ring can carry, in bytes without its length."""
        return self._rings.responses.max_message

    def abandon(self) -> None:
        """The client is known to be gone: end the input, and send nothing more."""
        self._gone = True
        for ring in (self._rings.requests, self._rings.responses):
            ring.interrupt(on=True)

    def receive_nowait(self) -> bytes | None:
        """See :class:`ByteStream`."""
        if self._taken:
            taken, self._taken = self._taken, b""
            return taken
        if self._gone or self.broken:
            return b""
        try:
            return self._rings.requests.take() or None
        except RingBroken as fault:
            self._report("requests", fault)
            return b""

    async def wait_readable(self) -> None:
        """See :class:`ByteStream`."""
        requests = self._rings.requests
        if not self._taken:
            await self._sleep(requests, partial(requests.wait_for_data, _LONG))

    async def serve(self, *, plain: bool, in_flight: Collection[int], envelope: bool) -> list[tuple[str, int]]:
        """As wait_readable(), but cheap requests are answered meanwhile, without this thread: which, and how many of each.

        Args:
            plain: whether plain requests may be answered: no earlier one waits for its response.
            in_flight: ids of requests that wait for their responses.
            envelope: whether all requests come in envelopes.
        """
        if not self._asked:
            self._asked = True
            self._server = self._cheap.ring_server(self._rings, envelope=envelope)
        if self._taken or self._server is None or len(in_flight) > MAX_IDS:
            await self.wait_readable()
            return []
        serve = partial(self._server.serve, plain=plain, in_flight=in_flight, milliseconds=_LONG)
        answered = await self._sleep(self._rings.requests, serve)
        self._taken = answered.frame
        return answered.commands

    def peer_is_gone(self) -> bool:
        """See :class:`ByteStream`."""
        return self._gone

    def send_nowait(self, data: bytes | bytearray) -> int:
        """See :class:`ByteStream`. What is sent is a whole number of frames."""
        if self._gone:
            raise trio.BrokenResourceError("the client is gone")
        try:
            sent = self._rings.responses.put(data)
        except RingBroken as fault:
            self._report("responses", fault)
            raise trio.BrokenResourceError(str(fault)) from None
        self._next_length = int.from_bytes(data[sent : sent + HEADER_BYTES], "little")
        return sent

    async def wait_writable(self) -> None:
        """See :class:`ByteStream`."""
        responses = self._rings.responses
        await self._sleep(responses, partial(responses.wait_for_room, self._next_length, _LONG))

    async def _sleep(self, ring: Ring, wait: Callable[[], _T]) -> _T:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_interrupt_at_end, ring)
            result = await trio.to_thread.run_sync(wait)
            nursery.cancel_scope.cancel()
        if not self._gone:
            ring.interrupt(on=False)
        return result

    def _report(self, which: str, fault: RingBroken) -> None:
        if not self.broken:
            log.error("the client has broken the shared memory of the %s: %s; the connection ends", which, fault)
        self.broken = True


async def _interrupt_at_end(ring: Ring) -> None:
    try:
        await trio.sleep_forever()
    finally:
        ring.interrupt(on=True)

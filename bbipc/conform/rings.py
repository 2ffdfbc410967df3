"""Shared memory as a pair of streams. The rings are bbipc's own; bb at their other end, and bb.js at that of our server, show
that they are those of bb."""

from collections.abc import Callable
from functools import partial
from typing import Final

import trio

from bbipc.conform.case import NotApplicable
from bbipc.shm.ring import Ring, RingBroken

__all__ = ["RingInput", "RingOutput"]

_HEADER: Final = 4
_LONG: Final = 3_600_000
"""Milliseconds of one sleep; what ends it is the server, or an interrupt."""


async def _sleep(ring: Ring, wait: Callable[[], None]) -> None:
    """Wait in a thread, which is interrupted if the wait is cancelled."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_interrupt_at_end, ring)
        await trio.to_thread.run_sync(wait)
        nursery.cancel_scope.cancel()


async def _interrupt_at_end(ring: Ring) -> None:
    try:
        await trio.sleep_forever()
    finally:
        ring.interrupt(on=True)


class RingOutput(trio.abc.SendStream):
    """Requests as bytes in any pieces; a message goes into the ring when it is complete."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._rest = b""
        self._closed = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Put all messages that `data` completes; waits for room.

        Raises:
            NotApplicable: a message is too long for the ring.
        """
        self._rest += data
        while not self._closed and len(self._rest) >= _HEADER:
            length = int.from_bytes(self._rest[:_HEADER], "little")
            if length > self._ring.max_message:
                raise NotApplicable(f"a message of {length} bytes; the ring takes {self._ring.max_message}")
            if len(self._rest) < _HEADER + length:
                break
            try:
                sent = self._ring.put(self._rest[: _HEADER + length])
            except RingBroken as fault:
                raise trio.BrokenResourceError from fault
            self._rest = self._rest[sent:]
            if not sent:
                await _sleep(self._ring, partial(self._ring.wait_for_room, length, _LONG))
                self._ring.interrupt(on=False)
        await trio.lowlevel.checkpoint()

    async def wait_send_all_might_not_block(self) -> None:
        """Not needed here."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Put no more; the server does not see that."""
        self._closed = True
        await trio.lowlevel.checkpoint()


class RingInput(trio.abc.ReceiveStream):
    """Responses as bytes. The memory does not tell when the server has ended; writer_has_ended() must."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._ended = False
        self._closed = False

    def writer_has_ended(self) -> None:
        """Nothing more will come than what is there."""
        self._ended = True
        self._ring.interrupt(on=True)

    async def receive_some(self, _max_bytes: int | None = None) -> bytes:
        """Some whole messages; nothing at the end."""
        await trio.lowlevel.checkpoint()
        while not self._closed:
            ended = self._ended
            try:
                data = self._ring.take()
            except RingBroken as fault:
                raise trio.BrokenResourceError from fault
            if data or ended:
                return data
            await _sleep(self._ring, partial(self._ring.wait_for_data, _LONG))
            if not self._ended:
                self._ring.interrupt(on=False)
        return b""

    async def aclose(self) -> None:
        """Read no more."""
        self._closed = True
        await trio.lowlevel.checkpoint()

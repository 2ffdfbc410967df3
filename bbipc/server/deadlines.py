"""Moments at which something must happen unless it has become unnecessary."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable
from math import inf
from typing import Final

import trio

FEW: Final = 64
"""Cancelled alarms that may be kept whatever their share; and alarms that ring before other tasks get a turn."""

log = logging.getLogger("bbipc.deadlines")


class Alarm:
    """A function to be called at a time of Trio's clock."""

    __slots__ = ("_owner", "ring")

    def __init__(self, ring: Callable[[], None], owner: Deadlines) -> None:
        self.ring: Callable[[], None] | None = ring
        self._owner = owner

    def cancel(self) -> None:
        """It must not happen any more, or it has happened."""
        if self.ring is not None:
            self.ring = None
            self._owner.forget_one()


class Deadlines:
    """Calls functions at their times. Its methods are called in the Trio thread only.

    A cancelled alarm is kept until its time has come, but never more of them than there are others (or a few).
    """

    def __init__(self) -> None:
        # Time, a number that nothing else has, alarm: so alarms themselves are never compared, which would be slow.
        self._heap: list[tuple[float, int, Alarm]] = []
        self._number = 0
        self._cancelled = 0
        self._scope = trio.CancelScope()

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, time: float, ring: Callable[[], None]) -> Alarm:
        """Call `ring` at `time`, in the Trio thread."""
        self._number += 1
        alarm = Alarm(ring, self)
        entry = time, self._number, alarm
        heapq.heappush(self._heap, entry)
        if self._heap[0] is entry:
            self._scope.deadline = time
        return alarm

    def forget_one(self) -> None:
        """One more alarm was cancelled."""
        self._cancelled += 1
        if self._cancelled > max(FEW, len(self._heap) // 2):
            self._heap = [entry for entry in self._heap if entry[2].ring is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    async def run(self) -> None:
        """Call what is due, for ever."""
        rung = 0
        while True:
            with trio.CancelScope(deadline=self._heap[0][0] if self._heap else inf) as self._scope:
                await trio.sleep_forever()
            while self._heap and self._heap[0][0] <= trio.current_time():
                self._ring(heapq.heappop(self._heap)[2])
                rung += 1
                if rung % FEW == 0:
                    await trio.lowlevel.checkpoint()

    def _ring(self, alarm: Alarm) -> None:
        ring, alarm.ring = alarm.ring, None
        if ring is None:
            self._cancelled -= 1
            return
        try:
            ring()
        except Exception:
            log.exception("a request could not be ended at its deadline")  # the others have theirs all the same

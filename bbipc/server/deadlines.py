"""Moments at which something must happen unless it has become unnecessary."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable
from math import inf
from operator import attrgetter
from typing import Final

import trio

FEW: Final = 64
"""Cancelled alarms that may be kept whatever their share; and alarms that ring before other tasks get a turn."""
HEAPS: Final = 16
"""Heaps that share the alarms: to free one of what was cancelled takes as long as it has alarms, 100 ms for half a million."""

log = logging.getLogger("bbipc.deadlines")


class Alarm:
    """A function to be called at a time of Trio's clock."""

    __slots__ = ("_heap", "ring")

    def __init__(self, ring: Callable[[], None], heap: _Heap) -> None:
        self.ring: Callable[[], None] | None = ring
        self._heap = heap

    def cancel(self) -> None:
        """It must not happen any more, or it has happened."""
        if self.ring is not None:
            self.ring = None
            self._heap.forget_one()


class _Heap:
    """Some of the alarms. A cancelled one is kept until its time has come, but never more of them than there are others (or a
    few)."""

    def __init__(self) -> None:
        # Time, a number that nothing else has, alarm: so alarms themselves are never compared, which would be slow.
        self.entries: list[tuple[float, int, Alarm]] = []
        self.cancelled = 0

    @property
    def next(self) -> float:
        """When the first one is due."""
        return self.entries[0][0] if self.entries else inf

    def forget_one(self) -> None:
        """One more alarm was cancelled."""
        self.cancelled += 1
        if self.cancelled > max(FEW // HEAPS, len(self.entries) // 2):
            self.entries = [entry for entry in self.entries if entry[2].ring is not None]
            heapq.heapify(self.entries)
            self.cancelled = 0


_next: Final = attrgetter("next")


class Deadlines:
    """Calls functions at their times. Its methods are called in the Trio thread only."""

    def __init__(self) -> None:
        self._heaps = [_Heap() for _ in range(HEAPS)]
        self._number = 0
        self._scope = trio.CancelScope()

    def __len__(self) -> int:
        return sum(len(heap.entries) for heap in self._heaps)

    def add(self, time: float, ring: Callable[[], None]) -> Alarm:
        """Call `ring` at `time`, in the Trio thread."""
        self._number += 1
        heap = self._heaps[self._number % HEAPS]
        alarm = Alarm(ring, heap)
        heapq.heappush(heap.entries, (time, self._number, alarm))
        self._scope.deadline = min(self._scope.deadline, time)
        return alarm

    def _first(self) -> _Heap:
        """The one whose first alarm is due first."""
        return min(self._heaps, key=_next)

    async def run(self) -> None:
        """Call what is due, for ever."""
        rung = 0
        while True:
            with trio.CancelScope(deadline=self._first().next) as self._scope:
                await trio.sleep_forever()
            while (heap := self._first()).next <= trio.current_time():
                self._ring(heap, heapq.heappop(heap.entries)[2])
                rung += 1
                if rung % FEW == 0:
                    await trio.lowlevel.checkpoint()

    def _ring(self, heap: _Heap, alarm: Alarm) -> None:
        ring, alarm.ring = alarm.ring, None
        if ring is None:
            heap.cancelled -= 1
            return
        try:
            ring()
        except Exception:
            log.exception("a request could not be ended at its deadline")  # the others have theirs all the same

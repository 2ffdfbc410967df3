"""Moments at which something must happen unless it has become unnecessary."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final

import trio

_FEW: Final = 64
"""Cancelled alarms that may be kept whatever their share."""


@dataclass(eq=False, slots=True)
class Alarm:
    """A function to be called at a time of Trio's clock."""

    time: float
    number: int
    ring: Callable[[], None] | None
    _owner: Deadlines

    def __lt__(self, other: Alarm) -> bool:
        return (self.time, self.number) < (other.time, other.number)

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
        self._heap: list[Alarm] = []
        self._number = 0
        self._cancelled = 0
        self._scope = trio.CancelScope()

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, time: float, ring: Callable[[], None]) -> Alarm:
        """Call `ring` at `time`, in the Trio thread."""
        self._number += 1
        alarm = Alarm(time, self._number, ring, self)
        heapq.heappush(self._heap, alarm)
        if self._heap[0] is alarm:
            self._scope.deadline = time
        return alarm

    def forget_one(self) -> None:
        """One more alarm was cancelled."""
        self._cancelled += 1
        if self._cancelled > max(_FEW, len(self._heap) // 2):
            self._heap = [alarm for alarm in self._heap if alarm.ring is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    async def run(self) -> None:
        """Call what is due, for ever."""
        while True:
            with trio.CancelScope(deadline=self._heap[0].time if self._heap else inf) as self._scope:
                await trio.sleep_forever()
            while self._heap and self._heap[0].time <= trio.current_time():
                self._ring(heapq.heappop(self._heap))

    def _ring(self, alarm: Alarm) -> None:
        ring, alarm.ring = alarm.ring, None
        if ring is None:
            self._cancelled -= 1
        else:
            ring()

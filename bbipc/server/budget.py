"""How much memory requests and responses may hold, for one connection and for all together."""

from __future__ import annotations

from math import inf
from typing import Final, Protocol

import trio

from bbipc.server.config import MIB, Limits

ALWAYS_GRANTED: Final = MIB
"""What a connection may always hold, however much the others do: many ordinary requests (a proof is 43 KiB)."""


MUCH: Final = 32 * MIB
"""Bytes that are worth giving back to the system."""
PATIENCE: Final = 1.0
"""Seconds in which a place must make progress while somebody waits for room."""


class Holder(Protocol):
    """Who holds memory: a connection."""

    def may_yield(self) -> bool:
        """Whether it holds much that only its client can move on."""

    def mark_progress(self) -> object:
        """Judge from now on."""

    def yield_without_progress(self) -> None:
        """Give up what has made no progress since mark_progress() or the last call."""


class Budget:
    """Counts what all connections hold, and wakes those that wait for less of it.

    Attributes:
        limits: what they may hold.
        used: what they hold.
        holders: those that are looked at when somebody waits for room.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.used = 0
        self.holders: dict[Holder, None] = {}
        self.relieved = trio.Event()  # set when something has been given back
        self.most = 0  # that was held at a time; whoever is interested sets it anew
        self.gave_much = False  # whether most of a lot has been given back; the same
        self._peak = 0
        self._next_look = -inf
        self._changed = trio.Event()

    def change(self, difference: int) -> None:
        """Count `difference` more bytes, or fewer if it is negative."""
        self.used += difference
        if difference < 0:
            self.wake()
            self.relieved.set()
            if self._peak > MUCH and self.used < self._peak // 4:
                self._peak = 0
                self.gave_much = True
        else:
            self._peak = max(self._peak, self.used)
            self.most = max(self.most, self.used)

    def wake(self) -> None:
        """Let those that wait look again."""
        self._changed.set()
        self._changed = trio.Event()

    async def wait(self) -> None:
        """Until something may have become better."""
        await self._changed.wait()

    def somebody_may_yield(self, asks: Holder) -> bool:
        """Whether another than `asks` holds much that only its client can move on."""
        return any(holder is not asks and holder.may_yield() for holder in self.holders)

    async def wait_and_look(self) -> None:
        """Until something may have become better. Every :data:`PATIENCE` seconds in which anybody waits here, those without
        progress yield."""
        now = trio.current_time()
        if now > self._next_look + PATIENCE:  # nobody has waited for a while
            self._begin_period(now)
            for holder in self.holders:
                holder.mark_progress()
        with trio.move_on_at(self._next_look) as period:
            await self.wait()
        now = trio.current_time()
        if period.cancelled_caught and now >= self._next_look:
            self._begin_period(now)
            for holder in list(self.holders):
                holder.yield_without_progress()

    def _begin_period(self, now: float) -> None:
        self._next_look = now + PATIENCE

    def allows(self, held: int) -> bool:
        """Whether a connection that holds `held` bytes may take more, as far as the total is concerned."""
        return held < ALWAYS_GRANTED or self.used < self.limits.total

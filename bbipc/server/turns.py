"""Turns of the connections in the Trio thread: by time, because requests differ in what they cost.

One turn of all that have something to do takes about :data:`ROUND` seconds, however many they are: the more want to work, the
shorter each one's turn, down to a single request.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import trio

ROUND: Final = 0.004
"""Seconds for one turn of all."""
MAX_TURN: Final = 0.001
"""Seconds of one turn, whoever else wants to work."""
REQUESTS: Final = 64
"""Requests in one turn: the responses to these are sent together."""


class Turns:
    """What the turns of all connections have in common.

    Args:
        clock: seconds; tests count something else.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self.waiting = 0  # connections whose turn is over, but not their work

    @property
    def length(self) -> float:
        """Seconds of a turn."""
        return min(MAX_TURN, ROUND / (self.waiting + 1))


class Turn:
    """The turn of one connection."""

    __slots__ = ("_ends", "_requests", "_turns")

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._requests = 0
        self._ends = 0.0

    def begin(self) -> None:
        """It begins."""
        self._requests = 0
        self._ends = self._turns.clock() + self._turns.length

    @property
    def seconds_left(self) -> float:
        """Of this turn; not positive if it is over."""
        return self._ends - self._turns.clock()

    def is_over(self) -> bool:
        """Whether another request must wait for the next turn; called after each."""
        self._requests += 1
        return self._requests >= REQUESTS or self._turns.clock() >= self._ends

    async def end(self) -> None:
        """Let the others have theirs; the next one begins."""
        self._turns.waiting += 1
        try:
            await trio.lowlevel.checkpoint()
        finally:
            self._turns.waiting -= 1
        self.begin()

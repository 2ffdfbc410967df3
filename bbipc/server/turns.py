"""Turns of the connections in the Trio thread: by time, because requests differ in what they cost.

One turn of all that have something to do takes about :data:`ROUND` seconds, however many they are: the more want to work, the
shorter each one's turn, down to a single request. Of the connections of one process only :data:`PLACES` have a turn in each
round, or a client could make the rounds of all as long as it likes by connecting often.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import trio

ROUND: Final = 0.004
"""Seconds for one turn of all."""
MAX_TURN: Final = 0.001
"""Seconds of one turn, whoever else wants to work."""
PLACES: Final = 16
"""Connections of one process that may work in the same round; the others of that process wait."""
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


class Crowd:
    """The connections of one process.

    Attributes:
        connections: how many there are.
        places: for those of them that work.
    """

    def __init__(self) -> None:
        self.connections = 0
        self.places = trio.CapacityLimiter(PLACES)


class Crowds:
    """Those of all processes."""

    def __init__(self) -> None:
        self._of: dict[int, Crowd] = {}

    @contextmanager
    def member(self, process: int) -> Iterator[Crowd]:
        """The crowd of a process, which has one more connection meanwhile."""
        crowd = self._of.setdefault(process, Crowd())
        crowd.connections += 1
        try:
            yield crowd
        finally:
            crowd.connections -= 1
            if not crowd.connections:
                del self._of[process]


class Turn:
    """The turn of one connection.

    Args:
        turns: what it has in common with others.
        crowd: the connections of the same process; None: it has no others.
    """

    __slots__ = ("_crowd", "_ends", "_has_place", "_requests", "_turns")

    def __init__(self, turns: Turns, crowd: Crowd | None = None) -> None:
        self._turns = turns
        self._crowd = crowd
        self._has_place = False
        self._requests = 0
        self._ends = 0.0

    async def begin(self) -> None:
        """It begins, as soon as there is a place; leave() must follow before anything else is waited for."""
        crowd = self._crowd
        if crowd is not None and crowd.connections > PLACES and not self._has_place:
            await crowd.places.acquire_on_behalf_of(self)
            self._has_place = True
        self._requests = 0
        self._ends = self._turns.clock() + self._turns.length

    def leave(self) -> None:
        """It is over; others of the crowd may have the place."""
        if self._has_place and self._crowd is not None:
            self._has_place = False
            self._crowd.places.release_on_behalf_of(self)

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
        self.leave()
        self._turns.waiting += 1
        try:
            await trio.lowlevel.checkpoint()
        finally:
            self._turns.waiting -= 1
        await self.begin()

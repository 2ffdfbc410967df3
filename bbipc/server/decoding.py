"""Worker threads that decode large frames, and the memory of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from math import inf
from typing import Final, Protocol, TypeVar

import trio

from bbipc.server.budget import Budget
from bbipc.server.fair import FairQueue

DECODING: Final = 2
"""Bytes that a byte of a large frame takes while it is decoded: itself, and what becomes of it."""
LONG_BYTES: Final = 2 * 1024 * 1024
"""A longer frame may take seconds, and is decoded in a thread for such frames: shorter ones need not wait for it. There is one
thread for each kind. They share Python's lock with the Trio thread, so more would not be faster."""

Result = TypeVar("Result")


class Decode(Protocol):
    """Runs a function that decodes a frame of so many bytes for a client, and returns its value."""

    async def __call__(self, function: Callable[[], Result], size: int, client: Hashable, /) -> Result:
        """See the class."""


class DecodingThreads:
    """Decodes in worker threads, for the clients in turn; what that takes is charged until a thread has ended, even if nobody
    waits for it any more."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._short, self._long = _Place(), _Place()
        self._limiter = trio.CapacityLimiter(inf)  # the places are what limits

    async def __call__(self, function: Callable[[], Result], size: int, client: Hashable, /) -> Result:
        """As :class:`Decode`."""
        charge = _Charge(self._budget, DECODING * size)
        place = self._long if size > LONG_BYTES else self._short
        try:
            await place.take(client)
            charge.place = place
            return await trio.to_thread.run_sync(charge.during, function, limiter=self._limiter, abandon_on_cancel=True)
        finally:
            charge.end_unless_running()


class _Place:
    """That of one thread. Clients have it in turn, or one with many connections would keep it from all others."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: FairQueue[Hashable, trio.Event] = FairQueue()

    async def take(self, client: Hashable) -> None:
        """Wait for it; give_back() must follow."""
        if not self._taken:
            self._taken = True
            return
        turn = trio.Event()
        self._waiting.push(client, turn)
        try:
            await turn.wait()
        except BaseException:
            if not self._waiting.remove(client, turn):
                self.give_back()  # it has just become ours
            raise

    def give_back(self) -> None:
        """It is the next one's turn."""
        if self._waiting:
            self._waiting.pop().set()
        else:
            self._taken = False


class _Charge:
    """Bytes that the budget counts from now on until a function has run, and the place that it has meanwhile."""

    def __init__(self, budget: Budget, size: int) -> None:
        self.place: _Place | None = None
        self._budget, self._size = budget, size
        self._token = trio.lowlevel.current_trio_token()
        self._lock = threading.Lock()
        self._running = self._over = False
        budget.change(size)

    def during(self, function: Callable[[], Result]) -> Result:
        """Run the function, in a thread."""
        with self._lock:
            if self._over:  # given up just before the thread began; nobody sees what becomes of it
                raise RuntimeError("nobody waits for this frame")
            self._running = True
        try:
            return function()
        finally:
            with suppress(trio.RunFinishedError):
                self._token.run_sync_soon(self._end)

    def end_unless_running(self) -> None:
        """Nobody waits any more."""
        with self._lock:
            self._over = True
            if self._running:
                return
        self._end()

    def _end(self) -> None:
        if self.place is not None:
            self.place.give_back()
        self._budget.change(-self._size)

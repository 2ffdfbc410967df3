"""Worker threads that decode large frames, and the memory of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol, TypeVar

import trio

from bbipc.server.budget import Budget

DECODING: Final = 2
"""Bytes that a byte of a large frame takes while it is decoded: itself, and what becomes of it."""
LONG_BYTES: Final = 2 * 1024 * 1024
"""A longer frame may take seconds, and is decoded in a thread for such frames: shorter ones need not wait for it. There is one
thread for each kind. They share Python's lock with the Trio thread, so more would not be faster."""

Result = TypeVar("Result")


class Decode(Protocol):
    """Runs a function that decodes a frame of so many bytes, and returns its value."""

    async def __call__(self, function: Callable[[], Result], size: int, /) -> Result:
        """See the class."""


class DecodingThreads:
    """Decodes in worker threads; what that takes is charged until a thread has ended, even if nobody waits for it any more."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._short, self._long = trio.CapacityLimiter(1), trio.CapacityLimiter(1)

    async def __call__(self, function: Callable[[], Result], size: int, /) -> Result:
        """As :class:`Decode`."""
        charge = _Charge(self._budget, DECODING * size)
        limiter = self._long if size > LONG_BYTES else self._short
        try:
            return await trio.to_thread.run_sync(charge.during, function, limiter=limiter, abandon_on_cancel=True)
        finally:
            charge.end_unless_running()


class _Charge:
    """Bytes that the budget counts from now on until a function has run."""

    def __init__(self, budget: Budget, size: int) -> None:
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
        self._budget.change(-self._size)

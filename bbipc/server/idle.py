"""Waiting for whoever works to have nothing left to do."""

from __future__ import annotations

from collections.abc import Callable

import trio


class IdleSignal:
    """Wakes those that wait for a worker to be idle.

    Args:
        is_idle: whether it is.
        on_idle: called whenever it has become so.
    """

    def __init__(self, is_idle: Callable[[], bool], on_idle: Callable[[], None]) -> None:
        self._is_idle = is_idle
        self._on_idle = on_idle
        self._became_idle = trio.Event()

    async def wait(self) -> None:
        """Until it is idle."""
        while not self._is_idle():
            await self._became_idle.wait()

    def check(self) -> None:
        """To be called whenever it may have become idle."""
        if self._is_idle():
            self._became_idle.set()
            self._became_idle = trio.Event()
            self._on_idle()

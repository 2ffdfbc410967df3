"""Trio for Hypothesis' state machines, whose steps are ordinary functions: between steps, the event loop stands still."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from queue import SimpleQueue
from typing import Any

import trio
from trio.testing import MockClock


class TrioHost:
    """An event loop that runs only while `run()` does."""

    def __init__(self) -> None:
        self._callbacks: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._outcome: Any = None
        self._jobs, self._next_jobs = trio.open_memory_channel[Any](1)
        self.nursery: trio.Nursery
        trio.lowlevel.start_guest_run(
            self._main,
            run_sync_soon_threadsafe=self._callbacks.put,
            done_callback=self._done,
            clock=MockClock(),
            host_uses_signal_set_wakeup_fd=True,
        )
        self.run(trio.lowlevel.checkpoint)

    def run(self, function: Callable[[], Awaitable[Any]]) -> Any:
        """The value of an async function."""
        box: list[Any] = []
        self._jobs.send_nowait((function, box))
        while not box:
            self._callbacks.get()()
            if self._outcome is not None:
                self._outcome.unwrap()
                raise RuntimeError("the event loop has ended")
        value, error = box[0]
        if error is not None:
            raise error
        return value

    def close(self) -> None:
        """End everything; an exception of a background task appears here."""
        self._jobs.close()
        while self._outcome is None:
            self._callbacks.get()()
        self._outcome.unwrap()

    def _done(self, outcome: Any) -> None:
        self._outcome = outcome

    async def _main(self) -> None:
        async with trio.open_nursery() as self.nursery:
            async for function, box in self._next_jobs:
                try:
                    box.append((await function(), None))
                except Exception as error:
                    box.append((None, error))
            self.nursery.cancel_scope.cancel()

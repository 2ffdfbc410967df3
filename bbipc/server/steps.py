"""Long work in steps, so that a worker can do something for others in between.

A computation is a generator that yields between two steps, of some milliseconds at most, and returns its result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import TypeVar

Result = TypeVar("Result")
Steps = Generator[None, None, Result]


def advance(steps: Steps[Result], seconds: float, clock: Callable[[], float] = time.thread_time) -> Result | None:
    """Go on for about so many seconds of this thread's processor time, but for one step at least.

    Returns:
        the result; None if there is more to do.
    """
    ends = clock() + seconds
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
        if clock() >= ends:
            return None


def finish(steps: Steps[Result]) -> Result:
    """All that is left to do, at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result

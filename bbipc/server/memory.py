"""When what is not needed any more is looked for, and what the C library keeps of freed memory."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Final

import trio

from bbipc.server.budget import Budget
from bbipc.server.config import MIB

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_LARGE: Final = 4 * 1024 * 1024
"""Bytes of a block that has pages of its own: most buffers of the verifier are smaller, and large frames larger."""
_KEPT: Final = 4 * MIB
"""Free bytes at the end of a heap that are kept for the next request; give_back() does not reach those of threads. With 1 MiB,
batches take up to five percent longer, with 16 MiB they are not faster (bench/compare.py)."""
_OTHER_HEAPS: Final = 2
"""Beside those of the workers: that of the Trio thread, and one for the threads that decode."""
PAUSE: Final = 0.2
"""Seconds after which it is judged whether memory goes back to the system."""
LITTLE: Final = MIB
"""Bytes that requests may hold while a server counts as quiet."""
WORTH: Final = MIB
"""Bytes by which memory must have grown to be given back in a quiet moment."""
WORTH_WHEN_BUSY: Final = 32 * MIB
"""The same at any other moment, beyond what requests explain: more than what workers take and give back all the time."""
EXPLAINED: Final = 1.25
"""Bytes in memory for each that requests are charged with: a little more than was measured."""
SELDOM: Final = 0.5
"""Seconds at least between two such moments: to look between what is in use takes up to 50 ms, in which it may keep others
from getting memory, and work that goes on soon takes the pages again."""
_NEVER: Final = 1_000_000_000
COLLECTIONS: Final = 10
"""Collections of young garbage after which all of it is looked for, if requests hold little."""
MOST_COLLECTIONS: Final = 2000
"""The same, whatever requests hold."""
FEW_REQUESTS: Final = 8 * MIB
"""Bytes that requests may hold while all garbage is looked for: with them, it takes milliseconds."""

log = logging.getLogger("bbipc.server")


def look_for_garbage_at_quiet_moments() -> None:
    """Let Python's collector look at what is young only; give_back_now_and_then() does the rest. To look at everything takes as
    long as there are objects: with the waiting requests of one client that has many connections, all others would wait for
    some hundred milliseconds. What a request leaves is no cycle, so there is little garbage to be found."""
    first, second, _ = gc.get_threshold()
    gc.set_threshold(first, second, _NEVER)


def _look_for_garbage(held: int) -> None:
    collections = gc.get_count()[2]
    if collections >= (COLLECTIONS if held < FEW_REQUESTS else MOST_COLLECTIONS):
        gc.collect()


def keep_little(workers: int) -> None:
    """Let glibc return large blocks to the system when they are freed. By itself it raises its threshold to the largest block
    that was ever freed, up to 32 MiB: after one client's large frames, the process would keep hundreds of MiB. And threads
    that come and go share as many heaps as there are workers, instead of eight for each processor: each keeps free bytes."""
    mallopt = _function("mallopt")
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, workers + _OTHER_HEAPS)
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)


def give_back() -> None:
    """Return free pages between those in use, too; takes milliseconds."""
    malloc_trim = _function("malloc_trim")
    if malloc_trim is not None:
        malloc_trim(0)


def resident() -> int:
    """Bytes of the process that are in memory; 0 if the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


async def give_back_now_and_then(budget: Budget, is_idle: Callable[[], bool]) -> None:
    """Give free pages back for ever: when most of a lot was given up, and when memory has grown, in quiet moments by a little,
    otherwise by a lot more than what requests hold. What they leave between blocks in use would grow for hours, and a load be
    charged with what another has left. Without requests, nothing wakes up."""
    at_rest = lately = resident()  # the least since memory was given back in a quiet moment; since any, without requests
    given_back = -inf
    while True:
        await budget.relieved.wait()
        budget.relieved, budget.most = trio.Event(), budget.used
        await trio.sleep(PAUSE)  # what is being given up is freed in the meantime
        _look_for_garbage(budget.used)
        now, quiet = resident(), is_idle() and budget.most < LITTLE
        if quiet:
            grown = now - at_rest >= WORTH
        else:
            unexplained = now - lately - EXPLAINED * budget.most
            grown = unexplained >= WORTH_WHEN_BUSY and trio.current_time() >= given_back + SELDOM
        if budget.gave_much or grown:
            budget.gave_much = False
            try:
                await trio.to_thread.run_sync(give_back, abandon_on_cancel=True)
            except RuntimeError as error:  # no thread can be had now
                log.info("memory is not given back: %s", error)
            now = resident()
            lately, given_back = max(now - budget.used, 0), trio.current_time()
            if quiet:
                at_rest = now
        at_rest, lately = min(at_rest, now), min(lately, now)


def _function(name: str) -> Callable[..., int] | None:
    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):
        return None  # another C library
    return found

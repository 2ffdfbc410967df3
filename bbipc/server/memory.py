"""What the C library keeps of freed memory."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_LARGE: Final = 4 * 1024 * 1024
"""Bytes of a block that has pages of its own: most buffers of the verifier are smaller, and large frames larger."""
_KEPT: Final = 16 * 1024 * 1024
"""Free bytes at the end of a heap that are kept for the next request."""
_OTHER_HEAPS: Final = 2
"""Beside those of the workers: that of the Trio thread, and one for the threads that decode."""


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


def _function(name: str) -> Callable[..., int] | None:
    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):
        return None  # another C library
    return found

"""Cores for all who need the same setup: a core takes milliseconds to make, and keeps the keys that it has seen.

Importing this loads nothing. The C library is loaded when the first core is made.
"""

from functools import cache, lru_cache

TYPE_CHECKING = False  # as in bbipc.chonk
if TYPE_CHECKING:
    from bbipc.chonk.core import Core
    from bbipc.chonk.setup import Setup

__all__ = ["default_core", "shared_core"]


@lru_cache(maxsize=8)
def shared_core(setup: "Setup") -> "Core":
    """The core under `setup`, with the fastest arithmetic; those of the most recently used setups are kept."""
    from bbipc.chonk.core import Core  # noqa: PLC0415 - see above

    return Core(setup.g2_x, setup.translator_key, "auto")


@cache
def default_core() -> "Core":
    """The core for operations that depend on no setup."""
    from bbipc.chonk.setup import Setup  # noqa: PLC0415 - see above

    return shared_core(Setup.AZTEC)

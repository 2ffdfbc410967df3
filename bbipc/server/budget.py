"""How much memory requests and responses may hold, for one connection and for all together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import trio

MIB: Final = 1024 * 1024
ALWAYS_GRANTED: Final = MIB
"""What a connection may always hold, however much the others do: many ordinary requests (a proof is 43 KiB)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds in bytes; a request counts from its arrival until its response has been taken by the system, a response
    until then.

    Attributes:
        frame: the longest frame that is accepted.
        connection: what complete requests and responses of one connection may hold. Above it the connection is not read.
        total: what all connections may hold, unfinished frames included, beyond :data:`ALWAYS_GRANTED` for each.
    """

    frame: int = 64 * MIB
    connection: int = 64 * MIB
    total: int = 512 * MIB


class Budget:
    """Counts what all connections hold, and wakes those that wait for less of it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.used = 0
        self._changed = trio.Event()

    def change(self, difference: int) -> None:
        """Count `difference` more bytes, or fewer if it is negative."""
        self.used += difference
        if difference < 0:
            self.wake()

    def wake(self) -> None:
        """Let those that wait look again."""
        self._changed.set()
        self._changed = trio.Event()

    async def wait(self) -> None:
        """Until something may have become better."""
        await self._changed.wait()

    def allows(self, held: int) -> bool:
        """Whether a connection that holds `held` bytes may take more, as far as the total is concerned."""
        return held < ALWAYS_GRANTED or self.used < self.limits.total

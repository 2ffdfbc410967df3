"""Cutting a stream of items into units."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from bbipc.archive.fingerprint import Fingerprint
from bbipc.archive.unit import Judge, Unit

__all__ = ["UNIT_BYTES", "UNIT_ITEMS", "cut"]

UNIT_ITEMS: Final = 64
"""Items of a unit: a batch shares one inner-product argument, and from 64 on more items save nothing that matters
(docs/batching.md)."""

UNIT_BYTES: Final = 8 << 20
"""Bytes of a unit: what travels to the scheduler and on to a worker in one message."""


def cut(
    items: Iterable[Any],
    judge: Judge,
    *,
    threads: int = 1,
    unit_items: int = UNIT_ITEMS,
    unit_bytes: int = UNIT_BYTES,
    made_by: Fingerprint | None = None,
) -> Iterator[Unit[Any]]:
    """Units of consecutive items, each as large as the limits permit, and of at least one item.

    Items are taken only when the unit they belong to is asked for.

    Raises:
        ValueError: a limit is less than 1, or `threads` is negative.
    """
    if unit_items < 1 or unit_bytes < 1:
        raise ValueError(f"a unit needs room for an item: {unit_items} items, {unit_bytes} bytes")
    if threads < 0:
        raise ValueError(f"threads must not be negative: {threads}")
    return _cut(items, judge, threads, unit_items, unit_bytes, made_by)


def _cut(
    items: Iterable[Any], judge: Judge, threads: int, unit_items: int, unit_bytes: int, made_by: Fingerprint | None
) -> Iterator[Unit[Any]]:
    collected: list[Any] = []
    first = size = 0

    def unit() -> Unit[Any]:
        return Unit(tuple(range(first, first + len(collected))), tuple(collected), judge, threads, made_by)

    for item in items:
        added = judge.nbytes(item)
        if collected and (len(collected) == unit_items or size + added > unit_bytes):
            yield unit()
            first, collected, size = first + len(collected), [], 0
        collected.append(item)
        size += added
    if collected:
        yield unit()

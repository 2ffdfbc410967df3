"""A unit of work: proofs or transactions that one worker decides together, with everything that their verdicts depend on.

A unit is a value. It carries its items, keys, setup, registry and options, so a worker needs neither files nor state of the
client; it runs anywhere, any number of times, with the same verdicts. Dask is not imported here.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, Protocol, TypeVar

from bbipc.archive.fingerprint import Fingerprint, own_fingerprint

__all__ = ["ALL_THREADS", "BuildMismatchError", "DecisionError", "Done", "Judge", "Unit", "decide"]

Item = TypeVar("Item")

ALL_THREADS: Final = 0
"""For `Unit.threads`: all threads of the worker, which then decides one unit after the other."""

_whole_worker: Final = threading.Lock()


class BuildMismatchError(Exception):
    """A worker runs another build of bbipc than the client, so that its verdicts could differ; the message says in what."""


class DecisionError(Exception):
    """A judge failed, for want of memory for instance; the message names the exception, which may not survive a pickle."""


class Judge(Protocol):
    """What decides the items of a unit; a picklable value with the options of the verification."""

    @property
    def name(self) -> str:
        """What is done, for people: it names the tasks in Dask's dashboard."""
        ...

    def nbytes(self, item: Any) -> int:
        """Bytes that an item adds to its unit, near enough: they limit its size."""
        ...

    def decide(self, items: Sequence[Any], threads: int) -> Sequence[Any]:
        """The results for `items`, in their order. What is wrong with an item is its result, never an exception."""
        ...

    def failed(self, reason: str) -> Any:
        """The result of an item that no worker could decide."""
        ...


@dataclass(frozen=True, slots=True)
class Unit(Generic[Item]):
    """Items that are decided together.

    Attributes:
        indices: the numbers of the items in the caller's sequence.
        items: what `judge` decides.
        judge: how.
        threads: how many of a worker's threads work on it, or `ALL_THREADS`.
        made_by: the client's build: workers of another build refuse the unit. None: it does not leave this process.
    """

    indices: tuple[int, ...]
    items: tuple[Item, ...]
    judge: Judge
    threads: int
    made_by: Fingerprint | None = None

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        # Dask writes it into its logs: not the items.
        return f"Unit({self.judge.name}, {len(self)} items from {self.indices[0]} on)"

    def halves(self) -> "tuple[Unit[Item], Unit[Item]]":
        """Two units of at least one item each; only for units of two or more."""
        middle = len(self) // 2
        return (
            replace(self, indices=self.indices[:middle], items=self.items[:middle]),
            replace(self, indices=self.indices[middle:], items=self.items[middle:]),
        )


@dataclass(frozen=True, slots=True)
class Done:
    """A unit with the results of its items, in the order of `unit.indices`."""

    unit: Unit[Any]
    results: list[Any]


def decide(unit: Unit[Any]) -> list[Any]:
    """The results of a unit: what runs on a worker.

    Raises:
        BuildMismatchError: this process runs another build than the one that made the unit. Nothing was decided.
        DecisionError: the judge failed.
    """
    if unit.made_by is not None and (differences := unit.made_by.differences(own_fingerprint())):
        raise BuildMismatchError(differences)
    try:
        if unit.threads != ALL_THREADS:
            return list(unit.judge.decide(unit.items, unit.threads))
        from distributed import get_worker  # noqa: PLC0415 - only here is it known that Dask is at hand

        with _whole_worker:
            return list(unit.judge.decide(unit.items, get_worker().state.nthreads))
    except Exception as error:
        raise DecisionError(f"{type(error).__name__}: {error}") from None

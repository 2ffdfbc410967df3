"""Units through a Dask cluster: a bounded number under way, none lost, results as they come.

Dask runs the units of a lost worker elsewhere by itself. It gives a task up (`KilledWorker`) when more workers were lost with
it than `distributed.scheduler.allowed-failures` (3) permits. That alone accuses nobody: Dask counts for every task that the
lost worker had, not only for the one that ended it. So such a unit is a *suspect*. Suspects wait until nothing else is under
way, and then run one at a time. One that ends workers although it is alone is cut in two, down to the item, which is reported.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from time import monotonic
from typing import Any, Final
from uuid import uuid4

from distributed import Client, Future, KilledWorker, as_completed
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from tornado.ioloop import PeriodicCallback

from bbipc.archive.cut import UNIT_BYTES
from bbipc.archive.unit import ALL_THREADS, BuildMismatchError, Done, Unit, decide
from bbipc.cluster.errors import ClusterError, ClusterLostError

__all__ = ["UNITS_PER_THREAD", "Progress", "run_units"]

UNITS_PER_THREAD: Final = 2
"""Units under way for each worker thread: one that runs and one that waits there, so that no thread waits for the network."""

MESSAGE_BYTES: Final = UNIT_BYTES
"""Units for which there is room at the same time go to the scheduler in one message of so many bytes, or of one unit."""

MESSAGE_SECONDS: Final = 0.01
"""A message leaves after this time, so that workers do not wait while files are read."""

_LOOK_MILLISECONDS: Final = 1000
"""Who waits for workers that are all gone is told so when two looks, this far apart, found none: one may be starting again."""

_LOST: Final = "the scheduler went away, or somebody cancelled this client's work there"


@dataclass(slots=True)
class Progress:
    """What goes on, for people.

    Attributes:
        workers: processes that work for the scheduler, when it was last asked.
        threads: their threads.
        under_way: units that the scheduler has.
        failures: units that had to be run again in a smaller form or alone, because workers ended with them.
    """

    workers: int = 0
    threads: int = 0
    under_way: int = 0
    failures: int = 0

    def __str__(self) -> str:
        counts = [f"{self.workers} worker{'s' * (self.workers != 1)}"]
        if self.failures:
            counts.append(f"{self.failures} unit{'s' * (self.failures != 1)} run again")
        return ", ".join(counts)


def run_units(
    client: Client,
    units: Iterator[Unit[Any]],
    *,
    ordered: bool = False,
    progress: Progress | None = None,
    on_no_workers: Callable[[], None] | None = None,
) -> Iterator[Done]:
    """Decide units, and give them as they are done, each item exactly once.

    Units are taken from `units` only when there is room, so memory here and at the scheduler is bounded by the number of worker
    threads, whatever the length of the stream. Closing the iterator cancels what is under way.

    Args:
        client: a connected client; it stays open.
        units: what is to be done; indices ascend.
        ordered: give units in the order of their indices. A unit that is late then holds the others back, in bounded memory.
        progress: kept up to date.
        on_no_workers: called once, in the client's event loop, if all workers are gone. Units wait for new ones.

    Raises:
        ClusterLostError: the scheduler went away. What was given stays true.
        ClusterError: a worker runs another build of bbipc, or cannot import it.
    """
    pump = _Pump(client, units, progress or Progress())
    try:
        with _watched(client, on_no_workers):
            yield from _in_order(pump) if ordered else pump.run(lambda: True)
    finally:
        pump.cancel()


@contextmanager
def _watched(client: Client, on_no_workers: Callable[[], None] | None) -> Iterator[None]:
    """Look whether there are workers, from time to time, and tell once if there are none."""
    if on_no_workers is None:
        yield
        return
    loop, scheduler = client.loop, client.scheduler
    assert loop is not None, "the client is connected"
    assert scheduler is not None, "the same"
    empty = 0

    async def look() -> None:
        nonlocal empty
        with suppress(OSError, TimeoutError):  # the scheduler is gone: the pump finds out
            empty = 0 if await scheduler.ncores(workers=None) else empty + 1
            if empty == 2:
                looks.stop()
                on_no_workers()

    looks = PeriodicCallback(look, _LOOK_MILLISECONDS)
    loop.add_callback(looks.start)
    try:
        yield
    finally:
        loop.add_callback(looks.stop)


def _in_order(pump: "_Pump") -> Iterator[Done]:
    held: dict[int, Done] = {}
    expected = 0
    for done in pump.run(lambda: len(held) < 2 * pump.window()):
        held[done.unit.indices[0]] = done
        while (first := held.pop(expected, None)) is not None:
            expected += len(first.unit)
            yield first


class _Pump:
    def __init__(self, client: Client, units: Iterator[Unit[Any]], progress: Progress) -> None:
        self._client = client
        self._units = units
        self._progress = progress
        self._under_way: dict[Future[Any], Unit[Any]] = {}
        self._completed = as_completed(loop=client.loop)
        self._suspects: deque[Unit[Any]] = deque()
        self._run = uuid4().hex[:8]
        self._numbers = count()
        self._ahead: Unit[Any] | None = None
        self._exhausted = False
        self._until_next_look = 0
        self._whole_workers = False

    def run(self, has_room: Callable[[], bool]) -> Iterator[Done]:
        """Decide all units; new ones are started only while `has_room`."""
        while True:
            if len(self._suspects) < self.window():  # else let the cluster run empty, and look at them
                self._fill(has_room)
            alone = not self._under_way
            if alone:
                if self._suspects:
                    self._submit([self._suspects.popleft()])
                elif self._exhausted:
                    return
            done, failed = self._next()
            yield from done
            for unit, future in failed:
                error = self._failure(future)
                self._progress.failures += 1
                killed = isinstance(error, KilledWorker)
                if killed and not alone:
                    self._suspects.append(unit)
                elif len(unit) > 1:
                    self._suspects.extendleft(reversed(unit.halves()))
                else:
                    reason = "ended the worker that verified it" if killed else f"the worker that verified it failed: {error}"
                    yield Done(unit, [unit.judge.failed(reason)])

    def window(self) -> int:
        """How many units may be under way."""
        units = self._progress.workers if self._whole_workers else self._progress.threads
        return UNITS_PER_THREAD * max(units, 1)

    def cancel(self) -> None:
        """Drop what is under way."""
        futures = list(self._under_way)
        self._under_way.clear()
        if futures and self._client.status == "running":
            self._client.cancel(futures, force=True)

    def _fill(self, has_room: Callable[[], bool]) -> None:
        """Start units while there is room. Each message costs client and scheduler milliseconds, so they share it."""
        while not self._exhausted and has_room():
            units: list[Unit[Any]] = []
            size = 0
            until = monotonic() + MESSAGE_SECONDS
            while self._has_room_beside(units) and (unit := self._peek()) is not None:
                size += sum(map(unit.judge.nbytes, unit.items))
                if units and size > MESSAGE_BYTES:
                    break
                units.append(unit)
                self._ahead = None
                if monotonic() > until:
                    break
            if not units:
                return
            self._submit(units)

    def _has_room_beside(self, units: list[Unit[Any]]) -> bool:
        self._look()
        return len(self._under_way) + len(units) < self.window()

    def _peek(self) -> Unit[Any] | None:
        """The next unit, which stays the next one until `_ahead` is None."""
        if self._ahead is None:
            self._ahead = next(self._units, None)
        if self._ahead is None:
            self._exhausted = True
        else:
            self._whole_workers = self._ahead.threads == ALL_THREADS
        return self._ahead

    def _look(self) -> None:
        """Count the workers, once in a window of units: clusters grow and shrink."""
        self._until_next_look -= 1
        if self._until_next_look > 0:
            return
        threads = self._ask(self._client.nthreads)
        self._progress.workers, self._progress.threads = len(threads), sum(threads.values())
        self._until_next_look = self.window()

    def _submit(self, units: list[Unit[Any]]) -> None:
        # The dashboard shows and colours tasks by what `dask.utils.key_split` leaves of this: the name alone.
        names = [f"{unit.judge.name}-{self._run}-{next(self._numbers)}" for unit in units]
        futures = self._ask(lambda: self._client.map(decide, units, key=names, pure=False))
        self._under_way.update(zip(futures, units, strict=True))
        self._progress.under_way = len(self._under_way)
        self._completed.update(futures)

    def _next(self) -> tuple[list[Done], list[tuple[Unit[Any], Future[Any]]]]:
        """The units that are done next, at least one, and those that failed. Their results come in one message as well."""
        futures: list[Future[Any]] = self._ask(self._completed.next_batch)
        units = [(future, self._under_way.pop(future)) for future in futures]
        self._progress.under_way = len(self._under_way)
        finished = {future.key: future for future in futures if future.status == "finished"}
        # A result can go away with its worker until it is here. Then Dask makes it again; None: even that failed.
        results = self._ask(lambda: self._client.gather(finished, errors="skip")) if finished else {}
        done, failed = [], []
        for future, unit in units:
            if (result := results.get(future.key)) is not None:
                done.append(Done(unit, result))
            else:
                failed.append((unit, future))
        return done, failed

    def _failure(self, future: Future[Any]) -> BaseException:
        """Why there is no result."""
        if future.status != "error":  # cancelled, or lost with its scheduler
            raise ClusterLostError(_LOST)
        error: BaseException = self._ask(future.exception)
        if isinstance(error, BuildMismatchError):
            raise ClusterError(f"a worker runs another bbipc: {error}")
        if isinstance(error, ImportError):
            raise ClusterError(f"a worker cannot run bbipc: {error}; install bbipc there, in this client's version")
        return error

    def _ask(self, question: Callable[[], Any]) -> Any:
        """Ask the scheduler; its end has one name."""
        try:
            return question()
        except (FutureCancelledError, CommClosedError, TimeoutError, OSError) as error:
            raise ClusterLostError(_LOST) from error

"""Who works when: the one place where requests wait for worker threads.

There are `threads` workers. Two kinds of jobs wait for them, each kind in a queue that serves the processes in turn, and the
connections of each in turn:

* A *computation* takes one worker. A long one is done in steps: after :data:`SLICE` seconds it is the turn of others.
* *Verifications* are taken together: when a worker is free, all that wait (up to :data:`MAX_BATCH_TASKS` proofs) become
  one batch on all workers that are free at that moment. A batch of one proof is verified by itself on these threads. In
  a larger one the proofs are reduced side by side, up to eight on each worker, and what remains of them is checked
  together, because most of a verification costs the same for one proof as for many.

So a lone request starts at once on all threads, and under load batches grow by themselves; there is no timer. If both
kinds wait, they take turns, and a batch leaves one worker to a computation that waits.

No client makes others wait for more than one batch of that size. A request with more proofs is cut into *slices*, with turns
of the others between them. And if clients with few proofs wait beside one with many, batches of the few and of all take
turns: a lone verification need not pay for 63 proofs of somebody else's.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import trio

from bbipc.server.backend import AnyTask, Backend, Cancel
from bbipc.server.batch_report import BatchCounters, failed_checks
from bbipc.server.fair import GroupedQueue, group_of
from bbipc.server.idle import IdleSignal
from bbipc.server.jobs import Computation, Slice, Verification
from bbipc.server.steps import advance
from bbipc.wire.dialect import error_response

if TYPE_CHECKING:
    from bbipc.chonk import Verdict

INTERNAL_ERROR: Final = "internal error, see the server's log"
MAX_BATCH_TASKS: Final = 64
"""Proofs in one batch: enough that a larger one gains nothing (the part of a verification that a batch shares is then
a few per cent), few enough that the next batch starts soon."""

GROUP_TASKS: Final = 8
"""Proofs that a worker reduces side by side: as many as the core hashes at once. Fewer, if all workers would not have some."""

MANY_VERDICTS: Final = 1024
"""Verdicts that a worker makes a response of: more of them take the Trio thread milliseconds."""
SLICE: Final = 0.02
"""Seconds of a worker's processor time after which a computation lets others have the worker: about half a verification."""
FEW: Final = 8
"""A client whose waiting proofs fill at most this part of a batch has few: so many take about twice as long as one."""
MANY: Final = 2
"""One whose waiting proofs fill more than this part of it has many."""

log = logging.getLogger("bbipc.scheduler")
Result = TypeVar("Result")


class InThread(Protocol):
    """Runs a function in a worker thread and returns its value."""

    async def __call__(self, function: Callable[[], Result], /) -> Result:
        """See the class."""


def make_threads(count: int) -> InThread:
    """At most `count` worker threads."""
    limiter = trio.CapacityLimiter(count)

    async def in_thread(function: Callable[[], Result], /) -> Result:
        # Abandoned only when the process is about to end: then nothing waits for a worker any more.
        return await trio.to_thread.run_sync(function, limiter=limiter, abandon_on_cancel=True)

    return in_thread


ScheduledJob = Computation | Verification


class Scheduler:
    """Runs jobs in worker threads. Its methods are called in the Trio thread only.

    The `finish` function of a job is called exactly once, in the Trio thread, unless the job was dropped.

    Args:
        backend: verifies proofs.
        threads: how many workers there are.
        on_idle: called whenever the last job has ended.
        max_batch_tasks: proofs in one batch.
        in_thread: runs a function in a worker thread; tests replace it to decide when each of them ends.
    """

    def __init__(
        self,
        backend: Backend,
        threads: int,
        on_idle: Callable[[], None] = lambda: None,
        max_batch_tasks: int = MAX_BATCH_TASKS,
        in_thread: InThread | None = None,
    ) -> None:
        self.threads = threads
        self.counters = BatchCounters()
        self._backend = backend
        self._max_batch_tasks = max_batch_tasks
        self._in_thread = in_thread or make_threads(threads)
        self._free = threads
        self._computations: GroupedQueue[object, Computation] = GroupedQueue()
        self._verifications: GroupedQueue[object, Verification] = GroupedQueue()
        self._proofs_of: Counter[object] = Counter()  # of those of `_verifications`, for each client
        self._proofs_of_group: Counter[object] = Counter()  # the same for the clients of each group
        self._few_is_next = True
        self._running: set[ScheduledJob] = set()
        self._computation_is_next = True
        self._changed = trio.Event()
        self._idle_signal = IdleSignal(lambda: self.idle, on_idle)
        self.on_submit: Callable[[], None] = lambda: None
        """Called whenever a job was submitted."""

    @property
    def waiting(self) -> int:
        """Jobs that wait for a worker."""
        return len(self._computations) + len(self._verifications)

    @property
    def running(self) -> int:
        """Jobs that are being worked on."""
        return len(self._running)

    @property
    def claimed(self) -> int:
        """Workers that work, or will as soon as they can."""
        wanted = self.threads if self._verifications else len(self._computations)
        return min(self.threads, self.threads - self._free + wanted)

    @property
    def idle(self) -> bool:
        """Whether there is no job at all."""
        return not self._running and not self.waiting

    async def wait_idle(self) -> None:
        """Until there is no job at all."""
        await self._idle_signal.wait()

    def submit(self, job: ScheduledJob) -> None:
        """Let `job` wait for a worker. Bounding how many wait is the caller's duty."""
        if isinstance(job, Computation):
            self._computations.push(job.client, job)
        else:
            self._verifications.push(job.client, job)
            self._proofs_of[job.client] += len(job.tasks)
            self._proofs_of_group[group_of(job.client)] += len(job.tasks)
        self._changed.set()
        self.on_submit()

    def cancel(self, job: ScheduledJob) -> bool:
        """Cancel one job; True if it waits, in which case `finish` is never called. A job that runs ends early
        with whatever its `conclude` makes of cancelled verdicts."""
        job.cancel()
        if isinstance(job, Computation):
            removed = self._computations.remove(job.client, job)
        else:
            waited = self._verifications.remove(job.client, job)
            if waited:
                self._count_out(job.client, job.waiting)
            removed = waited and not job.taken
            self._discard_if_done(job)
        self._idle_signal.check()
        return removed

    def drop(self, client: object) -> None:
        """Forget all jobs of `client`, whether they wait or run."""
        waiting: list[ScheduledJob] = [*self._computations.drop(client), *self._verifications.drop(client)]
        if client in self._proofs_of:
            self._count_out(client, self._proofs_of[client])
        running = [job for job in self._running if job.client is client]
        for job in (*waiting, *running):
            job.cancel()
            if isinstance(job, Verification):
                self._discard_if_done(job)
        self._idle_signal.check()

    def _count_out(self, client: object, proofs: int) -> None:
        for counts, key in ((self._proofs_of, client), (self._proofs_of_group, group_of(client))):
            counts[key] -= proofs
            if not counts[key]:
                del counts[key]

    def _discard_if_done(self, job: Verification) -> None:
        """Forget a cancelled job of which no batch has anything."""
        if job.cancelled and not job.left:
            self._running.discard(job)

    async def run(self) -> None:
        """Give work to free workers, for ever."""
        async with trio.open_nursery() as nursery:
            while True:
                await self._changed.wait()
                self._changed = trio.Event()
                await self._let_readers_read()
                while self._free and self.waiting:
                    self._start_next(nursery)

    async def _let_readers_read(self) -> None:
        """Let requests that have already been sent join: as long as each turn of the event loop brings some, wait one
        more, but not longer than for one full batch."""
        for _ in range(self._max_batch_tasks):
            before = self.waiting
            await trio.lowlevel.checkpoint()
            if self.waiting == before or self.waiting >= self._max_batch_tasks:
                break

    def _start_next(self, nursery: trio.Nursery) -> None:
        if self._computations and (self._computation_is_next or self._free > 1 or not self._verifications):
            self._computation_is_next = False
            self._free -= 1
            computation = self._computations.pop()
            self._running.add(computation)
            nursery.start_soon(self._run_computation, computation)
        else:
            self._computation_is_next = True
            batch = self._take_batch()
            workers = min(self._free, max(slice_.job.max_threads or self._free for slice_ in batch))
            self._free -= workers
            self._running.update(slice_.job for slice_ in batch)
            nursery.start_soon(self._run_batch, batch, workers)

    def _take_batch(self) -> list[Slice]:
        """The next batch: in turn a request of each client, or only of those with few proofs. A request is cut only if it is
        too long for any batch."""
        few = self._few()
        self._few_is_next = not few
        batch: list[Slice] = []
        space = self._max_batch_tasks
        for client in few or self._clients_in_turn():
            job = self._verifications.peek(client)
            if batch and min(job.waiting, self._max_batch_tasks) > space:
                break
            batch.append(self._take_slice(job, min(job.waiting, space)))
            space -= len(batch[-1])
            if not space:
                break
        return batch

    def _take_slice(self, job: Verification, count: int) -> Slice:
        if count == job.waiting:
            self._verifications.pop(job.client)
        else:
            self._verifications.end_turn(job.client)
        self._count_out(job.client, count)
        return job.take(count)

    def _clients_in_turn(self) -> Iterator[object]:
        """Whose turn it is, as long as any verification waits."""
        while self._verifications:
            yield next(self._verifications.clients())

    def _few(self) -> list[object]:
        """The clients of a batch for those that have few proofs only, once for each of these; empty if it is all clients' turn,
        or there is none that has many. Of several groups, each counts as one client, which takes as many proofs as one."""
        several, few = len(self._proofs_of_group) > 1, self._max_batch_tasks // FEW
        many = max((self._proofs_of_group if several else self._proofs_of).values())
        if not self._few_is_next or many <= self._max_batch_tasks // MANY:
            return []
        clients: list[object] = []
        for queue in self._verifications.groups():
            room = few if several else self._max_batch_tasks
            for client in queue.clients():
                proofs = self._proofs_of[client]
                if proofs <= min(few, room):
                    room -= proofs
                    clients += [client] * queue.count(client)
                if not room:
                    break
        return clients

    def _release(self, workers: int) -> None:
        self._free += workers
        self._changed.set()

    def _finish(self, job: ScheduledJob, response: bytes) -> None:
        self._running.discard(job)
        job.respond(response)
        self._idle_signal.check()

    async def _run_computation(self, job: Computation) -> None:
        try:
            response = await self._in_thread(partial(advance, job.steps, SLICE))
        except Exception:
            log.exception("a computation failed")
            response = error_response(INTERNAL_ERROR)
        self._release(1)
        if response is not None:
            self._finish(job, response)
        else:
            self._running.discard(job)
            if not job.cancelled:
                self._computations.put_back(job.client, job)
            self._idle_signal.check()

    async def _run_batch(self, batch: list[Slice], workers: int) -> None:
        try:
            verdicts = await self._verify_batch(batch, workers)
        except Exception:
            log.exception("a batch of %d proofs failed", sum(map(len, batch)))
            verdicts = None
        self._release(workers)
        if verdicts is not None:
            self.counters.count(verdicts)
        failures = failed_checks(verdicts) if verdicts is not None else ()
        position = 0
        for slice_ in batch:
            end = position + len(slice_)
            if verdicts is None:
                await self._conclude(slice_, None, ())
            else:
                await self._conclude(slice_, verdicts[position:end], failures[position:end])
            position = end

    async def _verify_batch(self, batch: list[Slice], workers: int) -> Sequence[Verdict]:
        tasks: list[tuple[AnyTask, Cancel]] = []
        for slice_ in batch:
            job = slice_.job
            if not slice_.start:
                job.started = trio.current_time()
            flags = [self._backend.new_cancel() for _ in range(len(slice_))]
            slice_.flags = flags
            job.flags += flags
            if job.cancelled:  # since it was taken out of the queue
                job.cancel()
            tasks += zip(job.tasks[slice_.start : slice_.end], flags, strict=True)
        log.debug("batch of %d proofs on %d workers", len(tasks), workers)
        return await self._verify_all(tasks, workers)

    async def _conclude(self, slice_: Slice, verdicts: Sequence[Verdict] | None, failures: Sequence[int]) -> None:
        """Some proofs of a job have their verdicts; None: they have none, by a defect. The last ones end the job."""
        job = slice_.job
        job.left -= len(slice_)
        if len(slice_) == len(job.flags):
            job.flags = []
        else:
            gone = set(map(id, slice_.flags))
            job.flags = [flag for flag in job.flags if id(flag) not in gone]
        if verdicts is None:
            if not job.cancelled:
                self.cancel(job)  # what of it waits, need not be verified
                job.finish(error_response(INTERNAL_ERROR))
            self._discard_if_done(job)
            self._idle_signal.check()
            return
        job.verdicts[slice_.start : slice_.end] = verdicts
        job.failed_checks[slice_.start : slice_.end] = failures
        if job.cancelled:
            self._discard_if_done(job)
            self._idle_signal.check()
        elif not job.left and not job.waiting:
            try:
                conclude = partial(job.conclude, job.verdicts)
                response = conclude() if len(job.verdicts) <= MANY_VERDICTS else await self._in_thread(conclude)
            except Exception:
                log.exception("verdicts could not be told")
                response = error_response(INTERNAL_ERROR)
            self._finish(job, response)

    async def _verify_all(self, tasks: Sequence[tuple[AnyTask, Cancel]], workers: int) -> Sequence[Verdict]:
        """A verdict for each task; an exception of the backend is an error, of the one task alone."""
        if len(tasks) != 1:
            try:
                return await self._verify_together(tasks, workers)
            except Exception:
                # A defect that one proof provokes must not hurt the others.
                log.exception("a batch of %d proofs failed; verifying them one by one", len(tasks))
        return [await self._verify_alone(task, flag, workers) for task, flag in tasks]

    async def _verify_alone(self, task: AnyTask, flag: Cancel, workers: int) -> Verdict:
        try:
            return await self._in_thread(lambda: self._backend.verify(task, threads=workers, cancel=flag))
        except Exception:
            log.exception("a verification failed")
            from bbipc.chonk import Outcome, Verdict  # noqa: PLC0415 - was loaded by the backend

            return Verdict(Outcome.ERROR, reason=INTERNAL_ERROR)

    async def _verify_together(self, tasks: Sequence[tuple[AnyTask, Cancel]], workers: int) -> list[Verdict]:
        claims: list[Any] = [None] * len(tasks)
        size = min(GROUP_TASKS, -(-len(tasks) // workers))
        groups = iter(range(0, len(tasks), size))

        async def reduce_some() -> None:
            for first in groups:
                own, flags = zip(*tasks[first : first + size], strict=True)
                reduce = partial(self._backend.reduce, own, cancels=flags)
                claims[first : first + size] = await self._in_thread(reduce)

        async with trio.open_nursery() as nursery:
            for _ in range(min(workers, len(tasks))):
                nursery.start_soon(reduce_some)
        cancels = [flag for _, flag in tasks]
        return await self._in_thread(lambda: self._backend.check(claims, threads=workers, cancels=cancels))

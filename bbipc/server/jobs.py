"""Work for a client that takes its time, and who does it. Nothing here knows of threads or of Trio."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from bbipc.server.steps import Steps
from bbipc.wire.dialect import Unserved
from bbipc.wire.values import Fields

if TYPE_CHECKING:
    from bbipc.chonk import Verdict
    from bbipc.server.backend import AnyTask, Cancel

Finish = Callable[[bytes], None]
"""Gets the result of a job."""


class Job:
    """What is to be done; compared by identity.

    Attributes:
        client: for whom; clients take turns.
        finish: gets the result, which is a ``Response``; once, unless the job was cancelled or dropped.
        cancelled: whether nobody waits for the result any more.
    """

    __slots__ = ("cancelled", "client", "finish")

    def __init__(self, client: object, finish: Finish) -> None:
        self.client, self.finish = client, finish
        self.cancelled = False

    def cancel(self) -> None:
        """Nobody waits for the result any more."""
        self.cancelled = True

    def respond(self, response: bytes) -> None:
        """Give the result, if somebody waits for it."""
        if not self.cancelled:
            self.finish(response)


class Computation(Job):
    """Steps to be done in a worker thread, one after the other; their value is the result."""

    __slots__ = ("steps",)

    def __init__(self, client: object, steps: Steps[bytes], finish: Finish) -> None:
        super().__init__(client, finish)
        self.steps = steps


class Verification(Job):
    """Proofs to be verified, and how their verdicts become the result.

    Attributes:
        tasks: the proofs.
        conclude: makes the result of their verdicts.
        max_threads: workers that a batch gets which holds no other job; None: all that are free.
        flags: end the verification of each proof, once it has started.
        started: Trio's clock when it started.
        failed_checks: for each proof, set before `conclude` is called, see :func:`bbipc.server.batch_report.failed_checks`.
        taken: proofs that batches have had so far.
        left: proofs of these without a verdict.
        verdicts: for each proof.
    """

    __slots__ = ("conclude", "failed_checks", "flags", "left", "max_threads", "started", "taken", "tasks", "verdicts")

    def __init__(
        self,
        client: object,
        tasks: Sequence[AnyTask],
        conclude: Callable[[Sequence[Verdict]], bytes],
        finish: Finish,
        max_threads: int | None = None,
    ) -> None:
        super().__init__(client, finish)
        self.tasks, self.conclude, self.max_threads = tasks, conclude, max_threads
        self.flags: list[Cancel] = []
        self.started = 0.0
        self.failed_checks: list[int] = []
        self.taken = self.left = 0
        self.verdicts: list[Any] = []

    @property
    def waiting(self) -> int:
        """Proofs that no batch has had yet."""
        return len(self.tasks) - self.taken

    def take(self, count: int) -> Slice:
        """The next `count` proofs, for a batch."""
        if not self.verdicts:
            self.verdicts = [None] * len(self.tasks)
            self.failed_checks = [0] * len(self.tasks)
        start = self.taken
        self.taken += count
        self.left += count
        return Slice(self, start, self.taken)

    def cancel(self) -> None:
        """Nobody waits for the verdicts any more; a running verification ends between two steps."""
        super().cancel()
        for flag in self.flags:
            flag.set()


class Slice:
    """The proofs of a job that one batch takes: those from `start` up to, but without, `end`; `flags` end them."""

    __slots__ = ("end", "flags", "job", "start")

    def __init__(self, job: Verification, start: int, end: int) -> None:
        self.job, self.start, self.end = job, start, end
        self.flags: list[Cancel] = []

    def __len__(self) -> int:
        return self.end - self.start


class ServiceCall(Job):
    """A command to the batch verifier service."""

    __slots__ = ("fields", "name")

    def __init__(self, client: object, name: str, fields: Fields, finish: Finish) -> None:
        super().__init__(client, finish)
        self.name, self.fields = name, fields


class Forwarding(Job):
    """A request for the real bb."""

    __slots__ = ("request",)

    def __init__(self, client: object, request: Unserved, finish: Finish) -> None:
        super().__init__(client, finish)
        self.request = request


Job_contra = TypeVar("Job_contra", bound=Job, contravariant=True)


class Worker(Protocol[Job_contra]):
    """Does jobs, for clients in turn. Its methods are called in the Trio thread only."""

    def submit(self, job: Job_contra, /) -> None:
        """Do `job` when its turn comes. Bounding how many wait is the caller's duty."""

    def cancel(self, job: Job_contra, /) -> bool:
        """Nobody waits for the result of `job`, which is not told any more. True if it had not started: then it never will."""

    def drop(self, client: object, /) -> None:
        """Forget all jobs of `client`, whether they wait or run."""

    async def wait_idle(self) -> None:
        """Until nothing is left to do."""

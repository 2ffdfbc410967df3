"""What the server needs from a verifier, and one that is made when it is needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from bbipc.chonk import Verdict


class Cancel(Protocol):
    """A flag that ends a verification between two of its steps."""

    def set(self) -> None:
        """Set it; there is no way back."""


class Task(NamedTuple):
    """One proof to be verified, 32 bytes for each of its words: five parts, or a single flat list that the number of
    public inputs in the key tells how to split."""

    parts: tuple[bytes, ...]
    key: bytes


class TxTask(NamedTuple):
    """One transaction to be verified; `network` is the one that it must be for, if the client wants that to be checked."""

    tx: bytes
    network: str | None


AnyTask = Task | TxTask


class Backend(Protocol):
    """A verifier. Everything but new_cancel() and arithmetic() is called in worker threads, several at a time.

    A claim is whatever reduce() makes of a task; it is only ever given to check(), together with others.
    """

    def load(self) -> None:
        """Load what most verifications need; called once, in a worker thread, when the server listens."""

    def load_rest(self) -> None:
        """Load all that any command may need; called in the same way before many clients are there."""

    def new_cancel(self) -> Cancel:
        """A flag that is not set."""

    def arithmetic(self) -> str:
        """The name of the arithmetic path in use; called in the Trio thread."""

    def verify(self, task: AnyTask, *, threads: int, cancel: Cancel) -> Verdict:
        """The verdict on one proof."""

    def reduce(self, tasks: Sequence[AnyTask], *, cancels: Sequence[Cancel]) -> Sequence[Any]:
        """A claim for each of a group of proofs: everything of their verification that needs no other group."""

    def check(self, claims: Sequence[Any], *, threads: int, cancels: Sequence[Cancel]) -> list[Verdict]:
        """The verdicts on several proofs together, each the same as verify() gives."""


class LateBackend:
    """A backend that is made when it is needed first, so that a server which only hashes starts fast.

    Args:
        make: makes it; called once, unless it fails.
    """

    def __init__(self, make: Callable[[], Backend]) -> None:
        self._make = make
        self._made: Backend | None = None
        self._making = threading.Lock()

    def made(self) -> Backend:
        """The backend; in any thread."""
        if self._made is None:
            with self._making:
                if self._made is None:
                    self._made = self._make()
        return self._made

    def load(self) -> None:
        """See :class:`Backend`."""
        self.made().load()

    def load_rest(self) -> None:
        """See :class:`Backend`."""
        self.made().load_rest()

    def new_cancel(self) -> Cancel:
        """See :class:`Backend`."""
        return self.made().new_cancel()

    def arithmetic(self) -> str:
        """See :class:`Backend`."""
        return self.made().arithmetic()

    def verify(self, task: AnyTask, *, threads: int, cancel: Cancel) -> Verdict:
        """See :class:`Backend`."""
        return self.made().verify(task, threads=threads, cancel=cancel)

    def reduce(self, tasks: Sequence[AnyTask], *, cancels: Sequence[Cancel]) -> Sequence[Any]:
        """See :class:`Backend`."""
        return self.made().reduce(tasks, cancels=cancels)

    def check(self, claims: Sequence[Any], *, threads: int, cancels: Sequence[Cancel]) -> list[Verdict]:
        """See :class:`Backend`."""
        return self.made().check(claims, threads=threads, cancels=cancels)

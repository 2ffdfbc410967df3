"""What the server needs from the verifier, and the verifier itself seen that way."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from bbipc.chonk import ChonkProof, Verdict, Verifier


class Cancel(Protocol):
    """A flag that ends a verification between two of its steps."""

    def set(self) -> None:
        """Set it; there is no way back."""


@dataclass(frozen=True, slots=True)
class Task:
    """One proof to be verified, 32 bytes for each of its words: five parts, or a single flat list that the number of
    public inputs in the key tells how to split."""

    parts: tuple[bytes, ...]
    key: bytes


class Backend(Protocol):
    """A verifier. Everything but new_cancel() and arithmetic() is called in worker threads, several at a time.

    A claim is whatever reduce() makes of a task; it is only ever given to check(), together with others.
    """

    def new_cancel(self) -> Cancel:
        """A flag that is not set."""

    def arithmetic(self) -> str:
        """The name of the arithmetic path in use; called in the Trio thread."""

    def verify(self, task: Task, *, threads: int, cancel: Cancel) -> Verdict:
        """The verdict on one proof."""

    def reduce(self, tasks: Sequence[Task], *, cancels: Sequence[Cancel]) -> Sequence[Any]:
        """A claim for each of a group of proofs: everything of their verification that needs no other group."""

    def check(self, claims: Sequence[Any], *, threads: int, cancels: Sequence[Cancel]) -> list[Verdict]:
        """The verdicts on several proofs together, each the same as verify() gives."""


class ChonkBackend:
    """The verifier of :mod:`bbipc.chonk`. It is loaded when the first proof arrives, so that a server that only hashes
    starts fast.

    Args:
        setup: path of a JSON file with a trusted setup; None: that of Aztec. It is read at once.
        strict: demand the exact part lengths, see ``--strict``.
    """

    def __init__(self, setup: str | None = None, *, strict: bool = False) -> None:
        self._strict = strict
        self._setup = None
        self._loaded: Verifier | None = None
        self._loading = threading.Lock()
        if setup is not None:
            from bbipc.chonk import Setup  # noqa: PLC0415 - see the class

            self._setup = Setup.from_json(setup)
            self._loaded = self._load()

    def new_cancel(self) -> Cancel:
        """A flag that is not set."""
        from bbipc.chonk import CancelFlag  # noqa: PLC0415

        return CancelFlag()

    def arithmetic(self) -> str:
        """The name of the arithmetic path in use."""
        return self._verifier().arithmetic

    def verify(self, task: Task, *, threads: int, cancel: Any) -> Verdict:
        """The verdict on one proof."""
        from bbipc.chonk import Verdict  # noqa: PLC0415

        proof = _proof_of(task)
        if isinstance(proof, Verdict):
            return proof
        return self._verifier().verify(proof, task.key, threads=threads, strict=self._strict, cancel=cancel)

    def reduce(self, tasks: Sequence[Task], *, cancels: Sequence[Any]) -> Sequence[Any]:
        """For each task a claim of the verifier, or already a verdict."""
        from bbipc.chonk import Verdict  # noqa: PLC0415

        claims: list[Any] = [_proof_of(task) for task in tasks]
        split = [index for index, proof in enumerate(claims) if not isinstance(proof, Verdict)]
        reduced = self._verifier().reduce_many(
            [(claims[index], tasks[index].key) for index in split],
            strict=self._strict,
            cancels=[cancels[index] for index in split],
        )
        for index, claim in zip(split, reduced, strict=True):
            claims[index] = claim
        return claims

    def check(self, claims: Sequence[Any], *, threads: int, cancels: Sequence[Any]) -> list[Verdict]:
        """The verdicts on several proofs together."""
        from bbipc.chonk import Verdict  # noqa: PLC0415

        open_ = [index for index, claim in enumerate(claims) if not isinstance(claim, Verdict)]
        checked = self._verifier().check(
            [claims[index] for index in open_], threads=threads, cancels=[cancels[index] for index in open_]
        )
        verdicts = list(claims)
        for index, verdict in zip(open_, checked, strict=True):
            verdicts[index] = verdict
        return verdicts

    def _verifier(self) -> Verifier:
        # One for all threads: claims are checked by the verifier that made them.
        with self._loading:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> Verifier:
        from bbipc.chonk import Setup, Verifier  # noqa: PLC0415

        return Verifier(self._setup or Setup.AZTEC)


def _proof_of(task: Task) -> ChonkProof | Verdict:
    """The proof, or the verdict that a flat one cannot be split (chapter 03 section 3)."""
    from bbipc.chonk import ChonkFormatError, ChonkProof, Outcome, Verdict, VerificationKey  # noqa: PLC0415

    if len(task.parts) != 1:
        return ChonkProof(*task.parts)
    try:
        num_public_inputs = VerificationKey(task.key).num_public_inputs
        return ChonkProof.from_fields(task.parts[0], num_public_inputs)
    except ChonkFormatError as error:
        return Verdict(Outcome.ERROR, reason=str(error))

"""What the server needs from the verifier, and the verifier itself seen that way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from bbipc.chonk import ChonkProof, Claim, Verdict, Verifier
    from bbipc.chonk.verifier import Key
    from bbipc.server.transactions import Transactions


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


class ChonkBackend:
    """The verifier of :mod:`bbipc.chonk`. It is loaded when the first proof arrives, so that a server that only hashes
    starts fast.

    Args:
        setup: path of a JSON file with a trusted setup; None: that of Aztec. It is read at once.
        strict: demand the exact part lengths, see ``--strict``.
        registry: path of a JSON file with keys and key trees for transactions; None: those of Aztec. It is read at once.
        network: the only network whose transactions count; None: any.
    """

    def __init__(
        self, setup: str | None = None, *, strict: bool = False, registry: str | None = None, network: str | None = None
    ) -> None:
        self._strict = strict
        self._policy = registry, network
        self._transactions: Transactions | None = None
        self._setup = None
        self._loaded: Verifier | None = None
        self._loading = threading.Lock()
        if setup is not None:
            from bbipc.chonk import Setup  # noqa: PLC0415 - see the class

            self._setup = Setup.from_json(setup)
            self._loaded = self._load()
        if registry is not None or network is not None:
            self._known_transactions()

    def load(self) -> None:
        """Load what most verifications need."""
        self._verifier()

    def load_rest(self) -> None:
        """Load what transactions need, too."""
        from bbipc.server.transactions import outcome  # noqa: F401, PLC0415

        self._known_transactions()

    def new_cancel(self) -> Cancel:
        """A flag that is not set."""
        from bbipc.chonk import CancelFlag  # noqa: PLC0415

        return CancelFlag()

    def arithmetic(self) -> str:
        """The name of the arithmetic path in use."""
        return self._verifier().arithmetic

    def verify(self, task: AnyTask, *, threads: int, cancel: Any) -> Verdict:
        """The verdict on one proof."""
        (prepared,) = self._prepare([task])
        if prepared.pair is None:
            return prepared.conclude(None)
        proof, key = prepared.pair
        return prepared.conclude(self._verifier().verify(proof, key, threads=threads, strict=self._strict, cancel=cancel))

    def reduce(self, tasks: Sequence[AnyTask], *, cancels: Sequence[Any]) -> Sequence[Any]:
        """For each task what is left of it: a claim of the verifier, or already a verdict."""
        prepared = self._prepare(tasks)
        pairs = [item.pair for item in prepared if item.pair is not None]
        flags = [flag for item, flag in zip(prepared, cancels, strict=True) if item.pair is not None]
        claims = iter(self._verifier().reduce_many(pairs, strict=self._strict, cancels=flags) if pairs else ())
        return [item.conclude(None) if item.pair is None else item.wrap(next(claims)) for item in prepared]

    def check(self, claims: Sequence[Any], *, threads: int, cancels: Sequence[Any]) -> list[Verdict]:
        """The verdicts on several proofs together."""
        from bbipc.chonk import Verdict  # noqa: PLC0415

        open_ = [index for index, claim in enumerate(claims) if not isinstance(claim, Verdict)]
        bare = [claim.claim if isinstance(claim, _TxClaim) else claim for claim in (claims[index] for index in open_)]
        checked = self._verifier().check(bare, threads=threads, cancels=[cancels[index] for index in open_])
        verdicts = list(claims)
        for index, verdict in zip(open_, checked, strict=True):
            claim = claims[index]
            verdicts[index] = claim.conclude(verdict) if isinstance(claim, _TxClaim) else verdict
        return verdicts

    def _prepare(self, tasks: Sequence[AnyTask]) -> list[_Prepared]:
        """The proof and the key of each task, or already its verdict; transactions are prepared together."""
        transactions = [task for task in tasks if isinstance(task, TxTask)]
        if not transactions:
            return [_prepared_proof(task) for task in tasks if isinstance(task, Task)]
        from bbipc.server.transactions import outcome  # noqa: PLC0415 - see the class

        pending = iter(self._known_transactions().prepare(transactions))
        prepared = []
        for task in tasks:
            if isinstance(task, Task):
                prepared.append(_prepared_proof(task))
            else:
                item = next(pending)
                prepared.append(_Prepared(item.pair, partial(outcome, item)))
        return prepared

    def _known_transactions(self) -> Transactions:
        with self._loading:
            if self._transactions is None:
                from bbipc.server.transactions import Transactions  # noqa: PLC0415 - see the class

                self._transactions = Transactions(*self._policy, strict=self._strict)
            return self._transactions

    def _verifier(self) -> Verifier:
        # One for all threads: claims are checked by the verifier that made them.
        with self._loading:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> Verifier:
        from bbipc.chonk import Setup, Verifier  # noqa: PLC0415

        return Verifier(self._setup or Setup.AZTEC)


class _Prepared(NamedTuple):
    """A proof and its key, None if there is nothing to verify; and what makes the verdict on the task of that on the proof."""

    pair: tuple[ChonkProof, Key] | None
    conclude: Callable[[Verdict | None], Verdict]

    def wrap(self, claim: Claim) -> Claim | _TxClaim:
        """The claim, with what the verdict on it means for a transaction."""
        return claim if self.conclude is _unchanged else _TxClaim(claim, self.conclude)


class _TxClaim(NamedTuple):
    claim: Claim
    conclude: Callable[[Verdict | None], Verdict]


def _prepared_proof(task: Task) -> _Prepared:
    from bbipc.chonk import Verdict  # noqa: PLC0415

    proof = _proof_of(task)
    if isinstance(proof, Verdict):
        return _Prepared(None, lambda _: proof)
    return _Prepared((proof, task.key), _unchanged)


def _unchanged(verdict: Verdict | None) -> Verdict:
    assert verdict is not None, "the proof was verified"
    return verdict


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

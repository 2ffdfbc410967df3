"""The verifier of :mod:`bbipc.chonk` as a backend. Importing it loads the core."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bbipc.chonk.core import CancelFlag, Claim
from bbipc.chonk.errors import ChonkFormatError
from bbipc.chonk.key import VerificationKey
from bbipc.chonk.proof import ChonkProof
from bbipc.chonk.setup import Setup
from bbipc.chonk.verdict import Outcome, Verdict
from bbipc.chonk.verifier import Key, Verifier
from bbipc.server.backend import AnyTask, Cancel, Task, TxTask
from bbipc.server.late import Late

if TYPE_CHECKING:
    from bbipc.aztec.verify import Pending
    from bbipc.server.transactions import Transactions
    from bbipc.server.tx_outcome import TxOutcome

# Few servers are asked about transactions, and what they need takes long to load.
_transactions: Final[Late[..., Transactions]] = Late("bbipc.server.transactions:Transactions")
_outcome: Final[Late[[Pending, Verdict | None], TxOutcome]] = Late("bbipc.server.transactions:outcome")


class ChonkBackend:
    """The verifier of :mod:`bbipc.chonk`.

    Args:
        setup: path of a JSON file with a trusted setup; None: that of Aztec.
        strict: demand the exact part lengths, see ``--strict``.
        registry: path of a JSON file with keys and key trees for transactions; None: those of Aztec. If it or `network` is
            given, what transactions need is loaded at once.
        network: the only network whose transactions count; None: any.

    Raises:
        OSError: a file cannot be read.
        ValueError: it does not hold what it should, or there is no such network.
    """

    def __init__(
        self, setup: str | None = None, *, strict: bool = False, registry: str | None = None, network: str | None = None
    ) -> None:
        self._strict = strict
        self._policy = registry, network
        self._transactions: Transactions | None = None
        self._loading = threading.Lock()
        # One for all threads: claims are checked by the verifier that made them.
        self._verifier = Verifier(Setup.AZTEC if setup is None else Setup.from_json(setup))
        if registry is not None or network is not None:
            self._known_transactions()

    def load(self) -> None:
        """See :class:`Backend`: what most verifications need was loaded with this module."""

    def load_rest(self) -> None:
        """See :class:`Backend`: what transactions need, too."""
        self._known_transactions()
        _outcome.load()

    def new_cancel(self) -> Cancel:
        """A flag that is not set."""
        return CancelFlag()

    def arithmetic(self) -> str:
        """The name of the arithmetic path in use."""
        return self._verifier.arithmetic

    def verify(self, task: AnyTask, *, threads: int, cancel: Any) -> Verdict:
        """The verdict on one proof."""
        (prepared,) = self._prepare([task])
        if prepared.pair is None:
            return prepared.conclude(None)
        proof, key = prepared.pair
        return prepared.conclude(self._verifier.verify(proof, key, threads=threads, strict=self._strict, cancel=cancel))

    def reduce(self, tasks: Sequence[AnyTask], *, cancels: Sequence[Any]) -> Sequence[Any]:
        """For each task what is left of it: a claim of the verifier, or already a verdict."""
        prepared = self._prepare(tasks)
        pairs = [item.pair for item in prepared if item.pair is not None]
        flags = [flag for item, flag in zip(prepared, cancels, strict=True) if item.pair is not None]
        claims = iter(self._verifier.reduce_many(pairs, strict=self._strict, cancels=flags) if pairs else ())
        return [item.conclude(None) if item.pair is None else item.wrap(next(claims)) for item in prepared]

    def check(self, claims: Sequence[Any], *, threads: int, cancels: Sequence[Any]) -> list[Verdict]:
        """The verdicts on several proofs together."""
        open_ = [index for index, claim in enumerate(claims) if not isinstance(claim, Verdict)]
        bare = [claim.claim if isinstance(claim, _TxClaim) else claim for claim in (claims[index] for index in open_)]
        checked = self._verifier.check(bare, threads=threads, cancels=[cancels[index] for index in open_])
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
        pending = iter(self._known_transactions().prepare(transactions))
        prepared = []
        for task in tasks:
            if isinstance(task, Task):
                prepared.append(_prepared_proof(task))
            else:
                item = next(pending)
                prepared.append(_Prepared(item.pair, partial(_outcome, item)))
        return prepared

    def _known_transactions(self) -> Transactions:
        with self._loading:
            if self._transactions is None:
                self._transactions = _transactions(*self._policy, strict=self._strict)
            return self._transactions


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
    proof = _proof_of(task)
    if isinstance(proof, Verdict):
        return _Prepared(None, lambda _: proof)
    return _Prepared((proof, task.key), _unchanged)


def _unchanged(verdict: Verdict | None) -> Verdict:
    assert verdict is not None, "the proof was verified"
    return verdict


def _proof_of(task: Task) -> ChonkProof | Verdict:
    """The proof, or the verdict that a flat one cannot be split (chapter 03 section 3)."""
    if len(task.parts) != 1:
        return ChonkProof(*task.parts)
    try:
        num_public_inputs = VerificationKey(task.key).num_public_inputs
        return ChonkProof.from_fields(task.parts[0], num_public_inputs)
    except ChonkFormatError as error:
        return Verdict(Outcome.ERROR, reason=str(error))

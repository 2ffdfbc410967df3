"""From transactions to verdicts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from bbipc.aztec.checks import MAX_TX_BYTES, Policy, Subject, before_proof, messages, size_check
from bbipc.aztec.errors import TxFormatError
from bbipc.aztec.prepared import chonk_proof
from bbipc.aztec.proof import ProofForm
from bbipc.aztec.registry import Registry, aztec
from bbipc.aztec.tx import Tx
from bbipc.aztec.verdict import CHECKS, Check, TxVerdict
from bbipc.chonk.errors import ChonkFormatError
from bbipc.chonk.key import VerificationKey
from bbipc.chonk.proof import ChonkProof
from bbipc.chonk.setup import Setup
from bbipc.chonk.shared import default_core
from bbipc.chonk.verdict import Outcome, Verdict
from bbipc.chonk.verifier import verify_many

__all__ = ["Pending", "Sized", "TxInput", "prepare", "verify_tx", "verify_txs"]


@dataclass(frozen=True, slots=True)
class Sized:
    """A transaction, and the bytes that it came in; None: it did not come in its binary form."""

    tx: Tx
    size: int | None


TxInput: TypeAlias = Tx | bytes | Sized
"""A transaction, or its binary form."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A transaction whose checks are made but for its proof.

    Attributes:
        verdict: what is known; without the check of the proof if there is a pair.
        pair: the proof that remains to be verified, and the key of the registry for it; None if nothing remains.
    """

    verdict: TxVerdict
    pair: tuple[ChonkProof, VerificationKey] | None = None

    def conclude(self, verdict: Verdict | None) -> TxVerdict:
        """The verdict on the transaction, given that on the proof; None if nothing remained."""
        if self.pair is None:
            return self.verdict
        checks = (*self.verdict.checks, _proof_check(verdict))
        return TxVerdict(checks, self.verdict.tx_hash, self.verdict.release, self.verdict.network)


def verify_tx(
    tx: TxInput,
    *,
    network: str | None = None,
    registry: Registry | None = None,
    setup: Setup = Setup.AZTEC,
    threads: int = 1,
    strict: bool = False,
) -> TxVerdict:
    """The verdict on one transaction; whatever is wrong with it is a verdict, never an exception.

    Args:
        tx: the transaction, or its binary form.
        network: a network of the registry that it must be for, for example `mainnet`; None: any.
        registry: which keys and key trees are trusted; None: those of Aztec's releases.
        setup: the trusted setup.
        threads: upper bound on the threads that work on the proof.
        strict: refuse what nodes accept although it is not in its regular form: see `Check.warning`.

    Raises:
        ValueError: the registry does not know the network, or `threads` is less than 1.
    """
    return next(verify_txs([tx], network=network, registry=registry, setup=setup, threads=threads, strict=strict))


def verify_txs(
    txs: Iterable[TxInput],
    *,
    network: str | None = None,
    registry: Registry | None = None,
    setup: Setup = Setup.AZTEC,
    threads: int = 1,
    strict: bool = False,
    batch: int = 32,
) -> Iterator[TxVerdict]:
    """The verdicts on many transactions, in their order.

    Transactions are taken from `txs` only as verdicts are asked for, and decided `batch` at a time; not more than `batch` are
    held at once. The other arguments are those of `verify_tx`.

    Raises:
        ValueError: as `verify_tx`, or `batch` is less than 1.
    """
    registry = aztec() if registry is None else registry
    policy = Policy(registry, None if network is None else registry.network(network), strict)
    if batch < 1 or threads < 1:
        raise ValueError(f"batch and threads must be at least 1, not {batch} and {threads}")
    return _verify_batches(iter(txs), policy, setup, threads, batch)


def _verify_batches(txs: Iterator[TxInput], policy: Policy, setup: Setup, threads: int, batch: int) -> Iterator[TxVerdict]:
    while items := list(islice(txs, batch)):
        pending = prepare(items, policy)
        pairs = [item.pair for item in pending if item.pair is not None]
        verdicts = verify_many(pairs, setup=setup, threads=threads, strict=policy.strict, batch=batch)
        for item in pending:
            yield item.conclude(None if item.pair is None else next(verdicts))


def prepare(items: Sequence[TxInput], policy: Policy, *, stop_early: bool = False) -> list[Pending]:
    """Make all checks of transactions but for those of their proofs; everything that must be hashed is hashed side by side.

    Args:
        items: the transactions.
        policy: what the operator demands.
        stop_early: leave a proof alone if the transaction is invalid without it.
    """
    read = [_read(item) for item in items]
    texts = [messages(tx) if isinstance(tx, Tx) else [] for tx, _ in read]
    hashes = iter(default_core().poseidon2_hash_many([text for several in texts for text in several]))
    pending = []
    for (tx, size), several in zip(read, texts, strict=True):
        if isinstance(tx, TxVerdict):
            pending.append(Pending(tx))
            continue
        first, *others = islice(hashes, len(several))
        count = len(tx.public_calldata)
        constants = tx.constants
        release = policy.registry.release(constants.vk_tree_root, constants.protocol_contracts_hash)
        subject = Subject(tx, size, release, first, tuple(others[:count]), tuple(others[count:]))
        pending.append(_prepare(subject, policy, stop_early))
    return pending


def _read(item: TxInput) -> tuple[Tx | TxVerdict, int]:
    """A transaction and its size; or the verdict, if it cannot be read or is too large to be looked at."""
    if isinstance(item, bytes):
        if len(item) > MAX_TX_BYTES:
            return _too_large(len(item)), len(item)
        try:
            item = Sized(Tx.from_bytes(item), len(item))
        except TxFormatError as error:
            return TxVerdict(error=str(error)), 0
    elif isinstance(item, Tx):
        item = Sized(item, None)
    tx = item.tx
    size = max(tx.size, item.size or 0)
    return (_too_large(size) if size > MAX_TX_BYTES else tx), size


def _too_large(size: int) -> TxVerdict:
    others = (
        Check(name, None, "not checked: the transaction is too large") for name in CHECKS if name not in ("size", "network")
    )
    return TxVerdict((size_check(size), *others))


def _prepare(subject: Subject, policy: Policy, stop_early: bool) -> Pending:
    tx = subject.tx
    checks = tuple(before_proof(subject, policy))
    context = tx.constants.tx_context
    network = policy.registry.network_of(*(int.from_bytes(word, "big") for word in (context.chain_id, context.version)))
    release = subject.other_system if subject.release is None else subject.release.name
    known = TxVerdict(checks, subject.hash, release, None if network is None else network.name)
    last = _before_verification(subject)
    if last is None and stop_early and known.valid is False:
        last = Check("proof", None, "not verified: the transaction is invalid without it")
    key = None if subject.release is None else subject.release.keys.get(tx.form.name)
    if last is None and key is not None:
        try:
            return Pending(known, (chonk_proof(tx), key))
        except ChonkFormatError as error:
            last = Check("proof", False, f"Invalid proof: it cannot be decoded: {error}")
    if last is None:
        last = Check("proof", None, f"no key for it: the registry has none of {tx.form.circuit} for this release")
    return Pending(TxVerdict((*checks, last), known.tx_hash, known.release, known.network))


def _before_verification(subject: Subject) -> Check | None:
    """The check of a proof that need not be verified."""
    form = subject.tx.proof.form
    if subject.other_system is not None:
        return Check("proof", None, "not verified: another proof system")
    if form is ProofForm.NONE:
        return Check("proof", None, "there is no proof: ask the node for the transaction with includeProof: true")
    if subject.release is None:
        return Check("proof", None, "not verified: there is no key for an unknown release")
    if form not in (ProofForm.PLAIN, ProofForm.COMPRESSED):
        return Check("proof", False, f"Invalid proof: it is one of {form.value}, not of {subject.release.name}")
    return None


def _proof_check(verdict: Verdict | None) -> Check:
    if verdict is not None and verdict.outcome is Outcome.VALID:
        return Check("proof", True, "valid")
    if verdict is None or verdict.outcome is Outcome.CANCELLED:
        return Check("proof", None, "not verified: cancelled")
    if verdict.outcome is Outcome.ERROR:
        return Check("proof", False, f"Invalid proof: it cannot be decoded: {verdict.reason}")
    problem = f"the proof and the data do not belong together, or the proof is bad ({verdict.step} check failed)"
    return Check("proof", False, f"Invalid proof: {problem}")

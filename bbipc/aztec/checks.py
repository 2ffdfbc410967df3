"""The checks of a transaction that need no proof to be verified (chapter 15 section 8)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from bbipc.aztec.hashes import CALLDATA, element, hash_elements
from bbipc.aztec.prepared import repeated_inputs
from bbipc.aztec.proof import ProofForm
from bbipc.aztec.registry import Network, Registry, Release
from bbipc.aztec.tx import ACCUMULATED, Tx
from bbipc.aztec.verdict import Check
from bbipc.chonk.words import WORD, split

__all__ = ["MAX_TX_BYTES", "Policy", "Subject", "before_proof", "messages", "other_system_of", "size_check"]

MAX_TX_BYTES: Final = 512 << 10
"""The largest transaction that a node takes."""

_MAX_CALLDATA: Final = 16000
"""Elements of calldata of all public calls together (chapter 15 section 5)."""

_OTHER_SYSTEMS: Final = frozenset({ProofForm.RELEASE_4, ProofForm.VERSION_6})


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator demands."""

    registry: Registry
    network: Network | None
    strict: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """A transaction, what it says about its protocol, and its hashes.

    Attributes:
        tx: the transaction.
        size: its bytes, as they came.
        release: its release, if the registry has it.
        hash: its hash, computed.
        calldata: the hashes of its calldata, computed.
        logs: the hashes of its contract class logs, computed.
    """

    tx: Tx
    size: int
    release: Release | None
    hash: bytes
    calldata: tuple[bytes, ...]
    logs: tuple[bytes, ...]

    @property
    def other_system(self) -> str | None:
        """The release that it was made for, if that has another proof system."""
        return other_system_of(self.tx, self.release)


def other_system_of(tx: Tx, release: Release | None) -> str | None:
    """The release that a transaction was made for, if that has another proof system; `release` is what the registry found."""
    if release is not None:
        return None if release.verifiable else f"release {release.name}"
    if tx.proof.form in _OTHER_SYSTEMS:
        return f"{tx.proof.form.value} (by the length of its proof)"
    return None


def messages(tx: Tx) -> list[bytes]:
    """What must be hashed to check a transaction: its data, its calldata, and its contract class logs."""
    return [
        element(tx.form.separator) + tx.public_inputs(),
        *(element(CALLDATA) + calldata.values for calldata in tx.public_calldata),
        *tx.contract_class_logs,
    ]


def size_check(size: int) -> Check:
    """Whether a transaction of `size` bytes is small enough."""
    if size > MAX_TX_BYTES:
        return Check("size", False, f"Transaction size above size limit: {size} bytes, at most {MAX_TX_BYTES}")
    return Check("size", True, f"{size} bytes")


def before_proof(subject: Subject, policy: Policy) -> Iterator[Check]:
    """All checks but the last, in their order."""
    yield size_check(subject.size)
    yield _form(subject.tx, policy.strict)
    other = subject.other_system
    if other is not None:
        rules = f"the rules of {other} are not known here"
        yield Check("hash", None, f"not checked: {rules}")
        yield Check("release", None, f"made for {other}, another proof system: not verifiable here")
        if policy.network is not None:
            yield _network(subject.tx, policy.network)
        for name in ("calldata", "contract class logs", "public inputs"):
            yield Check(name, None, f"not checked: {rules}")
        return
    yield _hash(subject)
    yield _release(subject, policy.registry)
    if policy.network is not None:
        yield _network(subject.tx, policy.network)
    yield _calldata(subject, policy.strict)
    yield _class_logs(subject)
    yield _public_inputs(subject.tx, policy.strict)


def _lenient(name: str, problem: str, strict: bool) -> Check:
    """A check that nodes pass."""
    hint = "refused by --strict" if strict else "accepted, as nodes do; --strict refuses it"
    return Check(name, not strict, f"{problem} ({hint})", warning=not strict)


def _form(tx: Tx, strict: bool) -> Check:
    if tx.irregularities:
        return _lenient("form", "; ".join(tx.irregularities), strict)
    calls = "without public calls" if tx.form.flag == 0 else "with public calls"
    proofs = {ProofForm.NONE: "no proof", ProofForm.PLAIN: "a plain proof", ProofForm.COMPRESSED: "a compressed proof"}
    proof = proofs.get(tx.proof.form, f"a proof of {tx.proof.form.value}")
    return Check("form", True, f"a transaction {calls}, with {proof}; all elements are canonical")


def _hash(subject: Subject) -> Check:
    if subject.tx.tx_hash != subject.hash:
        problem = f"{_hex(subject.tx.tx_hash)}, but data hashes to {_hex(subject.hash)}"
        return Check("hash", False, f"Incorrect tx hash: {problem}")
    return Check("hash", True, _hex(subject.hash))


def _release(subject: Subject, registry: Registry) -> Check:
    constants = subject.tx.constants
    root, contracts = constants.vk_tree_root, constants.protocol_contracts_hash
    if subject.release is not None:
        return Check("release", True, f"{subject.release.name}: key tree and protocol contracts are known")
    if root in {release.vk_tree_root for release in registry.releases}:
        return Check("release", False, f"Incorrect protocol contracts hash: {_hex(contracts)} is not that of this key tree")
    problem = f"unknown key tree {_hex(root)}: a proof under it proves nothing"
    return Check("release", False, f"Incorrect verification keys tree root: {problem}")


def _network(tx: Tx, network: Network) -> Check:
    context = tx.constants.tx_context
    chain_id, version = (int.from_bytes(word, "big") for word in (context.chain_id, context.version))
    problems = []
    if chain_id != network.chain_id:
        problems.append(f"Incorrect L1 chain id: {chain_id}, but that of {network.name} is {network.chain_id}")
    if version != network.rollup_version:
        problems.append(f"Incorrect rollup version: {version}, but that of {network.name} is {network.rollup_version}")
    return Check("network", not problems, "; ".join(problems) or network.name)


def _calldata(subject: Subject, strict: bool) -> Check:
    tx, calls = subject.tx, subject.tx.calls()
    if not _packed(tx):
        return Check("calldata", False, "Wrong number of calldata for public calls: there is an empty call before another one")
    if len(tx.public_calldata) != len(calls):
        problem = f"{len(tx.public_calldata)} for {len(calls)} calls"
        return Check("calldata", False, f"Wrong number of calldata for public calls: {problem}")
    total = sum(len(calldata.values) for calldata in tx.public_calldata) // WORD
    if total > _MAX_CALLDATA:
        problem = f"{total} elements, at most {_MAX_CALLDATA}"
        return Check("calldata", False, f"Total calldata too large for enqueued public calls: {problem}")
    # As nodes do: the calldata of a call are those that give its hash, the last ones of several; without any they are empty.
    given = [calldata.hash for calldata in tx.public_calldata]
    computed = dict(zip(given, subject.calldata, strict=True))
    wanted = [call.calldata_hash for call in calls]
    for index, calldata_hash in enumerate(wanted):
        if calldata_hash not in computed and calldata_hash != hash_elements(b"", CALLDATA):
            problem = f"none for call {index}, which gives the hash {_hex(calldata_hash)}"
            return Check("calldata", False, f"Incorrect calldata for public call: {problem}")
        found = computed.get(calldata_hash, calldata_hash)
        if found != calldata_hash:
            problem = f"those of call {index} give the hash {_hex(calldata_hash)}, but hash to {_hex(found)}"
            return Check("calldata", False, f"Incorrect calldata for public call: {problem}")
    if sorted(wanted) != sorted(subject.calldata) or given != list(subject.calldata):
        return _lenient("calldata", "those of each call are right, but there are others, which no call has", strict)
    if wanted != given:
        return _lenient("calldata", "all hashes are right, but the order is not that of the calls", strict)
    return Check("calldata", True, f"{len(calls)} of {len(calls)}, all hashes are right" if calls else "no public calls")


def _packed(tx: Tx) -> bool:
    """Whether no call follows an empty one; nodes cannot count calls otherwise."""
    for part in ACCUMULATED[1] if tx.form.flag else ():
        empty = [call is None for call in tx.items(f"{part}.public_call_requests")]
        if sorted(empty) != empty:
            return False
    return True


def _class_logs(subject: Subject) -> Check:
    name, tx = "contract class logs", subject.tx
    paths = [f"{part}.contract_class_logs_hashes" for part in ACCUMULATED[tx.form.flag]]
    announced = [log for path in paths for log in tx.items(path) if log is not None]
    if len(announced) != len(tx.contract_class_logs):
        problem = f"{len(tx.contract_class_logs)} for {len(announced)} hashes"
        return Check(name, False, f"Mismatched number of contract class logs: {problem}")
    for index, (log, computed) in enumerate(zip(announced, subject.logs, strict=True)):
        if log.inner.value != computed:
            if log.inner.value in subject.logs:
                return Check(name, False, f"Incorrectly sorted contract class logs: hash {index} is that of another log")
            problem = f"hash {index} is {_hex(log.inner.value)}, but the elements hash to {_hex(computed)}"
            return Check(name, False, f"Mismatched contract class logs: {problem}")
        emitted = len(tx.contract_class_logs[index].rstrip(b"\0")) + WORD - 1
        if log.inner.length < emitted // WORD:
            problem = f"{log.inner.length}, but element {emitted // WORD - 1} is not zero"
            return Check(name, False, f"Incorrect contract class logs length: {problem}")
    if not announced:
        return Check(name, True, "none")
    return Check(name, True, f"{len(announced)} of {len(announced)}, all hashes are right")


def _public_inputs(tx: Tx, strict: bool) -> Check:
    name, repeated = "public inputs", repeated_inputs(tx)
    if repeated is None:
        return Check(name, True, "only those of data")
    inputs = tx.public_inputs()
    if repeated == inputs:
        return Check(name, True, "the compressed proof repeats those of data")
    pairs = zip_longest(split(inputs), split(repeated))  # a proof cut short repeats fewer, or ends in the middle of one
    index = next(index for index, (ours, theirs) in enumerate(pairs) if ours != theirs)
    problem = f"the compressed proof repeats others than those of data, the first is {tx.form.places[index].path}"
    return _lenient(name, problem, strict)


def _hex(word: bytes) -> str:
    return "0x" + word.hex()

"""Transactions for tests: those of tests/data, and synthetic ones of which everything but the proof is right."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from bbipc.aztec import HashedValues, ProofForm, Registry, Tx, TxProof
from bbipc.aztec.forms import FORMS, PUBLIC, Form
from bbipc.aztec.hashes import CALLDATA, element, hash_elements
from bbipc.aztec.layout import read
from bbipc.aztec.parts import CLASS_LOG_WORDS
from bbipc.aztec.records import LogHash, PublicCallRequest, ScopedLogHash
from bbipc.aztec.registry import aztec
from bbipc.chonk.words import FR_MODULUS
from samples import DATA

AZTEC = DATA / "aztec"
E2E = AZTEC / "e2e-test-setup"
PRIVATE_BYTES = (AZTEC / "py-5x" / "private.noproof.tx.bin").read_bytes()
PUBLIC_BYTES = (AZTEC / "py-5x" / "public.noproof.tx.bin").read_bytes()

RELEASE = aztec().releases[0]


def registry_of_tests() -> Registry:
    return Registry.from_json(E2E / "registry-test.json")


def e2e(name: str) -> bytes:
    return (E2E / f"rollup.{name}.tx.bin").read_bytes()


def calldata(*values: int) -> HashedValues:
    words = b"".join(map(element, values))
    return HashedValues(words, hash_elements(words, CALLDATA))


def call(values: HashedValues, sender: int = 1) -> PublicCallRequest:
    return PublicCallRequest(element(sender), element(2), False, values.hash)


def synthetic(form: Form, **changes: Any) -> Tx:
    """A transaction whose data are zeros but for its release; `changes` are attributes of the constants or the transaction."""
    data = form.read(bytes([form.flag]) + bytes(form.size - 1))
    constants = replace(
        data.constants, vk_tree_root=RELEASE.vk_tree_root, protocol_contracts_hash=RELEASE.protocol_contracts_hash
    )
    names = ("vk_tree_root", "protocol_contracts_hash", "tx_context")
    constants = replace(constants, **{name: changes.pop(name) for name in names if name in changes})
    return Tx.of(replace(data, constants=constants), **changes)


def with_calls(
    non_revertible: Sequence[PublicCallRequest],
    revertible: Sequence[PublicCallRequest] = (),
    teardown: PublicCallRequest | None = None,
    **attributes: Any,
) -> Tx:
    """A synthetic transaction with these public calls."""
    data: Any = synthetic(PUBLIC).data
    none = read(PublicCallRequest, bytes(97))
    parts = {}
    for name, calls in (("non_revertible", non_revertible), ("revertible", revertible)):
        padded = (*calls, *[none] * (32 - len(calls)))
        parts[f"{name}_accumulated_data"] = replace(getattr(data, f"{name}_accumulated_data"), public_call_requests=padded)
    return Tx.of(replace(data, **parts, public_teardown_call_request=teardown or none), **attributes)


def with_class_log(form: Form, value: bytes, length: int, *logs: bytes) -> Tx:
    """A synthetic transaction that announces one contract class log."""
    data: Any = synthetic(form).data
    announced = (ScopedLogHash(LogHash(value, length), element(3)),)
    name = form.record.BODY[0]
    data = replace(data, **{name: replace(getattr(data, name), contract_class_logs_hashes=announced)})
    return Tx.of(data, contract_class_logs=logs)


def class_log(*values: int) -> bytes:
    return b"".join(map(element, values)) + bytes(32 * (CLASS_LOG_WORDS - len(values)))


# ---- Strategies -----------------------------------------------------------------------------------------------------

words = st.integers(0, FR_MODULUS - 1).map(element)


@st.composite
def data_bytes(draw: st.DrawFn) -> bytes:
    """Regular data of either form, with a few leaves of any value."""
    form = draw(st.sampled_from(FORMS))
    data = bytearray([form.flag]) + bytes(form.size - 1)
    for place in draw(st.lists(st.sampled_from(form.places), max_size=12)):
        kind = place.leaf
        limit = {"field": FR_MODULUS, "bool": 2}.get(kind.name, 1 << (8 * kind.size))
        value = draw(st.integers(0, limit - 1))
        data[place.offset : place.offset + kind.size] = value.to_bytes(kind.size, "big")
    return bytes(data)


@st.composite
def proofs(draw: st.DrawFn) -> TxProof:
    form = draw(st.sampled_from(ProofForm))
    if form is ProofForm.COMPRESSED:
        return TxProof(form, draw(st.binary(min_size=1, max_size=100).filter(lambda data: len(data) not in (1270, 1935, 1221))))
    count = {ProofForm.NONE: 0, ProofForm.PLAIN: 1270, ProofForm.RELEASE_4: 1935, ProofForm.VERSION_6: 1221}[form]
    return TxProof(form, draw(words) * count)


@st.composite
def transactions(draw: st.DrawFn) -> Tx:
    hashed = st.builds(HashedValues, st.lists(words, max_size=3).map(b"".join), words)
    logs = st.lists(words.map(lambda word: word + bytes(32 * (CLASS_LOG_WORDS - 1))), max_size=2)
    return Tx(draw(words), draw(data_bytes()), draw(proofs()), tuple(draw(logs)), tuple(draw(st.lists(hashed, max_size=3))))


def near_transactions() -> st.SearchStrategy[bytes]:
    """Real transactions with a few bytes changed, inserted or removed, and texts."""

    def edit(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
        for position, removed, inserted in edits:
            at = position % (len(data) + 1)
            data = data[:at] + inserted + data[at + removed :]
        return data

    texts = [Tx.from_bytes(PRIVATE_BYTES).to_json().encode(), e2e("noproof").hex().encode()]
    edits = st.tuples(st.integers(0, 1 << 20), st.integers(0, 64), st.binary(max_size=64))
    return st.builds(edit, st.sampled_from([PRIVATE_BYTES, PUBLIC_BYTES, *texts]), st.lists(edits, max_size=3))

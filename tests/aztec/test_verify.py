"""Every check of a transaction, passed and failed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aztec.transactions import (
    AZTEC,
    RELEASE,
    call,
    calldata,
    class_log,
    e2e,
    registry_of_tests,
    synthetic,
    with_calls,
    with_class_log,
)
from bbipc.aztec import HashedValues, ProofForm, Tx, TxProof, TxVerdict, verify_tx, verify_txs
from bbipc.aztec.checks import MAX_TX_BYTES
from bbipc.aztec.forms import FORMS, PUBLIC, ROLLUP
from bbipc.aztec.hashes import element, hash_elements
from bbipc.aztec.records import TxContext
from bbipc.chonk import Setup

REGISTRY = registry_of_tests()


def outcome(verdict: TxVerdict, name: str) -> bool | None:
    (check,) = [check for check in verdict.checks if check.name == name]
    return check.ok


def detail(verdict: TxVerdict, name: str) -> str:
    (check,) = [check for check in verdict.checks if check.name == name]
    return check.detail


def failed(verdict: TxVerdict) -> list[str]:
    assert verdict.error is None
    return [check.name for check in verdict.checks if check.ok is False]


# ---- Real proofs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["compressed", "uncompressed"])
def test_real_proofs_are_valid_under_the_registry_and_the_setup_of_tests_only(name: str, setup: Setup) -> None:
    assert verify_tx(e2e(name), registry=REGISTRY, setup=setup).valid is True
    assert verify_tx(e2e(name), registry=REGISTRY, setup=setup, strict=True).valid is True
    assert failed(verify_tx(e2e(name), setup=setup)) == ["release"]
    assert failed(verify_tx(e2e(name), registry=REGISTRY)) == ["proof"]
    assert failed(verify_tx(e2e(name))) == ["release"]
    assert "unknown key tree" in str(verify_tx(e2e(name), setup=setup))


def test_data_that_were_changed_after_proving(setup: Setup) -> None:
    verdict = verify_tx(e2e("forged-fee-payer"), registry=REGISTRY, setup=setup)
    assert failed(verdict) == ["proof"]
    assert detail(verdict, "proof").startswith(
        "Invalid proof: the proof and the data do not belong together, or the proof is bad"
    )


def test_no_proof(setup: Setup) -> None:
    verdict = verify_tx(e2e("noproof"), registry=REGISTRY, setup=setup)
    assert verdict.valid is None
    assert not verdict
    assert "includeProof: true" in str(verdict)
    assert failed(verify_tx(e2e("noproof"))) == ["release"]


FORGERIES: list[tuple[str, Callable[[Any], Any]]] = [
    ("fee_payer", lambda data: replace(data, fee_payer=element(5))),
    ("expiration", lambda data: replace(data, expiration_timestamp=data.expiration_timestamp + 1)),
    ("gas_used", lambda data: replace(data, gas_used=replace(data.gas_used, l2_gas=data.gas_used.l2_gas ^ 1))),
    ("note hash", lambda data: replace(data, end=replace(data.end, note_hashes=(element(1), *data.end.note_hashes[1:])))),
    ("contracts", lambda data: replace(data, constants=replace(data.constants, protocol_contracts_hash=element(1)))),
    ("root", lambda data: replace(data, constants=replace(data.constants, vk_tree_root=RELEASE.vk_tree_root))),
]


@pytest.mark.parametrize("name", ["compressed", "uncompressed"])
@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery[0])
def test_forged_data_with_the_hash_made_right(name: str, forgery: tuple[str, Callable[[Any], Any]], setup: Setup) -> None:
    """The proof of other data is not accepted; not even if the compressed proof still repeats the data that it is for."""
    tx = Tx.from_bytes(e2e(name))
    forged = Tx.of(forgery[1](tx.data), proof=tx.proof)
    assert forged.tx_hash == forged.hash() != tx.hash()
    verdict = verify_tx(forged, registry=REGISTRY, setup=setup)
    assert verdict.valid is False
    assert failed(verdict) == (["release"] if forgery[0] in ("contracts", "root") else ["proof"])
    assert verify_tx(forged, setup=setup).valid is False


def test_a_compressed_proof_that_repeats_other_public_inputs(setup: Setup) -> None:
    tx = Tx.from_bytes(e2e("compressed"))
    changed = replace(tx, proof=TxProof(ProofForm.COMPRESSED, element(1) + tx.proof.content[32:]))
    verdict = verify_tx(changed, registry=REGISTRY, setup=setup)
    assert verdict.valid is True
    assert [check.name for check in verdict.checks if check.warning] == ["public inputs"]
    assert "last_archive.root" in detail(verdict, "public inputs")
    assert failed(verify_tx(changed, registry=REGISTRY, setup=setup, strict=True)) == ["public inputs"]
    # A word that is no element is not cut off unread: it cannot be decompressed.
    broken = replace(tx, proof=TxProof(ProofForm.COMPRESSED, b"\xff" * 32 + tx.proof.content[32:]))
    assert failed(verify_tx(broken, registry=REGISTRY, setup=setup)) == ["proof"]


@pytest.mark.parametrize("size", [1, 31, 32, 33, 64])
def test_a_compressed_proof_that_ends_in_its_public_inputs(setup: Setup, size: int) -> None:
    """Where all that is missing would be zeros, as in data; and where it would not."""
    zeros = Tx(bytes(32), bytes(38_557), TxProof(ProofForm.COMPRESSED, bytes(size)))
    tx = Tx.from_bytes(e2e("compressed"))
    short = replace(tx, proof=TxProof(ProofForm.COMPRESSED, tx.proof.content[:size]))
    for cut in (zeros, short):
        for strict in (False, True):
            verdict = verify_tx(cut, registry=REGISTRY, setup=setup, strict=strict)
            assert verdict.valid is False
            assert "repeats others" in detail(verdict, "public inputs")
            assert ("public inputs" in failed(verdict)) is strict


@settings(max_examples=12)
@given(st.data())
def test_any_changed_word_of_a_proof_is_refused(setup: Setup, data: st.DataObject) -> None:
    tx = Tx.from_bytes(e2e(data.draw(st.sampled_from(["compressed", "uncompressed"]))))
    content = bytearray(tx.proof.content)
    first = 32 * 1281 if tx.proof.form is ProofForm.COMPRESSED else 0
    position = data.draw(st.integers(first, len(content) - 1).filter(lambda index: index % 32))
    content[position] ^= 1 << data.draw(st.integers(0, 7))
    verdict = verify_tx(replace(tx, proof=TxProof(tx.proof.form, bytes(content))), registry=REGISTRY, setup=setup)
    assert failed(verdict) == ["proof"]


@pytest.mark.parametrize("size", [1, 31, 32, 64192 - 32, 64192 + 32, 112288])
def test_compressed_proofs_of_a_wrong_size(size: int, setup: Setup) -> None:
    tx = replace(Tx.from_bytes(e2e("compressed")), proof=TxProof(ProofForm.COMPRESSED, bytes(size)))
    verdict = verify_tx(tx, registry=REGISTRY, setup=setup)
    assert failed(verdict) == ["proof"]
    assert "cannot be decoded" in detail(verdict, "proof")
    assert f"a compressed proof of {size} bytes, expected 64192" in detail(verdict, "proof")


def test_a_private_proof_does_not_prove_public_calls(setup: Setup) -> None:
    proof = Tx.from_bytes(e2e("uncompressed")).proof
    assert failed(verify_tx(replace(synthetic(PUBLIC), proof=proof))) == ["proof"]
    assert failed(verify_tx(replace(synthetic(ROLLUP), proof=proof))) == ["proof"]


# ---- Lenience -------------------------------------------------------------------------------------------------------


def test_what_nodes_accept_and_strict_does_not(setup: Setup) -> None:
    data = e2e("uncompressed") + b"\0\1"
    verdict = verify_tx(data, registry=REGISTRY, setup=setup)
    assert verdict.valid is True
    assert [check.name for check in verdict.checks if check.warning] == ["form"]
    assert failed(verify_tx(data, registry=REGISTRY, setup=setup, strict=True)) == ["form"]
    assert Tx.from_bytes(data).to_bytes() == data[:-2]


def test_booleans_above_one() -> None:
    values = calldata(1, 2)
    static = replace(call(values), is_static_call=True)
    tx = with_calls([static], public_calldata=(values,))
    data = bytearray(tx.to_bytes())
    (position,) = [32 + offset for offset in PUBLIC.flags if tx.data_bytes[offset]]
    for changed in (32, position):
        odd = bytearray(data)
        odd[changed] = 7
        verdict = verify_tx(bytes(odd))
        assert outcome(verdict, "form") is True
        assert verdict.tx_hash == tx.hash()
        assert Tx.from_bytes(bytes(odd)) == tx
        assert failed(verify_tx(bytes(odd), strict=True)) == ["form"]


# ---- Checks without a proof -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_everything_but_the_proof_is_right(form: Any) -> None:
    assert failed(verify_tx(synthetic(form))) == []
    assert verify_tx(synthetic(form)).valid is None


def test_hash() -> None:
    verdict = verify_tx(synthetic(ROLLUP, tx_hash=element(1)))
    assert failed(verdict) == ["hash"]
    assert detail(verdict, "hash").startswith("Incorrect tx hash")
    assert verdict.tx_hash == synthetic(ROLLUP).hash()


def test_release() -> None:
    verdict = verify_tx(synthetic(PUBLIC, vk_tree_root=element(1)))
    assert detail(verdict, "release").startswith("Incorrect verification keys tree root")
    assert (failed(verdict), verdict.release) == (["release"], None)
    verdict = verify_tx(synthetic(PUBLIC, protocol_contracts_hash=element(1)))
    assert detail(verdict, "release").startswith("Incorrect protocol contracts hash")
    assert (failed(verdict), verdict.release) == (["release"], None)
    assert verify_tx(synthetic(PUBLIC)).release == "5.0.0-5.2.0"


def test_network() -> None:
    settings = synthetic(ROLLUP).data.constants.tx_context.gas_settings
    testnet = synthetic(ROLLUP, tx_context=TxContext(element(11155111), element(1821665230), settings))
    assert verify_tx(testnet).network == "testnet"
    assert failed(verify_tx(testnet, network="testnet")) == []
    verdict = verify_tx(testnet, network="mainnet")
    assert failed(verdict) == ["network"]
    assert "Incorrect L1 chain id" in detail(verdict, "network")
    assert "Incorrect rollup version" in detail(verdict, "network")
    other = synthetic(ROLLUP, tx_context=TxContext(element(1), element(1821665230), settings))
    assert verify_tx(other).network is None
    assert failed(verify_tx(other, network="mainnet")) == failed(verify_tx(other, network="testnet")) == ["network"]
    with pytest.raises(ValueError, match="unknown network"):
        verify_tx(testnet, network="devnet")


def test_calldata() -> None:
    one, two, three = calldata(1), calldata(), calldata(3, 4)
    calls = [call(one)], [call(two)], call(three)
    good = with_calls(*calls, public_calldata=(one, two, three))
    assert failed(verify_tx(good)) == []
    assert [request.calldata_hash for request in good.calls()] == good.calldata_hashes()
    wrong = HashedValues(one.values, two.hash)
    for bad in ((one, two), (one, two, three, three), (wrong, two, three), (one, two, calldata(5)), ()):
        assert failed(verify_tx(with_calls(*calls, public_calldata=bad))) == ["calldata"]
    assert failed(verify_tx(synthetic(ROLLUP, public_calldata=(one,)))) == ["calldata"]
    swapped = with_calls(*calls, public_calldata=(two, one, three))
    assert failed(verify_tx(swapped)) == []
    assert failed(verify_tx(swapped, strict=True)) == ["calldata"]
    gap = with_calls([call(one), replace(call(two), msg_sender=element(0)), call(three)], public_calldata=(one, two, three))
    assert failed(verify_tx(gap)) == []
    empty = type(calls[2])(element(0), element(0), False, element(0))
    assert failed(verify_tx(with_calls([call(one), empty, call(two)], public_calldata=(one, two)))) == ["calldata"]


def test_much_calldata() -> None:
    most, more = calldata(*range(1, 15001)), calldata(*range(1001))
    assert failed(verify_tx(with_calls([call(most)], public_calldata=(most,)))) == ["size"]
    few = calldata(*range(500))
    assert failed(verify_tx(with_calls([call(more), call(few)], public_calldata=(more, few)))) == []


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_contract_class_logs(form: Any) -> None:
    log = class_log(1, 0, 3)
    value = hash_elements(log)
    assert failed(verify_tx(with_class_log(form, value, 3, log))) == []
    assert failed(verify_tx(with_class_log(form, value, 4, log))) == []  # nodes do not demand that the last one is not zero
    for bad in (
        with_class_log(form, value, 2, log),
        with_class_log(form, value, 3),
        with_class_log(form, value, 3, log, log),
        with_class_log(form, value, 3, class_log(1, 0, 4)),
        with_class_log(form, element(1), 3, log),
        synthetic(form, contract_class_logs=(log,)),
    ):
        assert failed(verify_tx(bad)) == ["contract class logs"]


def test_size() -> None:
    size = MAX_TX_BYTES - synthetic(ROLLUP).size
    fits = synthetic(ROLLUP, proof=TxProof(ProofForm.COMPRESSED, bytes(size)))
    assert fits.size == len(fits.to_bytes()) == MAX_TX_BYTES
    assert outcome(verify_tx(fits), "size") is True
    assert outcome(verify_tx(fits.to_bytes()), "size") is True
    assert failed(verify_tx(fits.to_bytes() + b"\0")) == ["size"]
    assert failed(verify_tx(synthetic(ROLLUP, proof=TxProof(ProofForm.COMPRESSED, bytes(size + 1))))) == ["size"]


# ---- Other releases -------------------------------------------------------------------------------------------------


def test_other_proof_systems_are_named(setup: Setup) -> None:
    old = (AZTEC / "py-4x" / "private.tx.bin").read_bytes()
    for verdict in (verify_tx(old), verify_tx(old, registry=REGISTRY, setup=setup, strict=True)):
        assert verdict.valid is None
        assert "release 4.x" in str(verdict)
        assert "not verifiable here" in str(verdict)
    new = synthetic(ROLLUP, vk_tree_root=element(1), proof=TxProof(ProofForm.VERSION_6, bytes(32 * 1221)))
    assert verify_tx(new).valid is None
    assert "version 6" in str(verify_tx(new))
    from bbipc.aztec.registry import aztec  # noqa: PLC0415

    four = aztec().releases[1]
    known = synthetic(ROLLUP, vk_tree_root=four.vk_tree_root, protocol_contracts_hash=four.protocol_contracts_hash)
    assert verify_tx(known).valid is None
    assert verify_tx(known).release == "4.1.2-4.4.0"
    mixed = synthetic(ROLLUP, proof=TxProof(ProofForm.RELEASE_4, bytes(32 * 1935)))
    assert failed(verify_tx(mixed)) == ["proof"]


# ---- Many -----------------------------------------------------------------------------------------------------------


def test_many_stream_in_batches(setup: Setup) -> None:
    names = ["compressed", "noproof", "uncompressed", "forged-fee-payer"]
    taken = 0

    def source() -> Any:
        nonlocal taken
        for name in names * 3:
            taken += 1
            yield b"nothing" if taken == 5 else e2e(name)

    verdicts = verify_txs(source(), registry=REGISTRY, setup=setup, batch=4)
    first = [next(verdicts) for _ in range(4)]
    assert taken == 4
    assert [verdict.valid for verdict in first] == [True, None, True, False]
    rest = list(verdicts)
    assert rest[0].error is not None
    assert [verdict.valid for verdict in rest] == [False, None, True, False, True, None, True, False]
    with pytest.raises(ValueError, match="batch"):
        verify_txs([], batch=0)

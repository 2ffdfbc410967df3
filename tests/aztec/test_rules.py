"""Rules of chapter 15 of which each has a test that only it makes fail (fuzz/mutants/python-tx*.toml)."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aztec.transactions import (
    E2E,
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
from bbipc.aztec import Check, HashedValues, ProofForm, Registry, Tx, TxFormatError, TxProof, TxVerdict, verify_tx
from bbipc.aztec.checks import Policy
from bbipc.aztec.detect import detect_tx
from bbipc.aztec.forms import FORMS, PUBLIC, ROLLUP, form_of
from bbipc.aztec.hashes import element, hash_elements, merkle_root
from bbipc.aztec.parts import CLASS_LOG_WORDS
from bbipc.aztec.prepared import chonk_proof
from bbipc.aztec.records import LogHash, ScopedLogHash
from bbipc.aztec.registry import Release, aztec
from bbipc.aztec.verify import Pending, Sized, prepare
from bbipc.chonk import Setup, VerificationKey
from bbipc.chonk.errors import ChonkFormatError
from bbipc.chonk.verdict import Outcome, Verdict
from bbipc.chonk.words import FR_MODULUS

POLICY = Policy(aztec(), None, False)
R = FR_MODULUS.to_bytes(32, "big")
"""The smallest word that is no element."""
LIMIT = 524_288
"""Bytes of the largest transaction that a node takes."""


def failed(verdict: TxVerdict) -> list[str]:
    assert verdict.error is None
    return [check.name for check in verdict.checks if check.ok is False]


def detail(verdict: TxVerdict, name: str) -> str:
    return next(check.detail for check in verdict.checks if check.name == name)


# ---- 15.8, the verdict ----------------------------------------------------------------------------------------------


def verdict_of(**outcomes: bool | None) -> bool | None:
    return TxVerdict(tuple(Check(name, ok, "") for name, ok in outcomes.items())).valid


def test_what_makes_a_transaction_valid() -> None:
    assert verdict_of(size=True, release=True, proof=True) is True
    assert verdict_of(size=False, release=True, proof=True) is False
    assert verdict_of(size=None, release=True, proof=True) is None  # a check that was not made
    assert verdict_of(size=True, proof=True) is None
    assert verdict_of(size=True, release=True) is None
    assert verdict_of() is None
    assert TxVerdict(error="unreadable").valid is False
    assert not TxVerdict(())
    assert not TxVerdict((Check("release", True, ""), Check("proof", None, "")))


@pytest.mark.parametrize(
    ("outcome", "valid"),
    [(Outcome.VALID, True), (Outcome.INVALID, False), (Outcome.ERROR, False), (Outcome.CANCELLED, None)],
)
def test_the_verdict_on_the_proof_counts(outcome: Outcome, valid: bool | None) -> None:
    (pending,) = prepare([synthetic(ROLLUP, proof=TxProof(ProofForm.PLAIN, bytes(32 * 1270)))], POLICY)
    verdict = Verdict(outcome, step="IPA" if outcome is Outcome.INVALID else None)
    assert pending.pair is not None
    assert pending.conclude(verdict).valid is valid
    assert pending.conclude(None).valid is None
    bad = Pending(replace(pending.verdict, checks=(*pending.verdict.checks, Check("network", False, ""))), pending.pair)
    assert bad.conclude(verdict).valid is False


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_each_form_has_its_key_and_its_public_inputs(form: Any) -> None:
    content = b"".join(element(n) for n in range(1270))
    tx = synthetic(form, proof=TxProof(ProofForm.PLAIN, content))
    (pending,) = prepare([tx], POLICY)
    assert pending.pair is not None
    proof, key = pending.pair
    assert key == RELEASE.keys[form.name]
    assert key.num_public_inputs == len(form.places) + 28
    assert b"".join(proof.parts()) == tx.public_inputs() + content
    assert [len(part) // 32 for part in proof.parts()] == [len(form.places) + 76, 41, 612, 64, 477]


@pytest.mark.parametrize(("form", "words"), [(ProofForm.NONE, 0), (ProofForm.RELEASE_4, 1935), (ProofForm.VERSION_6, 1221)])
def test_the_verifier_is_given_no_proof_of_another_system(form: ProofForm, words: int) -> None:
    with pytest.raises(ChonkFormatError, match=f"a proof in form {form.value}"):
        chonk_proof(synthetic(ROLLUP, proof=TxProof(form, bytes(32 * words))))


def test_stopping_early_leaves_only_proofs_of_invalid_transactions_alone() -> None:
    proof = TxProof(ProofForm.PLAIN, bytes(32 * 1270))
    good, bad = synthetic(ROLLUP, proof=proof), synthetic(ROLLUP, proof=proof, tx_hash=element(1))
    assert [item.pair is None for item in prepare([good, bad], POLICY, stop_early=True)] == [False, True]
    assert [item.pair is None for item in prepare([good, bad], POLICY)] == [False, False]


def test_transactions_that_are_prepared_together_keep_their_hashes() -> None:
    txs = [synthetic(ROLLUP, contract_class_logs=(class_log(1),)), synthetic(PUBLIC), with_calls([call(calldata(1))])]
    together = prepare(txs, POLICY)
    assert [item.verdict for item in together] == [prepare([tx], POLICY)[0].verdict for tx in txs]
    assert [item.verdict.tx_hash for item in together] == [tx.hash() for tx in txs]


def test_a_proof_that_is_not_verified_says_why(setup: Setup) -> None:
    plain = TxProof(ProofForm.PLAIN, bytes(32 * 1270))
    assert "unknown release" in detail(verify_tx(synthetic(ROLLUP, vk_tree_root=element(1), proof=plain)), "proof")
    registry = registry_of_tests()  # it has the key of one form only
    release = registry.releases[0]
    tx = synthetic(
        PUBLIC, vk_tree_root=release.vk_tree_root, protocol_contracts_hash=release.protocol_contracts_hash, proof=plain
    )
    verdict = verify_tx(tx, registry=registry, setup=setup)
    assert (failed(verdict), verdict.valid) == ([], None)
    assert "no key" in detail(verdict, "proof")


def test_strict_reaches_the_proof(setup: Setup) -> None:
    """A key of the registry in another spelling is the same key; strict takes one spelling only."""
    registry = registry_of_tests()
    release = registry.releases[0]
    data = release.keys["rollup"].to_bytes()
    wide = (int.from_bytes(data[-32:], "big") + FR_MODULUS).to_bytes(32, "big")
    other = Registry((replace(release, keys={"rollup": VerificationKey(data[:-32] + wide)}),), registry.networks)
    assert verify_tx(e2e("uncompressed"), registry=other, setup=setup).valid is True
    assert failed(verify_tx(e2e("uncompressed"), registry=other, setup=setup, strict=True)) == ["proof"]


def test_nothing_but_size_and_form_is_checked_of_another_proof_system() -> None:
    four = next(release for release in aztec().releases if not release.verifiable)
    names = {"vk_tree_root": four.vk_tree_root, "protocol_contracts_hash": four.protocol_contracts_hash}
    log = class_log(1)
    for form, words in ((ProofForm.RELEASE_4, 1935), (ProofForm.PLAIN, 1270), (ProofForm.NONE, 0)):
        proof = TxProof(form, bytes(32 * words))
        tx = synthetic(PUBLIC, proof=proof, tx_hash=element(1), contract_class_logs=(log,), **names)
        verdict = verify_tx(tx)
        assert (verdict.valid, verdict.release, failed(verdict)) == (None, "4.1.2-4.4.0", [])
        assert "not verifiable here" in detail(verdict, "release")
        assert {check.name for check in verdict.checks if check.ok} == {"size", "form"}


# ---- 15.1 and 15.4, size and form -----------------------------------------------------------------------------------


def test_the_largest_transaction() -> None:
    fits = synthetic(ROLLUP, proof=TxProof(ProofForm.COMPRESSED, bytes(LIMIT - synthetic(ROLLUP).size)))
    larger = replace(fits, proof=TxProof(ProofForm.COMPRESSED, bytes(len(fits.proof.content) + 1)))
    assert (fits.size, larger.size) == (LIMIT, LIMIT + 1)
    assert "size" not in failed(verify_tx(fits))
    assert failed(verify_tx(larger)) == ["size"]
    # The size of what came counts as well as that of the transaction in it.
    assert failed(verify_tx(Sized(fits, LIMIT + 1))) == ["size"]
    assert failed(verify_tx(Sized(larger, 1))) == ["size"]
    assert "size" not in failed(verify_tx(Sized(fits, None)))
    assert [check.ok for check in verify_tx(larger).checks if check.name != "size"] == [None] * 7


def test_words_that_are_no_elements_cannot_be_given() -> None:
    tx = synthetic(ROLLUP)
    log = bytearray(class_log(1))
    log[-32:] = R
    bad: list[Callable[[], object]] = [
        lambda: replace(tx, tx_hash=R),
        lambda: replace(tx, data_bytes=tx.data_bytes[:1] + R + tx.data_bytes[33:]),
        lambda: replace(tx, contract_class_logs=(bytes(log),)),
        lambda: replace(tx, contract_class_logs=(R + class_log(1)[32:],)),
        lambda: HashedValues(bytes(32) + R, bytes(32)),
        lambda: HashedValues(R, bytes(32)),
        lambda: HashedValues(b"", R),
        lambda: TxProof(ProofForm.PLAIN, bytes(32 * 1269) + R),
        lambda: TxProof(ProofForm.PLAIN, R + bytes(32 * 1269)),
        lambda: Tx.of(replace(tx.data, fee_payer=R)),
    ]
    for make in bad:
        with pytest.raises(TxFormatError, match="non-canonical"):
            make()
    HashedValues(element(FR_MODULUS - 1), element(FR_MODULUS - 1))
    Tx.of(replace(tx.data, fee_payer=element(FR_MODULUS - 1)))


def test_an_element_of_data_that_is_not_canonical_is_named_with_its_place() -> None:
    """Chapter 15 section 1: data begin behind the hash, and elements behind the flag."""
    for form in (ROLLUP, PUBLIC):
        data = bytearray(synthetic(form).to_bytes())
        for place in (form.places[0], form.places[-1]):
            if place.leaf.size < 32:
                continue
            at = 32 + place.offset
            changed = bytes(data[:at]) + element(FR_MODULUS) + bytes(data[at + 32 :])
            with pytest.raises(TxFormatError, match="non-canonical") as caught:
                Tx.from_bytes(changed)
            assert (caught.value.field, caught.value.offset) == (f"data.{place.path}", at)


def test_sizes_that_cannot_be_given() -> None:
    tx = synthetic(ROLLUP)
    for size in (32 * 3022, 32 * 3024):
        with pytest.raises(TxFormatError, match="expected 96736"):
            replace(tx, contract_class_logs=(bytes(size),))
    assert CLASS_LOG_WORDS == 3023
    empty = HashedValues(b"", bytes(32))
    assert len(replace(tx, public_calldata=(empty,) * 255).to_bytes()) == tx.size + 255 * 36
    with pytest.raises(TxFormatError, match="at most 255"):
        replace(tx, public_calldata=(empty,) * 256)
    for data in (b"", tx.data_bytes[:-1], tx.data_bytes + b"\0", b"\1" + tx.data_bytes[1:], b"\2" + tx.data_bytes[1:]):
        with pytest.raises(TxFormatError, match="regular form"):
            replace(tx, data_bytes=data)
    public = synthetic(PUBLIC)
    for offset in PUBLIC.flags:
        with pytest.raises(TxFormatError, match="regular form"):
            replace(public, data_bytes=public.data_bytes[:offset] + b"\2" + public.data_bytes[offset + 1 :])
    for words in (1269, 1271):
        with pytest.raises(TxFormatError, match="expected 40640"):
            TxProof(ProofForm.PLAIN, bytes(32 * words))
    for size in (0, 1270, 1935, 1221):
        with pytest.raises(TxFormatError, match="cannot be written"):
            TxProof(ProofForm.COMPRESSED, bytes(size))


def test_values_that_cannot_be_written() -> None:
    data: Any = synthetic(PUBLIC).data
    gas = data.gas_used
    bad = [
        replace(data, expiration_timestamp=1 << 64),
        replace(data, expiration_timestamp=-1),
        replace(data, expiration_timestamp=True),
        replace(data, expiration_timestamp="1"),
        replace(data, gas_used=replace(gas, l2_gas=1 << 32)),
        replace(data, gas_used=data.constants),
        replace(data, fee_payer=bytes(31)),
        replace(data, fee_payer=bytes(33)),
        replace(data, public_teardown_call_request=replace(data.public_teardown_call_request, is_static_call=1)),
        replace(
            data,
            revertible_accumulated_data=replace(
                data.revertible_accumulated_data, nullifiers=data.revertible_accumulated_data.nullifiers[:-1]
            ),
        ),
    ]
    for values in bad:
        with pytest.raises(TxFormatError, match="data"):
            Tx.of(values)
    short = replace(data.revertible_accumulated_data, nullifiers=data.revertible_accumulated_data.nullifiers[:-1])
    with pytest.raises(
        TxFormatError, match=r"^data\.revertible_accumulated_data\.nullifiers: 63 values, expected a tuple of 64"
    ):
        Tx.of(replace(data, revertible_accumulated_data=short))
    largest = replace(data, expiration_timestamp=(1 << 64) - 1, gas_used=replace(gas, l2_gas=(1 << 32) - 1))
    assert Tx.of(largest).data == largest
    assert form_of(data) is PUBLIC


def test_proofs_are_told_apart_by_their_lengths() -> None:
    head = synthetic(ROLLUP).to_bytes()[: 32 + ROLLUP.size]
    for length, form, size in (
        (0, ProofForm.NONE, 0),
        (1270, ProofForm.PLAIN, 32 * 1270),
        (1935, ProofForm.RELEASE_4, 32 * 1935),
        (1221, ProofForm.VERSION_6, 32 * 1221),
        (1269, ProofForm.COMPRESSED, 1269),
        (1, ProofForm.COMPRESSED, 1),
    ):
        data = head + length.to_bytes(4, "big") + bytes(size + 2)
        tx = Tx.from_bytes(data, strict=True)
        assert (tx.proof.form, len(tx.proof.content)) == (form, size)
        assert tx.to_bytes() == data
        assert Tx.from_json(tx.to_json()) == tx
        with pytest.raises(TxFormatError, match="bytes end"):
            Tx.from_bytes(data[:-1])


def test_bytes_behind_a_transaction() -> None:
    tx = synthetic(ROLLUP, public_calldata=(calldata(1),))
    for behind in (b"\0", b"\1\2"):
        assert len(Tx.from_bytes(tx.to_bytes() + behind).irregularities) == 1
        with pytest.raises(TxFormatError, match="regular form"):
            Tx.from_bytes(tx.to_bytes() + behind, strict=True)


@pytest.mark.parametrize("value", [2, 7, 255])
def test_booleans_are_zero_or_true(value: int) -> None:
    tx = with_calls([replace(call(calldata(1)), is_static_call=True)], public_calldata=(calldata(1),))
    (position,) = [32 + offset for offset in PUBLIC.flags if tx.data_bytes[offset]]
    for changed in (32, position):
        data = bytearray(tx.to_bytes())
        data[changed] = value
        odd = Tx.from_bytes(bytes(data))
        assert odd == tx
        assert len(odd.irregularities) == 1
        assert odd.hash() == tx.hash()
        with pytest.raises(TxFormatError, match="a boolean"):
            Tx.from_bytes(bytes(data), strict=True)


# ---- 15.3 and 15.5, hashes ------------------------------------------------------------------------------------------


def test_every_byte_of_the_hash_counts() -> None:
    tx = synthetic(ROLLUP)
    for index in range(32):
        changed = bytearray(tx.tx_hash)
        changed[index] ^= 1
        if int.from_bytes(changed, "big") < FR_MODULUS:
            assert failed(verify_tx(replace(tx, tx_hash=bytes(changed)))) == ["hash"], index


def test_separators() -> None:
    for form, separator in ((ROLLUP, 1971680439), (PUBLIC, 1630108851)):
        tx = synthetic(form)
        assert tx.hash() == hash_elements(element(separator) + tx.public_inputs()) == tx.tx_hash
        assert replace(tx, tx_hash=element(1)).hash() == tx.hash()
    values = calldata(1, 2).values
    assert HashedValues(values, bytes(32)).compute_hash() == hash_elements(element(2760353947) + values)
    left, right = element(1), element(2)
    node = hash_elements(element(2982624097) + left + right)
    assert merkle_root(left, 0, [right]) == merkle_root(right, 1, [left]) == node
    assert merkle_root(left, 2, [right, element(3)]) == hash_elements(element(2982624097) + element(3) + node)
    assert merkle_root(left, 4, [right, element(3)]) == hash_elements(element(2982624097) + node + element(3))


def test_calldata_of_each_call() -> None:
    """Each of several calls, in each part: a wrong hash anywhere is found."""
    values = [calldata(n) for n in range(5)]
    calls = [call(item, sender=n + 1) for n, item in enumerate(values)]
    good = with_calls(calls[:2], calls[2:4], calls[4], public_calldata=tuple(values))
    assert failed(verify_tx(good, strict=True)) == []
    assert [item.calldata_hash for item in good.calls()] == [item.hash for item in values]
    for index in range(5):
        wrong = list(values)
        wrong[index] = HashedValues(values[index].values, element(9))
        assert failed(verify_tx(replace(good, public_calldata=tuple(wrong)))) == ["calldata"]
        wrong[index] = calldata(77)
        assert failed(verify_tx(replace(good, public_calldata=tuple(wrong)))) == ["calldata"]
        # What the transaction says of calldata does not count, but what they hash to.
        wrong[index] = HashedValues(calldata(77).values, values[index].hash)
        assert failed(verify_tx(replace(good, public_calldata=tuple(wrong)))) == ["calldata"]
        assert failed(verify_tx(replace(good, public_calldata=tuple(values[:index] + values[index + 1 :])))) == ["calldata"]
    assert failed(verify_tx(replace(good, public_calldata=(*values, values[0])))) == ["calldata"]
    same = [call(values[0], sender=1), call(values[0], sender=2)]  # two calls have two calldata, be they equal
    assert failed(verify_tx(with_calls(same, public_calldata=(values[0],) * 2), strict=True)) == []
    assert failed(verify_tx(with_calls(same, public_calldata=(values[0],)))) == ["calldata"]


def test_calldata_that_no_call_has() -> None:
    """Nodes look for the calldata of each call, and at nothing else (DataTxValidator and Tx.getCalldataMap)."""
    one, other, empty = calldata(1), calldata(2), calldata()
    lie, disguise = HashedValues(other.values, element(9)), HashedValues(other.values, one.hash)
    same = [call(one, sender=1), call(one, sender=2)]
    for calls, values in (
        (same, (one, other)),
        (same, (one, lie)),
        (same, (disguise, one)),  # the last of those that give the same hash
        ([call(empty)], (other,)),  # none is found: it is empty
        ([call(empty)], (HashedValues(b"", element(9)),)),
        ([call(one), call(empty)], (lie, one)),
    ):
        tx = with_calls(calls, public_calldata=values)
        assert failed(verify_tx(tx)) == []
        assert "no call has" in detail(verify_tx(tx), "calldata")
        assert failed(verify_tx(tx, strict=True)) == ["calldata"]
    for calls, values in ((same, (one, disguise)), (same, (other, lie)), ([call(one), call(empty)], (disguise, empty))):
        assert failed(verify_tx(with_calls(calls, public_calldata=values))) == ["calldata"]


@pytest.mark.parametrize("part", [0, 1])
def test_no_call_behind_an_empty_one(part: int) -> None:
    empty = with_calls([]).data.public_teardown_call_request  # type: ignore[union-attr]
    values = calldata(1)
    gap = [empty, call(values)]
    tx = with_calls(gap if part == 0 else [], gap if part == 1 else [], public_calldata=(values,))
    assert failed(verify_tx(tx)) == ["calldata"]
    # Only a call of which all members are zero is none.
    for one in (
        replace(empty, is_static_call=True),
        replace(empty, contract_address=element(1)),
        replace(empty, calldata_hash=element(1)),
    ):
        assert len(with_calls([one]).calls()) == 1


def two_logs(hashes: list[bytes], lengths: tuple[int, int], *logs: bytes) -> Tx:
    data: Any = synthetic(PUBLIC).data
    for name, value, length in zip(PUBLIC.record.BODY, hashes, lengths, strict=False):
        log = ScopedLogHash(LogHash(value, length), element(3))
        data = replace(data, **{name: replace(getattr(data, name), contract_class_logs_hashes=(log,))})
    return Tx.of(data, contract_class_logs=logs)


def test_logs_of_both_halves_of_a_public_transaction() -> None:
    logs = [class_log(1, 2), class_log(3)]
    hashes = [hash_elements(log) for log in logs]
    assert failed(verify_tx(two_logs(hashes, (2, 1), *logs))) == []
    for tx in (
        two_logs(hashes, (2, 1), logs[0]),
        two_logs(hashes, (2, 1), logs[1]),
        two_logs(hashes, (2, 1), logs[1], logs[0]),
        two_logs(hashes, (2, 1), logs[0], class_log(4)),
        two_logs(hashes, (2, 1), class_log(4), logs[1]),
        two_logs(hashes, (1, 1), *logs),
        two_logs(hashes, (2, 0), *logs),
        two_logs([hashes[0], element(5)], (2, 1), *logs),
    ):
        assert failed(verify_tx(tx)) == ["contract class logs"]
    swapped = verify_tx(two_logs(hashes, (2, 1), logs[1], logs[0]))
    assert detail(swapped, "contract class logs").startswith("Incorrectly sorted")


@pytest.mark.parametrize("last", [1, 256, 1 << 248, FR_MODULUS - 1])
def test_the_length_of_a_log_counts_elements(last: int) -> None:
    """Whichever bytes of the last element are zero."""
    log = class_log(1, 2, last)
    for length, problems in ((2, ["contract class logs"]), (3, []), (3023, [])):
        assert failed(verify_tx(with_class_log(ROLLUP, hash_elements(log), length, log))) == problems
    separated = hash_elements(element(2760353947) + log)
    assert failed(verify_tx(with_class_log(ROLLUP, separated, 3, log))) == ["contract class logs"]


def test_public_inputs_that_a_compressed_proof_repeats(setup: Setup) -> None:
    """The first, the last and one between."""
    tx, registry = Tx.from_bytes(e2e("compressed")), registry_of_tests()
    for index in (0, 640, 1280):
        content = bytearray(tx.proof.content)
        content[32 * index + 31] ^= 1
        changed = replace(tx, proof=TxProof(ProofForm.COMPRESSED, bytes(content)))
        assert failed(verify_tx(changed, registry=registry, setup=setup, strict=True)) == ["public inputs"]


# ---- 15.6, JSON -----------------------------------------------------------------------------------------------------


def document(**changes: Any) -> dict[str, Any]:
    log = class_log(1)
    tx = with_class_log(ROLLUP, hash_elements(log), 1, log)
    parsed: dict[str, Any] = json.loads(replace(tx, public_calldata=(calldata(1),)).to_json())
    return parsed | changes


def test_json_that_is_not_in_the_regular_form() -> None:
    good = document()
    for name in ("data", "chonkProof"):
        longer = base64.b64encode(base64.b64decode(good[name]) + b"\0").decode()
        assert len(Tx.from_json(document(**{name: longer})).irregularities) == 1
        with pytest.raises(TxFormatError, match="regular form"):
            Tx.from_json(document(**{name: longer}), strict=True)
        with pytest.raises(TxFormatError, match="regular form"):
            detect_tx(json.dumps(document(**{name: longer})).encode(), strict=True)


def test_errors_in_json_name_the_member() -> None:
    (log,), (values,) = document()["contractClassLogFields"], document()["publicFunctionCalldata"]
    for fields in (log["fields"][1:], [*log["fields"], "0x0"]):
        with pytest.raises(TxFormatError, match=f"{len(fields)} elements, expected 3023") as caught:
            Tx.from_json(document(contractClassLogFields=[{"fields": fields}]))
        assert caught.value.field == "contractClassLogFields[0].fields"
    with pytest.raises(TxFormatError, match="non-canonical") as caught:
        Tx.from_json(document(publicFunctionCalldata=[values | {"values": ["0x0", "0x" + R.hex()]}]))
    assert caught.value.field == "publicFunctionCalldata[0].values[1]"


def test_json_that_is_refused() -> None:
    (log,), (values,) = document()["contractClassLogFields"], document()["publicFunctionCalldata"]
    bad: list[dict[str, Any]] = [
        {"txHash": "0x" + R.hex()},
        {"txHash": "0x" + "0" * 65},
        {"txHash": "0x"},
        {"txHash": "0x-1"},
        {"txHash": "0x 1"},
        {"txHash": "0x1_0"},
        {"txHash": "0x+1"},
        {"txHash": "0xg"},
        {"txHash": 1},
        {"data": document()["data"][:-4] + "*" + document()["data"][-4:]},
        {"data": 1},
        {"chonkProof": "A"},
        {"contractClassLogFields": [{"fields": log["fields"][:-1]}]},
        {"contractClassLogFields": [{"fields": [*log["fields"], "0x0"]}]},
        {"contractClassLogFields": [log["fields"]]},
        {"publicFunctionCalldata": [{"values": values["values"]}]},
        {"publicFunctionCalldata": [{"values": values["values"], "hash": "0x" + R.hex()}]},
    ]
    for change in bad:
        with pytest.raises(TxFormatError):
            Tx.from_json(document(**change))
    for name in ("data", "chonkProof", "contractClassLogFields", "publicFunctionCalldata"):
        short = document()
        del short[name]
        with pytest.raises(TxFormatError, match=f"no member '{name}'"):
            Tx.from_json(short)
    with pytest.raises(TxFormatError, match="does not have it"):
        Tx.from_json({"jsonrpc": "2.0", "id": 1, "result": None})
    with pytest.raises(TxFormatError, match="given twice"):
        Tx.from_json('{"publicFunctionCalldata": [{"hash": "0x1", "hash": "0x1"}]}')


def test_hashes_in_json_are_those_that_are_given() -> None:
    assert failed(verify_tx(Tx.from_json(document(txHash="0x1")))) == ["hash", "calldata"]
    without = document()
    del without["txHash"]
    assert Tx.from_json(without).tx_hash == Tx.from_json(document()).hash()
    values = document()["publicFunctionCalldata"][0] | {"hash": "0x7"}
    assert Tx.from_json(document(publicFunctionCalldata=[values])).public_calldata[0].hash == element(7)


# ---- 15.7, the registry ---------------------------------------------------------------------------------------------


def written(tmp_path: Path, **changes: Any) -> Registry:
    """The registry of tests with other members of its release."""
    (release,) = json.loads((E2E / "registry-test.json").read_text())
    for name in E2E.glob("*.vk"):
        (tmp_path / name.name).write_bytes(name.read_bytes())
    networks = {"networks": changes.pop("networks")} if "networks" in changes else {}
    (tmp_path / "registry.json").write_text(json.dumps({"releases": [release | changes]} | networks))
    return Registry.from_json(tmp_path / "registry.json")


def test_both_the_key_tree_and_the_contracts_name_a_release() -> None:
    root, contracts = RELEASE.vk_tree_root, RELEASE.protocol_contracts_hash
    registry = aztec()
    assert registry.release(root, contracts) is RELEASE
    other = registry.releases[1]
    for pair in (
        (root, element(1)),
        (element(1), contracts),
        (root, other.protocol_contracts_hash),
        (other.vk_tree_root, contracts),
    ):
        assert registry.release(*pair) is None
    verdict = verify_tx(synthetic(ROLLUP, vk_tree_root=other.vk_tree_root))
    assert failed(verdict) == ["release"]
    assert detail(verdict, "release").startswith("Incorrect protocol contracts hash")
    verdict = verify_tx(synthetic(ROLLUP, vk_tree_root=element(1)))
    assert detail(verdict, "release").startswith("Incorrect verification keys tree root")


def test_networks() -> None:
    registry = aztec()
    mainnet, testnet = registry.network("mainnet"), registry.network("testnet")
    assert (mainnet.chain_id, mainnet.rollup_version) == (1, 4248422647)
    assert (testnet.chain_id, testnet.rollup_version) == (11155111, 1821665230)
    assert registry.network_of(1, 4248422647) is mainnet
    assert registry.network_of(11155111, 1821665230) is testnet
    assert registry.network_of(1, 1821665230) is registry.network_of(11155111, 4248422647) is None
    context = synthetic(ROLLUP).data.constants.tx_context
    for chain, version in ((1, 1821665230), (11155111, 4248422647)):
        tx = synthetic(ROLLUP, tx_context=replace(context, chain_id=element(chain), version=element(version)))
        for name in ("mainnet", "testnet"):
            assert failed(verify_tx(tx, network=name)) == ["network"]
    old = Tx.from_bytes((E2E.parent / "py-4x" / "private.tx.bin").read_bytes())
    assert failed(verify_tx(old, network="mainnet")) == ["network"]


def test_releases_and_keys_by_name() -> None:
    def covers(name: str, version: str) -> bool:
        return Release(name, element(1), element(2), {}, True, {}).covers(version)

    for version, inside in (
        ("4.9.9", False),
        ("5.0.0", True),
        ("5.1", True),
        ("5.1.7", True),
        ("5.2.0", True),
        ("5.2.1", False),
    ):
        assert covers("5.0.0-5.2.0", version) is inside
    assert covers("nightly", "nightly")
    assert not covers("nightly", "5.0.0")
    registry = aztec()
    keys = [registry.key("aztec:5.0.0/to_rollup"), registry.key("aztec:5.2.0/to_public")]
    assert keys == [RELEASE.keys["rollup"], RELEASE.keys["public"]]
    for key in keys:
        for index in (0, 96, 3679):
            data = bytearray(key.to_bytes())
            data[index] ^= 1
            assert registry.name_of_key(bytes(data)) is None


def test_registries_from_files(tmp_path: Path) -> None:
    good = written(tmp_path)
    assert good == registry_of_tests()
    assert written(tmp_path, keys=None).releases[0].verifiable is False
    assert written(tmp_path).releases[0].verifiable is True
    missing = written(tmp_path, keys={"rollup": "missing.vk"}).releases[0]
    assert (dict(missing.keys), missing.verifiable) == ({}, True)
    own = [{"name": "own", "chain_id": 0, "rollup_version": FR_MODULUS - 1}]
    assert [network.name for network in written(tmp_path, networks=own).networks] == ["own"]
    assert written(tmp_path, networks=[]).networks == ()
    key = good.releases[0].keys["rollup"].to_bytes()
    (tmp_path / "short.vk").write_bytes(key[:-32])
    (tmp_path / "long.vk").write_bytes(key + bytes(32))
    (tmp_path / "bad.vk").write_bytes(key[:96] + element(1) + key[128:])
    bad: list[dict[str, Any]] = [
        {"vk_tree_root": "0x" + R.hex()},
        {"vk_tree_root": "1"},
        {"protocol_contracts_hash": "0x" + R.hex()},
        {"keys": {}},
        {"keys": {"rollup": "short.vk"}},
        {"keys": {"rollup": "long.vk"}},
        {"keys": {"rollup": "bad.vk"}},
        {"keys": {"rollup": "missing.vk", "other": "missing.vk"}},
        {"networks": [own[0] | {"chain_id": -1}]},
        {"networks": [own[0] | {"chain_id": True}]},
        {"networks": [own[0] | {"rollup_version": FR_MODULUS}]},
        {"networks": {}},
    ]
    for change in bad:
        with pytest.raises(TxFormatError):
            written(tmp_path, **change)

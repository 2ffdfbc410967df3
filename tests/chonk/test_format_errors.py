"""Bytes that are no proof, key or setup: each is refused with its position."""

import json
import pickle
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbipc.chonk import ChonkFormatError, ChonkProof, Setup, VerificationKey, Verifier
from bbipc.chonk.detect import detect_proof
from reference import curves
from reference.layout import Item, Kind, items
from samples import DATA, FLOW1, copy_parts, flow1_parts, raw_proof, word
from strategies import not_below

ITEMS = list(items(32))
parts_names = st.sampled_from(ChonkProof.PARTS)


def refused(function: Any, *arguments: Any) -> ChonkFormatError:
    with pytest.raises(ChonkFormatError) as caught:
        function(*arguments)
    return caught.value


def small_parts() -> dict[str, Any]:
    return {name: [word(number)] * 5 for number, name in enumerate(ChonkProof.PARTS)}


@given(parts_names, st.integers(0, 4), st.binary(max_size=80).filter(lambda data: len(data) != 32))
def test_words_have_32_bytes(part: str, index: int, data: bytes) -> None:
    parts = small_parts()
    parts[part][index] = data
    for error in (refused(ChonkProof.from_words, parts), refused(ChonkProof.from_msgpack, msgpack.packb(parts))):
        assert str(error) == f"proof.{part}[{index}]: {len(data)} bytes, expected 32"
        assert error.position == f"proof.{part}[{index}]"


@given(parts_names, st.integers(0, 4), not_below(curves.R))
def test_words_are_canonical(part: str, index: int, value: int) -> None:
    parts = small_parts()
    parts[part][index] = word(value)
    for error in (refused(ChonkProof.from_words, parts), refused(ChonkProof.from_msgpack, msgpack.packb(parts))):
        assert str(error) == f"proof.{part}[{index}]: non-canonical field element: value >= the modulus of Fr"


@pytest.mark.parametrize(
    ("value", "name"), [("x" * 32, "str"), (1, "int"), ([1] * 32, "list"), (None, "NoneType"), (1.5, "float"), (True, "bool")]
)
def test_words_are_bins(value: object, name: str) -> None:
    parts = small_parts()
    parts["ipa_proof"][3] = value
    for error in (refused(ChonkProof.from_words, parts), refused(ChonkProof.from_msgpack, msgpack.packb(parts))):
        assert str(error) == f"proof.ipa_proof[3]: {name}, expected 32 bytes"


@pytest.mark.parametrize(("value", "name"), [(bytes(64), "bytes"), ("", "str"), (None, "NoneType"), (7, "int")])
def test_parts_are_arrays(value: object, name: str) -> None:
    parts = small_parts() | {"joint_proof": value}
    for error in (refused(ChonkProof.from_words, parts), refused(ChonkProof.from_msgpack, msgpack.packb(parts))):
        assert str(error) == f"proof.joint_proof: {name}, expected an array"
        assert error.position == "proof.joint_proof"


@pytest.mark.parametrize("part", ChonkProof.PARTS)
def test_parts_are_not_missing(part: str) -> None:
    parts = small_parts()
    del parts[part]
    for error in (refused(ChonkProof.from_words, parts), refused(ChonkProof.from_msgpack, msgpack.packb(parts))):
        assert str(error) == f"proof.{part}: missing"


@pytest.mark.parametrize("first", ["merge_proof", "mergeProof"])
@pytest.mark.parametrize("second", ["merge_proof", "mergeProof"])
def test_parts_are_given_once(first: str, second: str) -> None:
    pairs = [(name, value) for name, value in small_parts().items() if name != "merge_proof"]
    pairs += [(first, [word(1)]), (second, [word(1)])]
    packer = msgpack.Packer(autoreset=False)
    packer.pack_map_pairs(pairs)
    assert str(refused(ChonkProof.from_msgpack, packer.bytes())) == "proof.merge_proof: given twice"


@given(st.binary(min_size=1, max_size=40))
def test_no_bytes_after_the_map(extra: bytes) -> None:
    error = refused(ChonkProof.from_msgpack, msgpack.packb(small_parts()) + extra)
    assert str(error) == f"proof: {len(extra)} bytes after the msgpack map"


@given(st.integers(0, len(msgpack.packb(small_parts())) - 1))
def test_truncated_map(length: int) -> None:
    assert "proof: not a msgpack map" in str(refused(ChonkProof.from_msgpack, msgpack.packb(small_parts())[:length]))


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    for error in (refused(ChonkProof.from_msgpack, data), refused(ChonkProof.from_compressed, data)):
        assert error.position
    refused(ChonkProof.from_fields, data)
    refused(VerificationKey.from_bytes, data)
    refused(detect_proof, data, 32)


@pytest.mark.parametrize("value", [1, "text", [1, 2], None, b"\0" * 32, msgpack.Timestamp(1, 2)])
def test_not_a_map(value: object) -> None:
    assert str(refused(ChonkProof.from_msgpack, msgpack.packb(value))).endswith("expected a map")


def test_msgpack_that_nests_deeply() -> None:
    assert refused(ChonkProof.from_msgpack, b"\x81\xa1a" + b"\x91" * 100_000).position == "proof"


def test_msgpack_that_announces_much() -> None:
    for header in (b"\xdf\xff\xff\xff\xff", b"\x81\xa1a\xdd\xff\xff\xff\xff", b"\x81\xa1a\xc6\xff\xff\xff\xff"):
        assert refused(ChonkProof.from_msgpack, header).position == "proof"


def test_msgpack_keys_that_are_not_strings_are_ignored() -> None:
    document: dict[Any, Any] = small_parts() | {1: 2, b"merge_proof": 3, None: 4}
    assert ChonkProof.from_msgpack(msgpack.packb(document)) == ChonkProof.from_words(small_parts())


# ---- Flat fields ----


@pytest.mark.parametrize("count", [0, 1, 1193, 1241])
def test_too_few_fields(count: int) -> None:
    assert str(refused(ChonkProof.from_fields, bytes(32 * count))) == f"proof has wrong field count: expected 1242, got {count}"


@pytest.mark.parametrize(
    ("total", "npi", "expected"), [(1273, 32, 1274), (1275, 32, 1274), (1274, 0, 1242), (0, 2**63, 2**63 + 1242)]
)
def test_fields_that_do_not_fit_to_the_key(total: int, npi: int, expected: int) -> None:
    error = refused(ChonkProof.from_fields, [word(0)] * total, npi)
    assert str(error) == f"proof has wrong field count: expected {expected}, got {total}"
    assert error.position == "fields"


@pytest.mark.parametrize("total", [0, 1, 1241])
def test_keys_whose_sum_wraps(total: int) -> None:
    """npi + 1242 = total modulo 2^64: the length test of bb passes, but there are not enough fields for the parts."""
    assert "wrong field count" in str(refused(ChonkProof.from_fields, bytes(32 * total), 2**64 - 1242 + total))


def test_bad_fields_have_their_index() -> None:
    fields = [word(0)] * 1274
    fields[77] = bytes(31)
    assert str(refused(ChonkProof.from_fields, fields)) == "fields[77]: 31 bytes, expected 32"
    fields[77] = word(curves.R)
    assert str(refused(ChonkProof.from_fields, fields)).startswith("fields[77]: non-canonical field element")
    assert str(refused(ChonkProof.from_fields, b"".join(fields))).startswith("fields[77]: non-canonical field element")
    assert str(refused(ChonkProof.from_fields, bytes(33))) == "fields: 33 bytes, expected a multiple of 32"
    assert str(refused(ChonkProof.from_fields, "text")) == "fields: str, expected an array"


def test_parts_are_whole_words() -> None:
    error = refused(ChonkProof, b"", b"", bytes(31), b"", b"")
    assert str(error) == "proof.eccvm_proof: 31 bytes, expected a multiple of 32"


# ---- Compressed proofs ----


def bad_compressed(item: Item) -> list[int]:
    """Words that are no compressed form of an item."""
    if item.kind is Kind.SCALAR:
        return [curves.R, 2**256 - 1]
    if item.kind is Kind.FQ_SCALAR:
        return [curves.Q, 2**255]
    curve = curves.G1 if item.kind is Kind.G1 else curves.GRUMPKIN
    off_curve = next(x for x in range(1, 100) if pow(x**3 + curve.b, (curve.p - 1) // 2, curve.p) != 1)
    return [curve.p, curve.p + 1, 2**255 - 1, 2**255, 2**255 + curve.p, 2**256 - 1, off_curve, off_curve + 2**255]


@given(st.integers(0, len(ITEMS) - 1), st.data())
def test_bad_compressed_words(index: int, data: st.DataObject) -> None:
    value = data.draw(st.sampled_from(bad_compressed(ITEMS[index])))
    words = [FLOW1.compressed[start : start + 32] for start in range(0, len(FLOW1.compressed), 32)]
    words[index] = word(value)
    error = refused(ChonkProof.from_compressed, b"".join(words))
    assert f"[{index}]" in error.position


@pytest.mark.parametrize("size", [0, 1, 31, 32, 32 * 696, 32 * 697 - 1, 32 * 697 + 1])
def test_sizes_of_compressed_proofs(size: int) -> None:
    problem = "expected a multiple of 32" if size % 32 else "expected at least 22304"
    assert str(refused(ChonkProof.from_compressed, bytes(size))) == f"compressed: {size} bytes, {problem}"


@pytest.mark.parametrize("part", ChonkProof.PARTS)
@pytest.mark.parametrize("change", [-1, 1])
def test_only_proofs_of_the_right_shape_are_compressed(part: str, change: int) -> None:
    parts = copy_parts(flow1_parts())
    parts[part] = parts[part][:-1] if change < 0 else [*parts[part], word(0)]
    if part == "hiding_oink_proof":  # a proof with another number of public inputs, whose commitments are read elsewhere
        parts[part] = parts[part][:40]
    refused(raw_proof(parts).compress)


@given(st.sampled_from([item for item in ITEMS if item.kind in (Kind.G1, Kind.FQ_SCALAR)]), st.data())
def test_limbs_out_of_range_are_not_compressed(item: Item, data: st.DataObject) -> None:
    parts = copy_parts(flow1_parts())
    limb = data.draw(st.integers(0, item.kind.words - 1))
    parts[item.part][item.position + limb] = word(
        data.draw(st.sampled_from([2**118, 2**119] if limb % 2 else [2**136, 2**137]))
    )
    assert refused(ChonkProof.from_words(parts).compress).position.startswith(f"proof.{item.part}[")


# ---- Keys and setups ----


@pytest.mark.parametrize("size", [0, 3679, 3681, 5216])
def test_size_of_a_key(size: int) -> None:
    error = refused(VerificationKey.from_bytes, bytes(size))
    assert str(error) == f"verification key has wrong size: expected 3680, got {size}"
    assert error.position == "vk"


def test_properties_of_a_key_that_cannot_be_decoded() -> None:
    key = VerificationKey.from_bytes(b"\xff" * 3680)
    for name in ("log_circuit_size", "num_public_inputs", "pub_inputs_offset", "hash"):
        assert refused(getattr, key, name).position == "vk[3]"


SETUP = json.loads((DATA / "test_setup.json").read_text())
G2, COMMITMENT = "g2_x_hex_128_bytes_order_xc0_xc1_yc0_yc1", "translator_vk_commitment_test"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("", "setup: not a JSON document"),
        ("{", "setup: not a JSON document"),
        (b"\xff\xfe\xfd", "setup: not a JSON document"),
        ([], "setup: list, expected an object"),
        ({}, f'setup: no member "{G2}"'),
        ({G2: SETUP[G2]}, f'setup: no member "{COMMITMENT}"'),
        (SETUP | {G2: 5}, f"setup.{G2}: int, expected a string of hex digits"),
        (SETUP | {G2: "0x"}, f"setup.{G2}: expected 1 to 256 hex digits"),
        (SETUP | {G2: "00" * 129}, f"setup.{G2}: expected 1 to 256 hex digits"),
        (SETUP | {G2: "0 1"}, f"setup.{G2}: expected 1 to 256 hex digits"),
        (SETUP | {G2: "zz"}, f"setup.{G2}: not a hex number"),
        (SETUP | {COMMITMENT: "00"}, f"setup.{COMMITMENT}: str, expected an object"),
        (SETUP | {COMMITMENT: {"x": "0x1"}}, f'setup.{COMMITMENT}: no member "y"'),
        (SETUP | {COMMITMENT: {"x": "0x1", "y": "é"}}, f"setup.{COMMITMENT}.y: expected 1 to 64 hex digits"),
    ],
)
def test_setup_files(tmp_path: Path, document: Any, message: str) -> None:
    file = tmp_path / "setup.json"
    if isinstance(document, bytes):
        file.write_bytes(document)
    else:
        file.write_text(document if isinstance(document, str) else json.dumps(document))
    assert str(refused(Setup.from_json, file)).startswith(message)


def test_setup_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Setup.from_json(tmp_path / "none.json")


def test_sizes_of_a_setup() -> None:
    assert str(refused(Setup, bytes(127), bytes(64))) == "setup.g2_x: 127 bytes, expected 128"
    assert str(refused(Setup, bytes(128), bytes(65))) == "setup.translator_key: 65 bytes, expected 64"


@pytest.mark.parametrize(
    "setup",
    [
        Setup(word(curves.Q) * 4, Setup.AZTEC.translator_key),
        Setup(word(1) * 4, Setup.AZTEC.translator_key),
        Setup(Setup.AZTEC.g2_x, word(1) * 2),
        Setup(Setup.AZTEC.g2_x, word(curves.Q) + word(2)),
        Setup(Setup.AZTEC.g2_x[:96] + word(int.from_bytes(Setup.AZTEC.g2_x[96:], "big") + 1), Setup.AZTEC.translator_key),
    ],
    ids=["g2 not canonical", "g2 off the curve", "key off the curve", "key not canonical", "g2 nearly right"],
)
def test_points_of_a_setup(setup: Setup) -> None:
    assert refused(Verifier, setup).position == "setup"


def test_errors_can_be_pickled() -> None:
    error = refused(ChonkProof, b"", b"", bytes(31), b"", b"")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.position) == (str(error), error.position)

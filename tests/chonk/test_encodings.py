"""The encodings of a proof carry the same proof: parts, flat fields, msgpack, compressed (chapter 03)."""

import hashlib
from collections.abc import Mapping

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbipc.chonk import ChonkProof
from bbipc.chonk.detect import detect_proof
from bbipc.chonk.errors import ChonkFormatError
from bbipc.chonk.forms import Encoding
from bbipc.chonk.unwrap import unhex
from reference import curves
from reference.layout import Item, Kind, items
from samples import CORPUS, FLOW1, FLOWS, Sample, copy_parts, flow1_parts, word
from strategies import elements

LENGTHS = {"merge_proof": 41, "eccvm_proof": 612, "ipa_proof": 64, "joint_proof": 477}
ITEMS = list(items(32))


def camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def any_elements(seed: int, count: int) -> list[bytes]:
    """Elements of Fr that hold nothing in particular."""
    stream = hashlib.shake_256(seed.to_bytes(8, "big")).digest(40 * count)
    return [word(int.from_bytes(stream[start : start + 40], "big") % curves.R) for start in range(0, len(stream), 40)]


@st.composite
def shaped_parts(draw: st.DrawFn) -> dict[str, list[bytes]]:
    """Parts of the right lengths, with any number of public inputs, of any elements."""
    seed = draw(st.integers(0, 2**64 - 1))
    lengths = {"hiding_oink_proof": 48 + draw(st.integers(0, 60))} | LENGTHS
    return {name: any_elements(seed ^ number, count) for number, (name, count) in enumerate(lengths.items())}


part_of_any_length = st.lists(elements(curves.R).map(word), max_size=5)
any_parts = st.fixed_dictionaries(dict.fromkeys(ChonkProof.PARTS, part_of_any_length))


@given(any_parts)
def test_parts_and_msgpack_of_any_lengths(parts: dict[str, list[bytes]]) -> None:
    proof = ChonkProof.from_words(parts)
    ordered = {name: parts[name] for name in ChonkProof.PARTS}
    assert proof.to_words() == ordered
    assert proof.to_fields() == b"".join(b"".join(part) for part in ordered.values())
    assert proof.to_msgpack() == msgpack.packb(ordered)
    assert ChonkProof.from_msgpack(proof.to_msgpack()) == proof
    assert proof.num_public_inputs == len(parts["hiding_oink_proof"]) - 48


@settings(max_examples=30)
@given(shaped_parts())
def test_flat_fields(parts: dict[str, list[bytes]]) -> None:
    proof = ChonkProof.from_words(parts)
    flat = proof.to_fields()
    assert ChonkProof.from_fields(flat) == proof
    assert ChonkProof.from_fields(flat, proof.num_public_inputs) == proof
    assert ChonkProof.from_fields([flat[start : start + 32] for start in range(0, len(flat), 32)]) == proof


@given(any_parts, st.permutations([*ChonkProof.PARTS, "extra", "other"]), st.sets(st.sampled_from(ChonkProof.PARTS)))
def test_msgpack_keys_in_any_order_and_style(parts: Mapping[str, list[bytes]], order: list[str], camel: set[str]) -> None:
    """Unknown keys are ignored, whatever they hold; camelCase names are bb.js's."""
    document = {camel_case(name) if name in camel else name: parts.get(name, [{"a": [None, 1.5]}]) for name in order}
    assert ChonkProof.from_msgpack(msgpack.packb(document)) == ChonkProof.from_words(parts)


@pytest.mark.parametrize("sample", FLOWS, ids=str)
def test_bytes_are_those_of_bb(sample: Sample) -> None:
    """Compression both ways, and both other encodings, byte for byte."""
    proof = ChonkProof.from_msgpack(sample.msgpack)
    assert proof == sample.proof
    assert proof.to_fields() == sample.fields
    assert proof.compress() == sample.compressed
    assert ChonkProof.from_compressed(sample.compressed) == proof


@pytest.mark.parametrize("sample", CORPUS, ids=str)
def test_compression_round_trip(sample: Sample) -> None:
    compressed = sample.proof.compress()
    assert len(compressed) == 32 * (697 + sample.proof.num_public_inputs)
    assert ChonkProof.from_compressed(compressed) == sample.proof


def encode(item: Item, draw: st.DrawFn) -> list[bytes]:
    """The words of some valid content of an item."""
    if item.kind is Kind.SCALAR:
        return [word(draw(elements(curves.R)))]
    if item.kind is Kind.FQ_SCALAR:
        return limbs(draw(elements(curves.Q)))
    curve = curves.G1 if item.kind is Kind.G1 else curves.GRUMPKIN
    point = curve.mul(draw(st.integers(0, 5)), curve.generator)
    x, y = draw(st.sampled_from([point, curve.neg(point)])) or (0, 0)
    return [*limbs(x), *limbs(y)] if item.kind is Kind.G1 else [word(x), word(y)]


def limbs(value: int) -> list[bytes]:
    return [word(value % 2**136), word(value >> 136)]


def compressed_word(item: Item, words: list[bytes]) -> int:
    """Chapter 03 section 5, in Python."""
    values = [int.from_bytes(value, "big") for value in words]
    if item.kind is Kind.SCALAR:
        return values[0]
    if item.kind is Kind.FQ_SCALAR:
        return values[0] + (values[1] << 136)
    x, y, m = (
        (values[0] + (values[1] << 136), values[2] + (values[3] << 136), curves.Q)
        if item.kind is Kind.G1
        else (values[0], values[1], curves.R)
    )
    return x + ((y > (m - 1) // 2) << 255)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(ITEMS), min_size=1, max_size=10, unique=True), st.data())
def test_compression_of_any_content(changed: list[Item], data: st.DataObject) -> None:
    """Any points of the curves, infinity and opposite points among them, and any scalars."""
    parts = copy_parts(flow1_parts())
    for item in changed:
        content = data.draw(st.composite(lambda draw, item=item: encode(item, draw))())
        parts[item.part][item.position : item.position + item.kind.words] = content
    proof = ChonkProof.from_words(parts)
    expected = b"".join(
        word(compressed_word(item, parts[item.part][item.position : item.position + item.kind.words])) for item in ITEMS
    )
    assert proof.compress() == expected
    assert ChonkProof.from_compressed(expected) == proof


def test_compression_does_not_look_at_curves() -> None:
    """It keeps x and the sign of y (chapter 03 section 5)."""
    parts = copy_parts(flow1_parts())
    parts["ipa_proof"][1] = word(int.from_bytes(parts["ipa_proof"][1], "big") ^ 2)
    assert ChonkProof.from_words(parts).compress() == FLOW1.compressed


# ---- Detection ----


@pytest.mark.parametrize("sample", FLOWS, ids=str)
@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("hexadecimal", [False, True])
def test_every_encoding_is_detected(sample: Sample, encoding: Encoding, hexadecimal: bool) -> None:
    data = {Encoding.FIELDS: sample.fields, Encoding.MSGPACK: sample.msgpack, Encoding.COMPRESSED: sample.compressed}[encoding]
    written = b"0x" + data.hex().encode() + b"\n" if hexadecimal else data
    detected = detect_proof(written, sample.proof.num_public_inputs)
    assert (detected.proof, detected.encoding, detected.hexadecimal) == (sample.proof, encoding, hexadecimal)


@given(st.binary(max_size=100), st.sampled_from(["", "0x", "0X"]), st.sampled_from(["", "\n", " ", "\r\n"]), st.booleans())
def test_hex_text(data: bytes, prefix: str, space: str, upper: bool) -> None:
    digits = data.hex().upper() if upper else data.hex()
    text = prefix + space.join(digits[start : start + 64] for start in range(0, len(digits), 64)) + space
    assert unhex(text.encode()) == (data or None)


@pytest.mark.parametrize("data", [b"", b"0x", b"0", b"012", b"0g", b"0x0x00", b"\xff\xfe", b"00 0"])
def test_not_hex_text(data: bytes) -> None:
    assert unhex(data) is None


@given(st.integers(0, 2**64 - 1))
def test_no_size_means_two_things(num_public_inputs: int) -> None:
    """What `detect_proof` relies on: hex digits of either encoding are longer than both encodings."""
    flat, compressed = 32 * (num_public_inputs + 1242), 32 * (num_public_inputs + 697)
    assert compressed < flat < 2 * compressed < 2 * flat


@pytest.mark.parametrize("key", ["ipa_proof", "ipaProof"])
def test_a_msgpack_proof_is_one_map_without_repetitions(key: str) -> None:
    """Chapter 03 section 4."""
    parts = msgpack.unpackb(FLOW1.msgpack)
    pairs = [*parts.items(), (key, list(parts.values())[3])]
    twice = b"\x86" + b"".join(msgpack.packb(name) + msgpack.packb(value) for name, value in pairs)
    with pytest.raises(ChonkFormatError, match="ipa_proof: given twice"):
        ChonkProof.from_msgpack(twice)
    with pytest.raises(ChonkFormatError, match="1 bytes after the msgpack map"):
        ChonkProof.from_msgpack(FLOW1.msgpack + b"\xc0")

"""The published schema, and values of its types."""

import json
import re
import tracemalloc
from importlib import resources

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbipc.wire import values
from bbipc.wire.cursor import Allowance
from bbipc.wire.errors import DecodeError, EncodeError
from bbipc.wire.schema import extended, published
from bbipc.wire.values import FQ_MODULUS, FR_MODULUS, MAX_TEXT
from samples import DATA, FLOW1, SPECIFICATION, word

SCHEMA = published()


def decode(name: str, fields: object) -> values.Fields:
    data = fields if isinstance(fields, bytes) else msgpack.packb(fields)
    decoded, end = SCHEMA.command(name).decode(data, 0, Allowance())
    assert end == len(data)
    return decoded


def error(name: str, fields: object) -> str:
    with pytest.raises(DecodeError) as caught:
        decode(name, fields)
    return str(caught.value)


def proof_map() -> dict[str, list[bytes]]:
    return msgpack.unpackb(FLOW1.msgpack)


def test_it_is_the_schema_that_bb_publishes() -> None:
    recorded = json.loads((DATA / "bb-5.0.0-schema.json").read_text())
    assert json.loads(resources.files("bbipc.wire").joinpath("schema.json").read_text()) == recorded


def test_describing_every_command_gives_the_schema_again() -> None:
    assert SCHEMA.describe(SCHEMA.command_names) == json.loads((DATA / "bb-5.0.0-schema.json").read_text())


def test_a_proof_becomes_its_words() -> None:
    decoded = decode("ChonkVerify", {"proof": proof_map(), "vk": FLOW1.vk})
    assert b"".join(decoded["proof"].values()) == FLOW1.fields
    assert decoded["vk"] == FLOW1.vk
    assert SCHEMA.command("ChonkVerify").encode(decoded) == msgpack.packb({"proof": proof_map(), "vk": FLOW1.vk})


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([bytes(32), bytes(33)], "inputs[1]: 33 bytes, expected 32"),
        ([bytes(31), bytes(32)], "inputs[0]: 31 bytes, expected 32"),
        ([bytes(32), b""], "inputs[1]: 0 bytes, expected 32"),
        ([bytes(32), "a" * 31], "inputs[1]: 31 bytes, expected 32"),
        ([5], "inputs[0]: int, expected bin"),
        ([[0] * 32], "inputs[0]: array, expected bin"),
        ([bytes(32), None], "inputs[1]: nil, expected bin"),
        (None, "inputs: nil, expected array"),
        (bytes(64), "inputs: bin, expected array"),
        (
            [word(1), word(FR_MODULUS)],
            f"inputs[1]: 0x{FR_MODULUS:064x}, expected a value below the modulus of fr, 0x{FR_MODULUS:x}",
        ),
        ([b"\xff" * 32], f"inputs[0]: 0x{'ff' * 32}, expected a value below the modulus of fr, 0x{FR_MODULUS:x}"),
    ],
)
def test_elements_must_be_32_bytes_below_the_modulus(words: object, expected: str) -> None:
    assert error("Poseidon2Hash", {"inputs": words}) == expected


def test_the_greatest_element_is_accepted() -> None:
    assert decode("Poseidon2Hash", {"inputs": [word(FR_MODULUS - 1)]}) == {"inputs": word(FR_MODULUS - 1)}
    assert decode("Bn254FqSqrt", {"input": word(FQ_MODULUS - 1)}) == {"input": word(FQ_MODULUS - 1)}
    assert error("Bn254FqSqrt", {"input": word(FQ_MODULUS)}).startswith("input: 0x3064")


def test_headers_need_not_be_the_shortest() -> None:
    long = b"\xdf\x00\x00\x00\x01\xdb\x00\x00\x00\x06inputs\xdd\x00\x00\x00\x02"
    long += b"\xc5\x00\x20" + word(1) + b"\xc6\x00\x00\x00\x20" + word(2)
    assert decode("Poseidon2Hash", long) == {"inputs": word(1) + word(2)}
    assert decode("Poseidon2Hash", b"\xde\x00\x01\xd9\x06inputs\xdc\x00\x01\xc4\x20" + word(3)) == {"inputs": word(3)}


def test_errors_inside_a_proof_tell_the_place() -> None:
    proof = proof_map()
    proof["merge_proof"][3] += b"\0"
    assert error("ChonkVerify", {"proof": proof, "vk": b""}) == "proof.merge_proof[3]: 33 bytes, expected 32"
    proofs = [proof_map(), proof]
    assert error("ChonkBatchVerify", {"proofs": proofs, "vks": []}) == "proofs[1].merge_proof[3]: 33 bytes, expected 32"
    del proof["ipa_proof"]
    proof["merge_proof"] = []
    assert error("ChonkVerify", {"proof": proof, "vk": b""}) == "proof: missing field 'ipa_proof' of ChonkProof"


def test_points() -> None:
    point = {"x": word(1), "y": word(2)}
    assert decode("Bn254G1IsOnCurve", {"point": point}) == {"point": word(1) + word(2)}
    infinity = {"y": b"\xff" * 32, "x": b"\xff" * 32}
    assert decode("Bn254G1IsOnCurve", {"point": infinity}) == {"point": b"\xff" * 64}
    for broken in ({"x": b"\xff" * 32, "y": word(2)}, {"x": word(FQ_MODULUS), "y": word(2)}):
        assert error("Bn254G1IsOnCurve", {"point": broken}).startswith("point.x: 0x")
    g2 = {"x": [word(1), word(2)], "y": [word(3), word(4)]}
    decoded = decode("Bn254G2Mul", {"point": g2, "scalar": word(0)})
    assert decoded["point"] == b"".join(map(word, (1, 2, 3, 4)))
    assert SCHEMA.command("Bn254G2Mul").encode(decoded) == msgpack.packb({"point": g2, "scalar": word(0)})
    g2["y"][1] = word(FQ_MODULUS)
    assert error("Bn254G2Mul", {"point": g2, "scalar": word(0)}).startswith("point.y[1]: 0x3064")
    g2["y"] = [word(3)]
    assert error("Bn254G2Mul", {"point": g2, "scalar": word(0)}) == "point.y: 1 elements, expected 2"
    both = {"x": [b"\xff" * 32] * 2, "y": [b"\xff" * 32] * 2}
    assert decode("Bn254G2Mul", {"point": both, "scalar": word(0)})["point"] == b"\xff" * 128


def test_keys_in_any_order_extra_keys_ignored_repeated_keys_refused() -> None:
    assert decode("GrumpkinMul", {"scalar": word(5), "extra": [1, {"a": None}], "point": {"z": 1, "y": word(2), "x": word(1)}})
    assert error("Blake2s", b"\x82\xa4data\xc4\x00\xa4data\xc4\x00") == "repeated key 'data'"
    assert error("Blake2s", b"\x83\xa1x\x01\xa1x\x01\xa4data\xc4\x00") == "repeated key 'x'"
    assert error("Blake2s", {5: b"", "data": b""}) == "int, expected str"


@pytest.mark.parametrize(
    ("ignored", "problem"),
    [
        (b"\x91" * 33 + b"\xc0", "extra: nested deeper than 32"),
        (b"\xdd\xff\xff\xff\xff", "ends early"),
        (b"\xc6\xff\xff\xff\xff", "ends early"),
        (b"\xdf\xff\xff\xff\xff\x01", "ends early"),
        (b"\xc1", "extra: the invalid byte 0xc1"),
        (b"\xdd\x00\x01\x00\x00" + b"\xc0" * 65536, "extra: too many values"),
    ],
)
def test_ignored_values_must_be_well_formed_and_small(ignored: bytes, problem: str) -> None:
    assert problem in error("Blake2s", b"\x82\xa5extra" + ignored + b"\xa4data\xc4\x00"[: 0 if "early" in problem else None])


@pytest.mark.parametrize(
    "value", [None, True, -1, 2**63, 1.5, "x", b"x", [1, [2]], {"a": {"b": 1}}, msgpack.ExtType(3, b"abcde"), "x" * 70000]
)
def test_any_other_value_is_ignored(value: object) -> None:
    assert decode("Blake2s", {"extra": value, "data": b"d"}) == {"data": b"d"}


@pytest.mark.parametrize("cut", range(1, 24))
def test_a_cut_message_is_an_error(cut: int) -> None:
    data = msgpack.packb({"vks": [b"k" * 300], "num_cores": 70000, "batch_size": 200, "fifo_path": "p" * 40})
    with pytest.raises(DecodeError):
        SCHEMA.command("ChonkBatchVerifierStart").decode(data[:-cut], 0, Allowance())


def test_strings_are_short() -> None:
    fields = {"vks": [], "num_cores": 0, "batch_size": 0, "fifo_path": "p" * MAX_TEXT}
    assert decode("ChonkBatchVerifierStart", fields) == fields
    assert error("ChonkBatchVerifierStart", fields | {"fifo_path": "p" * (MAX_TEXT + 1)}) == (
        "fifo_path: str of 65537 bytes, at most 65536 are allowed"
    )


def test_integers_strings_and_limits() -> None:
    fields = {"vks": [], "num_cores": 2**32 - 1, "batch_size": 0, "fifo_path": "ü"}
    assert decode("ChonkBatchVerifierStart", fields) == fields
    assert (
        error("ChonkBatchVerifierStart", fields | {"num_cores": 2**32})
        == "num_cores: 4294967296, expected an unsigned int below 4294967296"
    )
    assert error("ChonkBatchVerifierStart", fields | {"num_cores": -1}) == "num_cores: a negative int, expected unsigned int"
    bad = msgpack.packb(fields).replace("ü".encode(), b"\xff\xfe")
    assert error("ChonkBatchVerifierStart", bad) == "fifo_path: str that is not UTF-8"
    many = b"\x82\xa6scalar\xc4\x20" + bytes(32) + b"\xa6points\xdd\x00\x01\x00\x01"
    assert error("GrumpkinBatchMul", many) == "points: 65537 elements, at most 65536 are allowed"
    assert error("Blake2s", b"\xde\x01\x01") == "map of 257 entries, at most 256 are allowed"


@given(st.integers(0, 2**32 - 1), st.integers(0, 3))
def test_signed_formats_of_what_is_not_negative_are_integers(number: int, width: int) -> None:
    """As encoders write them that know signed numbers only; bb takes them, too."""
    size = 1 << width
    if number < 1 << (8 * size - 1):
        encoded = b"\x81\xa5dummy" + bytes((0xD0 + width,)) + number.to_bytes(size, "big")
        if number < 256:
            assert decode("GrumpkinGetRandomFr", encoded) == {"dummy": number}
        else:
            assert error("GrumpkinGetRandomFr", encoded) == f"dummy: {number}, expected an unsigned char below 256"
    negative = b"\x81\xa5dummy" + bytes((0xD0 + width,)) + b"\xff" * size
    assert error("GrumpkinGetRandomFr", negative) == "dummy: a negative int, expected unsigned int"


@pytest.mark.parametrize("head", [b"\xa3", b"\xd9\3", b"\xda\0\3", b"\xdb\0\0\0\3", b"\xc4\3", b"\xc5\0\3", b"\xc6\0\0\0\3"])
def test_a_str_of_any_width_does_for_bytes(head: bytes) -> None:
    """As from encoders that are older than bin."""
    assert decode("Blake2s", b"\x81\xa4data" + head + b"\0\xff\x80") == {"data": b"\0\xff\x80"}
    for end in range(1, len(head) + 3):
        assert "ends early" in error("Blake2s", b"\x81\xa4data" + (head + b"abc")[:end])


def test_a_record_of_msgpackr_is_called_by_its_name() -> None:
    assert "useRecords: false" in error("GrumpkinMul", {"point": msgpack.ExtType(0x72, b"\x40"), "scalar": word(1)})


def test_announced_sizes_allocate_nothing() -> None:
    tracemalloc.start()
    try:
        for name, data in (
            ("Poseidon2Hash", b"\x81\xa6inputs\xdd\xff\xff\xff\xff" + b"\xc4\x20"),
            ("Blake2s", b"\x81\xa4data\xc6\xff\xff\xff\xff"),
            ("GrumpkinBatchMul", b"\x81\xa6points\xdc\xff\xff"),
            ("Blake2s", b"\xdf\xff\xff\xff\xff"),
        ):
            error(name, data)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("Blake2s", {"data": "text"}),
        ("Blake2s", {}),
        ("Blake2s", {"data": b"", "more": 1}),
        ("Poseidon2Hash", {"inputs": bytes(33)}),
        ("Poseidon2Permutation", {"inputs": bytes(96)}),
        ("GrumpkinReduce512", {"input": bytes(63)}),
        ("SetMsmLegacy", {"enabled": 1}),
        ("GrumpkinGetRandomFr", {"dummy": 256}),
        ("GrumpkinGetRandomFr", {"dummy": True}),
        ("Bn254G1IsOnCurve", {"point": bytes(63)}),
        ("ChonkBatchVerify", {"proofs": b"", "vks": []}),
        ("ChonkBatchVerifierStart", {"vks": [], "num_cores": 1, "batch_size": 1, "fifo_path": b"x"}),
    ],
)
def test_encoders_refuse_values_of_other_types(name: str, fields: values.Fields) -> None:
    with pytest.raises(EncodeError):
        SCHEMA.command(name).encode(fields)


def test_types_that_do_not_exist() -> None:
    with pytest.raises(TypeError):
        values.vector(values.byte_string(), 3)
    with pytest.raises(TypeError):
        values.structure("SomePoint", {"x": values.byte_string(), "y": values.byte_string()})
    with pytest.raises(KeyError):
        SCHEMA.command("NoSuchCommand")


def test_the_extended_schema_is_the_published_one_and_then_ours_which_are_documented() -> None:
    ours = extended()
    assert ours.command_names[: len(SCHEMA.command_names)] == SCHEMA.command_names
    protocol = (SPECIFICATION.parent / "protocol.md").read_text().split("## Extensions of bb's protocol")[1]
    table = protocol.split("\n\n`VerifyTx`")[0]
    assert list(ours.command_names[len(SCHEMA.command_names) :]) == re.findall(r"\n\| `(\w+) \{", table)
    assert ours.describe(SCHEMA.command_names) == SCHEMA.describe(SCHEMA.command_names)
    assert ours.response_name("Stats") == "StatsResponse"
    assert not SCHEMA.knows("Stats")


def test_structures_of_more_than_15_fields() -> None:
    many = values.structure("Many", {f"field{index}": values.SIMPLE["bool"] for index in range(20)})
    fields = {f"field{index}": index % 3 == 0 for index in range(20)}
    assert many.encode(fields) == msgpack.packb(fields)
    assert many.decode(many.encode(fields), 0, Allowance()) == (fields, len(many.encode(fields)))


def test_optional_fields() -> None:
    decoder = SCHEMA.command("Blake2s").with_optional({"deadline_ms": values.SIMPLE["unsigned int"]})

    def read(fields: object) -> object:
        return decoder.decode(msgpack.packb(fields), 0, Allowance())[0]

    assert read({"data": b"x"}) == {"data": b"x"}
    assert read({"deadline_ms": 5, "other": [], "data": b"x"}) == {"data": b"x", "deadline_ms": 5}
    for fields, message in (
        ({"deadline_ms": 5}, "missing field 'data' of Blake2s"),
        ({"deadline_ms": 5, "other": 1}, "missing field 'data' of Blake2s"),
        ({"deadline_ms": "5", "data": b""}, "deadline_ms: str, expected unsigned int"),
    ):
        with pytest.raises(DecodeError, match=message):
            read(fields)
    repeated = b"\x83\xabdeadline_ms\x05\xabdeadline_ms\x05\xa4data\xc4\x00"
    with pytest.raises(DecodeError, match="repeated key 'deadline_ms'"):
        decoder.decode(repeated, 0, Allowance())

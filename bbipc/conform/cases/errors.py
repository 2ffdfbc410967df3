"""Suite errors: each malformed request gets exactly one ErrorResponse, and the request behind it its answer."""

# ruff: noqa: D103 - the rule of a case is its documentation

from collections.abc import Callable
from typing import Any, Final

from bbipc.conform.case import CaseFunction, Suite
from bbipc.conform.cases.common import LAW, changed, one_error, packed_map
from bbipc.conform.elements import FR, word
from bbipc.conform.lab import Lab
from bbipc.conform.messages import command, frame, pack, plain
from bbipc.conform.samples import PARTS, sample

suite = Suite("errors", LAW)

SECTION_5: Final = "docs/protocol.md#the-law"
_ABC: Final = command("Blake2s", {"data": b"abc"})


def _malformed(name: str, rule: str, payload: Callable[[], bytes], *recorded: str, source: str = LAW) -> None:
    """A case with one malformed payload."""

    async def run(lab: Lab) -> None:
        async with lab.peer() as peer:
            await one_error(peer, frame(payload()), rule[0].lower() + rule[1:])
            await peer.finish()

    function: CaseFunction = run
    suite.case(name, f"{rule}: one ErrorResponse.", source=source, recorded=recorded)(function)


_malformed("empty-array", "An empty array", lambda: b"\x90", "framing/array_size_0", "socket/bad_array_size_0")
_malformed(
    "command-then-int",
    "A command in front of something else",
    lambda: b"\x92" + _ABC + b"\x05",
    "framing/array_size_2",
    "socket/bad_array_size_2",
)
_malformed("array-of-three", "An array of three without an id", lambda: b"\x93" + _ABC + b"\x05\x05")
_malformed("bare-command", "A command that is not in an array", lambda: _ABC, "framing/bare_command")
_malformed("map", "A map", lambda: pack({"Blake2s": {"data": b"abc"}}), "framing/map_top", "socket/bad_map_top")
_malformed("int", "An integer", lambda: b"\x05", "framing/int_top", "socket/bad_int_top")
_malformed("nil", "Nil", lambda: b"\xc0", "framing/nil_top")
_malformed("command-not-array", "A command that is only a name", lambda: pack(["Blake2s"]), "framing/inner_not_array")
_malformed("command-of-one", "A command without fields", lambda: pack([["Blake2s"]]), "framing/inner_array_1")
_malformed(
    "command-of-three",
    "A command of three elements",
    lambda: pack([["Blake2s", {"data": b"abc"}, 1]]),
    "framing/inner_array_3",
    "socket/bad_inner_array_3",
)
_malformed("name-int", "An integer as name of the command", lambda: pack([[5, {}]]), "framing/name_int")
_malformed(
    "name-bin", "A bin as name of the command", lambda: pack([[b"Blake2s", {"data": b"abc"}]]), "msgpack_shape/name_as_bin"
)
_malformed("name-not-utf8", "A name that is not UTF-8", lambda: b"\x91\x92\xa2\xff\xfe\x80")
_malformed(
    "unknown-command",
    "An unknown command",
    lambda: pack([["NoSuchCommand", {}]]),
    "framing/unknown_command",
    "socket/bad_unknown_command",
)
_malformed(
    "wrong-case", "A command in another case", lambda: pack([["blake2s", {"data": b"abc"}]]), "framing/wrong_case_command"
)
_malformed("fields-nil", "Nil in place of the fields", lambda: pack([["Blake2s", None]]), "msgpack_shape/args_nil")
_malformed(
    "fields-array", "An array in place of the fields", lambda: pack([["Blake2s", [b"abc"]]]), "msgpack_shape/args_as_array"
)
_malformed("missing-field", "A missing field", lambda: pack([["Blake2s", {}]]), "framing/missing_arg", "socket/bad_missing_arg")
_malformed(
    "wrong-type",
    "An integer in place of bytes",
    lambda: pack([["Blake2s", {"data": 5}]]),
    "framing/wrong_arg_type",
    "socket/bad_wrong_arg_type",
)
_malformed("array-for-bin", "Integers in place of bytes", lambda: pack([["Blake2s", {"data": [97, 98]}]]), source=SECTION_5)
_malformed("garbage", "Bytes that are not msgpack", lambda: b"\xc1\xc1\xc1", "framing/garbage_msgpack", "socket/bad_garbage")
_malformed(
    "truncated",
    "A msgpack object that is cut",
    lambda: plain(_ABC)[:-2],
    "framing/truncated_msgpack",
    "socket/bad_truncated_msgpack",
)
_malformed(
    "repeated-key",
    "A key twice in the fields of a command (two parsers that choose differently would disagree)",
    lambda: plain(b"\x92" + pack("Blake2s") + packed_map([("data", pack(b"abc")), ("data", pack(b"x"))])),
    source=SECTION_5,
)


@suite.case("all-in-a-row", "Many malformed requests behind each other get one ErrorResponse each.")
async def all_in_a_row(lab: Lab) -> None:
    async with lab.peer() as peer:
        for payload in (b"", b"\x90", b"\xc1", b"\x05", _ABC, plain(_ABC)[:-1], pack([["NoSuchCommand", {}]]), pack({})) * 4:
            await one_error(peer, frame(payload), f"malformed: {payload[:40].hex() or 'nothing'}")
        await peer.finish()


# ---- Proofs that are not proofs --------------------------------------------------------------------------------------


def _proof_case(name: str, rule: str, fields: Callable[[], Any], *recorded: str, mentions: tuple[str, ...] = ()) -> None:
    """A case with a ChonkVerify whose fields are malformed."""

    async def run(lab: Lab) -> None:
        async with lab.peer() as peer:
            value = fields()
            encoded = value if isinstance(value, bytes) else pack(value)
            payload = plain(b"\x92" + pack("ChonkVerify") + encoded)
            await one_error(peer, frame(payload), f"ChonkVerify: {rule[0].lower() + rule[1:]}", *mentions)
            await peer.finish()

    function: CaseFunction = run
    text = f"{rule}: one ErrorResponse."
    if mentions:
        text = f"{rule}: one ErrorResponse, which says {' and '.join(mentions)}."
    suite.case(name, text, source=SECTION_5, recorded=tuple(f"{place}" for place in recorded))(function)


def _with_word(part: str, index: int, value: Any) -> dict[str, Any]:
    flow1 = sample("flow1")
    return {"proof": changed(flow1, part, index, value), "vk": flow1.key}


def _with_part(part: str, value: Any) -> dict[str, Any]:
    flow1 = sample("flow1")
    return {"proof": {**flow1.parts, part: value}, "vk": flow1.key}


def _without(field: str) -> dict[str, Any]:
    fields = sample("flow1").verify
    return {key: value for key, value in fields.items() if key != field}


def _joined(*values: tuple[str, Any]) -> bytes:
    return packed_map([(key, pack(value)) for key, value in values])


_V: Final = "msgpack_shape/"
_proof_case(
    "field-31-bytes", "A field element of 31 bytes", lambda: _with_word("merge_proof", 3, bytes(31)), _V + "field_31_bytes"
)
_proof_case(
    "field-33-bytes",
    "A field element of 33 bytes",
    lambda: _with_word("merge_proof", 3, b"\0" + sample("flow1").parts["merge_proof"][3]),
    _V + "field_33_bytes",
    mentions=("merge_proof[3]", "33", "32"),
)
_proof_case(
    "field-1-byte",
    "A field element of 1 byte",
    lambda: _with_word(PARTS[0], 0, b"\1"),
    _V + "short_field_1byte_value1",
    _V + "short_field_1_zero",
)
_proof_case("field-empty", "A field element of no bytes", lambda: _with_word(PARTS[0], 2, b""), _V + "short_field_empty_bin")
_proof_case(
    "field-str",
    "A field element as str",
    lambda: _joined(("proof", {**sample("flow1").parts, "merge_proof": ["a" * 32] * 41}), ("vk", sample("flow1").key)),
    _V + "field_as_str",
)
_proof_case("field-int", "A field element as integer", lambda: _with_word("merge_proof", 3, 5), _V + "field_as_int")
_proof_case(
    "field-array",
    "A field element as array of integers",
    lambda: _with_word("merge_proof", 3, [0] * 32),
    _V + "field_as_byte_array",
)
_proof_case(
    "field-modulus",
    "A field element equal to the modulus",
    lambda: _with_word("merge_proof", 22, word(FR)),
    "verify/noncanonical_equal_r",
    mentions=("merge_proof[22]",),
)
_proof_case(
    "field-all-ones",
    "A field element of 2^256 - 1",
    lambda: _with_word(PARTS[0], 0, b"\xff" * 32),
    "verify/noncanonical_all_ff",
)
_proof_case(
    "field-plus-modulus",
    "A field element written as itself + r",
    lambda: _with_word("ipa_proof", 0, word(int.from_bytes(sample("flow1").parts["ipa_proof"][0], "big") + FR)),
    "verify/noncanonical_ipa_proof_0_plus_r",
    "socket/chonk_verify",
)
_proof_case("part-bin", "A part as one bin", lambda: _with_part("ipa_proof", bytes(2048)), _V + "part_as_bin")
_proof_case("part-nil", "Nil in place of a part", lambda: _with_part("ipa_proof", None), _V + "part_nil")
_proof_case(
    "part-missing",
    "A part missing",
    lambda: {
        "proof": {key: part for key, part in sample("flow1").parts.items() if key != "ipa_proof"},
        "vk": sample("flow1").key,
    },
    _V + "missing_part",
    mentions=("ipa_proof",),
)
_proof_case(
    "part-camel-case",
    "A part under its name in bb.js",
    lambda: {
        "proof": {{"hiding_oink_proof": "hidingOinkProof"}.get(key, key): part for key, part in sample("flow1").parts.items()},
        "vk": sample("flow1").key,
    },
    _V + "camel_case_part",
)
_proof_case(
    "proof-array",
    "A proof as array of its parts",
    lambda: {"proof": list(sample("flow1").parts.values()), "vk": sample("flow1").key},
    _V + "proof_as_array",
)
_proof_case("proof-missing", "No proof", lambda: _without("proof"), _V + "missing_proof")
_proof_case("key-missing", "No key", lambda: _without("vk"), _V + "missing_vk")
_proof_case("key-str", "A key as str", lambda: {"proof": sample("flow1").parts, "vk": "k" * 3680}, _V + "vk_as_str")
_proof_case(
    "key-array",
    "A key as array of integers",
    lambda: {"proof": sample("flow1").parts, "vk": list(sample("flow1").key)},
    _V + "vk_as_array_of_ints",
)
_proof_case(
    "key-twice-empty-first",
    "Two keys, an empty one first",
    lambda: _joined(("proof", sample("flow1").parts), ("vk", b""), ("vk", sample("flow1").key)),
    _V + "duplicate_key",
)
_proof_case(
    "key-twice-empty-last",
    "Two keys, an empty one last",
    lambda: _joined(("proof", sample("flow1").parts), ("vk", sample("flow1").key), ("vk", b"")),
    _V + "duplicate_key2",
)
_proof_case("no-fields", "No fields at all", dict, _V + "args_empty_map")

"""Suite verdicts: which proofs are valid, invalid, or an error (docs/spec/00-overview.md section 4)."""

# ruff: noqa: D103 - the rule of a case is its documentation

from collections.abc import Callable
from random import Random
from typing import Any, Final

from bbipc.conform.case import CaseFunction, Suite, broken
from bbipc.conform.cases.common import changed, expect_verdict, off_curve, point_negated, verify_call
from bbipc.conform.elements import FR, items, word
from bbipc.conform.lab import Lab
from bbipc.conform.messages import call, verdict_of
from bbipc.conform.samples import PARTS, SAMPLES, Sample, sample

suite = Suite("verdicts", "docs/spec/00-overview.md section 4")

Parts = dict[str, list[Any]]
_F1: Final = "flow1"


def _verdict_case(
    name: str,
    rule: str,
    verdict: str,
    change: Callable[[Sample], tuple[Parts, bytes]],
    *recorded: str,
    source: str | None = None,
) -> None:
    """A case with one ChonkVerify."""
    outcome = {"valid": "valid", "invalid": "valid: false", "error": "an ErrorResponse"}[verdict]

    async def run(lab: Lab) -> None:
        async with lab.peer() as peer:
            parts, key = change(sample(_F1))
            await expect_verdict(peer, verify_call(parts, key), f"ChonkVerify: {rule}", lab.expected(verdict))
            await peer.finish()

    function: CaseFunction = run
    suite.case(name, f"{rule}: {outcome}.", source=source, recorded=tuple(f"verify/{place}" for place in recorded))(function)


def _key_word(flow: Sample, index: int, value: int) -> bytes:
    return flow.key[: 32 * index] + word(value) + flow.key[32 * index + 32 :]


def _key_value(flow: Sample, index: int) -> int:
    return int.from_bytes(flow.key[32 * index : 32 * index + 32], "big")


def _move(flow: Sample, first: str, second: str, count: int) -> Parts:
    """`count` words from the front of `second` to the end of `first`; if negative, the other way."""
    left, right = list(flow.parts[first]), list(flow.parts[second])
    if count > 0:
        left, right = left + right[:count], right[count:]
    else:
        left, right = left[:count], left[count:] + right
    return {**flow.parts, first: left, second: right}


@suite.case(
    "valid",
    "Valid proofs are valid, whatever their number of public inputs.",
    recorded=("verify/valid_flow1", "verify/valid_flow4"),
)
async def valid(lab: Lab) -> None:
    async with lab.peer() as peer:
        for name in SAMPLES:
            flow = sample(name)
            await expect_verdict(peer, verify_call(flow.parts, flow.key), f"ChonkVerify of {name}", lab.expected("valid"))
        await peer.finish()


@suite.case(
    "valid-from-fields",
    "The flat form of a valid proof is valid.",
    recorded=("verify_from_fields/valid_flow1", "verify_from_fields/valid_flow4"),
)
async def valid_from_fields(lab: Lab) -> None:
    async with lab.peer() as peer:
        for name in SAMPLES:
            flow = sample(name)
            request = call("ChonkVerifyFromFields", {"proof": flow.fields, "vk": flow.key})
            reply = await expect_verdict(peer, request, f"ChonkVerifyFromFields of {name}", lab.expected("valid"))
            if reply.name != "ChonkVerifyFromFieldsResponse":
                broken("ChonkVerifyFromFieldsResponse", reply)
        await peer.finish()


@suite.case(
    "from-fields-errors",
    "A flat proof of a wrong length is an error.",
    recorded=("verify_from_fields/short1", "verify_from_fields/long1", "verify_from_fields/empty"),
)
async def from_fields_errors(lab: Lab) -> None:
    flow = sample(_F1)
    async with lab.peer() as peer:
        for fields, text in (
            ([], "no words"),
            (flow.fields[:-1], "a word less"),
            ([*flow.fields, bytes(32)], "a word more"),
            (flow.fields[32:], "without its public inputs"),
        ):
            request = call("ChonkVerifyFromFields", {"proof": fields, "vk": flow.key})
            await expect_verdict(peer, request, f"ChonkVerifyFromFields, {text}", ("error",))
        await peer.finish()


_verdict_case(
    "public-input",
    "A changed public input",
    "invalid",
    lambda f: (changed(f, PARTS[0], 0, word(7)), f.key),
    "public_input_changed",
)
_verdict_case(
    "point-negated", "A commitment negated", "invalid", lambda f: (point_negated(f, PARTS[0], 32), f.key), "point_negated"
)
_verdict_case(
    "point-infinity",
    "A commitment replaced by infinity",
    "invalid",
    lambda f: (changed(f, PARTS[0], 32, *[bytes(32)] * 4), f.key),
    "point_infinity",
)
_verdict_case(
    "point-off-curve",
    "A commitment that is on no curve",
    "error",
    lambda f: (off_curve(f, PARTS[0], 32), f.key),
    source="docs/spec/02-poseidon2-transcript.md",
)
_verdict_case(
    "limb-too-wide",
    "A coordinate whose low limb has more than 136 bits",
    "error",
    lambda f: (
        changed(
            f,
            PARTS[0],
            32,
            word(int.from_bytes(f.parts[PARTS[0]][32], "big") + 2**136),
            word(int.from_bytes(f.parts[PARTS[0]][33], "big") - 1),
        ),
        f.key,
    ),
    "point_limb_overflow",
)
_verdict_case(
    "merge-evaluation",
    "A changed evaluation of the merge part",
    "invalid",
    lambda f: (changed(f, "merge_proof", 22, word(1)), f.key),
)
_verdict_case(
    "grumpkin-infinity",
    "A Grumpkin commitment replaced by infinity",
    "invalid",
    lambda f: (changed(f, "eccvm_proof", 0, bytes(32), bytes(32)), f.key),
    "grumpkin_point_infinity",
)
_verdict_case(
    "joint-scalar", "A changed scalar of the joint part", "invalid", lambda f: (changed(f, "joint_proof", 200, word(1)), f.key)
)
_verdict_case(
    "joint-quotient",
    "The last commitment of the joint part negated",
    "invalid",
    lambda f: (point_negated(f, "joint_proof", 473), f.key),
)
_verdict_case(
    "ipa-infinity",
    "The first point of the IPA part replaced by infinity",
    "invalid",
    lambda f: (changed(f, "ipa_proof", 0, bytes(32), bytes(32)), f.key),
    "ipa_L_infinity",
)
_verdict_case(
    "ipa-scalar",
    "The last scalar of the IPA part changed",
    "invalid",
    lambda f: (changed(f, "ipa_proof", 62, word(1), word(0)), f.key),
)
_verdict_case(
    "ipa-g0",
    "The final point G0 of the IPA part replaced by another point of the curve",
    "invalid",
    lambda f: (changed(f, "ipa_proof", 60, *f.parts["ipa_proof"][0:2]), f.key),
    source="docs/spec/09-ipa.md section 9.4",
)
_verdict_case(
    "part-swapped",
    "The IPA part of another valid proof with the same key",
    "invalid",
    lambda f: ({**f.parts, "ipa_proof": sample("flow2").parts["ipa_proof"]}, f.key),
    "swap_part_between_valid_proofs_same_vk",
)
_verdict_case(
    "key-of-another-flow",
    "The key of another circuit with more public inputs",
    "error",
    lambda f: (f.parts, sample("flow4").key),
    "wrong_vk_more_public_inputs",
)
_verdict_case("key-short", "A key of 3679 bytes", "error", lambda f: (f.parts, f.key[:-1]), "vk_short1")
_verdict_case("key-long", "A key of 3712 bytes", "error", lambda f: (f.parts, f.key + bytes(32)), "vk_long32")
_verdict_case("key-empty", "No bytes of a key", "error", lambda f: (f.parts, b""), "vk_empty")
_verdict_case(
    "key-log-size", "A key with another circuit size", "invalid", lambda f: (f.parts, _key_word(f, 0, 17)), "vk_log_n_17"
)
_verdict_case(
    "key-offset",
    "A key with another offset of the public inputs",
    "invalid",
    lambda f: (f.parts, _key_word(f, 2, _key_value(f, 2) + 1)),
    "vk_offset_plus1",
)
_verdict_case(
    "key-fewer-inputs", "A key with a public input less", "error", lambda f: (f.parts, _key_word(f, 1, 31)), "vk_num_pub_31"
)
_verdict_case(
    "key-2-63-inputs", "A key with 2^63 public inputs", "error", lambda f: (f.parts, _key_word(f, 1, 2**63)), "vk_num_pub_2p63"
)
_verdict_case(
    "key-wraps", "A key whose number of public inputs wraps around", "error", lambda f: (f.parts, _key_word(f, 1, 2**64 - 1))
)
_verdict_case(
    "key-word-plus-modulus",
    "A word of the key written as itself + r (keys are taken modulo r)",
    "valid",
    lambda f: (f.parts, _key_word(f, 3, _key_value(f, 3) + FR)),
    "vk_field_noncanonical_plus_r",
    source="docs/spec/03-vk-and-proof-layout.md section 1",
)
_verdict_case(
    "key-point-off-curve",
    "A key with a commitment on no curve",
    "error",
    lambda f: (f.parts, _key_word(f, 3, (_key_value(f, 3) + 1) % 2**136)),
    "vk_point_not_on_curve",
)
_verdict_case("key-all-ones", "A key of ones", "error", lambda f: (f.parts, b"\xff" * 3680), "vk_all_ff")


def _shortened(part: str) -> Callable[[Sample], tuple[Parts, bytes]]:
    return lambda flow: ({**flow.parts, part: flow.parts[part][:-1]}, flow.key)


def _lengthened(part: str) -> Callable[[Sample], tuple[Parts, bytes]]:
    return lambda flow: ({**flow.parts, part: [*flow.parts[part], bytes(32)]}, flow.key)


for _part in PARTS:
    _name = _part.replace("_", "-")
    _verdict_case(f"{_name}-short", f"The part {_part} a word too short", "error", _shortened(_part), f"{_part}_short1")
    _verdict_case(f"{_name}-long", f"The part {_part} a word too long", "error", _lengthened(_part), f"{_part}_long1")

_STREAM: Final = "docs/spec/00-overview.md section 6"
_verdict_case(
    "resplit-merge-eccvm",
    "The first word of eccvm_proof moved to the end of merge_proof",
    "valid",
    lambda f: (_move(f, "merge_proof", "eccvm_proof", 1), f.key),
    "resplit_merge_proof_plus1_eccvm_proof_minus1",
    source=_STREAM,
)
_verdict_case(
    "resplit-eccvm-joint",
    "The first word of joint_proof moved to the end of eccvm_proof",
    "valid",
    lambda f: (_move(f, "eccvm_proof", "joint_proof", 1), f.key),
    "resplit_eccvm_plus1_joint_minus1",
    source=_STREAM,
)
_verdict_case(
    "resplit-back",
    "The last word of merge_proof moved to the front of eccvm_proof",
    "error",
    lambda f: (_move(f, "merge_proof", "eccvm_proof", -1), f.key),
    "resplit_merge_proof_minus1_eccvm_proof_plus1",
    source=_STREAM,
)
_verdict_case(
    "resplit-oink",
    "The last word of hiding_oink_proof moved to the front of merge_proof",
    "error",
    lambda f: (_move(f, "hiding_oink_proof", "merge_proof", -1), f.key),
    "resplit_hiding_oink_proof_minus1_merge_proof_plus1",
    source=_STREAM,
)


@suite.case("every-item", "No item of a proof can be changed: one word after the other in 60 places, and never valid.")
async def every_item(lab: Lab) -> None:
    flow = sample(_F1)
    everything = list(items(flow.num_public_inputs))
    random = Random(7)
    async with lab.peer() as peer:
        for item in sorted(random.sample(everything, 60), key=lambda item: (PARTS.index(item.part), item.start)):
            value = int.from_bytes(flow.parts[item.part][item.start], "big") ^ 1
            parts = changed(flow, item.part, item.start, word(value % FR))
            await expect_verdict(
                peer, verify_call(parts, flow.key), f"{item.part}[{item.start}], lowest bit flipped", ("invalid", "error")
            )
        await peer.finish()


@suite.case(
    "every-point",
    "No point of a proof but infinity can be replaced by its negative: in 40 places, and never valid.",
    recorded=("pointmap_flow1",),
)
async def every_point(lab: Lab) -> None:
    flow = sample(_F1)
    everything = items(flow.num_public_inputs)
    points = [
        item for item in everything if item.kind in "cC" and any(map(any, flow.parts[item.part][item.start :][: item.size]))
    ]
    random = Random(8)
    async with lab.peer() as peer:
        for item in random.sample(points, 40):
            if item.kind == "c":
                parts = point_negated(flow, item.part, item.start)
            else:
                y = int.from_bytes(flow.parts[item.part][item.start + 1], "big")
                parts = changed(flow, item.part, item.start + 1, word(-y % FR))
            await expect_verdict(peer, verify_call(parts, flow.key), f"{item.part}[{item.start}] negated", ("invalid",))
        await peer.finish()


# ---- Batches ---------------------------------------------------------------------------------------------------------


def _batch(*pairs: tuple[Parts, bytes]) -> bytes:
    return call("ChonkBatchVerify", {"proofs": [parts for parts, _ in pairs], "vks": [key for _, key in pairs]})


def _batch_case(name: str, rule: str, verdict: str, pairs: Callable[[], list[tuple[Parts, bytes]]], *recorded: str) -> None:
    outcome = {"valid": "valid", "invalid": "valid: false", "error": "an ErrorResponse"}[verdict]

    async def run(lab: Lab) -> None:
        async with lab.peer() as peer:
            reply = await expect_verdict(peer, _batch(*pairs()), f"ChonkBatchVerify: {rule}", lab.expected(verdict))
            if verdict_of(reply) != "error" and reply.name != "ChonkBatchVerifyResponse":
                broken("ChonkBatchVerifyResponse", reply)
            await peer.finish()

    function: CaseFunction = run
    places = tuple(f"batch_verify/{place}" for place in recorded)
    suite.case(f"batch-{name}", f"{rule}: {outcome}.", source="docs/spec/00-overview.md section 7", recorded=places)(function)


def _good(*names: str) -> list[tuple[Parts, bytes]]:
    return [(sample(name).parts, sample(name).key) for name in names]


def _with(part: str, index: int, *words: bytes) -> tuple[Parts, bytes]:
    return changed(sample("flow2"), part, index, *words), sample("flow2").key


_batch_case("valid", "Valid proofs under different keys", "valid", lambda: _good(*SAMPLES), "two_valid", "all_six_valid")
_batch_case("one", "One valid proof", "valid", lambda: _good("flow1"), "one_valid")
_batch_case("none", "No proofs", "error", list, "empty")
_batch_case(
    "one-invalid",
    "One proof with a changed public input among valid ones",
    "invalid",
    lambda: [*_good("flow1"), _with(PARTS[0], 0, word(7)), *_good("flow4")],
    "second_public_input_bad",
)
_batch_case(
    "ipa-scalar",
    "One proof with a changed last IPA scalar among valid ones",
    "invalid",
    lambda: [*_good("flow1"), _with("ipa_proof", 62, word(1), word(0)), *_good("flow4")],
    "second_ipa_bad",
)
_batch_case(
    "ipa-g0",
    "One proof whose G0 is replaced by another point of the curve (the batch equation must bind it)",
    "invalid",
    lambda: [*_good("flow1"), _with("ipa_proof", 60, *sample("flow2").parts["ipa_proof"][0:2])],
)
_batch_case(
    "ipa-swapped",
    "Two proofs whose IPA parts are exchanged",
    "invalid",
    lambda: [
        ({**sample(one).parts, "ipa_proof": sample(other).parts["ipa_proof"]}, sample(one).key)
        for one, other in (("flow1", "flow2"), ("flow2", "flow1"))
    ],
    "ipa_swapped",
)
_batch_case(
    "off-curve",
    "One proof with a point on no curve among valid ones",
    "error",
    lambda: [*_good("flow1"), (off_curve(sample("flow2"), PARTS[0], 32), sample("flow2").key)],
    "second_not_on_curve",
)
_batch_case(
    "short-key",
    "One key a byte too short",
    "error",
    lambda: [*_good("flow1"), (sample("flow2").parts, sample("flow2").key[:-1])],
    "second_vk_short",
)


@suite.case(
    "batch-numbers",
    "Different numbers of proofs and keys: an ErrorResponse.",
    source="docs/spec/00-overview.md section 7",
    recorded=("batch_verify/fewer_vks", "batch_verify/more_vks"),
)
async def batch_numbers(lab: Lab) -> None:
    flow = sample(_F1)
    async with lab.peer() as peer:
        for proofs, keys in ((2, 1), (2, 3), (1, 0), (0, 1)):
            request = call("ChonkBatchVerify", {"proofs": [flow.parts] * proofs, "vks": [flow.key] * keys})
            await expect_verdict(peer, request, f"ChonkBatchVerify of {proofs} proofs and {keys} keys", ("error",))
        await peer.finish()

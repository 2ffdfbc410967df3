"""The recorded exchanges of ChonkVerify and ChonkVerifyFromFields: each request is rebuilt, and gets bb's answer.

A recording keeps the beginning and the length of its request only; the rebuilt frame must have both. Where bb's process died,
the answer is an error.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain, pairwise

import msgpack
import pytest

from bbipc.chonk import ChonkFormatError, ChonkProof, Outcome, Verdict, VerificationKey, Verifier
from recorded import Case, cases
from reference.curves import Q, R
from samples import FLOW1, FLOW2, FLOW4, FLOWS, copy_parts, flow1_parts, raw_proof, word

PARTS = ChonkProof.PARTS
VERIFY = {case.name: case for case in cases("verify")}
FROM_FIELDS = {case.name: case for case in cases("verify_from_fields")}
NOT_REBUILDABLE = {"valid_flow3", "valid_flow5", "valid_flow6"}
"""Cases whose proofs are not among the samples."""


@dataclass
class Request:
    """A ChonkVerify request: flow1's, to be changed."""

    parts: dict[str, list[bytes]] = field(default_factory=lambda: copy_parts(flow1_parts()))
    vk: bytes = FLOW1.vk

    def frame(self) -> bytes:
        payload: bytes = msgpack.packb([["ChonkVerify", {"proof": self.parts, "vk": self.vk}]])
        return len(payload).to_bytes(4, "little") + payload


def integer(data: bytes) -> int:
    return int.from_bytes(data, "big")


# ---- The ways in which recorded requests were made; each changes a request ----


def change(part: str, index: int, function: Callable[[int], int]) -> Callable[[Request], None]:
    def apply(request: Request) -> None:
        request.parts[part][index] = word(function(integer(request.parts[part][index])))

    return apply


def key_word(index: int, function: Callable[[int], int]) -> Callable[[Request], None]:
    def apply(request: Request) -> None:
        start = 32 * index
        value = word(function(integer(request.vk[start : start + 32])))
        request.vk = request.vk[:start] + value + request.vk[start + 32 :]

    return apply


def key(function: Callable[[bytes], bytes]) -> Callable[[Request], None]:
    def apply(request: Request) -> None:
        request.vk = function(request.vk)

    return apply


def length(part: str, way: str) -> Callable[[Request], None]:
    def apply(request: Request) -> None:
        words = request.parts[part]
        request.parts[part] = {
            "short1": words[:-1],
            "long1": [*words, word(0)],
            "long_public": [words[0], *words],
            "empty": [],
        }[way]

    return apply


def move(giver: str, taker: str, count: int) -> Callable[[Request], None]:
    """Move words across the border between two neighbouring parts."""

    def apply(request: Request) -> None:
        parts = request.parts
        if PARTS.index(giver) < PARTS.index(taker):
            parts[taker] = parts[giver][-count:] + parts[taker]
            parts[giver] = parts[giver][:-count]
        else:
            parts[taker] = parts[taker] + parts[giver][:count]
            parts[giver] = parts[giver][count:]

    return apply


def all_of(*changes: Callable[[Request], None]) -> Callable[[Request], None]:
    def apply(request: Request) -> None:
        for one in changes:
            one(request)

    return apply


def take_part(part: str) -> Callable[[Request], None]:
    def apply(request: Request) -> None:
        request.parts[part] = FLOW2.proof.to_words()[part]

    return apply


def all_in_first(request: Request) -> None:
    request.parts = {name: [] for name in PARTS} | {PARTS[0]: list(chain(*request.parts.values()))}


def merge_has_all(request: Request) -> None:
    parts = request.parts
    parts["merge_proof"] += parts["eccvm_proof"] + parts["joint_proof"]
    parts["eccvm_proof"], parts["joint_proof"] = [], []


def valid_flow(number: int) -> Callable[[Request], None]:
    def apply(request: Request) -> None:
        sample = next(flow for flow in FLOWS if str(flow) == f"flow{number}")
        request.parts, request.vk = sample.proof.to_words(), sample.vk

    return apply


def point(function: Callable[[int, int], tuple[int, int, int, int]]) -> Callable[[Request], None]:
    """Change the first commitment of the first part, given as x and y, to four limbs."""

    def apply(request: Request) -> None:
        words = request.parts[PARTS[0]]
        lo_x, hi_x, lo_y, hi_y = map(integer, words[32:36])
        words[32:36] = map(word, function(lo_x + (hi_x << 136), lo_y + (hi_y << 136)))

    return apply


def lo(value: int) -> int:
    return value % 2**136


def hi(value: int) -> int:
    return value >> 136


def zeroed(part: str, first: int, count: int) -> Callable[[Request], None]:
    return all_of(*(change(part, first + offset, lambda _: 0) for offset in range(count)))


VERIFY_REQUESTS: dict[str, Callable[[Request], None]] = {
    **{f"valid_flow{number}": valid_flow(number) for number in (1, 2, 4)},
    **{f"{part}_{way}": length(part, way) for part in PARTS for way in ("short1", "long1", "long_public", "empty")},
    **{
        name: change(part, int(index), lambda value: value + R)
        for name in VERIFY
        if name.startswith("noncanonical_") and name.endswith("_plus_r")
        for part, _, index in [name.removeprefix("noncanonical_").removesuffix("_plus_r").rpartition("_")]
    },
    "noncanonical_all_ff": change(PARTS[0], 1, lambda _: 2**256 - 1),
    "noncanonical_equal_r": change(PARTS[0], 1, lambda _: R),
    "public_input_changed": change(PARTS[0], 0, lambda _: 7),
    "point_negated": point(lambda x, y: (lo(x), hi(x), lo(Q - y), hi(Q - y))),
    "point_infinity": point(lambda x, y: (0, 0, 0, 0)),
    "point_x_p_y_p": point(lambda x, y: (lo(Q), hi(Q), lo(Q), hi(Q))),
    "point_coordinate_plus_p": point(lambda x, y: (lo(x + Q), hi(x + Q), lo(y), hi(y))),
    "point_hi_limb_wide": point(lambda x, y: (lo(x), hi(x) + 2**122, lo(y), hi(y))),
    "point_limb_overflow": point(lambda x, y: (lo(x) + 2**136, hi(x) - 1, lo(y), hi(y))),
    "point_limb_lo_neg": point(lambda x, y: ((lo(x) - 2**136) % R, hi(x) + 1, lo(y), hi(y))),
    "grumpkin_point_infinity": zeroed("eccvm_proof", 0, 2),
    "grumpkin_point_x_plus_r": change("eccvm_proof", 0, lambda value: value + R),
    "ipa_L_infinity": zeroed("ipa_proof", 0, 2),
    "swap_part_between_valid_proofs_same_vk": take_part("ipa_proof"),
    **{
        f"resplit_{first}_{way}1_{second}_{other}1": move(*((first, second) if way == "minus" else (second, first)), 1)
        for first, second in pairwise(PARTS)
        for way, other in (("minus", "plus"), ("plus", "minus"))
    },
    "resplit_eccvm_minus1_joint_plus1": move("eccvm_proof", "joint_proof", 1),
    "resplit_eccvm_plus1_joint_minus1": move("joint_proof", "eccvm_proof", 1),
    "resplit_300_100": all_of(move("eccvm_proof", "merge_proof", 300), move("joint_proof", "eccvm_proof", 100)),
    "resplit_all_in_first_part": all_in_first,
    "resplit_merge_has_eccvm_and_joint": merge_has_all,
    "trailing_ipa_plus1_joint_minus1": all_of(length("ipa_proof", "long1"), length("joint_proof", "short1")),
    "trailing_joint_plus1_ipa_minus1": all_of(length("joint_proof", "long1"), length("ipa_proof", "short1")),
    "wrong_vk_more_public_inputs": key(lambda _: FLOW4.vk),
    "wrong_vk_fewer_public_inputs": key_word(1, lambda _: 29),
    "vk_empty": key(lambda vk: b""),
    "vk_short1": key(lambda vk: vk[:-1]),
    "vk_short32": key(lambda vk: vk[:-32]),
    "vk_long1": key(lambda vk: vk + b"\0"),
    "vk_long32": key(lambda vk: vk + bytes(32)),
    "vk_double": key(lambda vk: vk + vk),
    "vk_mega_5216": key(lambda vk: (vk + vk)[:5216]),
    "vk_all_zero": key(lambda vk: bytes(3680)),
    "vk_all_ff": key(lambda vk: b"\xff" * 3680),
    **{f"vk_log_n_{n}": key_word(0, lambda _, n=n: n) for n in (0, 15, 17, 18, 25, 64)},
    "vk_log_n_2p32plus16": key_word(0, lambda _: 2**32 + 16),
    "vk_log_n_2p64plus16": key_word(0, lambda _: 2**64 + 16),
    "vk_log_n_plus_r": key_word(0, lambda value: value + R),
    **{f"vk_num_pub_{n}": key_word(1, lambda _, n=n: n) for n in (0, 27, 28, 31, 33)},
    "vk_num_pub_2p32": key_word(1, lambda value: value + 2**32),
    "vk_num_pub_2p63": key_word(1, lambda _: 2**63),
    "vk_num_pub_2p64plus32": key_word(1, lambda _: 2**64 + 32),
    "vk_offset_0": key_word(2, lambda _: 0),
    "vk_offset_plus1": key_word(2, lambda value: value + 1),
    "vk_offset_2p64": key_word(2, lambda value: value + 2**64),
    "vk_point_infinity": all_of(*(key_word(3 + offset, lambda _: 0) for offset in range(4))),
    "vk_point_not_on_curve": key_word(3, lambda value: value ^ 1),
    "vk_field_noncanonical_plus_r": key_word(3, lambda value: value + R),
}


def compare(verdict: Verdict, case: Case) -> None:
    """The same outcome and step; and the same words where bb's message is about sizes, which clients may show."""
    answer = case.answer
    assert (verdict.outcome, verdict.step) == (answer.outcome, answer.step), f"{verdict}, but bb: {answer}"
    if answer.message is not None and "wrong" in answer.message:
        assert verdict.reason == answer.message.rpartition("ChonkVerify: ")[2]


def test_every_recording_is_used() -> None:
    assert set(VERIFY) - set(VERIFY_REQUESTS) == NOT_REBUILDABLE
    assert set(VERIFY_REQUESTS) <= set(VERIFY)
    assert set(FROM_FIELDS) == set(FROM_FIELDS_REQUESTS)


@pytest.mark.parametrize("name", VERIFY_REQUESTS)
def test_verify(verifier: Verifier, name: str) -> None:
    case, request = VERIFY[name], Request()
    VERIFY_REQUESTS[name](request)
    frame = request.frame()
    assert len(frame) == case.length
    assert frame.startswith(case.beginning)
    compare(verifier.verify(raw_proof(request.parts), request.vk), case)


@pytest.mark.parametrize("name", [name for name in VERIFY_REQUESTS if VERIFY[name].answer.outcome is Outcome.VALID])
def test_strict_accepts_only_one_form(verifier: Verifier, name: str) -> None:
    """Of the requests that bb accepts, strict refuses the re-split proofs and the keys with non-canonical words."""
    request = Request()
    VERIFY_REQUESTS[name](request)
    verdict = verifier.verify(raw_proof(request.parts), request.vk, strict=True)
    if name.startswith("valid_"):
        assert verdict.valid
    else:
        assert verdict.outcome is Outcome.ERROR


# ---- ChonkVerifyFromFields ----

Flat = tuple[list[bytes], bytes]


def flow1_fields() -> list[bytes]:
    return list(chain(*flow1_parts().values()))


def with_word(index: int, function: Callable[[int], int]) -> Flat:
    fields = flow1_fields()
    fields[index] = word(function(integer(fields[index])))
    return fields, FLOW1.vk


FROM_FIELDS_REQUESTS: dict[str, Callable[[], Flat]] = {
    "empty": lambda: ([], FLOW1.vk),
    "invalid": lambda: with_word(0, lambda _: 7),
    "long1": lambda: ([*flow1_fields(), word(0)], FLOW1.vk),
    "noncanonical": lambda: with_word(0, lambda value: value + R),
    "not_on_curve": lambda: with_word(32, lambda value: value ^ 1),
    "short1": lambda: (flow1_fields()[:-1], FLOW1.vk),
    "too_short_for_parts": lambda: (flow1_fields()[:1193], FLOW1.vk),
    "valid_flow1": lambda: (flow1_fields(), FLOW1.vk),
    "valid_flow4": lambda: (list(chain(*FLOW4.proof.to_words().values())), FLOW4.vk),
    "vk_short": lambda: (flow1_fields(), FLOW1.vk[:-1]),
    "without_public_inputs": lambda: (flow1_fields()[32:], FLOW1.vk),
    "wrong_vk": lambda: (flow1_fields(), FLOW4.vk),
}


@pytest.mark.parametrize("name", FROM_FIELDS)
def test_verify_from_fields(verifier: Verifier, name: str) -> None:
    case = FROM_FIELDS[name]
    fields, vk = FROM_FIELDS_REQUESTS[name]()
    payload = msgpack.packb([["ChonkVerifyFromFields", {"proof": fields, "vk": vk}]])
    assert len(payload) + 4 == case.length
    verdict = verify_from_fields(verifier, fields, vk)
    assert (verdict.outcome, verdict.step) == (case.answer.outcome, case.answer.step)
    if case.answer.message is not None and "wrong" in case.answer.message:
        assert verdict.reason == case.answer.message.removeprefix("ChonkVerifyFromFields: ")


def verify_from_fields(verifier: Verifier, fields: list[bytes], vk: bytes) -> Verdict:
    """As chapter 03 section 3 orders it: the key, the split, the verification."""
    try:
        verification_key = VerificationKey.from_bytes(vk)
        proof = ChonkProof.from_fields(fields, verification_key.num_public_inputs)
    except ChonkFormatError as error:
        return Verdict(Outcome.ERROR, reason=str(error))
    return verifier.verify(proof, verification_key)

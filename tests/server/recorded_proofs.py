"""The requests with proofs that were recorded from bb, built again from the sample proofs.

The recordings keep only the beginning of such a request. What was changed in it is told by the name and the note of the
case; where these leave a choice (which point, which public input), any choice must lead to the same outcome.
"""

from collections.abc import Callable
from functools import cache
from itertools import pairwise

import msgpack

from bbipc.wire.values import FQ_MODULUS as Q
from bbipc.wire.values import FR_MODULUS as R
from samples import FLOW1, FLOW2, FLOW4, FLOW8, Sample, copy_parts, word

Parts = dict[str, list[bytes]]
PARTS = ("hiding_oink_proof", "merge_proof", "eccvm_proof", "ipa_proof", "joint_proof")
PUBLIC_INPUTS = 32  # of flow1
POINT = PUBLIC_INPUTS  # index in the first part: W_L as x.lo, x.hi, y.lo, y.hi


@cache
def _parts(sample: Sample) -> Parts:
    return sample.proof.to_words()


def parts(sample: Sample = FLOW1) -> Parts:
    return copy_parts(_parts(sample))


def number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def verify(proof: object, vk: object) -> bytes:
    return msgpack.packb([["ChonkVerify", {"proof": proof, "vk": vk}]])


def from_fields(fields: bytes, vk: bytes) -> bytes:
    words = [fields[start : start + 32] for start in range(0, len(fields), 32)]
    return msgpack.packb([["ChonkVerifyFromFields", {"proof": words, "vk": vk}]])


def key_word(index: int, value: int) -> bytes:
    vk = bytearray(FLOW1.vk)
    vk[32 * index : 32 * index + 32] = word(value)
    return bytes(vk)


def _changed(change: Callable[[Parts], object]) -> bytes:
    proof = parts()
    change(proof)
    return verify(proof, FLOW1.vk)


def _set(part: str, index: int, value: Callable[[int], int]) -> bytes:
    def change(proof: Parts) -> None:
        proof[part][index] = word(value(number(proof[part][index])))

    return _changed(change)


def _set_point(*limbs: Callable[[list[int]], int]) -> bytes:
    """Replace the first limbs of W_L; each function gets all four old ones."""

    def change(proof: Parts) -> None:
        old = [number(data) for data in proof["hiding_oink_proof"][POINT : POINT + 4]]
        for offset, limb in enumerate(limbs):
            proof["hiding_oink_proof"][POINT + offset] = word(limb(old))

    return _changed(change)


def _coordinate(old: list[int]) -> int:
    return old[0] + (old[1] << 136)


def _lo(value: Callable[[list[int]], int]) -> Callable[[list[int]], int]:
    return lambda old: value(old) % 2**136


def _hi(value: Callable[[list[int]], int]) -> Callable[[list[int]], int]:
    return lambda old: value(old) >> 136


def _negated_y(old: list[int]) -> int:
    return Q - (old[2] + (old[3] << 136))


def _move(source: str, target: str, *, first: bool) -> bytes:
    """Move one field across the border between two parts that follow each other."""

    def change(proof: Parts) -> None:
        if first:
            proof[target].append(proof[source].pop(0))
        else:
            proof[target].insert(0, proof[source].pop())

    return _changed(change)


def _join(target: str, *sources: str) -> bytes:
    def change(proof: Parts) -> None:
        for source in sources:
            proof[target] += proof[source]
            proof[source] = []

    return _changed(change)


def _resplit_300_100(proof: Parts) -> None:
    stream = proof["merge_proof"] + proof["eccvm_proof"] + proof["joint_proof"]
    lengths = 41 + 300, 612 - 300 + 100
    proof["merge_proof"] = stream[: lengths[0]]
    proof["eccvm_proof"] = stream[lengths[0] : sum(lengths)]
    proof["joint_proof"] = stream[sum(lengths) :]


def _verify_cases() -> dict[str, bytes]:
    vk, good = FLOW1.vk, parts()
    cases = {
        "valid_flow1": verify(good, vk),
        "valid_flow2": verify(parts(FLOW2), FLOW2.vk),
        "valid_flow4": verify(parts(FLOW4), FLOW4.vk),
        "wrong_vk_more_public_inputs": verify(good, FLOW4.vk),
        "swap_part_between_valid_proofs_same_vk": verify(good | {"ipa_proof": parts(FLOW2)["ipa_proof"]}, vk),
        "public_input_changed": _set("hiding_oink_proof", 0, lambda value: value ^ 7),
        "noncanonical_equal_r": _set("hiding_oink_proof", 2, lambda _: R),
        "noncanonical_all_ff": _set("hiding_oink_proof", 2, lambda _: 2**256 - 1),
        "point_limb_overflow": _set_point(lambda old: old[0] + 2**136, lambda old: old[1] - 1),
        "point_limb_lo_neg": _set_point(lambda old: (old[0] - 2**136) % R, lambda old: old[1] + 1),
        "point_hi_limb_wide": _set_point(lambda old: old[0], lambda old: old[1] + 2**130),
        "point_coordinate_plus_p": _set_point(_lo(lambda old: _coordinate(old) + Q), _hi(lambda old: _coordinate(old) + Q)),
        "point_x_p_y_p": _set_point(_lo(lambda _: Q), _hi(lambda _: Q), _lo(lambda _: Q), _hi(lambda _: Q)),
        "point_infinity": _set_point(*[lambda _: 0] * 4),
        "point_negated": _set_point(lambda old: old[0], lambda old: old[1], _lo(_negated_y), _hi(_negated_y)),
        "grumpkin_point_infinity": _changed(lambda proof: proof["eccvm_proof"].__setitem__(slice(0, 2), [bytes(32)] * 2)),
        "grumpkin_point_x_plus_r": _set("eccvm_proof", 0, lambda value: value + R),
        "ipa_L_infinity": _changed(lambda proof: proof["ipa_proof"].__setitem__(slice(0, 2), [bytes(32)] * 2)),
        "resplit_300_100": _changed(_resplit_300_100),
        "resplit_all_in_first_part": _join(*PARTS),
        "resplit_merge_has_eccvm_and_joint": _join("merge_proof", "eccvm_proof", "joint_proof"),
        "resplit_eccvm_plus1_joint_minus1": _move("joint_proof", "eccvm_proof", first=True),
        "resplit_eccvm_minus1_joint_plus1": _move("eccvm_proof", "joint_proof", first=False),
        "trailing_ipa_plus1_joint_minus1": _changed(lambda p: (p["ipa_proof"].append(bytes(32)), p["joint_proof"].pop())),
        "trailing_joint_plus1_ipa_minus1": _changed(lambda p: (p["joint_proof"].append(bytes(32)), p["ipa_proof"].pop())),
        "vk_empty": verify(good, b""),
        "vk_short1": verify(good, vk[:-1]),
        "vk_short32": verify(good, vk[:-32]),
        "vk_long1": verify(good, vk + b"\0"),
        "vk_long32": verify(good, vk + bytes(32)),
        "vk_double": verify(good, vk * 2),
        "vk_mega_5216": verify(good, vk + bytes(5216 - 3680)),
        "vk_all_zero": verify(good, bytes(3680)),
        "vk_all_ff": verify(good, b"\xff" * 3680),
        "vk_point_not_on_curve": verify(good, key_word(3, number(vk[96:128]) ^ 1)),
        "vk_point_infinity": verify(good, vk[:96] + bytes(128) + vk[224:]),
        "vk_field_noncanonical_plus_r": verify(good, key_word(3, number(vk[96:128]) + R)),
        "vk_log_n_plus_r": verify(good, key_word(0, 16 + R)),
    }
    for log_n in (0, 15, 17, 18, 25, 64, 2**32 + 16, 2**64 + 16):
        name = {2**32 + 16: "2p32plus16", 2**64 + 16: "2p64plus16"}.get(log_n, log_n)
        cases[f"vk_log_n_{name}"] = verify(good, key_word(0, log_n))
    for count in (0, 27, 28, 31, 33, 2**32, 2**63, 2**64 + 32):
        name = {2**32: "2p32", 2**63: "2p63", 2**64 + 32: "2p64plus32"}.get(count, count)
        cases[f"vk_num_pub_{name}"] = verify(good, key_word(1, count))
    offset = number(vk[64:96])
    for name, value in (("0", 0), ("2p64", offset + 2**64), ("plus1", offset + 1)):
        cases[f"vk_offset_{name}"] = verify(good, key_word(2, value))
    for part in PARTS:
        cases[f"{part}_short1"] = _changed(lambda proof, part=part: proof[part].pop())
        cases[f"{part}_long1"] = _changed(lambda proof, part=part: proof[part].append(bytes(32)))
        cases[f"{part}_long_public"] = _changed(lambda proof, part=part: proof[part].insert(0, bytes(32)))
        cases[f"{part}_empty"] = _changed(lambda proof, part=part: proof[part].clear())
    for part, indices in (("hiding_oink_proof", (0, 40)), ("merge_proof", (22,)), ("eccvm_proof", (182, 190, 300)),
                          ("ipa_proof", (0, 62)), ("joint_proof", (52, 450))):  # fmt: skip
        for index in indices:
            cases[f"noncanonical_{part}_{index}_plus_r"] = _set(part, index, lambda value: value + R)
    for left, right in pairwise(PARTS):
        cases[f"resplit_{left}_plus1_{right}_minus1"] = _move(right, left, first=True)
        cases[f"resplit_{left}_minus1_{right}_plus1"] = _move(left, right, first=False)
    return cases


def _from_fields_cases() -> dict[str, bytes]:
    fields, vk = FLOW1.fields, FLOW1.vk
    return {
        "valid_flow1": from_fields(fields, vk),
        "valid_flow4": from_fields(FLOW4.fields, FLOW4.vk),
        "empty": from_fields(b"", vk),
        "short1": from_fields(fields[:-32], vk),
        "long1": from_fields(fields + bytes(32), vk),
        "too_short_for_parts": from_fields(fields[: 32 * 1193], vk),
        "without_public_inputs": from_fields(fields[32 * PUBLIC_INPUTS :], vk),
        "wrong_vk": from_fields(fields, FLOW4.vk),
        "vk_short": from_fields(fields, vk[:-1]),
        "invalid": from_fields(word(7) + fields[32:], vk),
        "not_on_curve": from_fields(fields[: 32 * POINT] + word(1) + fields[32 * POINT + 32 :], vk),
        "noncanonical": from_fields(word(number(fields[:32]) + R) + fields[32:], vk),
    }


def _batch(proofs: list[Parts], keys: list[bytes]) -> bytes:
    return msgpack.packb([["ChonkBatchVerify", {"proofs": proofs, "vks": keys}]])


def _batch_cases() -> dict[str, bytes]:
    one, two, four = ((parts(sample), sample.vk) for sample in (FLOW1, FLOW2, FLOW4))
    eight = parts(FLOW8), FLOW8.vk

    def second(change: Callable[[Parts], object]) -> bytes:
        middle = parts(FLOW2)
        change(middle)
        return _batch([one[0], middle, four[0]], [one[1], two[1], four[1]])

    def flip(part: str, index: int) -> Callable[[Parts], object]:
        return lambda proof: proof[part].__setitem__(index, word(number(proof[part][index]) ^ 1))

    def end_of_flow1(proof: Parts) -> None:
        proof["joint_proof"][473:] = one[0]["joint_proof"][473:]

    pairs = [one, two, four, eight, one, two]
    return {
        "one_valid": _batch([one[0]], [one[1]]),
        "two_valid": _batch([one[0], four[0]], [one[1], four[1]]),
        "all_six_valid": _batch([proof for proof, _ in pairs], [key for _, key in pairs]),
        "same_twice": _batch([one[0]] * 2, [one[1]] * 2),
        "empty": _batch([], []),
        "more_vks": _batch([one[0], two[0]], [one[1]] * 3),
        "fewer_vks": _batch([one[0], two[0]], [one[1]]),
        "ipa_swapped": _batch(
            [one[0] | {"ipa_proof": two[0]["ipa_proof"]}, two[0] | {"ipa_proof": one[0]["ipa_proof"]}], [one[1], two[1]]
        ),
        "second_public_input_bad": second(flip("hiding_oink_proof", 0)),
        "second_ipa_bad": second(flip("ipa_proof", 62)),
        "second_ipa_point_bad": second(flip("ipa_proof", 0)),
        "second_pairing_bad": second(end_of_flow1),
        "second_not_on_curve": second(flip("hiding_oink_proof", POINT)),
        "second_short": second(lambda proof: proof["joint_proof"].pop()),
        "second_vk_short": _batch([one[0], two[0]], [one[1], two[1][:-1]]),
    }  # fmt: skip


VERIFY = _verify_cases()
VERIFY_FLOW1 = VERIFY["valid_flow1"]
FROM_FIELDS = _from_fields_cases()
BATCH = _batch_cases()

"""All 1274 single-bit flips and 699 point substitutions of flow1 that bb judged: the same outcome, the same failing step."""

import pytest

from bbipc.chonk import ChonkProof, Outcome, Verifier
from recorded import Answer, bit_flips, point_substitutions
from reference import curves
from reference.layout import Kind, items
from samples import FLOW1, copy_parts, flow1_parts, word

KINDS = {(item.part, item.position): item.kind for item in items(32)}


def difference(verifier: Verifier, part: str, changes: dict[int, bytes], expected: Answer) -> str | None:
    """How our verdict on flow1 with some words of one part changed differs from bb's."""
    parts = copy_parts(flow1_parts())
    for index, value in changes.items():
        parts[part][index] = value
    verdict = verifier.verify(ChonkProof.from_words(parts), FLOW1.vk)
    assert not verdict.valid
    if (verdict.outcome, verdict.step) != (expected.outcome, expected.step):
        return f"{part}{sorted(changes)}: {verdict}, but bb: {expected}"
    if verdict.outcome is Outcome.ERROR:
        return _error_difference(part, min(changes), verdict.part, verdict.position, str(verdict.reason), str(expected.message))
    return None


def _error_difference(
    part: str, index: int, found_part: str | None, found_position: int | None, reason: str, message: str
) -> str | None:
    """Errors of bb in these maps are all points off the curve; ours must say so, and where."""
    if "not on the curve" not in message or "not on the curve" not in reason:
        return f"{part}[{index}]: {reason!r}, but bb: {message!r}"
    if found_part != part or found_position is None or not 0 <= index - found_position < 4:
        return f"{part}[{index}]: reported at {found_part}[{found_position}]"
    return None


@pytest.mark.parametrize("part", ChonkProof.PARTS)
def test_bit_flips(verifier: Verifier, part: str) -> None:
    flips = [(index, answer) for name, index, answer in bit_flips() if name == part]
    assert [index for index, _ in flips] == list(range(len(flow1_parts()[part])))
    differences = []
    for index, answer in flips:
        flipped = word(int.from_bytes(flow1_parts()[part][index], "big") ^ 1)
        differences.append(difference(verifier, part, {index: flipped}, answer))
    assert [found for found in differences if found] == []


def limbs(value: int) -> list[bytes]:
    return [word(value % 2**136), word(value >> 136)]


def substitute(kind: Kind, words: list[bytes], alternative: str) -> list[bytes]:
    """The words of another point: the opposite, infinity, or the curve's generator."""
    values = [int.from_bytes(value, "big") for value in words]
    if alternative == "inf":
        return [word(0)] * len(words)
    if kind is Kind.G1:
        x, y = values[0] + (values[1] << 136), values[2] + (values[3] << 136)
        assert curves.G1.is_on_curve((x, y))
        x, y = curves.G1.generator if alternative == "gen" else (x, curves.Q - y)
        return limbs(x) + limbs(y)
    assert kind is Kind.GRUMPKIN
    x, y = values
    assert curves.GRUMPKIN.is_on_curve((x, y))
    return [*map(word, curves.GRUMPKIN.generator if alternative == "gen" else (x, curves.R - y))]


@pytest.mark.parametrize("part", ChonkProof.PARTS)
def test_point_substitutions(verifier: Verifier, part: str) -> None:
    differences, points = [], set()
    for name, index, alternative, answer in point_substitutions():
        if name != part:
            continue
        # The public inputs hold two points (chapter 05), which the layout of chapter 03 counts as scalars.
        kind = KINDS[part, index] if KINDS[part, index] is not Kind.SCALAR else Kind.G1
        old = flow1_parts()[part][index : index + kind.words]
        new = substitute(kind, old, alternative)
        changes = {index + offset: value for offset, value in enumerate(new) if value != old[offset]}
        differences.append(difference(verifier, part, changes, answer))
        points.add(index)
    all_points = {position for (name, position), kind in KINDS.items() if name == part and kind.value in "cC"}
    assert points >= all_points
    assert [found for found in differences if found] == []

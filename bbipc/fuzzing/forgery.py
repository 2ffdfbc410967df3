"""Changes that decode without an error, so that only the checks of the verifier can find them.

Each aims at certain checks: it keeps some equations, moves an error from one place to another, or touches nothing that a
challenge depends on. Which check must find it follows from docs/spec/00-overview.md section 5 and the chapter of the part.
All of them need a mutant whose parts still have their sizes.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Final

from bbipc.conform.elements import FR, GRUMPKIN, Item, Point, curve_of, decode, encode, items, modulus, word
from bbipc.conform.samples import PARTS, WORD, Sample
from bbipc.fuzzing.mutant import Mutant

__all__ = [
    "an_item",
    "exchange_items",
    "forge_ipa",
    "forge_key",
    "forge_merge_evaluations",
    "forge_public_points",
    "forge_public_values",
    "forge_rounds",
    "forge_tail",
    "move_error",
    "negate_item",
    "shift_item",
    "take_item",
]

_OINK, _MERGE, _ECCVM, _IPA, _JOINT = PARTS
_PUBLIC_WORDS: Final = 28
"""The last public inputs, seven points: P0, P1, the return data, four of the op queue (docs/spec/05-hiding-kernel-io.md)."""
_CALLDATA: Final = 4 * 7
"""Where KERNEL_CALLDATA stands behind the public inputs (docs/spec/03-vk-and-proof-layout.md section 2)."""
_COMMITMENTS: Final = 28
"""Points of a key, behind its first three words."""

_TAIL: Final = {_MERGE: 33, _ECCVM: 582, _IPA: 60, _JOINT: 448}
"""Where what was asked for last begins, on which hardly any challenge depends: openings and evaluations."""

_ROUNDS: Final = {_ECCVM: tuple(range(184, 272, 6)), _JOINT: (*range(57, 135, 6), *range(289, 313, 6))}
"""Where the values at 0 of the committed round polynomials stand; the value at 1 follows."""


# ---- Items ---------------------------------------------------------------------------------------------------------


def an_item(mutant: Mutant, random: Random, kinds: str) -> Item:
    """An item whose kind is among `kinds` and which the parts still have, equally likely in each part that has any."""
    fitting: dict[str, list[Item]] = {}
    for item in items(mutant.base.num_public_inputs):
        if item.kind in kinds and item.start + item.size <= len(mutant.parts[item.part]):
            fitting.setdefault(item.part, []).append(item)
    if not fitting:
        return Item(_OINK, 0, "s")
    return random.choice(fitting[random.choice(sorted(fitting))])


def _a_shift(mutant: Mutant, item: Item, random: Random) -> tuple[int | Point, str]:
    """Something to add to an item, which is not zero, and its name."""
    if item.kind in "sS":
        return random.choice(((1, "1"), (modulus(item.kind) - 1, "-1"), (random.randrange(1, FR), "something")))
    curve = curve_of(item.kind)
    source = random.choice((item, an_item(mutant, random, item.kind)))
    point = mutant.value(source)
    if source.kind != item.kind or isinstance(point, int) or point is None or not curve.holds(point):
        return curve.generator, "the generator"
    return point, "itself" if source == item else f"{source.part}[{source.start}]"


def _plus(item: Item, value: int | Point, shift: int | Point) -> int | Point:
    """The sum; the value itself if it is a point that is on no curve."""
    if isinstance(value, int):
        assert isinstance(shift, int)
        return (value + shift) % modulus(item.kind)
    assert not isinstance(shift, int)
    curve = curve_of(item.kind)
    return curve.add(value, shift) if curve.holds(value) else value


def _minus(item: Item, value: int | Point) -> int | Point:
    """The negative."""
    return -value % modulus(item.kind) if isinstance(value, int) else curve_of(item.kind).negate(value)


def shift_item(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """Something is added to an item."""
    return _shifted(mutant, an_item(mutant, random, "sScC"), random)


def _shifted(mutant: Mutant, item: Item, random: Random) -> Mutant:
    shift, what = _a_shift(mutant, item, random)
    return mutant.with_value(item, _plus(item, mutant.value(item), shift), f"plus {what}")


def negate_item(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """An item becomes its negative."""
    item = an_item(mutant, random, "sScC")
    return mutant.with_value(item, _minus(item, mutant.value(item)), "negative")


def move_error(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """What is added to one item is taken from another of its kind: from its neighbour, or from any."""
    first = an_item(mutant, random, "sScC")
    same = [item for item in items(mutant.base.num_public_inputs) if item.kind == first.kind and item != first]
    behind = [item for item in same if item.part == first.part and item.start > first.start]
    second = behind[0] if behind and random.random() < 0.7 else random.choice(same)
    return _moved(mutant, first, second, random)


def _moved(mutant: Mutant, first: Item, second: Item, random: Random) -> Mutant:
    shift, what = _a_shift(mutant, first, random)
    once = mutant.with_value(first, _plus(first, mutant.value(first), shift), "")
    twice = once.with_value(second, _plus(second, once.value(second), _minus(second, shift)), "")
    return replace(twice, what=f"{first.part}[{first.start}] plus {what}, {second.part}[{second.start}] minus the same")


def exchange_items(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """Two items of one kind change places."""
    first = an_item(mutant, random, "sScC")
    second = an_item(mutant, random, first.kind)
    return _exchanged(mutant, first, second) if second.kind == first.kind else mutant


def _exchanged(mutant: Mutant, first: Item, second: Item) -> Mutant:
    once = mutant.changed(first.part, first.start, mutant.words(second), "")
    twice = once.changed(second.part, second.start, mutant.words(first), "")
    return replace(twice, what=f"{first.part}[{first.start}] and {second.part}[{second.start}] exchanged")


def take_item(mutant: Mutant, random: Random, others: Sequence[Sample]) -> Mutant:
    """An item becomes that of the same place in another valid proof, or any of its kind in that or its own."""
    item = an_item(mutant, random, "sScC")
    source = random.choice([mutant.base, *others])
    candidates = [other for other in items(source.num_public_inputs) if other.kind == item.kind]
    same_place = [other for other in candidates if (other.part, other.start) == (item.part, item.start)]
    other = random.choice(same_place if same_place and random.random() < 0.5 else candidates)
    words = source.parts[other.part][other.start : other.start + other.size]
    return mutant.changed(item.part, item.start, words, f"taken from {source.name} {other.part}[{other.start}]")


# ---- Single checks -------------------------------------------------------------------------------------------------


def forge_tail(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """An item that was asked for last is shifted: the identities before still hold, an opening must fail."""
    part = random.choice((*_TAIL, _JOINT))
    tail = [item for item in items(mutant.base.num_public_inputs) if item.part == part and item.start >= _TAIL[part]]
    return _shifted(mutant, random.choice(tail), random)


def forge_rounds(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """A round polynomial gets other values at 0 and 1 with the same sum: the sum check of its round still holds."""
    part = random.choice(sorted(_ROUNDS))
    start = random.choice(_ROUNDS[part])
    kind = "S" if part == _ECCVM else "s"
    first = Item(part, start, kind)
    return _moved(mutant, first, Item(part, start + first.size, kind), random)


def forge_merge_evaluations(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """Evaluations r and m of a merged column change, so that l + kappa^l r = m still holds (docs/spec/06-merge.md)."""
    column = random.randrange(4)
    left, right, merged = (Item(_MERGE, start + column, "s") for start in (20, 24, 28))
    values = [mutant.value(item) for item in (left, right, merged)]
    old_l, old_r, old_m = (value if isinstance(value, int) else 0 for value in values)
    if old_r % FR == 0:
        return mutant
    power = (old_m - old_l) * pow(old_r, -1, FR)  # what kappa^l is follows from any valid proof
    shift = random.randrange(1, FR)
    once = mutant.with_value(right, (old_r + shift) % FR, "")
    return replace(
        once.with_value(merged, (old_m + power * shift) % FR, ""), what=f"merge evaluations of column {column} shifted together"
    )


def forge_ipa(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """Points of a round change places, rounds change places, or the final point is scaled and the final scalar against it."""
    if random.random() < 0.4:
        final, scalar = Item(_IPA, 60, "C"), Item(_IPA, 62, "S")
        point, value = mutant.value(final), mutant.value(scalar)
        assert not isinstance(point, int)
        assert isinstance(value, int)
        if not GRUMPKIN.holds(point):
            return mutant
        order = modulus("S")
        factor = random.choice((order - 1, 2, random.randrange(2, order)))
        once = mutant.with_value(final, GRUMPKIN.times(point, factor), "")
        twice = once.with_value(scalar, value * pow(factor, -1, order) % order, "")
        return replace(twice, what=f"G0 times {factor:#x}, a0 by the same")
    first = random.randrange(15)
    if random.random() < 0.5:
        return _exchanged(mutant, Item(_IPA, 4 * first, "C"), Item(_IPA, 4 * first + 2, "C"))
    second = random.randrange(15)
    side = random.choice((0, 2))
    return _exchanged(mutant, Item(_IPA, 4 * first + side, "C"), Item(_IPA, 4 * second + side, "C"))


# ---- Public inputs and the key -------------------------------------------------------------------------------------


def forge_public_values(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """A public input of the user's circuit becomes another element, or two change places."""
    count = max(mutant.base.num_public_inputs - _PUBLIC_WORDS, 1)
    first, second = (Item(_OINK, random.randrange(count), "s") for _ in range(2))
    if random.random() < 0.3 and first != second:
        return _exchanged(mutant, first, second)
    return _shifted(mutant, first, random)


def forge_public_points(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """Points in the public inputs change; sometimes two of them, so that the pairing or the databus check still holds."""
    end = mutant.base.num_public_inputs
    points = [Item(_OINK, start, "c") for start in range(end - _PUBLIC_WORDS, end, 4)]
    change = random.choice(("pair", "pair scaled", "databus", "databus", "return data", "any"))
    if change == "pair scaled":
        factor = random.choice((FR - 1, 2, random.randrange(2, FR)))
        for item in points[:2]:
            mutant = mutant.with_value(item, _times(mutant.value(item), factor), "")
        return replace(mutant, what=f"P0 and P1 times {factor:#x}")
    if change == "databus":
        # Both commitments of the databus check get the same shift.
        shift, what = _a_shift(mutant, points[2], random)
        for item in (points[2], Item(_OINK, end + _CALLDATA, "c")):
            mutant = mutant.with_value(item, _plus(item, mutant.value(item), shift), "")
        return replace(mutant, what=f"calldata and return data plus {what}")
    choices = {"pair": points[:2], "return data": [points[2], Item(_OINK, end + _CALLDATA, "c")], "any": points}
    return _shifted(mutant, random.choice(choices[change]), random)


def _times(point: int | Point, factor: int) -> int | Point:
    if isinstance(point, int) or not curve_of("c").holds(point):
        return point
    return curve_of("c").times(point, factor)


def forge_key(mutant: Mutant, random: Random, others: Sequence[Sample]) -> Mutant:
    """A commitment of the key is shifted, negated, exchanged with another or taken from another key, or a size changes."""
    change = random.choice(("shifted", "negative", "exchanged", "another", "size", "offset"))
    if change in ("size", "offset"):
        index = 0 if change == "size" else 2
        number = int.from_bytes(mutant.key[WORD * index : WORD * (index + 1)], "big")
        return _with_key(mutant, WORD * index, word((number + random.choice((1, FR - 1))) % FR), f"{change} changed")
    at, other = (WORD * (3 + 4 * random.randrange(_COMMITMENTS)) for _ in range(2))
    size = 4 * WORD
    old = mutant.key[at : at + size]
    if change == "exchanged":
        once = _with_key(mutant, at, mutant.key[other : other + size], "")
        return _with_key(once, other, old, f"point exchanged with that at word {other // WORD}")
    if change == "another":
        source = random.choice([mutant.base, *others])
        return _with_key(mutant, at, source.key[at : at + size], f"point at word {at // WORD} of {source.name}")
    point = decode("c", [old[start : start + WORD] for start in range(0, size, WORD)])
    curve = curve_of("c")
    assert not isinstance(point, int)
    if not curve.holds(point):
        return mutant
    new = curve.negate(point) if change == "negative" else curve.add(point, curve.generator)
    return _with_key(mutant, at, b"".join(encode("c", new)), f"point at word {at // WORD} {change}")


def _with_key(mutant: Mutant, at: int, data: bytes, what: str) -> Mutant:
    return replace(mutant, key=mutant.key[:at] + data + mutant.key[at + len(data) :], what=f"key: {what}")

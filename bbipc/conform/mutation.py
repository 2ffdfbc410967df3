"""Structured changes of proofs and keys.

A mutation knows where the items of a proof stand (docs/spec/03-vk-and-proof-layout.md section 2), so that it can replace a
point by another point of the same curve, or a limb by one that is too wide, and not only flip bits. Each is a function of a
random generator, so a seed reproduces it, and each says in words what it did.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final, NamedTuple

from bbipc.conform.samples import PARTS, WORD, Sample

__all__ = ["FQ", "FR", "MUTATIONS", "Item", "Mutant", "items", "mutate", "word"]

FQ: Final = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
FR: Final = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
LIMB: Final = 136
"""Bits of the low limb of an Fq value."""

KEY_WORDS: Final = 115
KEY_BYTES: Final = KEY_WORDS * WORD

Parts = dict[str, list[bytes]]


def word(value: int) -> bytes:
    """The low 256 bits in big-endian order (a second mutation may push the value of a first beyond them)."""
    return (value % 2**256).to_bytes(WORD, "big")


class Item(NamedTuple):
    """What stands at some words of a part.

    Kinds: `s` an element of Fr (1 word), `S` an element of Fq in two limbs (2), `c` a point of BN254 (4: two coordinates of two
    limbs), `C` a point of Grumpkin (2).
    """

    part: str
    start: int
    kind: str

    @property
    def size(self) -> int:
        """Its words."""
        return {"s": 1, "S": 2, "c": 4, "C": 2}[self.kind]


_SHAPES: Final[Mapping[str, str]] = {
    "hiding_oink_proof": "c" * 12,
    "merge_proof": "c" * 5 + "s" * 13 + "c" * 2,
    "eccvm_proof": "C" * 90 + "S" + "CSS" * 15 + "S" * 120 + "C" * 16 + "S" * 19 + "CC" + "S" * 6 + "CC" + "S" * 4 + "C",
    "ipa_proof": "C" * 31 + "S",
    "joint_proof": "c" * 13 + "s" + "css" * 13 + "s" * 154 + "css" * 4 + "s" * 67 + "c" * 18 + "s" * 21 + "cc",
}


def items(num_public_inputs: int) -> Iterator[Item]:
    """All items of a proof in order."""
    for part in PARTS:
        shape = ("s" * num_public_inputs if part == PARTS[0] else "") + _SHAPES[part]
        start = 0
        for kind in shape:
            item = Item(part, start, kind)
            yield item
            start += item.size


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed proof with its key, and what was done to it."""

    parts: Parts
    key: bytes
    what: str
    base: Sample

    @property
    def is_base(self) -> bool:
        """Whether nothing differs after all (two changes can cancel each other)."""
        return self.parts == self.base.parts and self.key == self.base.key

    def changed(self, part: str, start: int, words: Sequence[bytes], what: str) -> "Mutant":
        """This, with words of a part replaced from `start` on."""
        parts = dict(self.parts)
        parts[part] = [*parts[part][:start], *words, *parts[part][start + len(words) :]]
        return replace(self, parts=parts, what=f"{part}[{start}]: {what}")

    def words(self, item: Item) -> list[bytes]:
        """The words of an item."""
        return self.parts[item.part][item.start : item.start + item.size]


Mutation = Callable[[Mutant, Random, Sequence[Sample]], Mutant]


def _an_item(mutant: Mutant, random: Random, kinds: str) -> Item:
    """An item whose kind is among `kinds` and which the parts still have, equally likely in each part that has any."""
    fitting: dict[str, list[Item]] = {}
    for item in items(mutant.base.num_public_inputs):
        if item.kind in kinds and item.start + item.size <= len(mutant.parts[item.part]):
            fitting.setdefault(item.part, []).append(item)
    if not fitting:
        return Item(PARTS[0], 0, "s")
    return random.choice(fitting[random.choice(sorted(fitting))])


def _a_word(mutant: Mutant, random: Random) -> tuple[str, int] | None:
    part = random.choice([name for name in PARTS if mutant.parts[name]] or [PARTS[0]])
    return (part, random.randrange(len(mutant.parts[part]))) if mutant.parts[part] else None


def flip_bit(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """One bit of one word."""
    place = _a_word(mutant, random)
    if place is None:
        return mutant
    part, index = place
    bit = random.randrange(8 * WORD)
    value = int.from_bytes(mutant.parts[part][index], "big") ^ (1 << bit)
    return mutant.changed(part, index, [word(value)], f"bit {bit} flipped")


def set_word(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """One word becomes a value near an edge, or any value."""
    place = _a_word(mutant, random)
    if place is None:
        return mutant
    part, index = place
    old = int.from_bytes(mutant.parts[part][index], "big")
    choices = {
        "0": 0,
        "1": 1,
        "r - 1": FR - 1,
        "r": FR,
        "q": FQ,
        "2^256 - 1": 2**256 - 1,
        "2^136": 1 << LIMB,
        "2^118": 1 << (254 - LIMB),
        "itself + 1 mod r": (old + 1) % FR,
        "its negative": -old % FR,
        "itself + r": (old + FR) % 2**256,
        "a random element": random.randrange(FR),
    }
    what = random.choice(sorted(choices))
    return mutant.changed(part, index, [word(choices[what])], f"set to {what}")


def _fq_limbs(value: int) -> list[bytes]:
    return [word(value & ((1 << LIMB) - 1)), word(value >> LIMB)]


def _from_limbs(limbs: Sequence[bytes]) -> int:
    low, high = (int.from_bytes(limb, "big") for limb in limbs)
    return low + (high << LIMB)


def set_scalar(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """A scalar of either field becomes another one; for two-limb scalars also one with a limb or a value out of range."""
    item = _an_item(mutant, random, "sS")
    words = mutant.words(item)
    if item.kind == "s":
        return mutant.changed(item.part, item.start, [word(random.randrange(FR))], "another element of Fr")
    old = _from_limbs(words)
    low, high = (int.from_bytes(limb, "big") for limb in words)
    choices = {
        "0": _fq_limbs(0),
        "1": _fq_limbs(1),
        "q - 1": _fq_limbs(FQ - 1),
        "q, which is not canonical": _fq_limbs(FQ),
        "itself + 1": _fq_limbs((old + 1) % FQ),
        "its negative": _fq_limbs(-old % FQ),
        "itself + q": _fq_limbs(old + FQ),
        "its low limb 2^136 wider": [word((low + (1 << LIMB)) % FR), word((high - 1) % FR)],
        "limbs exchanged": [words[1], words[0]],
        "another element of Fq": _fq_limbs(random.randrange(FQ)),
    }
    what = random.choice(sorted(choices))
    return mutant.changed(item.part, item.start, choices[what], what)


def set_point(mutant: Mutant, random: Random, others: Sequence[Sample]) -> Mutant:
    """A point becomes its negative, infinity, another point of its curve, or none."""
    item = _an_item(mutant, random, "cC")
    words = mutant.words(item)
    change = random.choice(("negative", "infinity", "other", "other", "off", "limb", "plus modulus", "exchange"))
    if change == "infinity":
        return mutant.changed(item.part, item.start, [bytes(WORD)] * item.size, "infinity")
    if change == "other":
        return _take_item(mutant, item, random, others)
    return mutant.changed(item.part, item.start, _broken_point(item.kind, words, change), change)


def _broken_point(kind: str, words: Sequence[bytes], change: str) -> list[bytes]:
    if kind == "C":
        x, y = (int.from_bytes(coordinate, "big") for coordinate in words)
        return {
            "negative": [words[0], word(-y % FR)],
            "off": [words[0], word((y + 1) % FR)],
            "limb": [words[0], word((y + (1 << LIMB)) % FR)],
            "plus modulus": [word(x + FR), words[1]],
            "exchange": [words[1], words[0]],
        }[change]
    x, y = _from_limbs(words[:2]), _from_limbs(words[2:])
    low, high = (int.from_bytes(limb, "big") for limb in words[:2])
    return {
        "negative": [*words[:2], *_fq_limbs(-y % FQ)],
        "off": [*words[:2], *_fq_limbs((y + 1) % FQ)],
        "limb": [word((low + (1 << LIMB)) % FR), word((high - 1) % FR), *words[2:]],
        "plus modulus": [*_fq_limbs(x + FQ), *words[2:]],
        "exchange": [*words[2:], *words[:2]],
    }[change]


def _take_item(mutant: Mutant, item: Item, random: Random, others: Sequence[Sample]) -> Mutant:
    """The item becomes one of the same kind from this or another valid proof, or of another place."""
    source = random.choice([mutant.base, *others])
    same_place = random.random() < 0.5
    candidates = [
        other
        for other in items(source.num_public_inputs)
        if other.kind == item.kind and (not same_place or other.part == item.part)
    ]
    other = random.choice(candidates)
    words = source.parts[other.part][other.start : other.start + other.size]
    return mutant.changed(item.part, item.start, words, f"taken from {source.name} {other.part}[{other.start}]")


def exchange_items(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """Two items of one kind change places."""
    first = _an_item(mutant, random, "sScC")
    second = _an_item(mutant, random, first.kind)
    if second.kind != first.kind:
        return mutant
    once = mutant.changed(first.part, first.start, mutant.words(second), "")
    twice = once.changed(second.part, second.start, mutant.words(first), "")
    what = f"{first.part}[{first.start}] and {second.part}[{second.start}] exchanged"
    return replace(twice, what=what)


def take_part(mutant: Mutant, random: Random, others: Sequence[Sample]) -> Mutant:
    """A whole part, or the key, becomes that of another valid proof."""
    source = random.choice(others) if others else mutant.base
    part = random.choice((*PARTS, "key"))
    if part == "key":
        return replace(mutant, key=source.key, what=f"key of {source.name}")
    return replace(mutant, parts={**mutant.parts, part: source.parts[part]}, what=f"{part} of {source.name}")


def resplit(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """Words move across the border of two neighbouring parts, or the flat proof is cut anywhere."""
    flat = [item for name in PARTS for item in mutant.parts[name]]
    cuts = [0]
    for name in PARTS:
        cuts.append(cuts[-1] + len(mutant.parts[name]))
    if random.random() < 0.8:
        border = random.randrange(1, 5)
        cuts[border] = min(
            max(cuts[border] + random.choice((-40, -2, -1, 1, 2, 3, 40, 300)), cuts[border - 1]), cuts[border + 1]
        )
        what = f"border {border} moved"
    else:
        cuts[1:5] = sorted(random.randrange(len(flat) + 1) for _ in range(4))
        what = "cut elsewhere"
    parts = {name: flat[cuts[index] : cuts[index + 1]] for index, name in enumerate(PARTS)}
    lengths = ", ".join(str(len(part)) for part in parts.values())
    return replace(mutant, parts=parts, what=f"re-split, {what}: {lengths}")


def change_length(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """A part loses or gains words."""
    part = random.choice(PARTS)
    words = mutant.parts[part]
    change = random.choice(("empty", "first dropped", "last dropped", "last doubled", "zero added", "doubled"))
    changed = {
        "empty": [],
        "first dropped": words[1:],
        "last dropped": words[:-1],
        "last doubled": words + words[-1:],
        "zero added": [*words, bytes(WORD)],
        "doubled": words + words,
    }[change]
    return replace(mutant, parts={**mutant.parts, part: changed}, what=f"{part} {change}")


def change_key_word(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """One word of the key; the first three are taken more often."""
    index = random.choice((0, 1, 2, random.randrange(3, KEY_WORDS), random.randrange(3, KEY_WORDS)))
    start = index * WORD
    if len(mutant.key) < start + WORD:
        return mutant
    old = int.from_bytes(mutant.key[start : start + WORD], "big")
    choices = {
        "0": 0,
        "itself + 1": (old + 1) % 2**256,
        "itself + r": (old + FR) % 2**256,
        "itself + 2^64": (old + 2**64) % 2**256,
        "2^64 - 1": 2**64 - 1,
        "2^64 - 1242": 2**64 - 1242,
        "2^256 - 1": 2**256 - 1,
        "a bit flipped": old ^ (1 << random.randrange(8 * WORD)),
        "a random element": random.randrange(FR),
    }
    what = random.choice(sorted(choices))
    key = mutant.key[:start] + word(choices[what]) + mutant.key[start + WORD :]
    return replace(mutant, key=key, what=f"key word {index}: {what}")


def change_key_point(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """A commitment of the key becomes its negative, infinity, another of its commitments, or no point."""
    if len(mutant.key) != KEY_BYTES:
        return mutant
    start = (3 + 4 * random.randrange(28)) * WORD
    words = [mutant.key[at : at + WORD] for at in range(start, start + 4 * WORD, WORD)]
    change = random.choice(("negative", "infinity", "other", "off", "limb", "plus modulus", "exchange"))
    if change == "infinity":
        new = [bytes(WORD)] * 4
    elif change == "other":
        source = (3 + 4 * random.randrange(28)) * WORD
        new = [mutant.key[source : source + 4 * WORD]]
    else:
        new = _broken_point("c", words, change)
    key = mutant.key[:start] + b"".join(new) + mutant.key[start + 4 * WORD :]
    return replace(mutant, key=key, what=f"key point at word {start // WORD}: {change}")


def change_key_size(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """The key has another size."""
    size = random.choice((0, 1, WORD, KEY_BYTES - WORD, KEY_BYTES - 1, KEY_BYTES + 1, KEY_BYTES + WORD, 2 * KEY_BYTES, 5216))
    return replace(mutant, key=(mutant.key * 2)[:size].ljust(size, b"\0"), what=f"key of {size} bytes")


MUTATIONS: Final[Mapping[Mutation, int]] = {
    flip_bit: 14,
    set_word: 14,
    set_scalar: 14,
    set_point: 24,
    exchange_items: 6,
    take_part: 4,
    resplit: 8,
    change_length: 3,
    change_key_word: 5,
    change_key_point: 6,
    change_key_size: 2,
}
"""The mutations and how often each is taken, in per cent."""


def mutate(base: Sample, random: Random, others: Sequence[Sample]) -> Mutant:
    """`base` with one change, or now and then with two or three. `others` are valid proofs to take things from."""
    mutant = Mutant(base.parts, base.key, "", base)
    done = []
    for _ in range(random.choice((1,) * 8 + (2, 3))):
        mutation = random.choices(tuple(MUTATIONS), tuple(MUTATIONS.values()))[0]
        mutant = mutation(mutant, random, others)
        done.append(mutant.what)
    return replace(mutant, what="; ".join(done) or "nothing")

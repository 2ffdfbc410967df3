"""Structured changes of proofs and keys.

A mutation knows where the items of a proof stand (docs/spec/03-vk-and-proof-layout.md section 2), so that it can replace a
point by another point of the same curve, or a limb by one that is too wide, and not only flip bits. Each is a function of a
random generator, so a seed reproduces it, and each says in words what it did. Most mutants decode, so that a check has to find
them (`forgery`); the others try what a decoder has to refuse.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Final

from bbipc.conform.elements import FQ, FR, LIMB, decode, encode, word
from bbipc.conform.samples import PARTS, WORD, Sample
from bbipc.fuzzing import forgery
from bbipc.fuzzing.mutant import KEY_BYTES, KEY_WORDS, Mutant

__all__ = ["FORGERIES", "MUTATIONS", "Mutation", "mutate"]

Mutation = Callable[[Mutant, Random, Sequence[Sample]], Mutant]


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


def set_scalar(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """A scalar becomes a special or any other value of its field."""
    item = forgery.an_item(mutant, random, "sS")
    modulus = FR if item.kind == "s" else FQ
    value = random.choice((0, 1, modulus - 1, random.randrange(modulus), random.randrange(modulus)))
    return mutant.with_value(item, value, f"set to {value:#x}")


def erase_point(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """A point becomes infinity."""
    return mutant.with_value(forgery.an_item(mutant, random, "cC"), None, "infinity")


def break_scalar(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """A scalar in two limbs gets a limb or a value out of range."""
    item = forgery.an_item(mutant, random, "S")
    words = mutant.words(item)
    if len(words) != 2:
        return mutant
    low, high = (int.from_bytes(limb, "big") for limb in words)
    choices = {
        "q, which is not canonical": encode("S", FQ),
        "itself + q": encode("S", low + (high << LIMB) + FQ),
        "its low limb 2^136 wider": [word((low + (1 << LIMB)) % FR), word((high - 1) % FR)],
        "limbs exchanged": [words[1], words[0]],
    }
    what = random.choice(sorted(choices))
    return mutant.changed(item.part, item.start, choices[what], what)


_BREAKS: Final = ("off the curve", "limb", "plus modulus", "coordinates exchanged")


def break_point(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """A point is on no curve any more, or is not written as it should be."""
    item = forgery.an_item(mutant, random, "cC")
    change = random.choice(_BREAKS)
    return mutant.changed(item.part, item.start, _broken(item.kind, mutant.words(item), change), change)


def _broken(kind: str, words: Sequence[bytes], change: str) -> list[bytes]:
    point = decode(kind, words)
    x, y = point if isinstance(point, tuple) else (0, 0)
    if change == "coordinates exchanged":
        return encode(kind, (y, x))
    if change == "off the curve":
        return encode(kind, (x, y + 1))
    if change == "plus modulus":
        return encode(kind, (x + (FR if kind == "C" else FQ), y))
    if kind == "C":
        return encode(kind, (x, (y + (1 << LIMB)) % FR))
    low, high = (int.from_bytes(limb, "big") for limb in words[:2])
    return [word((low + (1 << LIMB)) % FR), word((high - 1) % FR), *words[2:]]


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


def break_key_point(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """A commitment of the key becomes infinity, or no point."""
    if len(mutant.key) != KEY_BYTES:
        return mutant
    start = (3 + 4 * random.randrange(28)) * WORD
    words = [mutant.key[at : at + WORD] for at in range(start, start + 4 * WORD, WORD)]
    change = random.choice(("infinity", *_BREAKS))
    new = encode("c", None) if change == "infinity" else _broken("c", words, change)
    key = mutant.key[:start] + b"".join(new) + mutant.key[start + 4 * WORD :]
    return replace(mutant, key=key, what=f"key point at word {start // WORD}: {change}")


def change_key_size(mutant: Mutant, random: Random, _others: Sequence[Sample]) -> Mutant:
    """The key has another size."""
    size = random.choice((0, 1, WORD, KEY_BYTES - WORD, KEY_BYTES - 1, KEY_BYTES + 1, KEY_BYTES + WORD, 2 * KEY_BYTES, 5216))
    return replace(mutant, key=(mutant.key * 2)[:size].ljust(size, b"\0"), what=f"key of {size} bytes")


FORGERIES: Final[Mapping[Mutation, int]] = {
    set_scalar: 5,
    erase_point: 4,
    forgery.shift_item: 8,
    forgery.negate_item: 5,
    forgery.move_error: 8,
    forgery.exchange_items: 5,
    forgery.take_item: 7,
    forgery.forge_tail: 12,
    forgery.forge_rounds: 3,
    forgery.forge_merge_evaluations: 3,
    forgery.forge_ipa: 5,
    forgery.forge_public_values: 2,
    forgery.forge_public_points: 8,
    forgery.forge_key: 4,
}
"""Changes that decode, and how often each is taken, relative to all. They need parts that still have their sizes."""

MUTATIONS: Final[Mapping[Mutation, int]] = {
    flip_bit: 4,
    set_word: 4,
    break_scalar: 2,
    break_point: 4,
    take_part: 4,
    resplit: 5,
    change_length: 2,
    change_key_word: 2,
    break_key_point: 2,
    change_key_size: 1,
}
"""Changes that a decoder may have to refuse, and how often each is taken."""


def mutate(base: Sample, random: Random, others: Sequence[Sample]) -> Mutant:
    """`base` with one change, or now and then with two or three. `others` are valid proofs to take things from."""
    mutant = Mutant(base.parts, base.key, "", base)
    done = []
    for _ in range(random.choice((1,) * 8 + (2, 3))):
        possible = {**FORGERIES, **MUTATIONS} if mutant.has_shape else MUTATIONS
        (mutation,) = random.choices(tuple(possible), tuple(possible.values()))
        mutant = mutation(mutant, random, others)
        done.append(mutant.what)
    return replace(mutant, what="; ".join(done))

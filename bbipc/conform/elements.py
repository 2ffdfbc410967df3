"""The items of a proof: where each stands, and what its words mean (docs/spec/03-vk-and-proof-layout.md section 2)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from bbipc.conform.samples import PARTS, WORD

__all__ = [
    "BN254",
    "FQ",
    "FR",
    "GRUMPKIN",
    "LIMB",
    "Curve",
    "Item",
    "Point",
    "curve_of",
    "decode",
    "encode",
    "items",
    "modulus",
    "word",
]

FQ: Final = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
FR: Final = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
LIMB: Final = 136
"""Bits of the low limb of an Fq value."""

Point = tuple[int, int] | None
"""Coordinates; None is infinity."""


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
    """All items of a proof in order; the last 28 public inputs are 7 points (docs/spec/05-hiding-kernel-io.md)."""
    for part in PARTS:
        shape = ("s" * (num_public_inputs - 28) + "c" * 7 if part == PARTS[0] else "") + _SHAPES[part]
        start = 0
        for kind in shape:
            item = Item(part, start, kind)
            yield item
            start += item.size


@dataclass(frozen=True, slots=True)
class Curve:
    """y^2 = x^3 + b over the integers modulo p, in plain integers: slow, but nothing that a verifier uses."""

    p: int
    b: int
    generator: tuple[int, int]

    def add(self, one: Point, other: Point) -> Point:
        """The sum of two points."""
        if one is None or other is None:
            return other if one is None else one
        if one != other and one[0] == other[0]:
            return None
        rise, run = (3 * one[0] ** 2, 2 * one[1]) if one == other else (other[1] - one[1], other[0] - one[0])
        slope = rise * pow(run, -1, self.p)
        x = (slope**2 - one[0] - other[0]) % self.p
        return x, (slope * (one[0] - x) - one[1]) % self.p

    def negate(self, point: Point) -> Point:
        """The negative."""
        return None if point is None else (point[0], -point[1] % self.p)

    def times(self, point: Point, scalar: int) -> Point:
        """A multiple; `scalar` is not negative."""
        total: Point = None
        while scalar:
            if scalar & 1:
                total = self.add(total, point)
            point, scalar = self.add(point, point), scalar >> 1
        return total

    def holds(self, point: Point) -> bool:
        """Whether the point is on the curve."""
        return point is None or (point[1] ** 2 - point[0] ** 3 - self.b) % self.p == 0


BN254: Final = Curve(FQ, 3, (1, 2))
GRUMPKIN: Final = Curve(FR, -17, (1, 0x2CF135E7506A45D632D270D45F1181294833FC48D823F272C))


def curve_of(kind: str) -> Curve:
    """The curve of a kind of point."""
    return BN254 if kind == "c" else GRUMPKIN


def modulus(kind: str) -> int:
    """The modulus of a kind of scalar."""
    return FR if kind == "s" else FQ


def decode(kind: str, words: Sequence[bytes]) -> int | Point:
    """The value of an item: an integer, or a point. Limbs and coordinates may be out of range."""
    numbers = [int.from_bytes(item, "big") for item in words]
    if kind == "s":
        return numbers[0]
    if kind == "S":
        return numbers[0] + (numbers[1] << LIMB)
    x, y = numbers if kind == "C" else (numbers[at] + (numbers[at + 1] << LIMB) for at in (0, 2))
    return (x, y) if x or y else None


def encode(kind: str, value: int | Point) -> list[bytes]:
    """The words of a value."""
    if isinstance(value, int):
        return [word(value)] if kind == "s" else _limbs(value)
    x, y = value or (0, 0)
    return [word(x), word(y)] if kind == "C" else _limbs(x) + _limbs(y)


def _limbs(value: int) -> list[bytes]:
    return [word(value & ((1 << LIMB) - 1)), word(value >> LIMB)]

"""A changed proof."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bbipc.conform.elements import FR, Item, Point, curve_of, decode, encode, items, modulus
from bbipc.conform.samples import PARTS, WORD, Sample

__all__ = ["KEY_BYTES", "KEY_WORDS", "Mutant", "Parts"]

KEY_WORDS: Final = 115
KEY_BYTES: Final = KEY_WORDS * WORD

Parts = dict[str, list[bytes]]


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

    @property
    def has_shape(self) -> bool:
        """Whether each part and the key have the sizes of the base."""
        sizes = {name: len(words) for name, words in self.parts.items()}
        return len(self.key) == KEY_BYTES and sizes == {name: len(words) for name, words in self.base.parts.items()}

    @property
    def reads_as_base(self) -> bool:
        """Whether a verifier that reads the parts as one stream (docs/spec/00-overview.md section 6) sees the same proof."""
        return (
            _stream(self.parts) == _stream(self.base.parts)
            and self.parts["ipa_proof"] == self.base.parts["ipa_proof"]
            and len(self.parts[PARTS[0]]) == len(self.base.parts[PARTS[0]])
            and self.has_key_of_base
        )

    @property
    def has_key_of_base(self) -> bool:
        """Whether the key is decoded to the same values."""
        return _decoded_key(self.key) == _decoded_key(self.base.key)

    def words(self, item: Item) -> list[bytes]:
        """The words of an item."""
        return self.parts[item.part][item.start : item.start + item.size]

    def value(self, item: Item) -> int | Point:
        """The value of an item."""
        return decode(item.kind, self.words(item))

    def changed(self, part: str, start: int, words: Sequence[bytes], what: str) -> "Mutant":
        """This, with words of a part replaced from `start` on."""
        parts = dict(self.parts)
        parts[part] = [*parts[part][:start], *words, *parts[part][start + len(words) :]]
        return replace(self, parts=parts, what=f"{part}[{start}]: {what}")

    def with_value(self, item: Item, value: int | Point, what: str) -> "Mutant":
        """This, with another value of an item."""
        return self.changed(item.part, item.start, encode(item.kind, value), what)

    def mirrored(self) -> "Mutant":
        """The opposite change: each item that was b and became m is now 2b - m, so that the errors of both sum to zero.

        A verifier that adds up the equations of several proofs without random weights would find both of them valid.
        """
        mirror = self
        for item in items(self.base.num_public_inputs):
            old, new = decode(item.kind, self.base.parts[item.part][item.start : item.start + item.size]), self.value(item)
            if old == new:
                continue
            if isinstance(old, int) and isinstance(new, int):
                mirror = mirror.with_value(item, (2 * old - new) % modulus(item.kind), "")
            elif not isinstance(old, int) and not isinstance(new, int):
                curve = curve_of(item.kind)
                mirror = mirror.with_value(item, curve.add(curve.add(old, old), curve.negate(new)), "")
        return replace(mirror, what=f"the mirror image of {self.what}")


def _stream(parts: Mapping[str, Sequence[bytes]]) -> bytes:
    return b"".join(b"".join(parts[name]) for name in PARTS if name != "ipa_proof")


def _decoded_key(key: bytes) -> list[int]:
    """Words modulo r, the first three modulo 2^64 (docs/spec/03-vk-and-proof-layout.md section 1), and the size."""
    words = [int.from_bytes(key[at : at + WORD], "big") % FR for at in range(0, len(key), WORD)]
    return [value % 2**64 for value in words[:3]] + words[3:] + [len(key)]

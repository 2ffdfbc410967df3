"""Which words of a proof are what (chapter 03 section 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """An item of a proof by its letter in chapter 03, and the words it takes."""

    SCALAR = "s"
    FQ_SCALAR = "S"
    G1 = "c"
    GRUMPKIN = "C"

    @property
    def words(self) -> int:
        return {"s": 1, "S": 2, "c": 4, "C": 2}[self.value]


@dataclass(frozen=True)
class Item:
    part: str
    position: int
    kind: Kind


def _expand(*groups: tuple[int, str]) -> str:
    return "".join(count * letters for count, letters in groups)


def kinds(num_public_inputs: int) -> dict[str, str]:
    """The letters of all items of each part."""
    return {
        "hiding_oink_proof": _expand((num_public_inputs, "s"), (12, "c")),
        "merge_proof": _expand((5, "c"), (13, "s"), (2, "c")),
        "eccvm_proof": _expand((90, "C"), (1, "S"), (15, "CSS"), (120, "S"), (16, "C"), (19, "S"), (2, "C"))
        + _expand((6, "S"), (2, "C"), (4, "S"), (1, "C")),
        "ipa_proof": _expand((31, "C"), (1, "S")),
        "joint_proof": _expand((13, "c"), (1, "s"), (13, "css"), (154, "s"), (4, "css"), (67, "s"), (18, "c"))
        + _expand((21, "s"), (2, "c")),
    }


def items(num_public_inputs: int) -> Iterator[Item]:
    """All items of a proof in order."""
    for part, letters in kinds(num_public_inputs).items():
        position = 0
        for letter in letters:
            kind = Kind(letter)
            yield Item(part, position, kind)
            position += kind.words

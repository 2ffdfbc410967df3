"""The kinds of elements that proofs and keys are made of, and when a value of a kind makes sense (chapter 02 section 3)."""

from collections.abc import Sequence
from enum import Enum
from typing import Final

from bbipc.wire.values import FQ_MODULUS, FR_MODULUS

__all__ = ["Kind", "display", "problem"]

_LOW_BITS: Final = 136
_HIGH_BITS: Final = 118


class Kind(Enum):
    """A kind of element."""

    FR = "Fr scalar"
    FQ = "Fq scalar"
    G1 = "G1 point"
    GRUMPKIN = "Grumpkin point"

    @property
    def words(self) -> int:
        """How many 32-byte words it takes."""
        return _WORDS[self]


_WORDS: Final = {Kind.FR: 1, Kind.FQ: 2, Kind.G1: 4, Kind.GRUMPKIN: 2}


def problem(kind: Kind, words: Sequence[int]) -> str | None:
    """What is wrong with an element given as its words; None if it makes sense."""
    for index, word in enumerate(words):
        if word >= FR_MODULUS:
            return f"word {index} is not canonical: it is >= the modulus of Fr"
    if kind is Kind.FR:
        return None
    if kind is Kind.FQ:
        return _limbs_problem("value", words[0], words[1])
    if not any(words):
        return None
    if kind is Kind.GRUMPKIN:
        x, y = words
        return None if (y * y - x * x * x + 17) % FR_MODULUS == 0 else "the point is not on Grumpkin"
    return _g1_problem(words)


def _g1_problem(words: Sequence[int]) -> str | None:
    for name, low, high in (("x", words[0], words[1]), ("y", words[2], words[3])):
        found = _limbs_problem(name, low, high)
        if found is not None:
            return found
    x, y = _joined(words[0], words[1]), _joined(words[2], words[3])
    return None if (y * y - x * x * x - 3) % FQ_MODULUS == 0 else "the point is not on the curve of G1"


def _limbs_problem(name: str, low: int, high: int) -> str | None:
    if low >> _LOW_BITS:
        return f"the low limb of {name} has more than {_LOW_BITS} bits"
    if high >> _HIGH_BITS:
        return f"the high limb of {name} has more than {_HIGH_BITS} bits"
    return None if _joined(low, high) < FQ_MODULUS else f"{name} is not canonical: it is >= the modulus of Fq"


def _joined(low: int, high: int) -> int:
    return low + (high << _LOW_BITS)


def display(kind: Kind, words: Sequence[int]) -> str:
    """The value of an element without a problem: a number, a point as (x, y), or `infinity`."""
    if kind is Kind.FR:
        return _hex(words[0])
    if kind is Kind.FQ:
        return _hex(_joined(words[0], words[1]))
    if not any(words):
        return "infinity"
    x, y = words if kind is Kind.GRUMPKIN else (_joined(words[0], words[1]), _joined(words[2], words[3]))
    return f"({_hex(x)}, {_hex(y)})"


def _hex(value: int) -> str:
    return str(value) if value < 1 << 16 else f"0x{value:064x}"

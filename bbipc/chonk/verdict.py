"""The answer of a verification."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

__all__ = ["STEPS", "Outcome", "Verdict"]


class Outcome(Enum):
    """The outcomes of chapter 00 section 4, and a cancelled verification, which has none of them."""

    VALID = "valid"
    INVALID = "invalid"
    ERROR = "error"
    CANCELLED = "cancelled"


STEPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Oink": "A denominator of the public-input product is zero for this proof's challenges (chapter 04).",
        "PI pairing points": "The two points that the hiding kernel accumulated in its public inputs fail their pairing check: "
        "an opening in an earlier circuit was wrong, or the proof was made under another trusted setup (chapter 05).",
        "databus consistency": "The calldata commitment is not the return data that the previous kernel announced "
        "(chapter 05).",
        "Merge reduction": "The merged op-queue table is not the old table with the hiding kernel's rows appended, or "
        "something that the transcript hashed before it was changed: the key, a public input or a commitment (chapter 06).",
        "Merge pairing": "The opening proof of the merged op-queue table fails its pairing check (chapter 06).",
        "ECCVM step": "An identity of the elliptic-curve virtual machine fails: its sumcheck, its zero-knowledge masking, or "
        "the consistency with the translator (chapters 07 and 08).",
        "batched translator+joint reduction": "An identity of the joint sumcheck of translator and hiding kernel fails, or of "
        "the values that it leaves to be opened (chapters 10 to 13).",
        "batched translator+joint pairing": "The joint opening proof of translator and hiding kernel fails its pairing check "
        "(chapter 14).",
        "IPA": "The inner-product opening of the ECCVM's committed polynomial is wrong (chapter 09).",
    }
)
"""The checks by name, in the order in which they decide (chapter 00 section 5), and what it means if one fails."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one proof; true exactly if the proof is valid.

    Attributes:
        outcome: what was found.
        step: the failing check, one of `STEPS`, if the outcome is `INVALID`; else None.
        reason: what could not be decoded, if the outcome is `ERROR`; else None.
        part: where an error is: the name of a part of the proof, `vk`, or `fields`; None if the error is in no single part.
        position: index of the offending 32-byte word within that part, if one word is to blame.
    """

    outcome: Outcome
    step: str | None = None
    reason: str | None = None
    part: str | None = None
    position: int | None = None

    @property
    def valid(self) -> bool:
        """Whether every check passed."""
        return self.outcome is Outcome.VALID

    def __bool__(self) -> bool:
        return self.valid

    def __str__(self) -> str:
        if self.outcome is Outcome.INVALID:
            return f"invalid: {self.step} check failed"
        if self.outcome is Outcome.ERROR:
            return f"error: {self.reason}"
        return str(self.outcome.value)

"""What is known about batches after they were verified."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bbipc.chonk import Verdict


class BatchCounters:
    """What batches there were so far.

    Attributes:
        batches: how many of each size, counted by the smallest power of two that is not less.
        verdicts: how many of each outcome.
    """

    def __init__(self) -> None:
        self.batches: Counter[int] = Counter()
        self.verdicts: Counter[str] = Counter()

    def count(self, verdicts: Sequence[Verdict]) -> None:
        """One more batch, with these verdicts."""
        self.batches[1 << (len(verdicts) - 1).bit_length()] += 1
        self.verdicts.update(verdict.outcome.value for verdict in verdicts)


def concerns_ipa(verdict: Verdict) -> bool:
    """Whether a proof got as far as its IPA and failed there: the one check that the proofs of a batch share in bb."""
    return verdict.step == "IPA" or verdict.part == "ipa_proof"


def failed_checks(verdicts: Sequence[Verdict]) -> list[int]:
    """For each proof of a batch, in how many checks it stood together with a bad one, or was the bad one itself.

    The IPA claims of all proofs that got so far are checked together; if that fails each half is, and so on down to single
    proofs. A half that must fail because the other one did not is counted as if it had been checked.
    """
    counts = [0] * len(verdicts)
    checked = [index for index, verdict in enumerate(verdicts) if verdict.valid or concerns_ipa(verdict)]

    def check(indices: Sequence[int]) -> None:
        if all(verdicts[index].valid for index in indices):
            return
        for index in indices:
            counts[index] += 1
        if len(indices) > 1:
            middle = len(indices) // 2
            check(indices[:middle])
            check(indices[middle:])

    check(checked)
    return counts

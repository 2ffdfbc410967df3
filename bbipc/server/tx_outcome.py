"""The verdict on a transaction among those on proofs."""

from __future__ import annotations

from dataclasses import dataclass, field

from bbipc.aztec.verdict import TxVerdict
from bbipc.chonk.verdict import Verdict


@dataclass(frozen=True, slots=True)
class TxOutcome(Verdict):
    """A verdict on a proof that belongs to a transaction, whose own verdict is `tx`; or, if no proof was looked at, that
    verdict alone."""

    tx: TxVerdict = field(default_factory=TxVerdict)

"""``VerifyTx``: the task of a request, and what its verdict means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bbipc.chonk.verdict import Verdict
from bbipc.server.backend import AnyTask, TxTask
from bbipc.server.commands.kinds import encoder
from bbipc.server.commands.verification import cancelled, is_cancelled
from bbipc.server.tx_outcome import TxOutcome
from bbipc.wire.dialect import error_response
from bbipc.wire.values import Fields

VERIFY_TX: Final = "VerifyTx"

_encode = encoder(VERIFY_TX)


def one_transaction(fields: Fields) -> Sequence[AnyTask]:
    """The task."""
    return [TxTask(fields["tx"], fields.get("network"))]


def conclude_transaction(verdicts: Sequence[Verdict]) -> bytes:
    """The ``Response``."""
    (verdict,) = verdicts
    if is_cancelled(verdict):
        return cancelled()
    tx = verdict.tx if isinstance(verdict, TxOutcome) else None
    if tx is None or tx.error is not None:
        return error_response(f"{VERIFY_TX}: {verdict.reason if tx is None else tx.error}")
    reason = "" if tx else str(tx).removeprefix("invalid: ")
    return _encode({"valid": bool(tx), "tx_hash": tx.tx_hash or b"", "reason": reason})

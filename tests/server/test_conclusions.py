"""From verdicts to responses (docs/spec/00-overview.md sections 4 and 7): only what is valid is called valid."""

from itertools import product

import msgpack
import pytest

from bbipc.aztec import Check, TxVerdict
from bbipc.chonk import Outcome, Verdict
from bbipc.server.commands.kinds import Verified
from bbipc.server.commands.table import commands
from bbipc.server.tx_outcome import TxOutcome

VALID = Verdict(Outcome.VALID)
INVALID = Verdict(Outcome.INVALID, step="Merge reduction")
IPA = Verdict(Outcome.INVALID, step="IPA")
ERROR = Verdict(Outcome.ERROR, reason="an error", part="merge_proof", position=3)
CANCELLED = Verdict(Outcome.CANCELLED)


def answer(name: str, *verdicts: Verdict) -> tuple[str, object]:
    """The name of the response, and whether it says "valid" or why it does not."""
    command = commands()[name]
    assert isinstance(command, Verified)
    response, fields = msgpack.unpackb(command.conclude(verdicts))
    return response, fields["message"] if response == "ErrorResponse" else fields["valid"]


@pytest.mark.parametrize("name", ["ChonkVerify", "ChonkVerifyFromFields"])
def test_of_one_proof(name: str) -> None:
    response = f"{name}Response"
    assert answer(name, VALID) == (response, True)
    assert answer(name, INVALID) == (response, False)
    assert answer(name, IPA) == (response, False)
    assert answer(name, ERROR)[0] == "ErrorResponse"
    assert answer(name, CANCELLED) == ("ErrorResponse", "cancelled")


def test_of_a_transaction() -> None:
    """The verdict on the transaction counts, and an undecided one is not valid; what was cancelled is an error."""
    good, bad, open_ = (TxVerdict((Check("release", True, ""), Check("proof", ok, "why"))) for ok in (True, False, None))
    assert answer("VerifyTx", TxOutcome(Outcome.VALID, tx=good)) == ("VerifyTxResponse", True)
    for tx in (bad, open_):
        for outcome in (Outcome.VALID, Outcome.INVALID):
            assert answer("VerifyTx", TxOutcome(outcome, tx=tx)) == ("VerifyTxResponse", False)
        assert answer("VerifyTx", TxOutcome(Outcome.CANCELLED, tx=tx)) == ("ErrorResponse", "cancelled")
    assert answer("VerifyTx", TxOutcome(Outcome.ERROR, tx=TxVerdict(error="short"))) == ("ErrorResponse", "VerifyTx: short")


@pytest.mark.parametrize("verdicts", list(product([VALID, INVALID, IPA, ERROR, CANCELLED], repeat=3)))
def test_of_a_batch(verdicts: tuple[Verdict, ...]) -> None:
    response, said = answer("ChonkBatchVerify", *verdicts)
    if CANCELLED in verdicts:
        assert (response, said) == ("ErrorResponse", "cancelled")
        return
    # The first that fails before its IPA part decides; an error there is an error of the whole.
    first = next((verdict for verdict in verdicts if verdict in (INVALID, ERROR)), None)
    if first is ERROR:
        assert response == "ErrorResponse"
    else:
        assert (response, said) == ("ChonkBatchVerifyResponse", all(verdict is VALID for verdict in verdicts))

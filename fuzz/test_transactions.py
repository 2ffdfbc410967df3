"""Transactions for as long as there is time: `pytest fuzz/test_transactions.py` with the seeds and examples of fuzz/night.py.

The properties are those of tests/aztec, with more examples.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from aztec.transactions import AZTEC, near_transactions, transactions
from bbipc.aztec import Tx, TxFormatError, verify_tx

WITH_PROOF = [file.read_bytes() for file in sorted(AZTEC.glob("*/*compressed.tx.bin"))]


@settings(max_examples=2000)
@given(st.one_of(near_transactions(), st.binary(max_size=5000)))
def test_what_is_read_is_written_again(data: bytes) -> None:
    try:
        tx = Tx.from_bytes(data)
    except TxFormatError:
        return
    again = Tx.from_bytes(tx.to_bytes(), strict=True)
    assert again == tx
    assert again.hash() == tx.hash()
    if not tx.irregularities:
        assert tx.to_bytes() == data


@settings(max_examples=500)
@given(transactions())
def test_no_transaction_without_a_proof_of_this_system_is_valid(tx: Tx) -> None:
    assert verify_tx(tx).valid is not True


@settings(max_examples=300)
@given(st.sampled_from(WITH_PROOF), st.data())
def test_no_changed_transaction_is_valid_under_aztecs_registry(data: bytes, draw: st.DataObject) -> None:
    position = draw.draw(st.integers(0, len(data) - 1))
    changed = data[:position] + bytes([data[position] ^ draw.draw(st.integers(1, 255))]) + data[position + 1 :]
    assert verify_tx(changed).valid is not True

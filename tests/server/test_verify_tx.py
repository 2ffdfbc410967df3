"""VerifyTx: transactions among the other requests of a real server."""

from collections.abc import Iterator

import pytest
import trio

from aztec.transactions import AZTEC, E2E, e2e, registry_of_tests
from bbipc.aztec import Tx, verify_tx
from bbipc.chonk import Outcome, Setup
from bbipc.client.blocking import Client, open_client
from bbipc.server.backend import Task, TxTask
from bbipc.server.chonk_backend import ChonkBackend
from bbipc.server.tx_outcome import TxOutcome
from cli.running import SETUP
from samples import FLOW1

REGISTRY = str(E2E / "registry-test.json")
RUN = ["python", "-P", "-m", "bbipc", "msgpack", "run", "--setup", SETUP]
NO_PROOF = (AZTEC / "testnet-5.2.0" / "private-block60620.noproof.tx.bin").read_bytes()


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with open_client(command=[*RUN, "--registry", REGISTRY, "--threads", "2"]) as client:
        yield client


def test_verdicts(client: Client) -> None:
    good = Tx.from_bytes(e2e("compressed"))
    for dialect in (client.call, client.call_tagged):
        assert dialect("VerifyTx", tx=e2e("compressed")) == {"valid": True, "tx_hash": good.hash(), "reason": ""}
    verdict = client.verify_tx(e2e("uncompressed"), network="testnet")
    assert (bool(verdict), verdict.tx_hash, verdict.reason) == (True, good.hash(), None)
    assert "Incorrect L1 chain id" in str(client.verify_tx(e2e("uncompressed"), network="mainnet"))
    forged = client.verify_tx(e2e("forged-fee-payer"))
    assert "the proof and the data do not belong together" in str(forged)
    assert forged.tx_hash == Tx.from_bytes(e2e("forged-fee-payer")).hash()
    assert "undecided: there is no proof" in str(client.verify_tx(e2e("noproof")))
    assert "unknown key tree" in str(client.verify_tx(NO_PROOF))


def test_what_cannot_be_read_is_one_error_and_loses_nothing_else(client: Client) -> None:
    for data in (b"", b"{}", e2e("compressed")[:-1], b"\xff" * 1000):
        verdict = client.verify_tx(data)
        assert (verdict.valid, verdict.tx_hash) == (False, None)
        assert str(verdict.reason).startswith("VerifyTx: ")
    assert "unknown network" in str(client.verify_tx(e2e("compressed"), network="nowhere"))
    assert "size above size limit" in str(client.verify_tx(e2e("compressed") + bytes(512 << 10)))
    assert client.verify_tx(e2e("compressed"))


def test_transactions_and_proofs_share_batches(setup: Setup) -> None:
    backend = ChonkBackend(SETUP, registry=REGISTRY)
    names = ["compressed", "noproof", "forged-fee-payer", "uncompressed"]
    tasks = [
        TxTask(e2e(names[0]), None),
        Task(FLOW1.proof.parts(), FLOW1.vk),
        TxTask(e2e(names[1]), "testnet"),
        TxTask(e2e(names[2]), None),
        Task((FLOW1.fields[32:],), FLOW1.vk),
        TxTask(b"", None),
        TxTask(e2e(names[3]), "testnet"),
        TxTask(e2e(names[3]), "mainnet"),
    ]
    flags = [backend.new_cancel() for _ in tasks]
    together = backend.check(backend.reduce(tasks, cancels=flags), threads=2, cancels=flags)
    assert together == [backend.verify(task, threads=1, cancel=flag) for task, flag in zip(tasks, flags, strict=True)]
    valid = [verdict.valid for verdict in together]
    assert valid == [True, True, False, False, False, False, True, False]
    outcomes = [verdict.tx for verdict in together if isinstance(verdict, TxOutcome)]
    library = [verify_tx(e2e(name), registry=registry_of_tests(), setup=setup) for name in (names[0], names[2], names[3])]
    assert [outcomes[0], outcomes[2]] == library[:2]
    assert [str(outcomes[4])] == ["valid"]
    # Only what is well formed and fails a check is invalid: what cannot be decided is counted as an error.
    assert together[2].outcome is Outcome.ERROR
    assert together[7].outcome is Outcome.INVALID
    # The proof of a transaction that is invalid without it is not verified.
    assert outcomes[5].checks[-1].ok is None


def test_strict_transactions() -> None:
    """Chapter 15 section 8: bytes behind a transaction, which nodes accept."""
    task = TxTask(e2e("compressed") + b"\0", None)
    for strict in (False, True):
        backend = ChonkBackend(SETUP, registry=REGISTRY, strict=strict)
        flags = [backend.new_cancel() for _ in range(3)]
        together = backend.check(backend.reduce([task, task], cancels=flags[:2]), threads=1, cancels=flags[:2])
        verdicts = [*together, backend.verify(task, threads=1, cancel=flags[2])]
        assert [isinstance(verdict, TxOutcome) and verdict.tx.valid for verdict in verdicts] == [not strict] * 3


def test_cancelled() -> None:
    backend = ChonkBackend(SETUP, registry=REGISTRY)
    flag = backend.new_cancel()
    flag.set()
    assert backend.verify(TxTask(e2e("compressed"), None), threads=1, cancel=flag).outcome is Outcome.CANCELLED


def test_the_registry_is_the_operators() -> None:
    with open_client(command=RUN) as client:
        assert "unknown key tree" in str(client.verify_tx(e2e("compressed")))
    with open_client(command=[*RUN, "--registry", REGISTRY, "--network", "mainnet"]) as client:
        assert "Incorrect L1 chain id" in str(client.verify_tx(e2e("compressed")))
        assert "verifies transactions of mainnet only" in str(client.verify_tx(e2e("compressed"), network="testnet"))


def test_an_asynchronous_client() -> None:
    from bbipc.client import open_client as open_async  # noqa: PLC0415

    async def main() -> list[bool]:
        async with open_async(command=[*RUN, "--registry", REGISTRY]) as client:
            return [bool(await client.verify_tx(e2e(name))) for name in ("compressed", "forged-fee-payer")]

    assert trio.run(main) == [True, False]


def test_a_server_that_answers_something_else_accepts_nothing() -> None:
    from bbipc.client.messages import Answer  # noqa: PLC0415
    from bbipc.client.verification import tx_verdict_of  # noqa: PLC0415

    for fields in ({}, {"valid": 1}, {"valid": "true"}, {"valid": None, "tx_hash": b"", "reason": "x"}):
        assert not tx_verdict_of(Answer(1, "VerifyTxResponse", fields))

"""Verdicts through a cluster in this process: each with its own number, under the options that were asked for."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from distributed import Client, LocalCluster

import bbipc.archive.unit
import bbipc.cluster
from aztec.transactions import e2e, registry_of_tests
from bbipc.archive.fingerprint import own_fingerprint
from bbipc.archive.proofs import ProofItem, ProofJudge
from bbipc.archive.txs import TxJudge
from bbipc.archive.unit import BuildMismatchError, DecisionError, Unit, decide
from bbipc.aztec import verify_tx
from bbipc.aztec.registry import aztec
from bbipc.chonk import Outcome, Setup, Verdict
from bbipc.cluster import ClusterError, ClusterLostError, Progress, check_workers, verify_many, verify_txs
from bbipc.cluster.pump import _Pump
from samples import CORPUS, FLOW1, FLOW4, FLOW8, copy_parts, flow1_parts, raw_proof


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    elsewhere = {"scheduler_kwargs": {"dashboard_address": "127.0.0.1:0"}}
    with (
        LocalCluster(n_workers=2, threads_per_worker=2, processes=False, dashboard_address=None, **elsewhere) as workers,
        Client(workers, set_as_default=False) as client,
    ):
        yield client


def _split() -> Any:
    parts = copy_parts(flow1_parts())
    parts["merge_proof"].append(parts["eccvm_proof"].pop(0))
    return raw_proof(parts)


def _invalid() -> Any:
    parts = copy_parts(flow1_parts())
    parts["merge_proof"][20:22] = reversed(parts["merge_proof"][20:22])
    return raw_proof(parts)


PAIRS: list[ProofItem] = [
    (FLOW1.fields, FLOW1.vk),
    (_invalid(), FLOW1.vk),
    (FLOW4.fields, FLOW4.vk),
    (FLOW8.fields, FLOW8.vk),
    (b"nothing", FLOW1.vk),
    (_split(), FLOW1.vk),
    (FLOW4.fields, FLOW1.vk),
    (CORPUS[3].fields, CORPUS[3].vk),
    Verdict(Outcome.ERROR, reason="as it was"),
    (FLOW8.fields, b"no key"),
    (_invalid(), FLOW1.vk),
]
OUTCOMES = "valid invalid valid valid error valid error valid error error invalid".split()  # noqa: SIM905


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("unit_items", [1, 4, 64])
def test_each_verdict_has_the_number_of_its_proof(client: Client, setup: Setup, ordered: bool, unit_items: int) -> None:
    got = list(verify_many(client, PAIRS, setup=setup, ordered=ordered, unit_items=unit_items))
    assert sorted(index for index, _ in got) == list(range(len(PAIRS)))
    assert not ordered or [index for index, _ in got] == list(range(len(PAIRS)))
    assert [verdict.outcome.value for _, verdict in sorted(got, key=lambda one: one[0])] == OUTCOMES


def test_options_of_proofs(client: Client, setup: Setup) -> None:
    pair = PAIRS[5]
    for options, outcome in (
        ({"setup": setup}, Outcome.VALID),
        ({}, Outcome.INVALID),
        ({"setup": setup, "strict": True}, Outcome.ERROR),
    ):
        assert [verdict.outcome for _, verdict in verify_many(client, [pair] * 3, **options)] == [outcome] * 3


def test_options_of_transactions(client: Client, setup: Setup) -> None:
    registry = registry_of_tests()
    names = ["compressed", "forged-fee-payer", "noproof", "uncompressed"]
    txs = [*map(e2e, names), e2e("compressed") + b"\0"]
    seen = []
    for options in (
        {"registry": registry, "setup": setup},
        {"registry": registry, "setup": setup, "network": "testnet"},
        {"registry": registry, "setup": setup, "network": "mainnet"},
        {"registry": registry, "setup": setup, "strict": True},
        {"registry": registry},
        {"setup": setup},
    ):
        expected = [verify_tx(tx, **cast("Any", options)) for tx in txs]
        got = dict(verify_txs(client, txs, unit_items=2, **cast("Any", options)))
        assert [got[index] for index in range(len(txs))] == expected
        seen.append(tuple(verdict.valid for verdict in expected))
    assert seen[:4] == [(True, False, None, True, True), seen[0], (False,) * 5, (*seen[0][:4], False)]
    assert not any(seen[4] + seen[5])
    with pytest.raises(ValueError, match="nowhere"):
        verify_txs(client, txs, network="nowhere")


def test_what_no_worker_could_decide_is_not_valid(setup: Setup) -> None:
    proof = ProofJudge(setup, strict=False).failed("ended")
    assert (proof.outcome, proof.reason) == (Outcome.ERROR, "ended")
    tx = TxJudge(aztec(), setup, None, strict=False).failed("ended")
    assert (tx.valid, tx.error) == (False, "ended")


@dataclass(frozen=True)
class Failing:
    """A judge that cannot decide odd numbers; it is told their names."""

    name = "failing"

    def nbytes(self, item: int) -> int:
        return 1

    def decide(self, items: Any, threads: int) -> list[str]:
        if any(item % 2 for item in items):
            raise MemoryError("no room")
        return [f"{item}" for item in items]

    def failed(self, reason: str) -> str:
        return "failed"


def test_a_judge_that_fails_decides_nothing() -> None:
    with pytest.raises(DecisionError, match="MemoryError: no room"):
        decide(Unit((0, 1), (0, 1), Failing(), 1))


def test_halves_have_the_numbers_of_their_items() -> None:
    for count in range(2, 9):
        first, second = Unit(tuple(range(10, 10 + count)), tuple(range(count)), Failing(), 1).halves()
        assert [*zip(first.indices, first.items, strict=True), *zip(second.indices, second.items, strict=True)] == [
            (10 + number, number) for number in range(count)
        ]


def test_what_was_cancelled_or_lost_is_no_result(client: Client) -> None:
    pump = _Pump(client, iter(()), Progress())
    for status in ("cancelled", "lost", "pending"):
        with pytest.raises(ClusterLostError):
            pump._failure(cast("Any", SimpleNamespace(status=status)))


# ---- Other builds -----------------------------------------------------------------------------------------------------


def test_workers_of_another_build_decide_nothing(client: Client, setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(own_fingerprint(), version="0.0")
    monkeypatch.setattr(bbipc.archive.unit, "own_fingerprint", lambda: other)
    with pytest.raises(BuildMismatchError):
        decide(Unit((0,), (0,), Failing(), 1, own_fingerprint()))
    with pytest.raises(ClusterError, match=r"another bbipc: version 0\.0"):
        list(verify_many(client, PAIRS[:1], setup=setup))


def test_all_workers_are_looked_at_before_any_work(client: Client, setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    own = own_fingerprint()
    good, other, without = (own, "adx"), (replace(own, generators="00"), "adx"), ImportError("no bbipc")
    for answers, wrong in (
        ({"a": good, "b": good}, None),
        ({"a": good, "b": other}, "another bbipc at b"),
        ({"a": other, "b": good}, "another bbipc at a"),
        ({"a": good, "b": without}, "no bbipc at b"),
        ({"a": without}, "no bbipc at a"),
    ):
        asked = cast("Any", SimpleNamespace(run=lambda *_, answers=answers, **__: answers))
        if wrong is None:
            assert check_workers(asked).total() == 2
        else:
            with pytest.raises(ClusterError, match=wrong):
                check_workers(asked)

    def refused(_: Client) -> None:
        raise ClusterError("looked at")

    monkeypatch.setattr(bbipc.cluster, "check_workers", refused)
    with pytest.raises(ClusterError, match="looked at"):
        list(verify_many(client, PAIRS, setup=setup))
    with pytest.raises(ClusterError, match="looked at"):
        list(verify_txs(client, [e2e("noproof")]))

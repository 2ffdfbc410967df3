"""Transactions as units, on a cluster, and with a journal."""

import json
import pickle
from pathlib import Path

from distributed import Client

from aztec.transactions import AZTEC, E2E, e2e, registry_of_tests
from bbipc.archive.fingerprint import own_fingerprint
from bbipc.archive.txs import Encoded, TxJudge
from bbipc.archive.unit import Unit, decide
from bbipc.aztec import Tx, TxVerdict, verify_tx
from bbipc.aztec.registry import aztec
from bbipc.chonk import Setup
from bbipc.cluster import check_workers, verify_txs
from cli.running import SETUP, bbipc
from cluster.processes import cluster

FILES = [E2E / f"rollup.{name}.tx.bin" for name in ("compressed", "forged-fee-payer", "noproof", "uncompressed")]
TEST = ("--setup", SETUP, "--registry", str(E2E / "registry-test.json"))


def test_a_registry_travels_by_value() -> None:
    for registry in (aztec(), registry_of_tests()):
        assert pickle.loads(pickle.dumps(registry)) == registry


def test_each_transaction_gets_the_verdict_that_it_has_alone(setup: Setup) -> None:
    registry = registry_of_tests()
    valid = e2e("compressed")
    unreadable = TxVerdict(error="as it was")
    items = (
        valid,
        valid.hex().encode(),  # bytes are the binary form
        Encoded(valid.hex().encode()),
        Encoded(b"nothing"),
        E2E / "rollup.forged-fee-payer.tx.bin",
        E2E / "nowhere",
        unreadable,
        e2e("noproof"),
        Tx.from_bytes(valid),
    )
    for strict, network in ((False, None), (True, "testnet")):
        judge = pickle.loads(pickle.dumps(TxJudge(registry, setup, network, strict)))
        got = decide(Unit(tuple(range(len(items))), items, judge, 1, own_fingerprint()))
        options = {"registry": registry, "setup": setup, "strict": strict, "network": network}
        assert [verdict.valid for verdict in got] == [True, False, True, False, False, False, False, None, True]
        for index in (0, 1, 7, 8):
            assert got[index] == verify_tx(items[index], **options)
        assert got[2] == got[0]
        assert got[6] is unreadable
        assert got[5].error == "No such file or directory"
    assert decide(Unit((0,), items[:1], TxJudge(aztec(), setup, None, strict=False), 1))[0].valid is False
    assert decide(Unit((0,), items[:1], TxJudge(registry, Setup.AZTEC, None, strict=False), 1))[0].valid is False


def test_the_command_and_the_library_on_a_cluster_are_the_local_ones(tmp_path: Path, setup: Setup) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    for file in FILES:
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "nothing").write_bytes(b"nothing")
    arguments = ("verify-tx", *TEST, folder, tmp_path / "gone", AZTEC / "testnet-5.2.0" / "private-block60620.tx.json")
    local = bbipc(*arguments, "--json")
    assert local.code == 1
    with cluster(tmp_path, 1, BBIPC_ARITH="portable") as made:  # a worker without IFMA works, and is counted
        for options in ((), ("--shared-files", "--resume", tmp_path / "journal")):
            there = bbipc(*arguments, "--json", "--dask", made.address, *options)
            assert (there.code, sorted(there.out.splitlines())) == (1, sorted(local.out.splitlines())), there.err
        with Client(made.address, set_as_default=False) as client:
            assert check_workers(client) == {"portable": 1}
            items = [file.read_bytes() for file in FILES] * 8
            options = {"registry": registry_of_tests(), "setup": setup}
            got = list(verify_txs(client, items, ordered=True, unit_items=5, **options))
            assert got == list(enumerate(verify_tx(item, **options) for item in items))
            prefixes = client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.task_prefixes))
            assert "verify-transactions" in prefixes  # what the dashboard names and colours
            got = list(verify_txs(client, items, unit_items=5, network="testnet", **options))
            assert sorted(index for index, _ in got) == list(range(len(items)))
        made.scheduler.kill()
        made.scheduler.wait()
        fast = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "1s"}
        lost = bbipc(*arguments, "--dask", made.address, **fast)
        assert (lost.code, lost.err.count("\n")) == (2, 3), lost.err  # two warnings, one error
    again = bbipc(*arguments, "--json-lines", "--resume", tmp_path / "journal")
    *lines, summary = map(json.loads, again.out.splitlines())
    assert sorted(map(json.dumps, lines)) == sorted(local.out.splitlines())
    expected = {"valid": 2, "invalid": 2, "undecided": 1, "unreadable": 2, "total": 7, "interrupted": False}
    assert {name: summary[name] for name in expected} == expected
    other = bbipc(*arguments, "--resume", tmp_path / "journal", "--network", "testnet")
    assert other.code == 2
    assert 'network null there, "testnet" now' in other.err


def test_what_several_transactions_add_up_to() -> None:
    done = bbipc("verify-tx", *TEST, "--quiet", *FILES)
    assert done.code == 1
    assert FILES[0].name not in done.out
    assert done.out.splitlines()[-1].startswith("4 transactions: 2 valid, 1 invalid, 1 undecided (")

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


def test_bad_inputs_of_transactions_are_one_line_each(tmp_path: Path) -> None:
    fast = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "1s"}
    file = FILES[0]
    for address, message in (
        ("nowhere", "'nowhere' is not the address of a Dask cluster; "),
        ("tcp://127.0.0.1:9", "tcp://127.0.0.1:9: "),
        ("tcp://no.such.host.invalid:8786", "tcp://no.such.host.invalid:8786: "),
        ("tls://127.0.0.1:9", "tls://127.0.0.1:9: TLS needs ca-file, client.cert and client.key"),
    ):
        done = bbipc("verify-tx", *TEST, file, "--dask", address, **fast)
        warnings, error = done.err.splitlines()[:-1], done.err.splitlines()[-1]
        assert (done.code, done.out, len(warnings)) == (2, "", 2), done.err
        assert error.startswith(f"bbipc: error: --dask: {message}")
        assert "CancelledError" not in error
    (tmp_path / "distributed.py").write_text("raise ModuleNotFoundError('no distributed', name='distributed')")
    without = bbipc("verify-tx", *TEST, file, "--dask", "tcp://127.0.0.1:9", PYTHONPATH=str(tmp_path))
    assert (without.code, without.out) == (2, "")
    assert without.err.splitlines()[-1] == "bbipc: error: --dask needs Dask's distributed: pip install 'bbipc[dask]'"
    gone = bbipc("verify-tx", *TEST, tmp_path / "gone", "--dask", "local:1x1")
    assert (gone.code, gone.err.count("\n")) == (2, 3), gone.err
    assert gone.err.splitlines()[-1] == f"{tmp_path / 'gone'}: No such file or directory"


POISON_TX = """
import os
import bbipc.archive.txs as txs

def poisoned(item, load=txs._load):
    if isinstance(item, txs.Encoded) and item.data == b"poison":
        os._exit(1)
    return load(item)

if txs._load.__name__ == "_load":  # Dask may load this twice
    txs._load = poisoned
"""


def test_a_transaction_that_ends_workers_is_found_and_another_build_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}").write_bytes(b"poison" if number == 1 else FILES[0].read_bytes())
    preload, other = tmp_path / "poison.py", tmp_path / "other.py"
    preload.write_text(POISON_TX)
    other.write_text("import bbipc\nbbipc.__version__ = '0.0.1'\n")
    arguments = ("verify-tx", *TEST, folder, "--json")
    with cluster(tmp_path, 1, preload=preload, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as made:
        made.wait_for_nannies()
        done = bbipc(*arguments, "--dask", made.address)
        verdicts = {Path(one["file"]).name: one for one in map(json.loads, done.out.splitlines())}
        assert sorted(verdicts) == [f"{number}" for number in range(3)], done
        assert verdicts["1"]["error"].endswith("/1: ended the worker that verified it")
        assert all(one["valid"] for name, one in verdicts.items() if name != "1")
        assert done.code == 2
        made.add_worker(preload=other)
        made.wait_for_nannies()
        refused = bbipc(*arguments[:-1], "--dask", made.address)
        assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 3), refused.err
        assert "another bbipc at tcp://" in refused.err

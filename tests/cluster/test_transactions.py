"""Transactions as units, on a cluster, and with a journal."""

import json
import os
import pickle
import random
import shutil
import subprocess
import sys
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
from cluster.processes import TIMEOUT, cluster, wait_for, wait_until

FILES = [E2E / f"rollup.{name}.tx.bin" for name in ("compressed", "forged-fee-payer", "noproof", "uncompressed")]
ITEMS = 5 * int(os.environ.get("BBIPC_LOAD", "200")) // 2  # 5,000 for 2000
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
    # A transaction is as large as it came.
    long = valid + bytes(512 << 10)
    (large,) = decide(Unit((0,), (Encoded(long.hex().encode()),), TxJudge(registry, setup, None, strict=False), 1))
    assert (large.valid, large) == (False, verify_tx(long, registry=registry, setup=setup))
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


def test_transactions_whose_workers_are_killed_at_any_time_get_their_verdicts(tmp_path: Path, setup: Setup) -> None:
    chosen = random.Random(4)
    samples = {name: e2e(name) for name in ("compressed", "uncompressed", "forged-fee-payer", "noproof")}
    names = chosen.choices(list(samples), (60, 33, 5, 2), k=ITEMS)
    options = {"registry": registry_of_tests(), "setup": setup}
    expected = {name: verify_tx(data, **options) for name, data in samples.items()}
    verdicts: dict[int, TxVerdict] = {}
    with cluster(tmp_path, 3) as made, Client(made.address, set_as_default=False) as client:
        client.wait_for_workers(3)
        items = (samples[name] for name in names)
        for number, (index, verdict) in enumerate(verify_txs(client, items, unit_items=16, **options)):
            assert index not in verdicts
            verdicts[index] = verdict
            if number % (ITEMS // 6) == ITEMS // 12:
                made.kill_a_worker(chosen.randrange(3))
    assert [verdicts[index] for index in range(ITEMS)] == [expected[name] for name in names]


STOPS_TX = """
import pathlib, time
import bbipc.archive.txs as txs

units = 0

def waits(self, items, threads, decide=txs.TxJudge.decide):
    global units
    units += 1
    if units == 2:
        marker = pathlib.Path({marker!r})
        marker.touch()
        while marker.exists():
            time.sleep(0.01)
    return decide(self, items, threads)

if txs.TxJudge.decide.__name__ == "decide":  # Dask may load this twice
    txs.TxJudge.decide = waits
"""


def make_archive(folder: Path, count: int) -> Path:
    """Transactions of which all but the last are valid."""
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:03}.tx").write_bytes(FILES[0 if number < count - 1 else 1].read_bytes())
    return folder


def test_a_scheduler_that_goes_away_and_a_journal_that_goes_on(tmp_path: Path) -> None:
    folder = make_archive(tmp_path / "archive", 130)  # three units
    journal, marker, preload = tmp_path / "journal", tmp_path / "stopped", tmp_path / "stops.py"
    preload.write_text(STOPS_TX.format(marker=str(marker)))
    arguments = ("verify-tx", *TEST, str(folder), "--json-lines", "--resume", str(journal))
    with cluster(tmp_path, 1, preload=preload) as made:
        command = [sys.executable, "-P", "-m", "bbipc", *arguments, "--dask", made.address]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for(marker)
        wait_until(lambda: journal.read_bytes().count(b"\n") > 64)
        made.scheduler.kill()
        out, err = running.communicate(timeout=TIMEOUT)
    assert running.returncode == 2, err.decode()
    *lines, summary = map(json.loads, out.splitlines())
    assert len({one["file"] for one in lines}) == len(lines) == 130
    assert summary["valid"] == 64
    lost = [one for one in lines if one["valid"] is None]
    assert len(lost) == 130 - 64
    assert all("not verified: the scheduler went away" in one["error"] and "--resume" in one["error"] for one in lost)
    again = bbipc(*arguments, "--dask", "local:1x1")
    *lines, summary = map(json.loads, again.out.splitlines())
    assert again.code == 1
    assert sorted((one["file"], one["valid"]) for one in lines) == [
        (str(file), file.name != "129.tx") for file in sorted(folder.iterdir())
    ]
    assert len(journal.read_bytes().splitlines()) == 131


def test_a_folder_that_vanishes_while_workers_read_it(tmp_path: Path) -> None:
    """What was read before is decided, and each file that is gone is named; a worker needs no folder of its own either."""
    folder = make_archive(tmp_path / "archive", 70)  # two units
    marker, preload = tmp_path / "stopped", tmp_path / "stops.py"
    preload.write_text(STOPS_TX.format(marker=str(marker)))
    with cluster(tmp_path, 1, preload=preload) as made:
        command = [sys.executable, "-P", "-m", "bbipc", "verify-tx", *TEST, str(folder), "--shared-files", "--json-lines"]
        running = subprocess.Popen([*command, "--dask", made.address], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for(marker)
        shutil.rmtree(folder)
        shutil.rmtree(tmp_path / "dask-scratch-space")
        marker.unlink()
        out, err = running.communicate(timeout=TIMEOUT)
    assert running.returncode == 2, err.decode()
    assert b"Traceback" not in err
    *lines, summary = map(json.loads, out.splitlines())
    assert (summary["valid"], summary["unreadable"]) == (64, 6)
    errors = {one["error"] for one in lines if one["error"] is not None}
    assert errors == {f"{folder / name}: No such file or directory" for name in (f"{number:03}.tx" for number in range(64, 70))}


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
    assert gone.err.splitlines()[-1] == f"bbipc: error: {tmp_path / 'gone'}: No such file or directory"


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


def test_a_transaction_that_ends_workers_is_found_and_named(tmp_path: Path) -> None:
    folder = make_archive(tmp_path / "archive", 3)
    (folder / "000.tx").write_bytes(b"poison")  # ends three workers: its unit's, its unit's when that runs alone, its own
    preload = tmp_path / "poison.py"
    preload.write_text(POISON_TX)
    with cluster(tmp_path, 1, preload=preload, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as made:
        made.wait_for_nannies()
        done = bbipc("verify-tx", *TEST, folder, "--json", "--dask", made.address)
    verdicts = {Path(one["file"]).name: one for one in map(json.loads, done.out.splitlines())}
    assert {name: one["valid"] for name, one in verdicts.items()} == {"000.tx": None, "001.tx": True, "002.tx": False}, done
    assert verdicts["000.tx"]["error"].endswith("/000.tx: ended the worker that verified it")
    assert done.code == 1  # as anywhere, what is invalid counts more than what is not known

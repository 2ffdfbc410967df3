"""Archives on real Dask clusters: nothing is lost, and each item gets its local verdict."""

import gc
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from dask.utils import key_split
from distributed import Client, LocalCluster
from distributed.utils import color_of

from aztec.transactions import E2E
from bbipc.archive.cut import cut
from bbipc.archive.proofs import ProofJudge
from bbipc.archive.txs import TxJudge
from bbipc.archive.unit import Unit
from bbipc.aztec.registry import aztec
from bbipc.chonk import Setup, Verdict
from bbipc.cluster import ClusterError, Progress, check_workers, connect, run_units, verify_many
from cli.running import SETUP, bbipc
from cluster.processes import cluster, networks, wait_for, wait_until
from samples import CORPUS, FLOW1, FLOWS, copy_parts, flow1_parts, raw_proof

ITEMS = 5 * int(os.environ.get("BBIPC_LOAD", "200")) // 2  # 5,000 for 2000
MANY = ("verify-many", str(FLOW1.folder / "proof.msgpack"), "--setup", SETUP)
TX = ("verify-tx", str(E2E / "rollup.compressed.tx.bin"), "--setup", SETUP, "--registry", str(E2E / "registry-test.json"))
"""A valid proof and a valid transaction, of which the commands say that they trust keys of tests in one line and in two."""
POISON = b"\x00" * 31 + b"\x07"

POISONED = f"""
# Ends the process that decides one marked item, as a defect in native code would.
import os
import bbipc.archive.proofs as proofs

def poisoned(proof, key, load=proofs.load):
    if isinstance(proof, bytes) and proof.endswith({POISON!r}):
        os._exit(1)
    return load(proof, key)

if proofs.load.__name__ == "load":  # Dask may load this twice
    proofs.load = poisoned
"""

OTHER_BUILD = """
import bbipc
bbipc.__version__ = "0.0.1"
"""


def archive(seed: int, count: int) -> tuple[list[tuple[bytes, bytes]], list[bool]]:
    """Proofs of which about 5 % are bad, and which are good."""
    chosen = random.Random(seed)
    parts = copy_parts(flow1_parts())
    parts["merge_proof"][20], parts["merge_proof"][21] = parts["merge_proof"][21], parts["merge_proof"][20]
    bad = (raw_proof(parts).to_fields(), FLOW1.vk)
    good = [(sample.fields, sample.vk) for sample in FLOWS + CORPUS]
    expected = [chosen.random() >= 0.05 for _ in range(count)]
    return [chosen.choice(good) if one else bad for one in expected], expected


def test_workers_that_are_killed_at_any_time_lose_nothing(tmp_path: Path, setup: Setup) -> None:
    pairs, expected = archive(1, ITEMS)
    chosen = random.Random(2)
    verdicts: dict[int, Verdict] = {}
    kills = 0
    with cluster(tmp_path, 3) as made, Client(made.address, set_as_default=False) as client:
        made.wait_for_nannies()
        for number, (index, verdict) in enumerate(verify_many(client, pairs, setup=setup, unit_items=16)):
            assert index not in verdicts
            verdicts[index] = verdict
            if number % (ITEMS // 6) == ITEMS // 12:
                made.kill_a_worker(chosen.randrange(3))
                kills += 1
    assert kills >= 5
    assert [verdicts[index].valid for index in range(ITEMS)] == expected
    assert {verdict.step for verdict in verdicts.values() if not verdict.valid} == {"Merge reduction"}


def test_an_item_that_ends_workers_is_found_and_named_and_all_others_get_their_verdicts(tmp_path: Path, setup: Setup) -> None:
    pairs, expected = archive(3, 40)
    pairs[13] = (FLOW1.fields[:-32] + POISON, FLOW1.vk)
    preload = tmp_path / "poison.py"
    preload.write_text(POISONED)
    progress = Progress()
    with (
        cluster(tmp_path, 2, preload=preload, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as made,
        Client(made.address, set_as_default=False) as client,
    ):
        made.wait_for_nannies()
        got = list(verify_many(client, pairs, setup=setup, unit_items=8, ordered=True, progress=progress))
    assert [index for index, _ in got] == list(range(40))
    verdicts = [verdict for _, verdict in got]
    assert verdicts[13].reason == "ended the worker that verified it"
    assert [verdict.valid for verdict in verdicts] == [one and index != 13 for index, one in enumerate(expected)]
    assert progress.failures >= 4  # of units of 8, 4, 2 and 1


def test_a_scheduler_that_goes_away_ends_the_command_and_resume_goes_on(tmp_path: Path) -> None:
    count = 130  # three units
    folder = tmp_path / "archive"
    pairs, expected = archive(5, count)
    for index, (proof, key) in enumerate(pairs):
        (folder / f"{index:04}").mkdir(parents=True)
        (folder / f"{index:04}" / "proof").write_bytes(proof)
        (folder / f"{index:04}" / "vk").write_bytes(key)
    journal = tmp_path / "journal"
    arguments = ["verify-many", folder, "--setup", SETUP, "--resume", journal, "--json"]
    # A worker that stops at the second unit: the scheduler is ended while work is under way, whatever the machine's speed.
    preload = tmp_path / "stops.py"
    preload.write_text(STOPS.format(marker=str(tmp_path / "stopped"), after=2))
    with cluster(tmp_path, 1, preload=preload) as made:
        command = [sys.executable, "-P", "-m", "bbipc", *map(str, arguments), "--dask", made.address]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for(tmp_path / "stopped")
        wait_until(lambda: journal.read_bytes().count(b"\n") > 64)
        made.scheduler.kill()
        out, err = running.communicate(timeout=120)
    assert running.returncode == 2, err.decode()
    first = json.loads(out)
    assert len(first["proofs"]) == count
    missing = [one for one in first["proofs"] if (one["reason"] or "").startswith("not verified: the scheduler went away")]
    assert len(missing) == count - 64
    assert all("--resume" in one["reason"] for one in missing)
    recorded = len(journal.read_text().splitlines()) - 1
    assert recorded == count - len(missing)
    again = bbipc(*arguments, "--dask", "local:1x1")
    assert again.code == 1
    assert [one["outcome"] == "valid" for one in json.loads(again.out)["proofs"]] == expected
    assert len(journal.read_text().splitlines()) == count + 1


@pytest.mark.parametrize("arguments", [MANY, TX])
def test_who_waits_for_workers_is_told_so_once_and_what_to_do(arguments: tuple[str, ...], tmp_path: Path) -> None:
    with cluster(tmp_path, 0) as made:
        command = [sys.executable, "-P", "-m", "bbipc", *arguments, "--dask", made.address]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert running.stderr is not None
        told = next(line for line in running.stderr if "no workers" in line)
        how = f"start some (dask worker {made.address}), or end this with Ctrl-C"
        assert told == f"bbipc: warning: no workers at {made.address}; waiting: {how}\n"
        made.add_worker()
        out, err = running.communicate(timeout=120)
    assert running.returncode == 0, err
    assert "no workers" not in err
    assert "valid" in out


STOPS = """
import pathlib, time
import bbipc.archive.proofs as proofs

units = 0

def stops(self, items, threads, decide=proofs.ProofJudge.decide):
    global units
    units += 1
    if units == {after}:
        pathlib.Path({marker!r}).touch()
        time.sleep(3600)
    return decide(self, items, threads)

if proofs.ProofJudge.decide.__name__ == "decide":  # Dask may load this twice
    proofs.ProofJudge.decide = stops
"""


def test_a_worker_of_another_build_is_refused_by_name_before_any_work(tmp_path: Path, setup: Setup) -> None:
    preload = tmp_path / "other.py"
    preload.write_text(OTHER_BUILD)
    with cluster(tmp_path, 0) as made:
        made.add_worker("--name", "old")
        with Client(made.address, set_as_default=False) as client:
            client.wait_for_workers(1)
            assert check_workers(client).total() == 1
            made.add_worker(preload=preload)
            client.wait_for_workers(2)
            with pytest.raises(ClusterError, match=r"another bbipc at tcp://\S+: version 0\.0\.1 instead of"):
                verify_many(client, [(FLOW1.fields, FLOW1.vk)], setup=setup)
        for arguments, warnings in ((MANY, 1), (TX, 2)):
            done = bbipc(*arguments, "--dask", made.address)
            assert (done.code, done.out, done.err.count("\n")) == (2, "", warnings + 1), done.err
            assert "another bbipc at tcp://" in done.err.splitlines()[-1]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate authority that signed itself, and a certificate of the cluster."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    for name in ("ca", "stranger"):
        _openssl(folder, f"req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {name}.key -out {name}.pem -subj /CN={name}")
    _openssl(folder, "req -newkey rsa:2048 -nodes -keyout node.key -out node.csr -subj /CN=node")
    _openssl(folder, "x509 -req -in node.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out node.pem")
    return folder


def _openssl(folder: Path, arguments: str) -> None:
    subprocess.run(["openssl", *arguments.split()], cwd=folder, check=True, capture_output=True)


def test_tls_with_certificates_of_an_authority_and_nothing_without(tmp_path: Path, authority: Path) -> None:
    files = {"ca-file": "ca.pem", "cert": "node.pem", "key": "node.key"}
    tls = [word for name, file in files.items() for word in (f"--tls-{name}", str(authority / file))]
    own = {
        "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(authority / "ca.pem"),
        "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT": str(authority / "node.pem"),
        "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY": str(authority / "node.key"),
    }
    with cluster(tmp_path, 1, tls=tls) as made:
        assert made.address.startswith("tls://")
        stranger = own | {"DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(authority / "stranger.pem")}
        for arguments, warnings in ((MANY, 1), (TX, 2)):
            good = bbipc(*arguments, "--dask", made.address, **own)
            assert (good.code, good.err.count("\n")) == (0, warnings), good.err
            without = bbipc(*arguments, "--dask", made.address)
            refused = bbipc(*arguments, "--dask", made.address, **stranger)
            for done, word in ((without, "TLS"), (refused, "certificate")):
                assert (done.code, done.out, done.err.count("\n")) == (2, "", warnings + 1), done.err
                assert done.err.splitlines()[-1].startswith(f"bbipc: error: --dask: {made.address}: ")
                assert word in done.err


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("nowhere", "is not the address of a Dask cluster"),
        ("local:0", "is not the address of a Dask cluster"),
        ("tcp://127.0.0.1:9", "tcp://127.0.0.1:9:"),
        ("tcp://no.such.host.invalid:8786", "tcp://no.such.host.invalid:8786:"),
    ],
)
def test_addresses_where_nobody_answers(address: str, message: str) -> None:
    fast = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "1s"}
    done = bbipc("verify-many", FLOW1.folder / "proof.msgpack", "--setup", SETUP, "--dask", address, **fast)
    assert done.code == 2
    assert message in done.err
    assert len(done.err.splitlines()) <= 4, done.err
    assert "Traceback" not in done.err


def test_options_of_a_cluster_without_one() -> None:
    for option in (("--shared-files",), ("--dask-report", "x.html")):
        done = bbipc("verify-many", FLOW1.folder / "proof.msgpack", *option)
        assert done.code == 2
        assert f"{option[0]} goes with --dask ADDRESS" in done.err
    for value in ("0", "-1", "many"):
        assert bbipc("verify-many", "x", "--threads-per-unit", value).code == 2


def test_the_command_is_the_local_one(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    for sample in CORPUS[:4]:
        shutil.copytree(sample.folder, folder / sample.folder.name)
    (folder / "proof_of_nothing").write_bytes(b"nothing")
    shutil.copy(FLOW1.folder / "vk", folder / "vk")
    arguments = ("verify-many", folder, folder / "gone", "--setup", SETUP, "--json")
    local = bbipc(*arguments)
    report = tmp_path / "report.html"
    reporting = () if find_spec("bokeh") is None else ("--dask-report", report)
    for options in (("local:1x1", *reporting), ("local:1x2", "--shared-files", "--threads-per-unit", "all")):
        there = bbipc(*arguments, "--dask", *options)
        assert there.code == local.code == 2
        theirs, ours = (
            [{name: one[name] for name in ("file", "outcome", "step", "reason")} for one in json.loads(done.out)["proofs"]]
            for done in (there, local)
        )
        assert theirs == ours
    if reporting:
        page = report.read_text()
        assert "verify-proofs" in page
        assert "Dask Performance Report" in page


def test_ctrl_c_prints_what_is_known(tmp_path: Path) -> None:
    preload = tmp_path / "stops.py"
    preload.write_text(STOPS.format(marker=str(tmp_path / "stopped"), after=1))
    with cluster(tmp_path, 1, preload=preload) as made:
        command = ["verify-many", str(FLOW1.folder / "proof.msgpack"), "--setup", SETUP, "--dask", made.address]
        running = subprocess.Popen(
            [sys.executable, "-P", "-m", "bbipc", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        wait_for(tmp_path / "stopped")
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert out.startswith("0 of 1 proofs")
    assert "interrupted" in err
    assert "Traceback" not in err


def test_names_and_colours_in_the_dashboard() -> None:
    names = ["verify-proofs", "verify-transactions"]
    assert [ProofJudge(Setup.AZTEC, False).name, TxJudge(aztec(), Setup.AZTEC, None, False).name] == names
    for name in names:
        for run in ("abcdefab", "12345678", "1bcdefab"):
            assert key_split(f"{name}-{run}-17") == name
    assert color_of(names[0]) != color_of(names[1])


def test_a_report_that_cannot_be_written(tmp_path: Path) -> None:
    pytest.importorskip("bokeh")
    done = bbipc("verify-many", "x", "--dask", "local:1", "--dask-report", tmp_path / "gone" / "report.html")
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert "No such file or directory" in done.err


def test_machines_with_addresses_of_their_own(tmp_path: Path) -> None:
    """A scheduler, workers and a client in network namespaces, joined by a bridge."""
    with networks(4) as names:
        if not names:
            pytest.skip("network namespaces cannot be made here")
        inside = ["ip", "netns", "exec", names[3], sys.executable, "-P", "-m", "bbipc"]
        with cluster(tmp_path, 2, namespaces=names) as made:
            assert made.address.startswith("tcp://10.91.0.1:")
            for arguments in (MANY, TX):
                done = subprocess.run(
                    [*inside, *arguments, "--dask", made.address], capture_output=True, text=True, check=False
                )
                assert done.returncode == 0, done.stderr
        away = made.address.replace("10.91.0.1", "10.99.0.1")
        for arguments, warnings in ((MANY, 1), (TX, 2)):
            lost = subprocess.run([*inside, *arguments, "--dask", away], capture_output=True, text=True, check=False)
            assert (lost.returncode, lost.stdout) == (2, "")
            assert lost.stderr.splitlines()[warnings:] == [f"bbipc: error: --dask: {away}: [Errno 101] Network is unreachable"]


def test_local_workers_read_files_themselves_but_not_what_only_the_client_can_read(tmp_path: Path) -> None:
    sample = CORPUS[0]
    proof = sample.folder / "proof_fields.bin"
    options = ["--vk", str(sample.folder / "vk"), "--setup", SETUP, "--json", "--dask", "local:1x1"]
    # A pipe of the shell and a descriptor have names that mean something else in a worker, and ./gone keeps its name.
    script = '"$0" -P -m bbipc verify-many "$1" <(cat "$1") /dev/fd/7 ./gone "${@:2}" 7<"$1"'
    done = subprocess.run(
        ["bash", "-c", script, sys.executable, str(proof), *options], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 2, done.stderr
    proofs = json.loads(done.stdout)["proofs"]
    assert [one["outcome"] for one in proofs] == ["valid", "valid", "valid", "error"]
    assert proofs[3]["reason"] == "./gone: No such file or directory"


def test_local_clusters_run_beside_each_other_and_listen_to_this_machine_only() -> None:
    with connect("local:1x1") as one, connect("local:1x1") as other:  # a warning would be an error here
        for client in (one, other):
            servers = client.cluster.scheduler.http_server._sockets.values()
            assert {socket.getsockname()[0] for socket in servers} == {"127.0.0.1"}


def test_no_unit_is_kept_after_it_is_done(setup: Setup) -> None:
    pairs = [(FLOW1.fields, FLOW1.vk)] * 12
    with connect("local:1x1") as client:  # its scheduler is in this process
        assert all(verdict for _, verdict in verify_many(client, pairs, setup=setup, unit_items=1))
        # The scheduler hears of the end of the last unit a moment later.
        wait_until(lambda: gc.collect() >= 0 and not [one for one in gc.get_objects() if isinstance(one, Unit)])


@dataclass(frozen=True, slots=True)
class Picky:
    """A judge of numbers that fails with a whole unit if one of them is a multiple of 7."""

    name = "picky"

    def nbytes(self, item: int) -> int:
        return 1 << 20

    def decide(self, items: Sequence[int], threads: int) -> list[str]:
        if not all(item % 7 for item in items):
            raise MemoryError("no room")
        return [f"{item} is fine" for item in items]

    def failed(self, reason: str) -> str:
        return reason


@pytest.mark.parametrize("ordered", [False, True])
def test_units_that_share_messages_are_each_decided_once(ordered: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    together: list[int] = []

    def counted(self: Client, function: Any, units: list[Any], *, submit: Any = Client.map, **options: Any) -> Any:
        together.append(len(units))
        return submit(self, function, units, **options)

    monkeypatch.setattr(Client, "map", counted)
    elsewhere = {"scheduler_kwargs": {"dashboard_address": "127.0.0.1:0"}}  # another cluster may have Dask's port
    with (
        LocalCluster(n_workers=2, threads_per_worker=4, processes=False, dashboard_address=None, **elsewhere) as workers,
        Client(workers, set_as_default=False) as client,
    ):
        done = list(run_units(client, cut(range(200), Picky(), unit_items=4), ordered=ordered))
    got = [pair for one in done for pair in zip(one.unit.indices, one.results, strict=True)]
    failed = "the worker that verified it failed: MemoryError: no room"
    assert (got if ordered else sorted(got)) == [(n, f"{n} is fine" if n % 7 else failed) for n in range(200)]
    assert max(together) == 2  # 4 MiB each; a message takes 8


def test_the_fork_server_has_one_thread_and_it_and_workers_ignore_ctrl_c() -> None:
    """Only a process of one thread is safe to fork, and a terminal sends Ctrl-C to every process of a command."""
    with connect("local:1x1") as client:
        ((worker, server, collects, frozen),) = client.run(
            lambda: (os.getpid(), os.getppid(), gc.isenabled(), gc.get_freeze_count())
        ).values()
        assert collects
        assert frozen > 100_000  # what was imported before the fork
        status = Path(f"/proc/{server}/status").read_text()
        assert "\nThreads:\t1\n" in status
        for process in (worker, server):
            ignored = int(re.search(r"\nSigIgn:\t(\w+)\n", Path(f"/proc/{process}/status").read_text())[1], 16)  # type: ignore[index]
            assert ignored >> (signal.SIGINT - 1) & 1
            assert "multiprocessing.forkserver" in Path(f"/proc/{process}/cmdline").read_text()
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())

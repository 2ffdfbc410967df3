"""@aztec/bb.js 5.0.0 from npm, unchanged: however it ends a server, or ends itself, no process is left."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgpack
import pytest

from bbipc.chonk import Setup
from samples import FLOW1, word
from server.live import SETUP, TIMEOUT

PROGRAM = Path(__file__).with_name("bbjs_ends.mjs")
ABC = hashlib.blake2s(b"abc").hexdigest()
KINDS = 3  # synchronous and asynchronous shared memory, socket
GRUMPKIN = word(1) + bytes.fromhex("0000000000000002cf135e7506a45d632d270d45f1181294833fc48d823f272c")


def script(path: Path, start: str) -> Path:
    path.write_text(f'#!/bin/sh\n{start} "{sys.executable}" -P -m bbipc "$@" --setup "{SETUP}" 2>/dev/null\n')
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def seen(bbjs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("ends")
    crs = folder / "crs"
    crs.mkdir()
    (crs / "bn254_g1.dat").write_bytes(word(1) + word(2))
    (crs / "bn254_g2.dat").write_bytes(Setup.AZTEC.g2_x)
    (crs / "grumpkin_g1_v2.flat.dat").write_bytes(GRUMPKIN * 2**16)
    (folder / "vk").write_bytes(FLOW1.vk)
    (folder / "fields").write_bytes(FLOW1.fields)
    os.mkfifo(folder / "results")
    server, wrapper = script(folder / "bb", "exec"), script(folder / "bb-wrapper", "")
    command = ["node", str(PROGRAM), str(bbjs), str(server), str(wrapper), str(folder)]
    result = subprocess.run(command, capture_output=True, check=False, timeout=5 * TIMEOUT)
    # bb.js's thread for shared memory may outlive node's end and crash it. All was seen by then.
    assert result.returncode in (0, -signal.SIGSEGV), result.stderr.decode()
    answers: dict[str, Any] = json.loads(result.stdout.decode().splitlines()[-1])
    return answers


def test_the_synchronous_client(seen: dict[str, Any]) -> None:
    assert seen["named"] == seen["afterError"] == ABC
    assert seen["chosen"] == ["BarretenbergNativeShmSyncBackend", ABC]
    assert seen["permutation"].startswith("18dfb8dc9b82229cff974efefc8df78b")
    assert seen["error"] == "Input point must be on the curve"
    assert seen["inStep"] == [hashlib.blake2s(f"request {index}".encode()).hexdigest() for index in range(500)]
    assert seen["running"] == 2


def test_the_batch_verifier_of_a_node(seen: dict[str, Any]) -> None:
    data, results = bytes.fromhex(seen["results"]), {}
    while data:
        end = 4 + int.from_bytes(data[:4], "big")
        result = msgpack.unpackb(data[4:end])
        results[result["request_id"]] = result["status"] == 0
        data = data[end:]
    assert results == {1: True, 2: False, 3: True}


@pytest.mark.parametrize("way", ["async", "socket"])
def test_sixteen_at_once(seen: dict[str, Any], way: str) -> None:
    outcomes = seen[f"burst {way}"]
    assert len(outcomes) == 16
    # Only the patience of bb.js itself, of five seconds, may end before a loaded machine has started all of them.
    assert {outcome for outcome in outcomes if outcome != ABC and "imeout" not in outcome and "after" not in outcome} == set()
    assert ABC in outcomes


def test_wrapper_and_threads(seen: dict[str, Any]) -> None:
    assert seen["wrapped"] == [ABC] * KINDS
    assert seen["threads"] == [[ABC] * 2] * 2


def test_no_process_is_left(seen: dict[str, Any]) -> None:
    names = ["destroyed", "service", "burst async", "wrapped", "threads", "burst socket"]
    assert seen["left"] == dict.fromkeys(names, 0)


@pytest.mark.parametrize("start", ["exec", ""], ids=["exec", "wrapper"])
@pytest.mark.parametrize("kind", ["sync", "async", "socket"])
def test_killed_while_the_server_starts(bbjs: Path, tmp_path: Path, kind: str, start: str) -> None:
    server = script(tmp_path / "bb", start)
    process = subprocess.Popen(["node", str(PROGRAM), str(bbjs), str(server), "-", "-", kind], stderr=subprocess.DEVNULL)
    assert process.wait(TIMEOUT) == -9
    ours = re.compile(rb"bb-(a?sync-)?%d-" % process.pid)
    end = time.monotonic() + TIMEOUT
    while running(ours):
        assert time.monotonic() < end, "a server is left"
        time.sleep(0.05)
    left = [path for folder in (Path("/dev/shm"), Path("/tmp")) for path in folder.glob(f"bb-*{process.pid}-*")]
    assert left == []


def running(marker: re.Pattern[bytes]) -> bool:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if marker.search((entry / "cmdline").read_bytes()):
                    return True
            except OSError:
                continue
    return False

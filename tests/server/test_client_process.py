"""A server whose path bb.js has chosen ends with the process whose number is in it."""

import subprocess
import sys
from pathlib import Path

import pytest

from bbipc.shm import files
from samples import FLOW1
from server import recorded_proofs as requests
from server.live import BLAKE2S, SETUP, TIMEOUT, SocketPeer, frame, wait_until_connectable


@pytest.mark.parametrize("dies_before", [True, False])
def test_it_ends_with_the_client(tmp_path: Path, dies_before: bool) -> None:
    client = subprocess.Popen(["sleep", "1000"])
    if dies_before:
        client.kill()
        client.wait()
    path = str(tmp_path / f"bb-{client.pid}-0-0.sock")
    command = [sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--setup", SETUP, "--input", path]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if not dies_before:
            wait_until_connectable(path, server)
            peer = SocketPeer(path)
            peer.is_served()
            peer.close()
            client.kill()
            client.wait()
        assert server.wait(TIMEOUT) == 0
        assert not Path(path).exists()
    finally:
        client.kill()
        server.kill()
        server.wait()


CLIENT = """
import os, sys, time
from pathlib import Path
from bbipc.shm import files

name = f"bb-sync-{os.getpid()}-0-0"
state, hashing, proof = sys.argv[1], bytes.fromhex(sys.argv[2]), Path(sys.argv[3]).read_bytes()
while (rings := files.opened(name)) is None:
    time.sleep(0.01)
rings.requests.put(hashing)
rings.responses.wait_for_data(100_000)
assert rings.responses.take()
if state == "mid-write":
    file = os.open(files.request_path(name), os.O_RDWR)
    os.pwrite(file, proof[:1000], 256 + len(hashing))
if state in ("answers pending", "ring full"):
    rings.requests.put(proof * 4)
if state == "ring full":
    full = 0
    while full < 20:  # nothing is taken for a while: no room anywhere
        full = 0 if rings.requests.put(hashing * 100) else full + 1
        rings.requests.wait_for_room(len(hashing) - 4, 20)
print("ready", flush=True)
rings.responses.interrupt(on=False)
while state == "waiting":
    rings.responses.wait_for_data(100_000)
time.sleep(1000)
"""


@pytest.mark.parametrize("state", ["waiting", "mid-write", "answers pending", "ring full"])
def test_a_client_of_shared_memory_is_killed(tmp_path: Path, state: str) -> None:
    proof = tmp_path / "proof"
    proof.write_bytes(frame(requests.verify(requests.parts(), FLOW1.vk)))
    arguments = [sys.executable, "-c", CLIENT, state, frame(BLAKE2S).hex(), str(proof)]
    client = subprocess.Popen(arguments, stdout=subprocess.PIPE)
    name = f"bb-sync-{client.pid}-0-0"
    options = ["--input", f"{name}.shm", "--response-ring-size", "4096", "--grace-period", "100000"]
    command = [sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--setup", SETUP, *options]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert client.stdout is not None
        assert client.stdout.readline() == b"ready\n"
        client.kill()
        client.wait()
        assert server.wait(TIMEOUT) == 0
        assert not files.request_path(name).exists()
        assert not files.response_path(name).exists()
    finally:
        client.kill()
        client.communicate()
        server.kill()
        server.wait()

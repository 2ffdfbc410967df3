"""The first instants of a server: it can be connected to, and told to end, before Trio is imported."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgpack
import pytest

from bbipc.wire.frame import encode_frame

GATED_TRIO = """
import importlib, os, sys
with open(os.environ["GATE"]) as gate:  # until the test opens the other end
    gate.read()
sys.path.remove(os.path.dirname(__file__))
del sys.modules["trio"]
importlib.import_module("trio")
"""
REQUEST = encode_frame(msgpack.packb([["Blake2s", {"data": b"abc"}]]))


class Gated:
    """A server whose import of Trio waits until open_gate()."""

    def __init__(self, folder: Path) -> None:
        (folder / "trio.py").write_text(GATED_TRIO)
        self.gate, self.path = folder / "gate", folder / "early.sock"
        os.mkfifo(self.gate)
        environment = {**os.environ, "PYTHONPATH": str(folder), "GATE": str(self.gate)}
        command = [sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--input", str(self.path)]
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
        while not self.path.exists():
            assert self.process.poll() is None
            time.sleep(0.005)

    def open_gate(self) -> None:
        self.gate.write_text("")


@pytest.fixture
def gated(tmp_path: Path) -> Iterator[Gated]:
    server = Gated(tmp_path)
    yield server
    server.process.kill()
    server.process.wait()


def test_a_request_may_be_sent_before_trio_is_imported(gated: Gated) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(gated.path))
        client.sendall(REQUEST)
        gated.open_gate()
        assert b"Blake2sResponse" in client.recv(1000)
    assert (gated.path.stat().st_mode & 0o777) == 0o600


def test_a_signal_before_trio_is_imported_is_obeyed_when_it_is(gated: Gated) -> None:
    gated.process.send_signal(signal.SIGTERM)
    gated.open_gate()
    assert gated.process.wait(60) == 0
    assert not gated.path.exists()


def test_a_second_signal_does_not_wait_for_that(gated: Gated) -> None:
    status = Path(f"/proc/{gated.process.pid}/status")
    gated.process.send_signal(signal.SIGTERM)
    # Two signals that wait at the same time are one: the first must have been taken before the second is sent.
    while int(next(line for line in status.read_text().splitlines() if line.startswith("ShdPnd")).split()[1], 16):
        time.sleep(0.005)
    gated.process.send_signal(signal.SIGINT)
    assert gated.process.wait(60) == 0
    assert not gated.path.exists()


def test_a_file_that_is_not_a_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.sock"
    path.write_text("mine")
    command = [sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--input", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 1
    assert "is not a socket" in done.stderr
    assert path.read_text() == "mine"


def test_wrong_options_leave_no_socket(tmp_path: Path) -> None:
    path = tmp_path / "early.sock"
    command = [sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--input", str(path), "--setup", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 2
    assert not path.exists()

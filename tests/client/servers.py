"""Real servers for the client: bbipc, bb if there is one, and small programs that misbehave."""

import os
import sys
from pathlib import Path

import pytest

from samples import DATA

BBIPC = [sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--setup", str(DATA / "test_setup.json"), "--threads", "2"]

BB = os.environ.get("BBIPC_TEST_BB")
"""A bb that accepts proofs under the test setup; BBIPC_TEST_BB_CRS names the directory of its CRS."""

needs_bb = pytest.mark.skipif(BB is None, reason="BBIPC_TEST_BB names no bb")


def bb_command() -> list[str]:
    assert BB is not None
    crs = os.environ.get("BBIPC_TEST_BB_CRS") or os.environ.get("CRS_PATH", "")
    return ["env", "HARDWARE_CONCURRENCY=1", f"CRS_PATH={crs}", BB, "msgpack", "run"]


def program(tmp_path: Path, body: str) -> list[str]:
    """The command of a server whose `main` reads requests with `receive()` and answers with `send(payload)`."""
    file = tmp_path / "server.py"
    file.write_text(
        "import os, struct, sys\n"
        "source, sink = sys.stdin.buffer, sys.stdout.buffer\n"
        "def receive():\n"
        "    head = source.read(4)\n"
        "    return source.read(struct.unpack('<I', head)[0]) if head else sys.exit(0)\n"
        "def write(data):\n"
        "    sink.write(data)\n"
        "    sink.flush()\n"
        "def send(payload):\n"
        "    write(struct.pack('<I', len(payload)) + payload)\n"
        "DIGEST = bytes.fromhex('92af426c616b653273526573706f6e736581a468617368c420') + bytes(32)\n" + body
    )
    return [sys.executable, str(file)]

"""A server whose path bb.js has chosen ends with the process whose number is in it."""

import subprocess
import sys
from pathlib import Path

import pytest

from server.live import SETUP, TIMEOUT, SocketPeer, wait_until_connectable


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

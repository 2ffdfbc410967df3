"""Sockets handed over by systemd."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bbipc.client import blocking
from client.servers import BBIPC

LAUNCHER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=sys.argv[2])
os.execv(sys.argv[3], sys.argv[3:])
"""
PATIENCE = 300.0


def activate(handed_over: int, count: str, path: Path, *options: str) -> "subprocess.Popen[str]":
    words = [sys.executable, "-c", LAUNCHER, str(handed_over), count, *BBIPC, "--input", str(path), *options]
    return subprocess.Popen(words, pass_fds=[handed_over], stderr=subprocess.PIPE, text=True)


def test_a_client_that_came_before_the_server(tmp_path: Path) -> None:
    path = tmp_path / "x.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        identity = os.lstat(path).st_ino
        with activate(listener.fileno(), "1", path) as server:
            with blocking.open_client(socket=path, timeout=PATIENCE) as client:
                assert client.supports_tagged
                assert client.call("Shutdown") == {}
            assert server.wait(PATIENCE) == 0
        assert os.lstat(path).st_ino == identity, "the file belongs to systemd"
        with activate(listener.fileno(), "1", path) as server, blocking.open_client(socket=path, timeout=PATIENCE) as client:
            assert client.call("Blake2s", data=b"")["hash"]
            server.terminate()
            assert server.wait(PATIENCE) == 0


def test_a_mode_for_a_socket_that_systemd_made(tmp_path: Path) -> None:
    path = tmp_path / "x.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        before = os.lstat(path).st_mode
        with activate(listener.fileno(), "1", path, "--socket-mode", "600") as server:
            with blocking.open_client(socket=path, timeout=PATIENCE) as client:
                assert client.call("Shutdown") == {}
            _, errors = server.communicate(timeout=PATIENCE)
        assert os.lstat(path).st_mode == before
        assert "--socket-mode is of no use here: systemd has made the socket; set SocketMode= in its unit" in errors


@pytest.mark.parametrize(("count", "message"), [("2", "handed over 2 sockets"), ("1", "does not listen")])
def test_what_is_not_one_listening_socket(tmp_path: Path, count: str, message: str) -> None:
    with socket.socket(socket.AF_UNIX) as silent, activate(silent.fileno(), count, tmp_path / "x.sock") as server:
        _, errors = server.communicate(timeout=PATIENCE)
        assert server.returncode == 1
        assert message in errors


def test_variables_for_another_process_are_ignored(tmp_path: Path) -> None:
    environment = os.environ | {"LISTEN_PID": "1", "LISTEN_FDS": "1"}
    words = [*BBIPC, "--input", str(tmp_path / "x.txt")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert "cannot read --input" in done.stderr

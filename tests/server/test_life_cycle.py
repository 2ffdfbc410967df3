"""How a server starts and ends."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import pytest

from samples import FLOW1
from server import recorded_proofs as requests
from server.live import (
    BLAKE2S,
    BLAKE2S_RESPONSE,
    SETUP,
    SHUTDOWN,
    SHUTDOWN_RESPONSE,
    TIMEOUT,
    VALID,
    Peer,
    Server,
    SocketPeer,
    frame,
    is_error,
    plain,
    serving,
    tagged,
    watched,
)
from server.recorded_proofs import VERIFY_FLOW1

Start = Callable[..., Any]


def ends(peer: Peer) -> bool:
    return peer.receive() is None


# ---- The end of the input --------------------------------------------------------------------------------------------


def test_end_between_frames_answers_what_is_in_flight(start: Start) -> None:
    with start() as server:
        peer = server.connect()
        peer.request(VERIFY_FLOW1, BLAKE2S)
        peer.end_input()
        assert peer.receive() == VALID
        assert peer.receive() == BLAKE2S_RESPONSE
        assert ends(peer)
        if server.path is None:
            assert server.wait() == 0


def test_end_at_once(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.connect().end_input()
        assert ends(server.connect())
        assert server.wait() == 0


@pytest.mark.parametrize("cut", [2, 4, 10])
def test_end_inside_a_frame(start: Start, cut: int) -> None:
    with start() as server:
        peer = server.connect()
        peer.send(frame(VERIFY_FLOW1) + frame(BLAKE2S)[:cut])
        peer.end_input()
        assert peer.receive() == VALID
        assert ends(peer)
        if server.path is None:
            assert server.wait() == 1
            assert f"input ended inside {'the length of ' * (cut < 4)}a frame: {cut} bytes of" in server.log()
        else:
            server.connect().is_served()


# bb waits for the rest of such a frame, and with 4 GiB not even SIGTERM ends it.
@pytest.mark.parametrize("length", ["ffffffff", "ffffff7f", "00000080", "00000010", "00000015"])
def test_a_length_over_the_limit(start: Start, length: str) -> None:
    with start("--max-frame-bytes", str(1 << 26)) as server:
        peer, other = server.connect(), server.connect()
        peer.send(frame(VERIFY_FLOW1) + bytes.fromhex(length) + BLAKE2S)
        assert peer.receive() == VALID
        response = peer.receive()
        assert is_error(response)
        message = msgpack.unpackb(response)[1]["message"]
        assert message.startswith(f"frame of {int.from_bytes(bytes.fromhex(length), 'little')} bytes announced")
        assert ends(peer)
        if server.path is None:
            assert server.wait() == 1
        else:
            other.is_served()


def test_the_longest_frame_is_accepted(start: Start) -> None:
    with start("--max-frame-bytes", "1000") as server:
        peer = server.connect()
        request = plain("Blake2s", data=bytes(1000 - len(plain("Blake2s", data=bytes(300))) + 300))
        assert len(request) == 1000
        assert peer.call(request)[0] == "Blake2sResponse"
        peer.is_served()


# ---- Shutdown --------------------------------------------------------------------------------------------------------


def test_shutdown_comes_last(start: Start) -> None:
    with start() as server:
        peer = server.connect()
        peer.request(VERIFY_FLOW1, tagged(9, "Blake2s", data=b"abc"), VERIFY_FLOW1, SHUTDOWN, BLAKE2S)
        responses = []
        while (response := peer.receive()) is not None:
            responses.append(response)
        assert responses[-1] == SHUTDOWN_RESPONSE
        assert sorted(responses[:-1]) == sorted([VALID, b"\x92\x09" + BLAKE2S_RESPONSE, VALID])
        assert server.wait() == 0
        assert server.path is None or not Path(server.path).exists()


def test_a_tagged_shutdown(start: Start) -> None:
    with start() as server:
        peer = server.connect()
        assert peer.call(tagged(3, "Shutdown")) == [3, ["ShutdownResponse", {}]]
        assert ends(peer)
        assert server.wait() == 0


def test_shutdown_answers_the_other_clients_first(tmp_path: Path) -> None:
    with serving(tmp_path, on_socket=True) as server:
        first, second = server.connect(), server.connect()
        first.request(*[VERIFY_FLOW1] * 3)
        assert first.receive() == VALID
        second.request(SHUTDOWN)
        assert second.receive() == SHUTDOWN_RESPONSE
        assert [first.receive() for _ in range(2)] == [VALID] * 2
        assert ends(first)
        assert ends(second)
        assert server.wait() == 0


# ---- Signals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_server_after_its_work(start: Start, number: signal.Signals) -> None:
    with start() as server:
        peer = server.connect()
        peer.is_served()
        peer.request(*[VERIFY_FLOW1] * 4)
        assert peer.receive() == VALID  # so the others have arrived too: 4 of them fit into one read
        server.process.send_signal(number)
        received = 1
        while (response := peer.receive()) is not None:
            assert response == VALID
            received += 1
        assert received >= 1
        assert server.wait() == 0
        assert server.path is None or not Path(server.path).exists()


def test_a_second_signal_ends_it_at_once(start: Start) -> None:
    with start("--grace-period", "1000", "--log-level", "info") as server:
        peer = server.connect()
        blocked = peer.send_in_background(frame(plain("ChonkDecompressProof", compressed_proof=FLOW1.compressed)) * 200)
        peer.exactly(4)  # it works, and we do not read the rest
        server.process.send_signal(signal.SIGTERM)
        wait_for_log(server, "answering what is in flight")
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGTERM)
        assert server.wait() == 0
        assert server.path is None or not Path(server.path).exists()
        blocked.join()


def test_the_grace_period_ends(start: Start) -> None:
    with start("--grace-period", "0.01") as server:
        peer = server.connect()
        blocked = peer.send_in_background(frame(plain("ChonkDecompressProof", compressed_proof=FLOW1.compressed)) * 200)
        peer.exactly(4)
        server.process.send_signal(signal.SIGTERM)
        assert server.wait() == 0
        assert "the grace period of 0.01 s is over" in server.log()
        blocked.join()


def wait_for_log(server: Server, text: str) -> None:
    while text not in server.log():
        assert server.process.poll() is None, server.log()
        os.sched_yield()


def test_the_death_of_the_parent_ends_the_server(tmp_path: Path) -> None:
    """Also when somebody else still holds the pipe: here it is this test."""
    script = (
        "import subprocess, sys\n"
        "process = subprocess.Popen(sys.argv[1:], stdin=0, stdout=1, stderr=2)\n"
        "print(process.pid, file=sys.stderr, flush=True)\n"
        "process.wait()\n"
    )
    command = [sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--setup", SETUP]
    parent = subprocess.Popen(
        [sys.executable, "-c", script, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    assert parent.stderr is not None
    try:
        peer = Peer(parent.stdout.fileno(), parent.stdin.fileno())
        peer.is_served()
        parent.kill()
        parent.wait()
        assert ends(peer)
    finally:
        for stream in (parent.stdin, parent.stdout, parent.stderr):
            stream.close()


def test_the_death_of_the_thread_that_started_it_does_not(tmp_path: Path) -> None:
    """Linux sends the parent's death signal when the thread ends; the server must look twice."""
    started: list[Any] = []
    context = serving(tmp_path)
    thread = threading.Thread(target=lambda: started.append(context.__enter__()))
    thread.start()
    thread.join()
    try:
        peer = started[0].connect()
        for _ in range(3):
            peer.is_served()
    finally:
        context.__exit__(None, None, None)


PARENT_WITH_A_SERVER = """
import os, socket, subprocess, sys
process = subprocess.Popen(sys.argv[4:], stdin=subprocess.DEVNULL)
while not os.path.exists(sys.argv[1]):
    os.sched_yield()
if sys.argv[2] == "connects":
    client = socket.socket(socket.AF_UNIX)
    client.connect(sys.argv[1])
    client.sendall(bytes.fromhex(sys.argv[3]))
    client.recv(1)
print(process.pid, flush=True)
process.wait()
"""


@pytest.mark.parametrize("parent_does", ["connects", "waits"])
def test_at_a_socket_the_death_of_a_parent_that_is_a_client_ends_the_server(tmp_path: Path, parent_does: str) -> None:
    """So bb.js leaves no server behind. One that a script started goes on without the script."""
    path = tmp_path / "server.sock"
    script = [sys.executable, "-c", PARENT_WITH_A_SERVER, str(path), parent_does, frame(BLAKE2S).hex()]
    command = [sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--input", str(path)]
    parent = subprocess.Popen([*script, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with parent, watched(parent):
        assert parent.stdout is not None
        assert parent.stderr is not None
        number = int(parent.stdout.readline())
        watchdog = threading.Timer(TIMEOUT, os.kill, (number, signal.SIGKILL))
        watchdog.start()
        other = SocketPeer(str(path))
        other.is_served()
        parent.kill()
        parent.wait()
        if parent_does == "connects":
            assert ends(other)
        else:
            for _ in range(3):
                other.is_served()
            other.request(plain("Shutdown"))
            assert other.receive() is not None
        other.close()
        # The server has inherited our pipe: its end is the end of the pipe.
        log = parent.stderr.read().decode()
        watchdog.cancel()
    assert ("the parent process ended" in log) == (parent_does == "connects")
    assert "Traceback" not in log


# ---- The socket ------------------------------------------------------------------------------------------------------


def test_the_socket_is_private_and_removed(tmp_path: Path) -> None:
    with serving(tmp_path, on_socket=True) as server:
        assert server.path is not None
        status = Path(server.path).stat()
        assert stat.S_ISSOCK(status.st_mode)
        assert stat.S_IMODE(status.st_mode) == 0o600
        server.process.send_signal(signal.SIGTERM)
        assert server.wait() == 0
        assert sorted(path.name for path in tmp_path.iterdir()) == ["errors.txt"]


@pytest.mark.parametrize(("text", "mode"), [("660", 0o660), ("0666", 0o666), ("0o700", 0o700), ("0", 0)])
def test_the_mode_of_the_socket(tmp_path: Path, text: str, mode: int) -> None:
    """Whatever the mask is with which the server was started; and files that it makes later keep to the mask."""
    old = os.umask(0o077)
    try:
        with serving(tmp_path, "--socket-mode", text, on_socket=True, ready=False) as server:
            assert server.path is not None
            while not Path(server.path).exists():  # at its first moment it has its mode
                assert server.process.poll() is None
            assert stat.S_IMODE(Path(server.path).stat().st_mode) == mode
            status = Path(f"/proc/{server.process.pid}/status").read_text()
            assert "Umask:\t0077\n" in status
    finally:
        os.umask(old)


@pytest.mark.parametrize("text", ["", "888", "7777", "-1", "rw", "0x1ff", "660 ", "\u0666"])
def test_what_is_not_a_mode(tmp_path: Path, text: str) -> None:
    with serving(tmp_path, f"--socket-mode={text}", on_socket=True, ready=False) as server:
        assert server.wait() == 2
        assert "expected permissions as an octal number from 0 to 777, for example 660" in server.log()


@pytest.mark.parametrize("given", [[], ["--input", "-"], ["--input", "bb-1-1-1.shm"]])
def test_a_mode_without_a_socket(tmp_path: Path, given: list[str]) -> None:
    with serving(tmp_path, "--socket-mode", "660", *given) as server:
        assert server.wait() == 2
        assert "--socket-mode is for a server at a socket: give --input X.sock" in server.log()


def test_what_is_stale_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "server.sock"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
    before = path.stat().st_ino
    with serving(tmp_path, "--input", str(path)) as server:
        while path.stat().st_ino == before:
            assert server.process.poll() is None
        peer = SocketPeer(str(path))
        peer.is_served()
        peer.close()


def test_what_is_not_a_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "server.sock"
    path.write_text("precious")
    process = subprocess.run(run("--input", str(path)), capture_output=True, check=False)
    assert process.returncode == 1
    assert b"exists and is not a socket" in process.stderr
    assert path.read_text() == "precious"


def test_a_live_server_is_not_replaced(tmp_path: Path) -> None:
    with serving(tmp_path, on_socket=True) as server:
        assert server.path is not None
        second = subprocess.run(run("--input", server.path), capture_output=True, check=False)
        assert second.returncode == 1
        assert b"another server is listening at" in second.stderr
        server.connect().is_served()


def test_a_socket_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    with serving(tmp_path, on_socket=True) as server:
        assert server.path is not None
        Path(server.path).unlink()
        Path(server.path).write_text("somebody else's")
        server.process.send_signal(signal.SIGTERM)
        assert server.wait() == 0
        assert Path(server.path).read_text() == "somebody else's"


def run(*options: str) -> list[str]:
    return [sys.executable, "-P", "-m", "bbipc", "msgpack", "run", *options]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("{}/missing/x.sock", "cannot listen at"),
        ("{}/" + "l" * 120 + ".sock", "the path of the socket is longer than 107 bytes"),
        ("{}/x.shm", "names no shared memory"),
        ("{}/missing", "cannot read --input"),
        ("{}", "cannot read --input"),
    ],
)
def test_inputs_that_cannot_be_used(tmp_path: Path, path: str, message: str) -> None:
    result = subprocess.run(run("--input", path.format(tmp_path)), capture_output=True, check=False, stdin=subprocess.DEVNULL)
    assert result.returncode == 1
    assert message in result.stderr.decode()
    assert result.stdout == b""


@pytest.mark.parametrize("clients", [1, 2])
def test_more_clients_than_max_clients_are_served_as_by_bb(tmp_path: Path, clients: int) -> None:
    with serving(tmp_path, "--max-clients", str(clients), on_socket=True) as server:
        peers = [server.connect() for _ in range(clients + 1)]
        for _ in range(2):
            for peer in reversed(peers):
                peer.is_served()
        peers.pop(0).close()
        for peer in peers:
            peer.is_served()


# ---- Files and standard output ---------------------------------------------------------------------------------------


def test_a_file_is_replayed(tmp_path: Path) -> None:
    path = tmp_path / "requests.bin"
    path.write_bytes(frame(VERIFY_FLOW1) + frame(BLAKE2S) + frame(b"\xc1"))
    result = subprocess.run(run("--setup", SETUP, "-i", str(path)), capture_output=True, check=False)
    assert result.returncode == 0
    assert result.stdout.startswith(frame(VALID) + frame(BLAKE2S_RESPONSE))
    assert is_error(result.stdout[len(frame(VALID) + frame(BLAKE2S_RESPONSE)) + 4 :])
    path.write_bytes(frame(BLAKE2S) + frame(BLAKE2S)[:-1])
    result = subprocess.run(run("-i", str(path)), capture_output=True, check=False)
    assert result.returncode == 1
    assert result.stdout == frame(BLAKE2S_RESPONSE)


def test_files_as_standard_input_and_output(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(frame(BLAKE2S) * 1000)
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as target:
        assert subprocess.run(run(), stdin=source, stdout=target, check=False).returncode == 0
    assert (tmp_path / "out").read_bytes() == frame(BLAKE2S_RESPONSE) * 1000


def test_what_is_printed_does_not_reach_the_client(tmp_path: Path) -> None:
    noisy = (
        "import os, sys\n"
        "import hashlib\n"
        "original = hashlib.blake2s\n"
        "def blake2s(data):\n"
        "    print('printed by a library', flush=True)\n"
        "    os.write(1, b'written by a C library\\n')\n"
        "    return original(data)\n"
        "hashlib.blake2s = blake2s\n"
        "from bbipc.cli.msgpack import run\n"
        "sys.exit(run([]))\n"
    )
    environment = {**os.environ, "BBIPC_CHEAP": "python"}
    command = [sys.executable, "-P", "-c", noisy]
    result = subprocess.run(command, input=frame(BLAKE2S), capture_output=True, env=environment, check=False)
    assert result.stdout == frame(BLAKE2S_RESPONSE)
    assert b"printed by a library" in result.stderr
    assert b"written by a C library" in result.stderr


def test_a_client_that_closed_its_end_of_standard_output() -> None:
    process = subprocess.Popen(run(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.close()
    process.stdin.write(frame(BLAKE2S))
    process.stdin.flush()
    assert process.wait() == 141
    process.stdin.close()
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()


# ---- Options ---------------------------------------------------------------------------------------------------------


def test_a_setup_is_announced_loudly(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.connect().is_served()
        assert "WARNING" in server.log()
        assert SETUP in server.log()


def test_under_the_aztec_setup_the_test_proofs_are_invalid() -> None:
    result = subprocess.run(run(), input=frame(VERIFY_FLOW1), capture_output=True, check=False)
    assert msgpack.unpackb(result.stdout[4:]) == ["ChonkVerifyResponse", {"valid": False}]
    assert result.stderr == b""


def test_a_setup_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")
    for name in ("bad.json", "missing.json"):
        result = subprocess.run(
            run("--setup", str(tmp_path / name)), capture_output=True, check=False, stdin=subprocess.DEVNULL
        )
        assert result.returncode == 2
        assert b"--setup" in result.stderr


def test_strict_refuses_what_bb_accepts() -> None:
    resplit = requests.VERIFY["resplit_300_100"]
    result = subprocess.run(
        run("--setup", SETUP, "--strict"), input=frame(resplit) + frame(VERIFY_FLOW1), capture_output=True, check=False
    )
    first = 4 + int.from_bytes(result.stdout[:4], "little")
    assert is_error(result.stdout[4:first])
    assert result.stdout[first + 4 :] == VALID


def test_the_envelope_dialect() -> None:
    head = (7).to_bytes(8, "little")
    sent = frame(head + VERIFY_FLOW1) + frame(b"\x91" * 8 + BLAKE2S) + frame(b"short") + frame(head[::-1] + b"\xc1")
    result = subprocess.run(run("--setup", SETUP, "--envelope"), input=sent, capture_output=True, check=False)
    assert result.returncode == 0
    frames = {}
    rest = result.stdout
    while rest:
        end = 4 + int.from_bytes(rest[:4], "little")
        frames[rest[4:12]] = rest[12:end]
        rest = rest[end:]
    assert frames.pop(head) == VALID
    assert frames.pop(b"\x91" * 8) == BLAKE2S_RESPONSE
    assert sorted(frames) == [bytes(8), head[::-1]]
    assert all(map(is_error, frames.values()))


@pytest.mark.parametrize("options", [["--threads", "0"], ["--max-clients", "x"], ["--nonsense"], ["--grace-period", "-1"]])
def test_wrong_usage(options: list[str]) -> None:
    result = subprocess.run(run(*options), capture_output=True, check=False, stdin=subprocess.DEVNULL)
    assert result.returncode == 2
    assert result.stderr.startswith(b"bbipc: error: ")
    assert b"bbipc msgpack run --help" in result.stderr


def test_logs_as_json(tmp_path: Path) -> None:
    with serving(tmp_path, "--log-format", "json", "--log-level", "debug", on_socket=True) as server:
        peer = server.connect()
        peer.request(b"\xc1")
        assert is_error(peer.receive())
        peer.close()
        server.process.send_signal(signal.SIGTERM)
        assert server.wait() == 0
        entries = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
        assert {"time", "level", "logger", "message"} <= set(entries[0])
        assert any("malformed request" in entry["message"] for entry in entries)
        assert any(entry["level"] == "info" and "listening at" in entry["message"] for entry in entries)


def test_the_schema_of_what_is_served() -> None:
    command = [sys.executable, "-P", "-m", "bbipc", "msgpack", "schema"]
    schema = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    names = [name for name, _ in schema["commands"][1]]
    assert "ChonkVerify" in names
    assert "CircuitProve" not in names
    assert [name for name, _ in schema["responses"][1]] == ["ErrorResponse", *(f"{name}Response" for name in names)]


def test_hardware_concurrency_bounds_the_default_of_threads() -> None:
    def default(value: str) -> str:
        result = subprocess.run(
            run("--help"), capture_output=True, check=True, env={**os.environ, "HARDWARE_CONCURRENCY": value}
        )
        words = result.stdout.decode().split()
        return words[words.index("HARDWARE_CONCURRENCY:") + 1]

    assert default("1") == "1)"
    assert default("100000") == f"{len(os.sched_getaffinity(0))})"
    assert default("nonsense") == default("0") == default("")


def test_a_client_that_closes_both_ends_after_its_answers() -> None:
    process = subprocess.Popen(run(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert process.stdin is not None
    assert process.stdout is not None
    Peer(process.stdout.fileno(), process.stdin.fileno()).is_served()
    process.stdout.close()
    process.stdin.close()
    assert process.wait() == 0

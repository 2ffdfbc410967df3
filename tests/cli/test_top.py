"""`bbipc top`: the view at several sizes, and how it ends."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bbipc.cli.top import Sample
from bbipc.cli.top_view import view
from cli.running import TIMEOUT, bbipc
from server.live import Server, serving

TOP = (sys.executable, "-P", "-m", "bbipc", "top")


def stats(kinds: int = 2, scale: int = 1, **more: Any) -> dict[str, Any]:
    """Figures of a busy server."""
    names = ["ChonkVerify", "Blake2s", *(f"Command{number}" for number in range(2, kinds))][:kinds]
    return {
        "version": "0.2.0",
        "arithmetic": "ifma",
        "threads": 2,
        "uptime_ms": 11_520_000,
        "connections": 3,
        "connections_total": 120,
        "in_flight_bytes": 1_300_000,
        "waiting": 14,
        "running": 1,
        "malformed": 4,
        "commands": [{"name": name, "answered": 1000 * scale, "failed": 2, "cancelled": 0, "expired": 0} for name in names],
        "latency": {"count": 1000, "p50_us": 29_000, "p90_us": 88_000, "p99_us": 1_200_000, "max_us": 90},
        "batches": [{"max_proofs": size, "batches": size} for size in (1, 2, 3, 4, 17, 64, 200)],
        "verdicts": {"valid": 990 * scale, "invalid": 3, "error": 0, "cancelled": 1},
        "batch_service": {"running": True, "waiting": 1, "results": 2},
        "upstream": {"configured": True, "waiting": 0, "forwarded": 5, "failed": 1, "started": 1, "failures": 0},
        "log": {"dropped": 1, "left_out": 0},
    } | more


def shown(sample: Sample, before: Sample | None, width: int, height: int | None = None) -> list[str]:
    """The lines of the view."""
    output = StringIO()
    Console(file=output, width=width).print(view(sample, before, "/run/bbipc/bbipc.sock", width, height))
    return output.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
@pytest.mark.parametrize("height", [None, 30, 50])
def test_the_view_fits(width: int, height: int | None) -> None:
    lines = shown(Sample(stats(kinds=60), 5.0), None, width, height)
    assert max(map(len, lines)) <= width
    if height is not None:
        assert len(lines) < height, "the cursor stands below it"
        assert lines[-1].strip().startswith("and ")
        assert lines[-1].strip().endswith(" more")
    text = " ".join("\n".join(lines).split())
    if width >= 60:
        assert "bbipc 0.2.0 ifma 2 threads up 3 h 12 min" in text
        for figure in ("1 of 2 busy 14 waiting", "3 now 120 in all 1.2 MiB", "990 valid 3 invalid", "29 ms median 88 ms 90 %"):
            assert figure in text
        for row in ("batches of 1 ", "batches of 3-4 7", "batches of 129-256 200", "ChonkVerify "):
            assert row in text


def test_rates_are_those_between_two_looks() -> None:
    before, after = Sample(stats(), 10.0), Sample(stats(scale=2, uptime_ms=11_522_000), 12.0)
    text = "\n".join(shown(after, before, 120))
    assert "in the last 2.0 s" in text
    assert "1,000/s" in text  # requests
    assert "495/s" in text  # proofs
    assert [line.split()[:3] for line in text.splitlines() if line.startswith("ChonkVerify")] == [
        ["ChonkVerify", "500", "2,000"]
    ]


def test_rates_after_a_restart_of_the_server_are_not_negative() -> None:
    text = "\n".join(shown(Sample(stats(uptime_ms=1000), 12.0), Sample(stats(scale=9), 10.0), 120))
    assert "-" not in text.split("command")[1]
    assert "2,004/s" in text


def test_an_idle_server() -> None:
    nothing = stats(
        kinds=0, uptime_ms=0, batches=[], latency=dict.fromkeys(("count", "p50_us", "p90_us", "p99_us", "max_us"), 0)
    )
    text = "\n".join(shown(Sample(nothing, 0.0), None, 60))
    assert "nothing measured yet" in text
    assert "none yet" in text


NUMBER = st.integers(0, 2**64 - 1)


@given(st.text(max_size=80), NUMBER, NUMBER, st.integers(20, 200), st.integers(1, 80))
def test_whatever_a_server_says_is_text(name: str, large: int, other: int, width: int, height: int) -> None:
    """Names with control characters, and any numbers: nothing but the view reaches the terminal."""
    said = stats(
        version=name,
        arithmetic=name,
        threads=large % 2**32,
        running=other,
        uptime_ms=large,
        commands=[{"name": name, "answered": large, "failed": other, "cancelled": 0, "expired": large}],
        batches=[{"max_proofs": large, "batches": other}],
        latency={"count": large, "p50_us": other, "p90_us": large, "p99_us": other, "max_us": large},
    )
    lines = shown(Sample(said, 1.0), Sample(stats(), 1.0), width, height)
    assert all(line.isprintable() for line in lines)


# ---- A real server ---------------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, on_socket=True) as running:
        yield running


def test_once(server: Server) -> None:
    assert server.path is not None
    done = bbipc("top", server.path, "--once")
    assert (done.code, done.err) == (0, "")
    assert "0 of 2 busy" in done.out
    assert "\x1b" not in done.out
    done = bbipc("top", server.path, "--once", "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["threads"] == 2
    assert len(done.out.splitlines()) == 1


def test_a_closed_standard_output_and_a_full_disk(server: Server) -> None:
    """As every command (test_endings.py)."""
    assert server.path is not None
    for more in ([], ["--json"]):
        for shell, what in (
            (">&-", "a standard stream that is needed is closed"),
            (">/dev/full", "output cannot be written: No space left on device"),
        ):
            done = subprocess.run(
                ["bash", "-c", f'exec "$@" {shell}', "bash", *TOP, server.path, "--once", *more],
                capture_output=True, text=True, timeout=TIMEOUT, check=False,
            )  # fmt: skip
            assert (done.returncode, done.stderr) == (74, f"bbipc: error: {what}\n")


def test_no_server(tmp_path: Path) -> None:
    done = bbipc("top", tmp_path / "x.sock")
    assert (done.code, done.out, done.err.count("\n")) == (69, "", 1)
    done = bbipc("top", tmp_path / "x.sock", "--json")
    assert (done.code, done.err) == (69, "")
    assert "cannot connect" in json.loads(done.out)["error"]


def test_a_server_that_goes_away_and_a_reader_that_does(server: Server) -> None:
    assert server.path is not None
    with subprocess.Popen(
        [*TOP, server.path, "--json", "--interval", "0.05"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as top:
        assert top.stdout is not None
        assert json.loads(top.stdout.readline())["threads"] == 2
        top.stdout.close()
        assert top.wait(TIMEOUT) == 141
    with subprocess.Popen([*TOP, server.path, "--interval", "0.05"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as top:
        assert top.stdout is not None
        assert top.stdout.readline().startswith(b"bbipc ")
        server.process.kill()
        _, errors = top.communicate(timeout=TIMEOUT)
        assert top.returncode == 69
        assert errors.startswith(b"bbipc: error: ")
        assert errors.count(b"\n") == 1


@contextmanager
def on_terminal(path: str, columns: int, *options: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """`bbipc top` on a terminal of that width; the process, and the terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 40, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    words = [*TOP, path, "--interval", "0.05", *options]
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=environment | {"TERM": "xterm"}) as top:
        os.close(theirs)
        try:
            yield top, ours
        finally:
            top.kill()
            os.close(ours)


def read_until(terminal: int, wanted: bytes, seen: bytes = b"") -> bytes:
    while wanted not in seen:
        assert select.select([terminal], [], [], TIMEOUT)[0], seen
        seen += os.read(terminal, 4096)
    return seen


def read_to_end(terminal: int, seen: bytes) -> bytes:
    while True:
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # EIO: nobody holds the other side
            return seen


ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


@pytest.mark.parametrize("columns", [60, 120])
@pytest.mark.parametrize("end", ["interrupt", "server"])
def test_on_a_terminal(server: Server, columns: int, end: str) -> None:
    """It shows itself again and again on a screen of its own, and leaves that whatever ends it."""
    assert server.path is not None
    with on_terminal(server.path, columns) as (top, terminal):
        seen = read_until(terminal, b"in the last")
        if end == "interrupt":
            top.send_signal(signal.SIGINT)
        else:
            server.process.kill()
        seen = read_to_end(terminal, seen)
        assert top.wait(TIMEOUT) == (130 if end == "interrupt" else 69)
    assert (seen.count(ENTER), seen.count(LEAVE)) == (1, 1)
    before, _, after = seen.partition(LEAVE)
    assert before.index(ENTER) < before.index(b"busy")
    assert b"bbipc: error: " in after
    assert b"Traceback" not in seen


def test_once_on_a_terminal(server: Server) -> None:
    """It stays to be read."""
    assert server.path is not None
    with on_terminal(server.path, 60, "--once") as (top, terminal):
        seen = read_to_end(terminal, b"")
        assert top.wait(TIMEOUT) == 0
    assert ENTER not in seen
    assert b"busy" in seen


PLAIN_SERVER = """
import socket, struct, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print(flush=True)
connection, _ = listener.accept()
size, = struct.unpack("<I", connection.recv(4, socket.MSG_WAITALL))
connection.recv(size, socket.MSG_WAITALL)
answer = bytes.fromhex("92af426c616b653273526573706f6e736581a468617368c420") + bytes(32)
connection.sendall(struct.pack("<I", len(answer)) + answer)
print(connection.recv(1), flush=True)
"""


def test_bb_is_not_asked_for_what_would_end_it(tmp_path: Path) -> None:
    path = tmp_path / "x.sock"
    with subprocess.Popen([sys.executable, "-c", PLAIN_SERVER, str(path)], stdout=subprocess.PIPE) as plain:
        assert plain.stdout is not None
        plain.stdout.readline()
        done = bbipc("top", path)
        assert plain.stdout.read() == b"b''\n"
    assert done.code == 69
    assert "is not a bbipc: it has no figures to show" in done.err

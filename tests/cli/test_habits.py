"""What people try first: help, version, serve, a typo, a key of a shell; and what a server says on a terminal."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cli.running import SETUP, TIMEOUT, bbipc
from samples import DATA

ROOT = DATA.parents[1]
PATIENCE = 60.0
"""Seconds in which a terminal shows something, or never will."""
BBIPC = [sys.executable, "-P", "-m", "bbipc"]


@dataclass
class Terminal:
    """A program with a terminal of its own."""

    process: "subprocess.Popen[bytes]"
    master: int
    seen: bytes = field(default=b"")

    def until(self, pattern: str) -> "re.Match[str]":
        """Wait until the terminal has shown `pattern`."""
        while True:
            text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]", "", self.seen.decode(errors="replace"))
            found = re.search(pattern, text)
            if found is not None:
                return found
            ready, _, _ = select.select([self.master], [], [], PATIENCE)
            assert ready, text
            try:
                self.seen += os.read(self.master, 1 << 16)
            except OSError:  # the other end is closed
                pytest.fail(text)

    def type(self, text: str) -> None:
        self.seen = b""
        os.write(self.master, text.encode())


@contextmanager
def terminal(command: list[str], cwd: Path, columns: int = 80, **environment: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 40, columns, 0, 0))
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, cwd=cwd, start_new_session=True,
        env={name: value for name, value in os.environ.items() if name not in ("BB_PATH", "COLUMNS", "LINES")}
        | {"TERM": "xterm"} | environment,
    )  # fmt: skip
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(TIMEOUT)
        os.close(master)


# ---- Words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (["help"], ["--help"]),
        (["help", "verify"], ["verify", "--help"]),
        (["help", "msgpack", "run"], ["msgpack", "run", "--help"]),
        (["version"], ["--version"]),
        (["-V"], ["--version"]),
    ],
)
def test_two_ways_to_say_it(words: list[str], same: list[str]) -> None:
    assert bbipc(*words) == bbipc(*same)
    assert bbipc(*words).code == 0


@pytest.mark.parametrize(("typo", "meant"), [("verfy", "verify"), ("verify_many", "verify-many"), ("docter", "doctor")])
def test_what_was_meant(typo: str, meant: str) -> None:
    done = bbipc(typo)
    assert (done.code, done.err) == (
        2,
        f"bbipc: error: no such command: {typo} (did you mean {meant}?); for usage, see bbipc --help\n",
    )


# ---- A server on a terminal -----------------------------------------------------------------------------------------


def test_serve_is_a_server_at_a_socket(tmp_path: Path) -> None:
    with terminal([*BBIPC, "serve", "s.sock", "--threads", "1"], tmp_path) as screen:
        screen.until(r"bbipc: listening at s\.sock, Ctrl-C ends")
        done = bbipc("call", "Blake2s", '{"data": "hex:"}', "--socket", str(tmp_path / "s.sock"))
        assert done.code == 0
        os.killpg(screen.process.pid, signal.SIGINT)
        assert screen.process.wait(TIMEOUT) == 0


def test_serve_elsewhere_says_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen([*BBIPC, "serve", "s.sock"], cwd=tmp_path, stderr=subprocess.PIPE)
    while not (tmp_path / "s.sock").exists():
        assert process.poll() is None
    done = bbipc("call", "Blake2s", '{"data": "hex:"}', "--socket", str(tmp_path / "s.sock"))
    assert done.code == 0
    process.terminate()
    assert process.communicate(timeout=TIMEOUT)[1] == b""
    assert process.returncode == 0


@pytest.mark.parametrize(
    "arguments", [["serve"], ["serve", "socket"], ["serve", "x.sock", "--nope"], ["serve", "--threads", "2"]]
)
def test_serve_needs_a_socket(arguments: list[str]) -> None:
    assert bbipc(*arguments).code == 2


def test_a_server_that_waits_for_the_keyboard_says_what_it_is(tmp_path: Path) -> None:
    with terminal([*BBIPC, "msgpack", "run"], tmp_path) as screen:
        screen.until(r"(?s)this is a server.*bbipc serve X\.sock")
        screen.type("\x04")
        assert screen.process.wait(TIMEOUT) == 0


def test_fuzz_shows_how_far_it_is(tmp_path: Path) -> None:
    server = [*BBIPC, "msgpack", "run", "--setup", SETUP]
    with terminal([*BBIPC, "fuzz", "--minutes", "0.1", "--setup", "test", "--", *server], tmp_path, COLUMNS="100") as screen:
        screen.until(r"searching .*[1-9]\d* conversations, 0 findings")
        screen.until(r"conversations, \d+ verdicts compared, .*: 0 findings")
        assert screen.process.wait(TIMEOUT) == 0


@pytest.mark.parametrize("columns", [60, 120])
def test_verify_many_makes_no_line_a_step(columns: int, tmp_path: Path) -> None:
    """Its progress is one line that is written again, and never so long that it wraps; the verdicts scroll above it."""
    count = 24
    proof = str(ROOT / "tests" / "data" / "flow1" / "proof.msgpack")
    words = ["verify-many", *[proof] * count, "--setup", SETUP, "--threads", "1"]
    with terminal([*BBIPC, *words], tmp_path, columns=columns) as screen:
        screen.until(rf"{count} proofs: {count} valid")
        assert screen.process.wait(TIMEOUT) == 0
        shown = screen.seen.decode()
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    progress = [line for line in re.split(r"[\r\n]+", plain) if re.search(rf"\d+/{count}\b", line)]
    assert len(progress) > 1
    assert max(map(len, progress)) < columns
    assert shown.count("\n") <= count + 5


# ---- Completion, in the shells themselves ---------------------------------------------------------------------------

LINES = {
    "bbipc verify-": ["verify-many", "verify-tx"],
    "bbipc he": ["help"],
    "bbipc help verify-": ["verify-many", "verify-tx"],
    "bbipc verify --vk": ["--vk", "--vk-hash"],
    "bbipc verify tests/data/flow1/proof": ["proof.msgpack", "proof_fields.bin"],
    "bbipc verify --vk aztec:5.2.0/": ["to_public", "to_rollup"],
    "bbipc verify --vk tests/data/flow": ["flow1", "flow8"],
    "bbipc call Poseidon2": ["Poseidon2Hash", "Poseidon2Permutation"],
    "bbipc conform --suite ta": ["tagged"],
    "bbipc msgpack run --max-in": ["--max-in-flight-bytes"],
    "bbipc msgpack run --log-level w": ["warning"],
}
STARTS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--private"],
}
SOURCES = {
    "bash": "bind 'set show-all-if-ambiguous on'; bind 'set bell-style none'; PS1='> '; eval \"$(bbipc completion bash)\"",
    "zsh": "autoload -Uz compinit; compinit -u -D; PROMPT='> '; eval \"$(bbipc completion zsh)\"",
}


@pytest.fixture
def path() -> str:
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_on_a_terminal(shell: str, path: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    with terminal(STARTS[shell], ROOT, PATH=path, HOME=str(tmp_path), COLUMNS="200") as screen:
        screen.type(f"{SOURCES[shell]}; echo rea''dy\n")
        screen.until(r"ready\r?\n")
        for line, expected in LINES.items():
            screen.type(f"{line}\t\t")
            for word in expected:
                # The word as it is shown: in the list of candidates, or as what was added to the line.
                screen.until(
                    re.escape(word) if len(expected) > 1 else re.escape(line.split()[-1] + word[len(line.split()[-1]) :])
                )
            screen.type("\x15\x0b")  # clears the line


def test_completion_in_fish(path: str, tmp_path: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    asked = "; ".join(f"echo '# {line}'; complete -C '{line}'" for line in LINES)
    done = subprocess.run(
        ["fish", "--private", "-c", f"bbipc completion fish | source; {asked}"], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"PATH": path, "HOME": str(tmp_path)}, timeout=TIMEOUT, check=True,
    )  # fmt: skip
    answers = dict(part.split("\n", 1) for part in done.stdout.split("# ")[1:])
    for line, expected in LINES.items():
        assert all(word in answers[line] for word in expected), (line, answers[line])

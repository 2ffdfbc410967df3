"""How commands end: interrupts, readers that go away, full disks, closed streams; and one style for all errors."""

import ast
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bbipc as bbipc_package
from bbipc.cli.escape import file_name, one_line
from bbipc.cli.main import COMMANDS
from cli.running import SETUP, TIMEOUT, bbipc
from samples import DATA, FLOW1

PROOF, VK = str(FLOW1.folder / "proof.msgpack"), str(FLOW1.folder / "vk")
SERVER = ("--setup", "test", "--", sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--setup", SETUP)

QUICK: dict[str, Sequence[str]] = {
    "bench": ["bench", "--seconds", "0"],
    "bb": ["bb", "msgpack", "schema"],
    "call": ["call", "Blake2s", '{"data": "hex:616263"}'],
    "completion": ["completion", "bash"],
    "compress": ["compress", PROOF],
    "conform": ["conform", "--suite", "plain.*", *SERVER],
    "decompress": ["decompress", str(FLOW1.folder / "compressed.bin")],
    "demo": ["demo"],
    "doctor": ["doctor"],
    "fuzz": ["fuzz", "--minutes", "0", *SERVER],
    "help of": ["help", "verify"],
    "inspect": ["inspect", PROOF, "--elements"],
    "msgpack": ["msgpack", "schema"],
    "verify": ["verify", PROOF, VK, "--setup", SETUP],
    "verify-many": ["verify-many", PROOF, "--setup", SETUP],
    "help": ["--help"],
    "version": ["version"],
    "verify-tx": ["verify-tx", str(DATA / "aztec" / "testnet-5.2.0" / "private-block60620.tx.json")],
    "help of a command": ["verify", "--help"],
}
"""A way to make each command write something."""


def test_every_command_is_here() -> None:
    assert set(COMMANDS) <= {arguments[0] for arguments in QUICK.values()} | {"serve", "top"}  # test_habits.py, test_top.py


def run(arguments: Sequence[str], stdout: int | None, **more: object) -> tuple[int, str]:
    command = [sys.executable, "-P", "-m", "bbipc", *arguments]
    done = subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False, **more
    )  # type: ignore[call-overload]
    return done.returncode, done.stderr.decode(errors="replace")


def errors_of(text: str) -> list[str]:
    """The lines that are ours, without notes; servers under test write to the same stream."""
    assert "Traceback" not in text
    assert "Exception" not in text
    return [line for line in text.splitlines() if line.startswith("bbipc: error: ")]


@pytest.mark.parametrize("name", QUICK)
def test_a_full_disk(name: str) -> None:
    with Path("/dev/full").open("wb") as full:
        code, err = run(QUICK[name], full.fileno())
    assert (code, errors_of(err)) == (74, ["bbipc: error: output cannot be written: No space left on device"])


@pytest.mark.parametrize("name", QUICK)
def test_a_reader_that_goes_away(name: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code, err = run(QUICK[name], writer)
    os.close(writer)
    assert (code, errors_of(err)) == (141, [])


@pytest.mark.parametrize("name", QUICK)
def test_a_closed_standard_output(name: str) -> None:
    code, err = run(QUICK[name], None, preexec_fn=lambda: os.close(1))
    assert (code, errors_of(err)) == (74, ["bbipc: error: a standard stream that is needed is closed"])


def rich_is_imported_by(tree: ast.AST) -> bool:
    names = [
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    ]
    return any(name.split(".")[0] == "rich" for name in names)


def test_who_draws_with_rich() -> None:
    """The table of docs/architecture.md."""
    root = Path(bbipc_package.__file__).parent
    users = {str(path.relative_to(root)) for path in root.rglob("*.py") if rich_is_imported_by(ast.parse(path.read_text()))}
    assert users == {"cli/progress.py", "cli/top_view.py", "conform/report/terminal.py"}


@pytest.mark.parametrize("name", ["conform", "fuzz", "verify-many", "verify-tx"])
def test_rich_is_for_terminals(name: str, tmp_path: Path) -> None:
    """The commands above but `top`, which draws the same view wherever it goes (test_top.py)."""
    noted = tmp_path / "noted"
    program = (
        "import atexit, pathlib, sys; from bbipc.__main__ import main\n"
        f"atexit.register(lambda: pathlib.Path({str(noted)!r}).write_text(str('rich' in sys.modules)))\nmain()"
    )
    command = [sys.executable, "-P", "-c", program, *QUICK[name]]
    subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False)
    assert noted.read_text() == "False"


@pytest.mark.parametrize("name", ["verify", "help", "compress"])
def test_a_closed_standard_error_and_input(name: str) -> None:
    """Neither is needed, and no file takes its place."""
    code, _ = run(QUICK[name], subprocess.PIPE, preexec_fn=lambda: (os.close(0), os.close(2)))
    assert code == 0


def test_a_closed_standard_input_that_is_needed() -> None:
    code, err = run(["verify", "-", VK], subprocess.PIPE, preexec_fn=lambda: os.close(0))
    assert (code, errors_of(err)) == (2, ["bbipc: error: standard input: Bad file descriptor"])


INTERRUPTED: dict[str, tuple[Sequence[str], bytes]] = {
    "conform": (["conform", *SERVER], b"ok"),
    "verify": (["verify", "-", VK], b""),
    "inspect": (["inspect", "-"], b""),
    "compress": (["compress", "-"], b""),
    "decompress": (["decompress", "-"], b""),
    "verify-tx": (["verify-tx", "-"], b""),
    "call": (["call", "Blake2s", "-"], b""),
    "verify-many": (["verify-many", *[PROOF] * 3000, "--setup", SETUP], b"valid"),
    "demo": (["demo"], b""),
    "bench": (["bench", "--seconds", "100"], b""),
    "fuzz": (["fuzz", "--minutes", "9", *SERVER], b""),
}


def test_every_command_that_waits_is_interrupted() -> None:
    """The others are done at once, or have tests of their own: test_habits.py, test_top.py."""
    at_once = {"bb", "completion", "doctor", "help", "msgpack", "version"}
    assert set(COMMANDS) == {arguments[0] for arguments, _ in INTERRUPTED.values()} | at_once | {"serve", "top"}


@pytest.mark.parametrize("name", INTERRUPTED)
def test_an_interrupt(name: str, tmp_path: Path) -> None:
    """Ctrl-C goes to the whole group of processes, servers under test included."""
    arguments, seen = INTERRUPTED[name]
    started = tmp_path / "started"
    # The moment is when the command is at work: click has called its function.
    program = (
        "import sys, pathlib, click; from bbipc.__main__ import main; invoke = click.Command.invoke\n"
        f"def noted(self, ctx):\n    if ctx.parent: pathlib.Path({str(started)!r}).touch()\n    return invoke(self, ctx)\n"
        "click.Command.invoke = noted; main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        cwd=tmp_path,
    )
    assert process.stdout is not None
    while seen and seen not in process.stdout.readline():
        assert process.poll() is None
    while not started.exists():
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130, (out, err)
    assert errors_of(err.decode())[-1:] == ["bbipc: error: interrupted"]


def test_partial_results_of_an_interrupt(tmp_path: Path) -> None:
    junit = tmp_path / "report.xml"
    command = [sys.executable, "-P", "-m", "bbipc", "verify-many", *[PROOF] * 3000, "--setup", SETUP, "--json-lines"]
    process = subprocess.Popen(
        [*command, "--junit", str(junit)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert b'"outcome": "valid"' in process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130
    summary = out.splitlines()[-1]
    assert b'"interrupted": true' in summary
    assert b'"total": 3000' in summary
    text = junit.read_text()
    assert text.count("<testcase") == 3000
    assert "interrupted before a verdict" in text


WITHOUT_JSON = {"bb", "completion", "compress", "conform", "decompress", "fuzz", "help", "msgpack", "serve", "version"}


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - WITHOUT_JSON))
def test_usage_errors_are_json_for_programs(name: str) -> None:
    done = bbipc(name, "--json", "--no-such-option")
    assert done.code == 2
    assert done.out.startswith('{"error": "')
    assert done.err == ""


@pytest.mark.parametrize("arguments", [["verify"], ["verfy"], ["--nope"], ["call", "Blake2s", "{"]])
def test_one_style_of_errors(arguments: list[str]) -> None:
    done = bbipc(*arguments)
    assert done.code == 2
    lines = (done.err or done.out).splitlines()
    assert done.err == "" or (len(lines) == 1 and lines[0].startswith("bbipc: error: "))


# ---- Names of files -------------------------------------------------------------------------------------------------


@given(st.text())
def test_any_text_is_one_printable_line(text: str) -> None:
    assert one_line(text).isprintable()
    assert file_name(text).isprintable()


@given(st.lists(st.text(alphabet=st.characters(codec=None), min_size=1), min_size=2, max_size=2, unique=True))
def test_two_names_never_look_the_same(names: list[str]) -> None:
    first, second = map(file_name, names)
    assert first != second


def test_a_name_cannot_forge_a_verdict(tmp_path: Path) -> None:
    names = [
        "proof\nproof_good: valid",
        "proof: valid",
        "proof\x1b[2K\rproof_other: valid",
        "proof\u202edilav :x",
        b"proof\xff".decode(errors="surrogateescape"),
    ]
    for name in names:
        (tmp_path / name).write_bytes(b"nothing")
    done = bbipc("verify-many", tmp_path, "--vk", VK, "--setup", SETUP)
    assert done.code == 2
    assert len(done.out.splitlines()) == len(names) + 2
    assert ": valid" not in [line[-7:] for line in done.out.splitlines()]
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
    assert f'"{tmp_path}/proof\\nproof_good: valid": error: ' in done.out
    assert f'"{tmp_path}/proof\\xff": error: ' in done.out
    single = bbipc("verify", tmp_path / names[0], VK)
    assert len(single.err.splitlines()) == 1

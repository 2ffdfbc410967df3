"""Every command explains itself, and says its exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from bbipc.cli import main
from bbipc.cli.main import COMMANDS
from cli.running import TIMEOUT, bbipc

OURS = sorted(set(COMMANDS) - {"msgpack"})  # that one speaks like bb's


def test_the_list_of_commands() -> None:
    done = bbipc("--help")
    assert done.code == 0
    assert all(name in done.out and summary in done.out for name, summary in COMMANDS.items())


def test_every_command_has_a_summary() -> None:
    modules = {
        path.stem.replace("_", "-") for path in Path(main.__file__).parent.glob("*.py") if "@click.command" in path.read_text()
    }
    assert modules | {"msgpack"} == set(COMMANDS)


@pytest.mark.parametrize("name", OURS)
def test_help(name: str) -> None:
    done = bbipc(name, "--help")
    assert (done.code, done.err) == (0, "")
    assert "Usage: bbipc " + name in done.out
    assert "Exit status: 0" in done.out
    assert max(map(len, done.out.splitlines())) <= 100


@pytest.mark.parametrize("name", sorted(set(OURS) - {"bb", "serve"}))  # there it is for the real bb
def test_an_unknown_option_is_a_usage_error(name: str) -> None:
    done = bbipc(name, "--no-such-option")
    assert done.code == 2
    assert "No such option" in done.err
    assert done.out == ""


def test_an_unknown_command_is_a_usage_error() -> None:
    assert bbipc("verfy").code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    assert "_BBIPC_COMPLETE" in bbipc("completion", shell).out
    words = {
        "COMP_WORDS": "bbipc verify-",
        "COMP_CWORD": "verify-" if shell == "fish" else "1",
        "_BBIPC_COMPLETE": f"{shell}_complete",
    }
    assert "verify-many" in bbipc(**words).out


def test_help_of_the_server() -> None:
    """It has a parser of its own, made before click is loaded."""
    done = bbipc("msgpack", "run", "--help", COLUMNS="102")
    assert (done.code, done.err) == (0, "")
    assert "usage: bbipc msgpack run" in done.out
    assert "Exit status: 0" in done.out
    words = " ".join(done.out.split())
    assert "--metrics HOST:PORT let Prometheus fetch metrics at http://HOST:PORT/metrics" in words
    assert "pip install 'bbipc[metrics]'" in words
    assert max(map(len, done.out.splitlines())) <= 100


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("words", [("msgpack", "run"), ("serve",), ("verify",), ("top",)])
def test_help_fits_the_terminal(words: tuple[str, ...], columns: int) -> None:
    lines = bbipc(*words, "--help", COLUMNS=str(columns)).out.splitlines()
    assert max(map(len, lines)) <= min(columns, 100)


def test_a_wrong_option_of_the_server_is_a_usage_error() -> None:
    done = bbipc("msgpack", "run", "--metrics", "nowhere")
    assert (done.code, done.out) == (2, "")
    assert "expected a host and a port, as localhost:9464, 127.0.0.1:9464 or [::1]:9464" in done.err


def test_fuzz_without_its_library_tells_how_to_get_it() -> None:
    hidden = "import sys; sys.modules['hypothesis'] = None; from bbipc.cli.main import main; main()"
    command = [sys.executable, "-P", "-c", hidden, "fuzz", "--", "true"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs Hypothesis: pip install 'bbipc[fuzz]'" in done.stderr

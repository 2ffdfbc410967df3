"""Every Python and shell block of README and docs does what it says, at the repository's root, in the environment of README.

Blocks of a page run in order and share their files, as somebody would run them who reads the page from top to bottom. The
root is a folder of links, so that what the blocks write does not stay. A block without a language, or of `text`, that directly
follows a shell block shows its output; that of `console` follows each command.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.running import TIMEOUT
from samples import DATA

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    *sorted(str(path.relative_to(ROOT)) for folder in ("docs", "docs/how-to") for path in (ROOT / folder).glob("*.md")),
]
RUN = {"sh", "console", "python"}
SHOWN = {"", "text"}
COMMANDS = re.compile(r"^(\$ )?(bbipc|python3?|pip|pipx|uv|npm|node|cmake|curl|docker|podman|systemctl|git) ", re.MULTILINE)

NOT_RUN = {
    ("README.md", "python3 -m venv"): "the environment of these tests is made so (checked below)",
    ("README.md", "pytest"): "these are the tests",
    ("README.md", "pip install -e '.[docs]'"): "a step of .ci/run of its own (checked below)",
    ("README.md", "python bench/verify.py"): "benchmarks take minutes and want a quiet machine",
    ("docs/benchmarks.md", "python tests/peer/make_test_bb.py"): "benchmarks take minutes and want a quiet machine",
    ("docs/benchmarks.md", "python bench/compare.py"): "needs a second build",
    (
        "docs/conformance.md",
        "$ bbipc conform --setup test --",
    ): "the first two lines are steps of .ci/run; the third needs bb",
    ("docs/fuzzing.md", "$ pip install"): "minutes of search; a step of .ci/run with less time",
    ("docs/fuzzing.md", "$ bbipc conform --setup test --replay"): "needs a finding, of which there should be none",
    ("docs/fuzzing.md", "$ python fuzz/differential.py"): "hours of search, with a bb; a step of .ci/run with 500 mutants",
    ("docs/fuzzing.md", "$ cmake -S . -B build/fuzz"): "ten minutes for each target; a step of .ci/run with half a minute",
    ("docs/fuzzing.md", "$ cmake -S . -B build/arm"): "needs a cross compiler and an emulator",
    ("docs/fuzzing.md", "$ python fuzz/forge.py"): "needs a bb",
    ("docs/fuzzing.md", "$ python fuzz/mutants/run.py"): "hours of compiling; a step of .ci/run with a sample",
    ("docs/fuzzing.md", "$ python fuzz/night.py"): "a night",
    ("docs/index.md", "python3 -m venv"): "the environment of these tests is made so (checked below)",
    ("docs/tutorial.md", "python3 -m venv"): "the environment of these tests is made so (checked below)",
}
"""Blocks that are not run here, by page and how they begin, and why."""

SHORTER = {
    "--minutes 0.2": "--minutes 0",
    "--minutes 17 --frames 1000000 --verifications 2000": "--minutes 0",
    "bbipc conform --setup test -- ": "bbipc conform --setup test --suite plain.answers-poseidon2hash -- ",
}
"""What is replaced in blocks that would take long. The whole is a step of .ci/run."""

EXIT = {
    ("docs/tutorial.md", "bbipc verify --explain"): 1,
    ("docs/tutorial.md", 'curl -s "$NODE"'): 3,
    ("docs/tutorial.md", "bbipc verify-tx"): 3,
}
"""Exit statuses that are not 0, as the pages say."""

SERVERS = {("docs/tutorial.md", "bbipc msgpack run --input")}
"""Blocks that run until Ctrl-C, while the next block is run."""


@dataclass(frozen=True)
class Block:
    page: str
    language: str
    text: str
    before: str
    """All of the page before it."""

    @property
    def first(self) -> str:
        return self.text.strip().splitlines()[0]

    def is_among(self, table: object) -> bool:
        return self.entry(table) is not None

    def entry(self, table: object) -> tuple[str, str] | None:
        keys: Iterator[tuple[str, str]] = iter(table)  # type: ignore[call-overload]
        return next((key for key in keys if key[0] == self.page and self.first.startswith(key[1])), None)


def blocks_of(page: str) -> list[Block]:
    text = (ROOT / page).read_text()
    fence = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [Block(page, match[1].strip(), match[2], text[: match.start()]) for match in fence.finditer(text)]


BLOCKS = {page: blocks_of(page) for page in PAGES}


def test_no_exception_is_left_over() -> None:
    every = [block for blocks in BLOCKS.values() for block in blocks if block.language in RUN]
    for table in (NOT_RUN, EXIT, SERVERS):
        used = {block.entry(table) for block in every}
        assert set(table) <= used
    assert all(any(text in block.text for block in every) for text in SHORTER)
    skipped = sum(block.is_among(NOT_RUN) for block in every)
    assert skipped == len(NOT_RUN), "an exception hides one block"
    assert len(every) - skipped > skipped, "most blocks are run"


def test_no_command_hides_in_a_block_that_is_not_run() -> None:
    hidden = [
        (block.page, block.first)
        for blocks in BLOCKS.values()
        for block in blocks
        if block.language not in RUN and COMMANDS.search(block.text) and not block.is_among(AS_ROOT)
    ]
    assert hidden == []


AS_ROOT = {
    ("docs/how-to/run-as-a-service.md", ""): "the administrator of a machine with systemd; deploy/ has tests of its own",
    ("docs/how-to/verify-an-archive.md", "bbipc verify-many /archive --dask tcp"): "a cluster; tests/cluster has one",
    ("docs/how-to/verify-an-archive.md", "bbipc verify-tx /transactions"): "a cluster; tests/cluster has one",
    ("docs/how-to/asyncio.md", "pip install fastapi uvicorn"): "a server of the web; its service is tested in tests/client",
}
"""Blocks of commands that are `text`, because nobody could run them as a whole, here or elsewhere."""


def test_ci_makes_the_environment_as_readme_says() -> None:
    steps = (ROOT / ".ci" / "run").read_text().replace(" --quiet", "")
    for block in BLOCKS["README.md"]:
        if block.is_among(NOT_RUN) and "bench" not in block.first:
            for line in block.text.strip().splitlines():
                command = "python3 -m venv" if "venv" in line else line
                assert re.search(rf"^ *{re.escape(command)}( |$)", steps, re.MULTILINE), line


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The repository's root, where something may be written."""
    place = tmp_path / "root"
    place.mkdir()
    for path in ROOT.iterdir():
        if path.name not in ("build", "site", ".git", ".venv"):
            (place / path.name).symlink_to(path)
    return place


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The variables of a user: nothing but the activated environment, and a node that knows one transaction."""
    programs = tmp_path / "programs"
    programs.mkdir()
    answer = DATA / "aztec" / "testnet-5.2.0" / "private-block60620.tx.json"
    (programs / "curl").write_text(f"#!/bin/sh\ncat {shlex.quote(str(answer))}\n")
    (programs / "curl").chmod(0o755)
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    left_out = ("PYTHONSAFEPATH", "BB_PATH", "NO_COLOR", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if name not in left_out} | {"PATH": path, "NODE": "http://node"}


def plain(text: str) -> str:
    """Text without what differs from run to run and from terminal to terminal: times, rates, and where lines are wrapped."""
    return re.sub(r"\d+(\.\d+)? ?(ms|s)\b|\d+(\.\d+)?/s", "#", " ".join(text.split()))


def shown(expected: str, seen: str) -> bool:
    """Whether `seen` is what a page shows. `...` in it is anything."""
    pattern = ".*".join(map(re.escape, plain(expected).split("...")))
    return re.fullmatch(pattern, plain(seen)) is not None


def run(script: list[str], root: Path, environment: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        script, cwd=root, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=TIMEOUT, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.decode(errors="replace")


def commands_of(block: Block, output: str | None) -> Iterator[tuple[str, str | None]]:
    """Each command of a block that is one script, and what it shows, if that is said."""
    if block.language == "sh":
        yield block.text, output
        return
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        count = 1 + next(index for index, line in enumerate(lines) if not line.endswith("\\"))
        rest = "\n".join(lines[count:]).strip()
        yield "\n".join(lines[:count]), rest or None


def output_of(blocks: list[Block], index: int) -> str | None:
    """The output that is shown directly below the block of this index."""
    if index + 1 == len(blocks) or blocks[index + 1].language not in SHOWN:
        return None
    block, following = blocks[index : index + 2]
    between = following.before[len(block.before) :].partition("\n")[2].removeprefix(block.text).removeprefix("```")
    return None if between.strip() else following.text


class Server:
    """A block that runs until Ctrl-C, at a socket of its own."""

    def __init__(self, text: str, root: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            ["bash", "-c", f"exec {text}"], cwd=root, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
        )
        path = text.split("--input ")[1].split(maxsplit=1)[0]
        while True:
            assert self.process.poll() is None
            with socket.socket(socket.AF_UNIX) as one:
                if one.connect_ex(path) == 0:
                    return

    def end(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)
        assert self.process.wait(TIMEOUT) == 0


def with_own_socket(text: str, tmp_path: Path) -> str:
    for long, short in SHORTER.items():
        text = text.replace(long, short)
    return text.replace("/tmp/bbipc.sock", str(tmp_path / "s.sock"))


@pytest.mark.parametrize("page", [page for page, blocks in BLOCKS.items() if any(block.language in RUN for block in blocks)])
def test_the_blocks_of(page: str, root: Path, environment: dict[str, str], tmp_path: Path) -> None:
    program = ""
    server: Server | None = None
    for index, block in enumerate(BLOCKS[page]):
        if block.language not in RUN or block.is_among(NOT_RUN):
            continue
        if block.language == "python":
            name = re.search(r"^Save as `(\w+\.py)`:$", block.before.rstrip().splitlines()[-1])
            if name is not None:
                (root / name[1]).write_text(block.text)
                continue
            program += block.text + "\n"
            (root / "program.py").write_text(program)  # later blocks use the names of earlier ones
            code, seen = run(["python", "program.py"], root, environment)
            assert code == 0, seen
            continue
        if block.is_among(SERVERS):
            server = Server(with_own_socket(block.text.strip(), tmp_path), root, environment)
            continue
        for text, output in commands_of(block, output_of(BLOCKS[page], index)):
            code, seen = run(["bash", "-ec", with_own_socket(text, tmp_path)], root, environment)
            key = block.entry(EXIT)
            assert code == (0 if key is None else EXIT[key]), f"{text}\n{seen}"
            assert output is None or shown(output, seen), f"{text}\n{seen}"
        if server is not None:
            server.end()
            server = None
    assert server is None

"""CONTRIBUTING.md names what there is: files, steps, options."""

import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import bbipc

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text()


def test_its_paths_exist() -> None:
    quoted = re.findall(r"`([\w./-]+)`", TEXT) + re.findall(r"\]\(([\w./-]+)\)", TEXT)
    paths = {path for path in quoted if "/" in path and path.split("/")[0] in {p.name for p in ROOT.iterdir()} | {".ci"}}
    assert len(paths) > 20
    missing = {path for path in paths if not (ROOT / path).exists() and not path.startswith(("build/", "bbipc/cli/SUITE"))}
    assert missing == {"bbipc/conform/cases/SUITE.py"}


def test_it_explains_each_step_of_ci() -> None:
    """And each step stands in the script under its name, so that it can be run alone."""
    listed = subprocess.run([ROOT / ".ci" / "run", "--list"], capture_output=True, text=True, check=True).stdout.split()
    table = TEXT.split("| step |")[1].split("\n\n")[0]
    explained = [name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert explained == listed
    script = (ROOT / ".ci" / "run").read_text()
    assert all(f"\n{name}() {{\n" in script for name in listed)


def test_an_unknown_step_is_an_error() -> None:
    done = subprocess.run([ROOT / ".ci" / "run", "nothing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no such step: nothing" in done.stderr


def test_the_example_of_a_check_can_be_followed() -> None:
    """From the rule in its chapter to the line of the code, and to the mutant that a test must notice."""
    places = (
        "docs/spec/06-merge.md",
        "csrc/chonk/merge/merge.cpp",
        "csrc/tests/test_identities.cpp",
        "fuzz/mutants/merge.toml",
    )
    for place in places:
        assert place in TEXT
        assert "check D" in (ROOT / place).read_text()


COPY = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
sys.path.insert(0, sys.argv.pop(1))
from bbipc.__main__ import main
main()
"""
"""Runs `bbipc` from the directory that comes first, even where the package is installed as editable."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package that a newcomer may change."""
    core = find_spec("bbipc._core")
    assert core is not None
    assert core.origin is not None
    shutil.copytree(Path(bbipc.__file__).parent, tmp_path / "bbipc", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(core.origin, tmp_path / "bbipc")
    return tmp_path


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def test_a_command_takes_three_files_and_a_case_takes_one(copy: Path) -> None:
    """As "Where things go" says, to the letter: fields, a function, a line of the table; then a case that asks for it."""
    package = copy / "bbipc"
    schema = json.loads((package / "wire" / "extensions.json").read_text())
    fields = {"data": ["vector", ["unsigned char"]]}
    schema["commands"][1].append(["Reverse", {"__typename": "Reverse", **fields}])
    schema["responses"][1].append(["ReverseResponse", {"__typename": "ReverseResponse", **fields}])
    (package / "wire" / "extensions.json").write_text(json.dumps(schema))
    with (package / "server" / "commands" / "hashes.py").open("a") as module:
        module.write('\n\ndef reverse(fields: Fields) -> Fields:\n    return {"data": fields["data"][::-1]}\n')
    line = '        _cheap("Blake2s", '
    edit(package / "server" / "commands" / "table.py", line, f'        _cheap("Reverse", "hashes:reverse"),\n{line}')
    with (package / "conform" / "cases" / "plain.py").open("a") as module:
        module.write(
            '\n\n@suite.case("reverse", "Reverse turns bytes round.")\n'
            "async def reverse(lab: Lab) -> None:\n"
            "    async with lab.peer() as peer:\n"
            '        await peer.send(call("Reverse", {"data": b"abc"}), "Reverse")\n'
            '        reply = await peer.receive("ReverseResponse")\n'
            '        if reply.fields != {"data": EXPECTED}:\n'
            '            broken("cba", reply)\n'
            "        await peer.finish()\n"
        )
    ours = [sys.executable, "-B", "-P", "-c", COPY, str(copy)]  # what is edited twice in a second must not come from a cache
    for expected, code in (("cba", 0), ("abc", 1)):
        edit(package / "conform" / "cases" / "plain.py", "EXPECTED", f'b"{expected}"')
        judged = [*ours, "conform", "--suite", "plain.reverse", "-v", "--", *ours, "msgpack", "run"]
        done = subprocess.run(judged, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        edit(package / "conform" / "cases" / "plain.py", f'b"{expected}"', "EXPECTED")
    described = subprocess.run([*ours, "msgpack", "schema"], capture_output=True, text=True, check=True)
    assert "Reverse" in described.stdout

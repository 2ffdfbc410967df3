"""CONTRIBUTING.md names what there is: files, steps, options."""

import re
import subprocess
from pathlib import Path

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
    for place in ("docs/spec/06-merge.md", "csrc/chonk/merge/merge.cpp", "fuzz/mutants/merge.toml"):
        assert place in TEXT
        assert "check D" in (ROOT / place).read_text()

"""The manual pages: one for each command, up to date, and without a complaint from groff."""

import importlib.util
import shutil
import subprocess
from importlib.metadata import files
from pathlib import Path
from types import ModuleType

import pytest

from cli.running import TIMEOUT

FOLDER = Path(__file__).parents[2] / "docs" / "man"


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_man", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_command_has_its_page_as_it_is_now(make: ModuleType) -> None:
    kept = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.1")}
    assert kept == make.pages(), "python docs/man/make.py writes them again"


def test_the_pages_are_installed(make: ModuleType) -> None:
    installed = {Path(file).name for file in files("bbipc") or [] if Path(file).parts[-4:-1] == ("share", "man", "man1")}
    assert installed == set(make.pages())


def test_nothing_in_a_text_is_an_instruction(make: ModuleType) -> None:
    assert make.text(".so /etc/passwd") == "\\&.so /etc/passwd"
    assert make.text("'tis a-b\\c`d") == "\\&'tis a\\-b\\ec\\(gad"


def test_they_render(make: ModuleType) -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    for name, page in make.pages().items():
        done = subprocess.run(
            ["groff", "-man", "-Tutf8", "-ww", "-P-cbou"], input=page.encode(), capture_output=True, timeout=TIMEOUT, check=True
        )
        shown = done.stdout.decode()
        assert done.stderr == b"", (name, done.stderr)
        assert name.removesuffix(".1") in shown
        for part in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"):
            assert part in shown.splitlines(), (name, part)

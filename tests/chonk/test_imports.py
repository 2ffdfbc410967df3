"""Importing costs nothing before something is used."""

import subprocess
import sys
from pathlib import Path

import pytest

import bbipc
from bbipc import chonk

ROOT = Path(chonk.__file__).parents[2]


def modules_after(statement: str) -> set[str]:
    script = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def test_importing_the_packages_loads_nothing_else() -> None:
    for statement, expected in (("import bbipc", {"bbipc"}), ("import bbipc.chonk", {"bbipc", "bbipc.chonk"})):
        loaded = modules_after(statement)
        assert {name for name in loaded if name.startswith("bbipc")} == expected
        assert not loaded & {"importlib.metadata", "msgpack", "trio", "click", "rich", "cffi"}


def test_importing_the_packages_needs_no_typing() -> None:
    """`typing` costs some milliseconds. With -S: what site-packages installs at start-up may load it."""
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import bbipc.chonk; print('typing' in sys.modules)"
    result = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"


def test_values_need_no_core_and_no_msgpack() -> None:
    loaded = modules_after("from bbipc.chonk import ChonkProof, Outcome, Setup, Verdict, VerificationKey")
    assert not loaded & {"bbipc._core", "cffi", "_cffi_backend", "msgpack", "trio", "click"}


def test_verifying_needs_no_msgpack_and_no_trio() -> None:
    loaded = modules_after("from bbipc.chonk import verify")
    assert "bbipc._core" in loaded
    assert not loaded & {"msgpack", "trio", "click", "rich"}


def test_every_public_name_is_there() -> None:
    for name in chonk.__all__:
        assert name == "STEPS" or getattr(chonk, name).__module__.startswith("bbipc.chonk.")
        assert name in dir(chonk)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = chonk.nothing  # type: ignore[attr-defined]


def test_version_comes_from_the_package() -> None:
    assert bbipc.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = bbipc.nothing

"""Clients in other languages, those of `examples/languages` whose libraries are installed here; Python's always is."""

import runpy
from pathlib import Path

import pytest

TABLE = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "languages" / "table.py"))
MISSING = ("No module named", "Cannot find package", "cannot load such file", "Can't locate", "module '", "cannot find package")
"""What the languages say of a library that is not installed."""
BB_REFUSES_THEM_TOO = ("Perl Data::MessagePack, as it is",)
NOT_RUN = ("Go",)
"""They would be compiled each time."""


@pytest.mark.parametrize("name", [name for name in TABLE["CLIENTS"] if not name.startswith(NOT_RUN)])
def test_it_is_answered(name: str) -> None:
    try:
        results = TABLE["run"](TABLE["CLIENTS"][name])
    except FileNotFoundError as error:
        pytest.skip(str(error))
    if "plain" not in results and any(sign in str(results) for sign in MISSING):
        pytest.skip(f"the library is not installed: {results}")
    if name in BB_REFUSES_THEM_TOO:
        assert results["plain"] == "command name: bin, expected str"
        return
    for label in ("plain", "tagged", "large id", "integer"):
        assert results[label] == "508c5e8c"
    assert len(results["list"]) == 8
    assert results.get("bytes >= 128", "badefff2") == "badefff2"

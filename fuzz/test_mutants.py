"""The table of mutants fits the sources, and the runner refuses a table that does not."""

import re
from collections import Counter
from pathlib import Path

import pytest
from mutants.run import HERE, ROOT, Mutant, TableError, members, read_table

TABLE = read_table()
CHAPTERS = [name for path in sorted((ROOT / "docs" / "spec").glob("[01][0-9]-*.md")) if (name := path.name[:2]) <= "14"]
"""Those of the verifier."""


def test_every_chapter_has_its_mutants() -> None:
    counts = Counter(mutant.rule[:2] for mutant in TABLE)
    assert len(CHAPTERS) == 15
    assert {chapter: counts[chapter] for chapter in CHAPTERS if counts[chapter] < 2} == {}


def test_every_subrelation_is_dropped_once() -> None:
    dropped = {mutant.file: mutant.count for mutant in TABLE if "is dropped" in mutant.rule}
    assert sorted(dropped.values()) == [44, 154, 159]


def test_enough_are_written_by_hand() -> None:
    assert sum(not mutant.count for mutant in TABLE) >= 320
    assert len(list(members(TABLE))) == sum(mutant.count or 1 for mutant in TABLE)


def test_rules_name_a_chapter_or_the_architecture() -> None:
    assert [m.name for m in TABLE if not re.match(r"(\d\d(\.\d+)?|architecture:) ?", m.rule)] == []


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ('{ rule = "00", old = "gone", new = "" }', "occurs 0 times"),
        ('{ rule = "00", old = "a", new = "" }', "occurs 2 times"),
        ('{ rule = "00", old = "b", new = "b" }', "nothing changes"),
        ('{ rule = "00", old = "b", new = "c", color = 1 }', "unknown"),
    ],
)
def test_what_does_not_fit_is_an_error(tmp_path: Path, row: str, problem: str) -> None:
    (tmp_path / "file.cpp").write_text("a b a")
    (tmp_path / "file.toml").write_text(f'file = "file.cpp"\ntests = ["capi"]\nmutants = [{row}]\n')
    with pytest.raises(TableError, match=problem):
        read_table(tmp_path, tmp_path)


def test_a_mutant_changes_its_text_alone() -> None:
    mutant = Mutant("file.cpp", "00", "b", "c", ())
    assert mutant.applied_to("a b a") == "a c a"
    family = Mutant("file.cpp", "00", "b", "values[{k}]", (), count=3)
    assert family.applied_to("b") == ('#include <cstdlib>\nvalues[(std::strtoull(std::getenv("BBIPC_MUTANT"), nullptr, 10))]')
    assert [member.index for member in members([family])] == [0, 1, 2]


def test_tests_of_the_table_exist() -> None:
    for mutant in TABLE:
        for test in mutant.tests:
            path = test.split()[0] if mutant.is_python else f"csrc/tests/test_{test}.cpp"
            assert (ROOT / path.split("::")[0]).exists(), f"{mutant.name}: {test}"
    assert HERE.name == "mutants"

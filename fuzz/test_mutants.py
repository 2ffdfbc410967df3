"""The table of mutants fits the sources, and the runner refuses a table that does not."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from mutants.operators import changes
from mutants.run import (
    HERE,
    ROOT,
    Mutant,
    TableError,
    members,
    places,
    read_dependencies,
    read_generated,
    read_table,
)
from mutants.switch import HEADER, REACHED, Edit, at_fault, bodies, switched

TABLE = read_table()
CHAPTERS = sorted((ROOT / "docs" / "spec").glob("[01][0-9]-*.md"))


WITHOUT_CHECKS = {
    "00.2", "00.8", "00.9", "01.5", "03.4", "07.10", "07.11", "08.1", "08.12", "09.6", "10.1", "14.8",
}  # fmt: skip
"""Sections that demand nothing of a verifier: notation, orientation, cost, vectors."""


def test_every_section_has_its_mutants() -> None:
    """Two for each numbered section of a chapter, or of a chapter without such sections."""
    assert len(CHAPTERS) == 16
    counts: Counter[str] = Counter()
    for mutant in TABLE:
        counts.update(dict.fromkeys(re.findall(r"^\d\d(?:\.\d+)?", mutant.rule), mutant.count or 1))
    missing = {name: counts[name] for name in sections() if counts[name] < 2 and name not in WITHOUT_CHECKS}
    assert missing == {}


def sections() -> list[str]:
    """As rules name them: the number of the chapter, and that of the section if it has any."""
    found: list[str] = []
    for path in CHAPTERS:
        numbers = re.findall(r"^## (?:\d+\.)?(\d+)[. ]", path.read_text(), re.MULTILINE)
        found += [f"{path.name[:2]}.{number}" for number in numbers] or [path.name[:2]]
    return found


def test_every_subrelation_is_dropped_once() -> None:
    dropped = {mutant.file: mutant.count for mutant in TABLE if "is dropped" in mutant.rule}
    assert sorted(dropped.values()) == [44, 154, 159]


def test_python_has_its_share() -> None:
    files = {mutant.file for mutant in TABLE if mutant.is_python}
    assert {"bbipc/chonk", "bbipc/server", "bbipc/aztec"} <= {"/".join(file.split("/")[:2]) for file in files}
    assert sum(mutant.is_python for mutant in TABLE) >= 150


def test_every_file_is_judged() -> None:
    assert [mutant.name for mutant in TABLE if not mutant.judged] == []


def test_enough_are_written_by_hand() -> None:
    assert sum(not mutant.count for mutant in TABLE) >= 320
    assert len(list(members(TABLE))) == sum(mutant.count or 1 for mutant in TABLE)


def test_rules_name_a_chapter_or_a_part_of_the_project() -> None:
    parts = "architecture|archive|cli|client|cluster|detection|metrics|protocol"
    assert [m.name for m in TABLE if not re.match(rf"(\d\d(\.\d+)?|({parts}):) ", m.rule)] == []


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
    assert family.applied_to("b") == f"{HEADER}values[(std::size_t(bbipc_mutant::member))]"
    assert [member.index for member in members([family])] == [0, 1, 2]


def test_the_layout_of_cpp_does_not_count() -> None:
    source = "int f(int a) {\n    return g(\n        a + 1,\n        2);\n}\n"
    mutant = Mutant("file.cpp", "00", "    return g(a+1, 2);\n", "    return g(a, 2);\n", ())
    assert mutant.applied_to(source) == "int f(int a) {\n    return g(a, 2);\n}\n"
    assert places("a = b\n    c", "a=b", is_python=True) == []
    assert places("a  =\nb a=b", "a = b", is_python=False) == [(0, 6), (7, 10)]


def test_tests_of_the_table_exist() -> None:
    for mutant in TABLE:
        for test in mutant.tests:
            path = test.split()[0] if mutant.is_python else f"csrc/tests/test_{test}.cpp"
            assert (ROOT / path.split("::")[0]).exists(), f"{mutant.name}: {test}"
    assert HERE.name == "mutants"


def test_included_files_are_found_by_any_path(tmp_path: Path) -> None:
    source, build = tmp_path / "source", tmp_path / "build"
    listed = f"""a.o: #deps 4, deps mtime 1 (VALID)
    {source}/csrc/a.cpp
    ../source/csrc/b.hpp
    {build}/made.hpp
    /usr/include/stdio.h

other.o: #deps 1, deps mtime 1 (VALID)
    {source}/csrc/c.hpp
"""
    found = read_dependencies(listed, build, source, {build / "a.o": "csrc/a.cpp"})
    assert found == {"csrc/a.cpp": {"csrc/a.cpp", "csrc/b.hpp"}}


PROGRAM = """\
#include <cstdio>
// if (a) { braces in a comment
namespace counting {
constexpr int limit = 3;
struct Counter {
    explicit Counter(int start) : value(start) { value += 1; }
    void add(int step) {
        if (step > 0) value += step;  // not a "{"
    }
    bool operator==(const Counter& other) const { return value == other.value; }
    int value;
};
constexpr int twice(int a) { return 2 * a; }
static_assert(twice(2) == 4);
template <class T>
T largest(T a, T b) {
    const auto less = [](const T& x, const T& y) { return x < y; };
    return less(a, b) ? b : a;
}
}  // namespace counting
int main() {
    counting::Counter counter(1);
    counter.add(2);
    std::printf("%d %d %d", counter.value, counting::twice(counter.value), counting::largest(1, 2));
    return counter == counting::Counter(3) ? 0 : 1;
}
"""


def edits(*texts: tuple[str, str]) -> list[Edit]:
    return [
        Edit(number, PROGRAM.index(old), PROGRAM.index(old) + len(old), new) for number, (old, new) in enumerate(texts, start=1)
    ]


def test_mutants_are_chosen_at_run_time(tmp_path: Path) -> None:
    changed, left, places = switched(
        PROGRAM,
        edits(
            ("value += 1;", "value += 5;"),
            ("step > 0", "step > 2"),
            ("return 2 * a;", "return 3 * a;"),
            ("x < y", "x > y"),
            ("limit = 3", "limit = 4"),
            ("value == other.value", "value != other.value"),
        ),
    )
    assert [edit.number for edit in left] == [5]  # it stands in no function
    assert sorted(number for number, _, _ in places) == [1, 2, 3, 4, 6]
    source, program = tmp_path / "program.cpp", tmp_path / "program"
    source.write_text(changed)
    subprocess.run(["c++", "-std=c++20", source, "-o", program], check=True)

    def run(number: int) -> tuple[str, int, bool]:
        done = subprocess.run([program], env={"BBIPC_MUTANT": str(number)}, check=False, text=True, capture_output=True)
        return done.stdout, done.returncode, REACHED in done.stderr

    assert run(-1) == ("4 8 2", 0, False)
    assert run(1)[0] == "8 16 2"
    assert run(2) == ("2 4 2", 1, True)
    assert run(3)[0] == "4 12 2"  # and the static assertion still holds
    assert run(4)[0] == "4 8 1"
    assert run(6)[1] == 1
    assert run(5) == ("4 8 2", 0, False)


def test_what_does_not_compile_is_found(tmp_path: Path) -> None:
    changed, _, places = switched(PROGRAM, edits(("return 2 * a;", "return 3 * a;"), ("step > 0", "nothing > 0")))
    source = tmp_path / "program.cpp"
    source.write_text(changed)
    done = subprocess.run(["c++", "-std=c++20", "-fsyntax-only", source], check=False, text=True, stderr=subprocess.PIPE)
    assert at_fault(done.stderr, {"program.cpp": places}) == {2}
    assert at_fault("", {"program.cpp": places}) == set()


def test_rules_change_bodies_only() -> None:
    made = {(change.line, change.becomes) for change in changes("program.cpp", PROGRAM)}
    assert len(bodies(PROGRAM)) == 6
    assert ('if (step > 0) value += step;  // not a "{"', 'if (false && (step > 0)) value += step;  // not a "{"') in made
    assert ("counter.add(2);", ";") in made
    assert ("counter.add(2);", "counter.add(3);") in made
    assert not any("constexpr" in line or "static_assert" in line for line, _ in made)
    for change in changes("program.cpp", PROGRAM):
        assert PROGRAM[: change.start] + change.new + PROGRAM[change.end :] != PROGRAM


def test_a_thousand_are_made() -> None:
    made = read_generated(TABLE)
    for_sanitizers = read_generated(TABLE, sanitize=True)
    assert {m.digest for m in for_sanitizers}.isdisjoint({m.digest for m in made})
    assert len(for_sanitizers) >= 12
    assert not any(m.equivalent for m in for_sanitizers)
    assert len(made) >= 1000
    assert len({m.digest for m in made}) == len(made)
    assert {m.file.split("/")[1] for m in made} == {"chonk", "run", "transcript", "curve"}

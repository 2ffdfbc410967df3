"""Each folder of csrc/ includes only those below it (docs/architecture.md), and no header includes its caller's."""

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

CORE = Path(__file__).parents[1] / "csrc"

LAYERS = (
    {"capi"},
    {"shm"},
    {"wire"},
    {"engine"},
    {"chonk/verify"},
    {"chonk/oink", "chonk/merge", "chonk/eccvm", "chonk/joint", "chonk/ipa", "srs"},
    {"chonk/opening", "chonk/keys", "chonk/proof"},
    {"transcript", "relations", "generators"},
    {"msm", "pairing", "hash", "run", "verdict"},
    {"curve"},
    {"field"},
    {"include", "."},
)
"""From the top; "." is config.hpp and cpu.hpp. Folders of one layer do not know each other, but for those in `BESIDE`."""

BESIDE = {("chonk/joint", "chonk/oink")}
"""The joint proof is about the columns that Oink received."""

USERS = {"tests", "bench"}


def _includes(source: str) -> list[str]:
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', source, re.MULTILINE)


def _graph(core: Path) -> dict[str, set[str]]:
    """Which files of the core each of them includes, relative to `core`."""
    files = [path for path in core.rglob("*.[ch]*") if path.suffix in (".h", ".hpp", ".cpp")]
    graph = {}
    for path in files:
        if path.relative_to(core).parts[0] in USERS:
            continue
        included = {(path.parent / name).resolve() for name in _includes(path.read_text())}
        assert all(target.exists() for target in included), path
        graph[path.relative_to(core).as_posix()] = {target.relative_to(core).as_posix() for target in included}
    return graph


def _upward(graph: dict[str, set[str]]) -> set[tuple[str, str]]:
    level = {folder: number for number, folders in enumerate(LAYERS) for folder in folders}
    edges = {(file, target) for file, targets in graph.items() for target in targets}
    return {
        (file, target)
        for file, target in edges
        if (own := Path(file).parent.as_posix()) != (other := Path(target).parent.as_posix())
        if level[other] <= level[own] and (own, other) not in BESIDE
    }


def _units(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """The same for units: a header and the source of its name are one."""
    units: dict[str, set[str]] = {}
    for file, targets in graph.items():
        unit = str(Path(file).with_suffix(""))
        units.setdefault(unit, set()).update(name for target in targets if (name := str(Path(target).with_suffix(""))) != unit)
    return units


def test_no_file_includes_upwards() -> None:
    graph = _graph(CORE)
    assert {Path(file).parent.as_posix() for file in graph} == set().union(*LAYERS)
    assert not _upward(graph)


def test_no_header_includes_its_callers() -> None:
    """What a source calls stands in headers that do not need the source's own header in turn."""
    TopologicalSorter(_units(_graph(CORE))).prepare()


def _reachable(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """All pairs of which the second can be reached from the first."""
    found: set[tuple[str, str]] = set()
    while new := (edges | {(a, d) for a, b in edges for c, d in found if b == c}) - found:
        found |= new
    return found


def test_the_picture_shows_what_is_included() -> None:
    picture = (CORE.parent / "docs" / "pictures" / "core.dot").read_text()
    drawn = set(re.findall(r'^ *"([^"]+)" -> "([^"]+)";$', picture, re.MULTILINE))
    pairs = {(Path(a).parent.as_posix(), Path(b).parent.as_posix()) for a, targets in _graph(CORE).items() for b in targets}
    assert drawn <= pairs
    assert _reachable(drawn) == _reachable({(a, b) for a, b in pairs if a != b})


def test_upward_includes_and_circles_are_found(tmp_path: Path) -> None:
    for folder in ("field", "curve"):
        (tmp_path / folder).mkdir()
    (tmp_path / "curve" / "curve.hpp").write_text('#include "../field/field.hpp"\n')
    (tmp_path / "field" / "field.hpp").write_text("#include <span>\n")
    (tmp_path / "field" / "sqrt.hpp").write_text('#include "field.hpp"\n')
    assert not _upward(_graph(tmp_path))
    TopologicalSorter(_units(_graph(tmp_path))).prepare()
    (tmp_path / "field" / "field.cpp").write_text('#include "field.hpp"\n#include "sqrt.hpp"\n#include "../curve/curve.hpp"\n')
    assert _upward(_graph(tmp_path)) == {("field/field.cpp", "curve/curve.hpp")}
    with pytest.raises(CycleError):
        TopologicalSorter(_units(_graph(tmp_path))).prepare()

"""Each layer knows only those below it (docs/architecture.md). Imports inside functions count, too."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import bbipc

ROOT = Path(bbipc.__file__).parent
PROJECT = Path(__file__).parent.parent

LAYERS = (
    {"cli"},
    {"fuzzing", "cluster"},
    {"server", "inspect", "conform", "archive"},
    {"client"},
    {"aztec", "shm"},
    {"chonk", "wire"},
)
"""From the top; packages of one layer do not know each other."""


def _imported(tree: ast.AST) -> set[str]:
    """Subpackages of bbipc that a module imports at run time."""
    return {name.split(".")[1] for name in _modules(tree) if name.startswith("bbipc.")}


def _modules(tree: ast.AST) -> set[str]:
    """What a module imports at run time: modules, and names in them."""
    found: set[str] = set()
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            stack += node.orelse
            continue
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        stack += ast.iter_child_nodes(node)
    return found


def test_no_package_imports_upwards() -> None:
    level = {name: number for number, names in enumerate(LAYERS) for name in names}
    folders = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    assert folders == set(level)
    wrong = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in ROOT.rglob("*.py")
        if len(path.relative_to(ROOT).parts) > 1
        for name in _imported(ast.parse(path.read_text()))
        if (own := path.relative_to(ROOT).parts[0]) != name
        if name in level and level[name] <= level[own]
    }
    assert not wrong


def test_imports_are_seen_wherever_they_stand() -> None:
    late = "def f():\n    from bbipc.server import serve\n"
    checked = "if TYPE_CHECKING:\n    import bbipc.cli\nelse:\n    from bbipc import chonk\n"
    assert _imported(ast.parse(late + checked)) == {"server", "chonk"}
    assert _imported(ast.parse((ROOT / "cli" / "serve.py").read_text())) == {"cli"}
    assert {"chonk", "wire", "server"} <= _imported(ast.parse((ROOT / "server" / "commands" / "hashes.py").read_text()))


def test_no_import_leads_back() -> None:
    """Every package can be read from the bottom up."""
    graph = {}
    for package in {name for names in LAYERS for name in names}:
        modules = {
            ".".join(("bbipc", *path.relative_to(ROOT).with_suffix("").parts)): path for path in (ROOT / package).rglob("*.py")
        }
        for name, path in modules.items():
            imported = _modules(ast.parse(path.read_text()))
            graph[name] = {other for other in modules if any(f"{one}.".startswith(f"{other}.") for one in imported)}
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("bbipc.chonk.words") < order.index("bbipc.chonk.proof") < order.index("bbipc.chonk.verifier")


def test_what_tests_share_stands_in_modules_of_helpers() -> None:
    """Only pytest imports a test module: what others need stands in a module beside it, or is a fixture in a conftest.py."""
    modules = [path for folder in ("tests", "fuzz", "bench") for path in (PROJECT / folder).rglob("*.py")]
    assert len(modules) > 150
    wrong = {
        (path.relative_to(PROJECT).as_posix(), name)
        for path in modules
        for name in _modules(ast.parse(path.read_text()))
        if _is_of_tests(name)
    }
    assert not wrong
    for line in ("from server.test_shm import receive", "import test_imports", "from server import test_shm, conftest"):
        assert any(map(_is_of_tests, _modules(ast.parse(line))))


def _is_of_tests(name: str) -> bool:
    return any(part.startswith("test_") or part == "conftest" for part in name.split("."))

"""Each layer knows only those below it (docs/architecture.md). Imports inside functions count, too."""

import ast
import re
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


LATE = {
    "what a command runs on, 26 to 310 ms: --help, completion and wrong usage need none of it": {
        "bbipc.cli.conform_run", "bbipc.cli.fuzz_run", "bbipc.cli.top_view", "bbipc.conform.case", "bbipc.conform.target",
    },
    "`msgpack run` goes its own way: clients wait for it, and click alone takes 16 ms": {
        "bbipc.cli.bb_words", "bbipc.cli.main", "bbipc.cli.msgpack", "click", "json", "shlex", "shutil",
    },
    "the socket listens before Trio and the rest of the server, 116 ms, are imported": {
        "bbipc.server.backend", "bbipc.server.descriptors", "bbipc.server.late", "bbipc.server.logs", "bbipc.server.serve",
        "bbipc.server.commands.table", "bbipc.wire.schema",
    },
    "what only some servers have, 4 to 136 ms: a child, metrics, shared memory, a supervisor": {
        "bbipc.server.metrics", "bbipc.server.notify", "bbipc.server.scrape", "bbipc.server.shm", "bbipc.server.upstream",
        "bbipc.shm.files", "ctypes",
    },
    "the server loads the core, 10 to 24 ms, in a thread once it listens; values, and so clients, need none": {
        "bbipc.chonk", "bbipc.chonk.cheap", "bbipc.chonk.core", "bbipc.chonk.lane", "bbipc.chonk.setup", "bbipc.shm.serving",
    },
    "packages whose names load what they need: importing them costs nothing": {
        "bbipc.chonk.simple", "importlib", "importlib.metadata",
    },
    "encodings that most proofs and keys do not come in, and setups that are not Aztec's, up to 9 ms": {
        "bbipc.chonk.forms", "bbipc.chonk.proof_msgpack", "json", "msgpack", "zlib",
    },
    "an event loop, 12 to 83 ms: only for those who open a client, and only the one that runs": {
        "anyio.from_thread", "asyncio", "bbipc.client.blocking", "bbipc.client.connection", "bbipc.client.shm", "trio",
    },
    "transactions, 21 to 27 ms: most of what is verified is proofs under a key in a file": {
        "bbipc.aztec.detect", "bbipc.aztec.registry",
    },
    "processes of local clusters, 16 ms of a verify-many without them": {"multiprocessing"},
    "extras, which need not be installed": {"bbipc.cluster", "bbipc.cluster.connect", "bokeh", "distributed"},
    "progress and reports on a terminal, 28 ms of rich": {"bbipc.cli.progress", "rich.console", "rich.text"},
    "an end in an error, a report in XML, completion by a shell: 0.5 to 2.6 ms of every other start": {
        "click.shell_completion", "difflib", "signal", "traceback", "xml.etree",
    },
}  # fmt: skip
"""Why a module is imported inside of functions, with the processor time that this saves those who do not need it."""


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


def test_the_architecture_tells_the_layers_from_the_top() -> None:
    text = (PROJECT / "docs" / "architecture.md").read_text()
    level = {name: number for number, names in enumerate(LAYERS) for name in names}
    told = re.findall(r"\n\| `bbipc/(\w+)/` \|", text)
    assert sorted(told) == sorted(level)
    assert [level[name] for name in told] == sorted(level.values())


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


def _late() -> set[str]:
    """What is imported inside of functions."""
    found = set()
    for path in ROOT.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        for node in (node for function in functions for node in ast.walk(function)):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found |= {_module_of(str(node.module), alias.name) for alias in node.names}
    return found


def _module_of(package: str, name: str) -> str:
    path = ROOT.parent.joinpath(*package.split("."), f"{name}.py")
    return f"{package}.{name}" if path.exists() else package


def test_every_import_inside_of_a_function_has_a_reason() -> None:
    assert _late() == {module for modules in LATE.values() for module in modules}


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

"""Change the verifier in many small ways, each of which breaks a rule of the specification, and see that a test notices.

python fuzz/mutants/run.py [--generated] [--together] [--only TEXT] [--random N] [--sample MINUTES] [--seed N]
                           [--sanitize] [--jobs N] [--report FILE [--resume]] [--build DIR]

The mutants stand in the TOML files beside this one: for a source file, which tests to run (the likeliest first), and for each
mutant the rule it breaks, a text that occurs once in the file, and what replaces it. A text that does not occur, or occurs
twice, is an error of the table. In C++ blanks and line breaks do not count, so that formatting the sources breaks no row.
`count = N` stands for N mutants, in whose text `{k}` is 0 .. N-1; they are compiled once.

A mutant is *killed* if it does not compile (by a static assertion), or a test fails or takes too long; otherwise it has
*survived*. `equivalent` in the table is the argument why no test can notice; such a mutant must survive. A file whose mutants
have all been run says `judged = true`. Only those are sampled, so that a survivor in a sample is news.

`--generated` takes those that rules make (operators.py) instead: `generated/equivalent.toml` has the arguments about them.
Some of these arguments are that a mutant is undefined behaviour, on which no verdict depends: what it does is an accident.
`--sanitize` takes these and no others, and builds with AddressSanitizer and UndefinedBehaviorSanitizer, which must kill them;
`--generated` leaves them out.

The core is built once. With `--together` all mutants are compiled in one more build, and each costs its tests alone
(switch.py): it is the way to run many of them. Otherwise each mutant compiles and links only what depends on the changed file.
Both for one arithmetic path: adx where the processor has it, as it makes the tests faster, otherwise portable.
Python's share is tested with the extension that is installed. Exit status: 0 as it should be, 1 a survivor without an argument
or a killed mutant with one, 2 an error of the table or of the build.
"""

import argparse
import hashlib
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent.parent))  # as a script it stands in no package
from mutants import operators, switch

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent.parent
COPIED: Final = ("CMakeLists.txt", "pyproject.toml", "cmake", "csrc", "tests", "docs/spec", "bbipc", "fuzz")
TIME_LIMIT: Final = 300
"""Seconds after which a test in Python counts as failed, or a slow build of a native one: a mutant may loop for ever."""
NATIVE_LIMIT: Final = 90
"""The same for native tests, of processor time: ten times what the slowest takes, since a mutant that loops costs all of it."""

ALL_TESTS: Final = ("identities", "protocol", "forged", "capi", "checks", "randomness", "threads")
"""Those that run the verifier; the rest (msm, memory ...) look at what the table says of a file."""

KILLED: Final = "killed"
SURVIVED: Final = "survived"
EQUIVALENT: Final = "equivalent"
WRONG: Final = "killed, though said to be equivalent"


class TableError(Exception):
    """The table does not fit the sources."""


class BuildError(Exception):
    """The core cannot be built or tested without any mutant."""


@dataclass(frozen=True)
class Mutant:
    """One line of the table."""

    file: str
    """Relative to the root of the project."""
    rule: str
    """Chapter of docs/spec and the rule in it that is broken."""
    old: str
    new: str
    tests: tuple[str, ...]
    """Names of native tests, or paths of Python tests; the likeliest to fail first."""
    count: int = 0
    """For a family, the number of its members."""
    index: int = -1
    """For a member, its number."""
    equivalent: str = ""
    judged: bool = False
    """Whether all mutants of its file have been run, and none has survived without an argument."""
    edit: tuple[int, int, str] | None = None
    """Of a mutant made by rule (operators.py), where its text stands, and what replaces it; `old`, `new`: its line."""

    @property
    def name(self) -> str:
        member = f" [{self.index}]" if self.index >= 0 else ""
        return f"{self.file}: {self.rule}{member}"

    @property
    def digest(self) -> str:
        """What tells this mutant from all others, whatever its row says of it."""
        return hashlib.sha256(repr((self.file, self.old, self.new, self.index)).encode()).hexdigest()[:16]

    @property
    def is_python(self) -> bool:
        return self.file.endswith(".py")

    def applied_to(self, source: str) -> str:
        """The changed source."""
        start, end, new = self.edit_of(source)
        header = switch.HEADER if self.count else ""
        return header + source[:start] + new + source[end:]

    def edit_of(self, source: str) -> tuple[int, int, str]:
        """Start and end of the text, and what replaces it; `{k}` in that is the member that the environment names."""
        if self.edit is not None:
            return self.edit
        start, end = places(source, self.old, is_python=self.is_python)[0]
        new = self.new.replace("{k}", "(std::size_t(bbipc_mutant::member))") if self.count else self.new
        return start, end, new if self.is_python else new.strip()


def places(source: str, text: str, *, is_python: bool) -> list[tuple[int, int]]:
    """Where a text stands in a source; in C++ without regard to blanks, and from its first to its last other character."""
    visible = [at for at, char in enumerate(source) if is_python or not char.isspace()]
    searched = "".join(source[at] for at in visible)
    wanted = text if is_python else "".join(text.split())
    found = [match.start() for match in re.finditer(re.escape(wanted), searched)] if wanted else []
    return [(visible[at], visible[at + len(wanted) - 1] + 1) for at in found]


@dataclass
class Result:
    """How a mutant fared."""

    mutant: Mutant
    status: str
    by: str
    """The test that failed, or "compiler"."""
    seconds: float
    message: str = ""
    """What that test said first, which names the rule."""


def read_table(folder: Path = HERE, root: Path = ROOT) -> list[Mutant]:
    """All mutants, families as one; raises TableError if any does not fit its file."""
    mutants: list[Mutant] = []
    problems: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            table: dict[str, Any] = tomllib.loads(path.read_text())
            mutants += _read_file(table, root)
        except (TableError, KeyError, OSError, tomllib.TOMLDecodeError) as error:
            problems.append(f"{path.name}: {error}")
    if problems:
        raise TableError("\n".join(problems))
    return mutants


def _read_file(table: dict[str, Any], root: Path) -> Iterator[Mutant]:
    problems: list[str] = []
    source = (root / table["file"]).read_text()
    seen: set[tuple[str, str]] = set()
    for row in table["mutants"]:
        unknown = set(row) - {"rule", "old", "new", "count", "equivalent", "tests"}
        occurrences = len(places(source, row["old"], is_python=table["file"].endswith(".py")))
        if unknown:
            problems.append(f"{row['rule']}: unknown {sorted(unknown)}")
        elif occurrences != 1:
            problems.append(f"{row['rule']}: the text occurs {occurrences} times, not once: {row['old']!r}")
        elif row["old"] == row["new"] or (row["old"], row["new"]) in seen:
            problems.append(f"{row['rule']}: nothing changes, or the same mutant twice")
        seen.add((row["old"], row["new"]))
        mutant = Mutant(
            file=table["file"],
            rule=row["rule"],
            old=row["old"],
            new=row["new"],
            tests=tuple(row.get("tests", table["tests"])),
            count=row.get("count", 0),
            equivalent=row.get("equivalent", ""),
            judged=table.get("judged", False),
        )
        if not problems:
            yield mutant
    if problems:
        raise TableError("\n  ".join(["", *problems]))


def read_generated(table: Sequence[Mutant], root: Path = ROOT, *, sanitize: bool = False) -> list[Mutant]:
    """The mutants made by rule, tested as those of the same file in the table are, and then by the others that may notice.

    If `sanitize`, only those that are undefined behaviour, and otherwise none of these.
    """
    tests: dict[str, dict[str, None]] = {}  # in the order of the rows
    for m in table:
        tests.setdefault(m.file, {}).update(dict.fromkeys(m.tests))
    described: dict[str, Any] = tomllib.loads((HERE / "generated" / "equivalent.toml").read_text())
    why = {(row.get("file", ""), row["line"], row["becomes"], row.get("place", 0)): row["why"] for row in described["mutants"]}
    times: Counter[tuple[str, str, str]] = Counter()
    lost = set(why)
    mutants: list[Mutant] = []
    for change in operators.all_changes(root):
        line = (change.file, change.line, change.becomes)
        number = times[line]
        times[line] += 1
        place = f" #{number}" if number else ""
        anywhere = ("", change.line, change.becomes, number)
        key = ("/".join(Path(change.file).parts[-2:]), *anywhere[1:])
        lost -= {key, anywhere}
        likely = tests.get(change.file, {})
        argument = why.get(key, why.get(anywhere, ""))
        if sanitize != (argument in described["for_sanitizers"]):
            continue
        mutants.append(
            Mutant(
                file=change.file,
                rule=f"{change.line} => {change.becomes}{place}",
                old=change.line + place,
                new=change.becomes,
                tests=(*likely, *(test for test in ALL_TESTS if test not in likely)),
                equivalent="" if sanitize or not argument else described["arguments"][argument],
                edit=(change.start, change.end, change.new),
            )
        )
    if lost:
        raise TableError("\n".join(f"no such mutant is made: {key}" for key in sorted(lost)))
    return mutants


def members(mutants: Iterable[Mutant]) -> Iterator[Mutant]:
    """The mutants one by one, families as their members."""
    for m in mutants:
        if not m.count:
            yield m
        for k in range(m.count):
            yield replace(m, index=k)


def read_report(path: Path) -> set[str]:
    """The mutants that a report tells of."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {json.loads(line)["mutant"] for line in lines}


def copy_sources(target: Path) -> None:
    """Bring a copy of the project up to date; what did not change keeps its time."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *COPIED],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout
    names = {name.decode() for name in listed.split(b"\0") if name}
    for name in sorted(names):
        source, copy = ROOT / name, target / name
        if source.exists() and not (copy.exists() and copy.read_bytes() == source.read_bytes()):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
    for copy in [path for folder in COPIED for path in (target / folder).rglob("*")]:
        foreign = copy.is_file() and str(copy.relative_to(target)) not in names
        if foreign and "__pycache__" not in copy.parts and copy.suffix != ".so":
            copy.unlink()


def arithmetic_path() -> str:
    """The fastest one that can be compiled alone and runs here."""
    try:
        flags = set(re.findall(r"\w+", Path("/proc/cpuinfo").read_text()))
    except OSError:
        return "portable"
    return "adx" if {"adx", "bmi2"} <= flags else "portable"


def run(command: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command, its output captured as text."""
    return subprocess.run(
        [str(part) for part in command],
        check=False,
        text=True,
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        **options,
    )


def read_dependencies(listed: str, build: Path, source: Path, by_object: Mapping[Path, str]) -> dict[str, set[str]]:
    """What `ninja -t deps` says: for each source file that has an object, the files below `source` that it includes."""
    dependencies: dict[str, set[str]] = {}
    current: set[str] | None = None
    for line in listed.splitlines():
        if line and not line.startswith(" "):
            name = by_object.get((build / line.split(":")[0]).resolve(), "")
            current = dependencies.setdefault(name, set()) if name else None
        elif current is not None and line:
            included = (build / line.strip()).resolve()  # with CCACHE_BASEDIR they are relative
            if included.is_relative_to(source):
                current.add(str(included.relative_to(source)))
    return dependencies


@dataclass
class Base:
    """The build without any mutant."""

    source: Path
    build: Path
    path: str
    """The arithmetic path under test."""
    sanitize: bool = False
    commands: dict[str, list[str]] = field(default_factory=dict)
    """Source file, relative, -> command that compiles it, without output."""
    objects: dict[str, Path] = field(default_factory=dict)
    dependencies: dict[str, set[str]] = field(default_factory=dict)
    """Source file -> the files of the project that it includes, and itself."""
    confirmed: set[str] = field(default_factory=set)
    """Python tests that pass without any mutant."""

    def prepare(self, native_tests: set[str], jobs: int) -> None:
        """Build the library and the tests, of which `confirm` says whether they pass."""
        copy_sources(self.source)
        options = ["-DBBIPC_TESTS=ON", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", "-DCMAKE_CXX_FLAGS_RELEASE=-O1"]
        options += [f"-DBBIPC_SANITIZE={'ON' if self.sanitize else 'OFF'}"]
        launcher = [f"-DCMAKE_CXX_COMPILER_LAUNCHER={path}" for path in [shutil.which("ccache")] if path]
        configured = run(
            ["cmake", "-S", str(self.source), "-B", str(self.build), "-G", "Ninja", *options, *launcher],
        )
        if configured.returncode != 0:
            raise BuildError(configured.stdout[-4000:])
        targets = ["bbipc_core_static", *(f"test_{test}_{self.path}" for test in sorted(native_tests))]
        targets += [f"cases_{cases}" for cases in ("capi", "forged", "protocol", "relations")]
        built = run(["cmake", "--build", self.build, "-j", str(jobs), "--target", *targets])
        if built.returncode != 0:
            raise BuildError(built.stdout[-4000:])
        for entry in json.loads((self.build / "compile_commands.json").read_text()):
            words = shlex.split(entry["command"])
            words = words[1:] if words[0].endswith("ccache") else words
            at = words.index("-o")
            name = str(Path(entry["file"]).relative_to(self.source))
            if not re.search(rf"_({self.path}|static)\.dir/", words[at + 1]) or not (self.build / words[at + 1]).exists():
                continue
            self.objects[name] = Path(entry["directory"]) / words[at + 1]
            self.commands[name] = words[:at] + words[at + 2 :]
        listed = run(["ninja", "-C", self.build, "-t", "deps"]).stdout
        by_object = {path.resolve(): name for name, path in self.objects.items()}
        self.dependencies = read_dependencies(listed, self.build, self.source, by_object)

    def confirm(self, native_tests: set[str], jobs: int) -> None:
        """A test that fails without any mutant says nothing."""
        tests = sorted(native_tests)
        with ThreadPoolExecutor(jobs) as pool:
            problems = pool.map(lambda test: self.fails(self.executable(test), test, {}), tests)
            for test, problem in zip(tests, problems, strict=True):
                if problem:
                    raise BuildError(f"test_{test} fails without any mutant:\n{problem}")

    def executable(self, test: str) -> Path:
        return self.build / "csrc" / "tests" / f"test_{test}_{self.path}"

    def arguments(self, test: str) -> list[str]:
        """What CTest gives the test: a file of cases, if it has one."""
        text = (self.build / "csrc" / "tests" / "CTestTestfile.cmake").read_text()
        found = re.search(rf"add_test\(\[=\[test_{test}_{self.path}\]=\] (.*)\)", text)
        if found is None:
            raise BuildError(f"CTest does not know test_{test}_{self.path}")
        return shlex.split(found[1])[1:]

    def fails(self, program: Path, test: str, environment: dict[str, str]) -> str:
        """What a failing test said; empty if it passed."""
        failed, said = self.run_test(program, test, environment)
        return said if failed else ""

    def run_test(self, program: Path, test: str, environment: dict[str, str], limit: float = NATIVE_LIMIT) -> tuple[bool, str]:
        """Whether a test fails, and what it says."""
        try:
            # Of processor time: on a busy machine a test that is only slow would count as failed. A deadlock needs none of it.
            done = run(
                ["prlimit", f"--cpu={int(limit)}", program, *self.arguments(test)],
                env={**os.environ, "BBIPC_STOP_AT_FAILURE": "1", **environment},
                timeout=20 * limit,
            )
        except subprocess.TimeoutExpired as expired:
            said = expired.stdout or b""
            return True, "no end " + (said.decode(errors="replace") if isinstance(said, bytes) else said)
        return done.returncode != 0, done.stdout or f"status {done.returncode}"


@dataclass
class Workshop:
    """A copy of the sources in which one mutant at a time is compiled and tested."""

    base: Base
    folder: Path

    def prepare(self, *, python: bool) -> None:
        copy_sources(self.folder)
        if python:
            found = find_spec("bbipc._core")
            if found is None or found.origin is None:
                raise BuildError("bbipc is not installed, so Python's share cannot be tested")
            shutil.copy(found.origin, self.folder / "bbipc")
            site = self.folder / "build" / "site"
            site.mkdir(parents=True, exist_ok=True)
            # An editable installation puts itself before PYTHONPATH.
            (site / "sitecustomize.py").write_text(
                "import sys\nsys.meta_path[:] = [f for f in sys.meta_path if 'editable' not in type(f).__module__.lower()]\n"
            )

    def judge(self, mutant: Mutant) -> Iterator[Result]:
        """Compile and test a mutant, or all members of a family."""
        path = self.folder / mutant.file
        original = path.read_text()
        path.write_text(mutant.applied_to(original))
        try:
            if mutant.is_python:
                result = self._timed(mutant, lambda: self._python_killer(mutant.tests))
                path.write_text(original)
                self._confirm(result.by)
                yield result
            elif mutant.count:
                yield from self._family(mutant)
            else:
                yield self._timed(mutant, lambda: self._native_killer(mutant, {}))
        finally:
            path.write_text(original)

    def _timed(self, mutant: Mutant, killer: Any) -> Result:
        start = time.monotonic()
        by = killer()
        if_killed, if_not = (WRONG, EQUIVALENT) if mutant.equivalent else (KILLED, SURVIVED)
        status = if_killed if by else if_not
        return Result(mutant, status, by, time.monotonic() - start)

    def _family(self, mutant: Mutant) -> Iterator[Result]:
        changed = self._compile([name for name in self.base.commands if self._depends(name, mutant.file)])
        if changed is None:
            raise BuildError(f"{mutant.name} does not compile")
        programs = {test: self.link(test, changed) for test in mutant.tests}
        for member in members([mutant]):
            environment = {"BBIPC_MUTANT_MEMBER": str(member.index)}
            yield self._timed(
                member,
                lambda environment=environment: next(
                    (test for test in mutant.tests if self.base.fails(programs[test], test, environment)), ""
                ),
            )

    def _native_killer(self, mutant: Mutant, environment: dict[str, str]) -> str:
        affected = [name for name in self.base.commands if self._depends(name, mutant.file)]
        if not affected:
            raise BuildError(f"nothing that is compiled depends on {mutant.file}")
        tests = {test: f"csrc/tests/test_{test}.cpp" for test in mutant.tests}
        changed: dict[str, Path] | None = {}
        # A header that a test includes: the test alone is compiled first, with the library as it was.
        if not mutant.file.endswith(".cpp"):
            for test, source in tests.items():
                if source in affected:
                    alone = self._compile([source])
                    if alone is None:
                        return "compiler"
                    if self.base.fails(self.link(test, alone), test, environment):
                        return test
        changed = self._compile([name for name in affected if not name.startswith("csrc/tests/") or name in tests.values()])
        if changed is None:
            return "compiler"
        for test in mutant.tests:
            if self.base.fails(self.link(test, changed), test, environment):
                return test
        return ""

    def _depends(self, name: str, file: str) -> bool:
        return file in self.base.dependencies.get(name, ()) or name == file

    def _compile(self, names: Sequence[str]) -> dict[str, Path] | None:
        """Objects of these sources as they are in this copy; None if one does not compile."""
        objects: dict[str, Path] = {}
        for name in names:
            objects[name], problem = self.compile_one(name)
            if problem:
                return None
        return objects

    def compile_one(self, name: str) -> tuple[Path, str]:
        """The object of a source as it is in this copy, and what the compiler said if there is none."""
        folder = self.folder / "build" / "objects"
        folder.mkdir(parents=True, exist_ok=True)
        out = folder / (name.replace("/", "-") + ".o")
        command = [word.replace(str(self.base.source) + "/", str(self.folder) + "/") for word in self.base.commands[name]]
        launcher = [path for path in [shutil.which("ccache")] if path]
        done = run([*launcher, *command, "-w", "-o", out], cwd=self.base.build)
        return out, done.stdout or "failed" if done.returncode != 0 else ""

    def link(self, test: str, changed: dict[str, Path]) -> Path:
        """A test with the changed objects before the library, whose own are then not taken."""
        source = f"csrc/tests/test_{test}.cpp"
        out = self.folder / "build" / f"test_{test}"
        objects = [changed.get(source, self.base.objects[source])]
        objects += [path for name, path in changed.items() if not name.startswith("csrc/tests/")]
        library = self.base.build / "csrc" / "libbbipc_core_static.a"
        compiler, *options = self.base.commands[source]
        sanitizers = [option for option in options if option.startswith("-fsanitize=")]
        linked = run([compiler, "-O1", *sanitizers, *objects, library, "-pthread", "-o", out])
        if linked.returncode != 0:
            raise BuildError(linked.stdout[-2000:])
        return out

    def _confirm(self, test: str) -> None:
        """A Python test that has failed must pass without the mutant, or it says nothing."""
        if test and test not in self.base.confirmed:
            if self._python_killer([test]):
                raise BuildError(f"{test} fails without any mutant")
            self.base.confirmed.add(test)

    def _python_killer(self, tests: Sequence[str]) -> str:
        paths = os.pathsep.join([str(self.folder / "build" / "site"), str(self.folder)])
        environment = {**os.environ, "PYTHONPATH": paths, "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        for test in tests:
            command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *test.split()]
            try:
                done = run(command, cwd=self.folder, env=environment, timeout=TIME_LIMIT)
            except subprocess.TimeoutExpired:
                return test
            if done.returncode in (1, 2) or done.returncode < 0:  # or a signal has ended it
                return test
            if done.returncode != 0:
                raise BuildError(f"{' '.join(command)}:\n{done.stdout[-2000:]}")
        return ""


class Together:
    """A copy of the sources in which many mutants are compiled at once, and chosen when a test is run (switch.py)."""

    def __init__(self, base: Base, folder: Path, jobs: int) -> None:
        self.base = base
        self.jobs = jobs
        self.workshop = Workshop(base, folder)
        self.programs: dict[str, Path] = {}
        self.limits: dict[str, float] = {}

    def prepare(self, mutants: Sequence[Mutant]) -> list[Mutant]:
        """Compile them; those that cannot be compiled together are returned."""
        self.workshop.prepare(python=False)
        numbered = dict(enumerate(mutants))
        alone: set[int] = set()
        while True:
            places = self._write(numbered, alone)
            found = self._build(set(places), {test for m in mutants for test in m.tests})
            at_fault = switch.at_fault(found, places)
            if not found:
                break
            if not at_fault - alone:
                raise BuildError(found[-4000:])
            alone |= at_fault
            print(f"{len(alone)} mutants do not compile with the others", flush=True)
        self._time()
        self.numbers = {m.digest: number for number, m in numbered.items() if number not in alone}
        return [m for m in mutants if m.digest not in self.numbers]

    def _write(self, numbered: dict[int, Mutant], alone: set[int]) -> dict[str, list[tuple[int, int, int]]]:
        places: dict[str, list[tuple[int, int, int]]] = {}
        for file in sorted({m.file for m in numbered.values()}):
            source = (self.base.source / file).read_text()
            of_file = {number: m for number, m in numbered.items() if m.file == file and number not in alone}
            edits = [switch.Edit(number, *m.edit_of(source)) for number, m in of_file.items()]
            text, left, places[file] = switch.switched(source, edits)
            alone |= {edit.number for edit in left}
            target = self.workshop.folder / file
            if target.read_text() != text:
                target.write_text(text)
        return places

    def _build(self, files: set[str], tests: set[str]) -> str:
        """Compile and link; what the compiler says against it."""
        sources = {f"csrc/tests/test_{test}.cpp" for test in tests}
        concerned = [
            name
            for name in self.base.commands
            if (not name.startswith("csrc/tests/") or name in sources) and files & {*self.base.dependencies.get(name, ()), name}
        ]
        problems: list[str] = []
        changed: dict[str, Path] = {}
        with ThreadPoolExecutor(self.jobs) as pool:
            for name, (out, said) in zip(concerned, pool.map(self.workshop.compile_one, concerned), strict=True):
                changed[name] = out
                problems += [said] if said else []
        if not problems:
            for test in sorted(tests):
                self.programs[test] = self.workshop.link(test, changed)
        return "\n".join(problems)

    def _time(self) -> None:
        for test, program in self.programs.items():
            start = time.monotonic()
            failed, said = self.base.run_test(program, test, {}, TIME_LIMIT)
            if failed:
                raise BuildError(f"test_{test} fails with no mutant chosen:\n{said}")
            self.limits[test] = 20 + 8 * (time.monotonic() - start)
            print(f"test_{test}: {time.monotonic() - start:.1f} s", flush=True)

    def judge(self, mutant: Mutant) -> Iterator[Result]:
        """Run the tests with this mutant, or with each member of the family."""
        number = self.numbers[mutant.digest]
        for one in members([mutant]):
            start = time.monotonic()
            environment = {"BBIPC_MUTANT": str(number), "BBIPC_MUTANT_MEMBER": str(one.index)}
            by, reached, message = "", False, ""
            for test in one.tests:
                failed, said = self.base.run_test(self.programs[test], test, environment, self.limits[test])
                reached = reached or switch.REACHED in said
                if failed:
                    by, message = test, first_failure(said)
                    break
            if_killed, if_not = (WRONG, EQUIVALENT) if mutant.equivalent else (KILLED, SURVIVED)
            status = if_killed if by else if_not
            yield Result(one, status, by or ("" if reached else "no test reaches it"), time.monotonic() - start, message)


def first_failure(said: str) -> str:
    """The line of a native test's output that says what is wrong."""
    lines = [line for line in said.splitlines() if switch.REACHED not in line]
    return next((line for line in lines if ": failed: " in line), lines[0] if lines else "no word")


def judge_together(mutants: Sequence[Mutant], base: Base, folder: Path, jobs: int, deadline: float) -> Iterator[Result]:
    """Judge until the deadline: from one compilation what can be, then the rest one by one."""
    native = [m for m in mutants if not m.is_python]
    together = Together(base, folder / "together", jobs)
    left = together.prepare(native) if native else []
    alone = {m.digest for m in left}

    def judge(mutant: Mutant) -> list[Result]:
        return [] if time.monotonic() > deadline else list(together.judge(mutant))

    with ThreadPoolExecutor(jobs) as pool:
        for results in pool.map(judge, [m for m in native if m.digest not in alone]):
            yield from results
    yield from judge_all([*left, *(m for m in mutants if m.is_python)], base, folder, jobs, deadline)


def judge_all(mutants: Sequence[Mutant], base: Base, folder: Path, jobs: int, deadline: float) -> Iterator[Result]:
    """Judge until the deadline, `jobs` at a time."""
    workshops: SimpleQueue[Workshop] = SimpleQueue()
    for number in range(jobs):
        workshop = Workshop(base, folder / f"workshop-{number}")
        workshop.prepare(python=any(m.is_python for m in mutants))
        workshops.put(workshop)

    def judge(mutant: Mutant) -> list[Result]:
        if time.monotonic() > deadline:
            return []
        workshop = workshops.get()
        try:
            return list(workshop.judge(mutant))
        finally:
            workshops.put(workshop)

    with ThreadPoolExecutor(jobs) as pool:
        for results in pool.map(judge, mutants):
            yield from results


def main() -> int:
    """Run the mutants that were asked for."""
    parser = argparse.ArgumentParser(description="Mutants of the verifier, and whether a test notices them.")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "mutants", help="directory of the build")
    parser.add_argument("--only", default="", help="only mutants in whose file or rule this text occurs")
    parser.add_argument(
        "--sample",
        type=float,
        default=0,
        metavar="MINUTES",
        help="in random order, for so long, of the files that are marked as judged",
    )
    parser.add_argument("--seed", type=int, default=None, help="of the random order; default: a new one")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at a time; default: 2")
    parser.add_argument(
        "--together", action="store_true", help="compile all of them at once, and choose one when a test is run: for many"
    )
    parser.add_argument("--generated", action="store_true", help="those that operators.py makes instead of those of the table")
    parser.add_argument("--sanitize", action="store_true", help="those made by rule that only sanitizers notice, under these")
    parser.add_argument("--random", type=int, metavar="N", help="N of them, chosen by the seed")
    parser.add_argument("--families", choices=("with", "without", "only"), default="with", help="which rows; default: all")
    parser.add_argument("--report", type=Path, help="append a line of JSON for each mutant to this file")
    parser.add_argument("--resume", action="store_true", help="leave out the mutants that the report tells of already")
    parser.add_argument("--check", action="store_true", help="only check the table, and count")
    arguments = parser.parse_args()
    try:
        table = read_table()
        if arguments.generated or arguments.sanitize:
            table = read_generated(table, sanitize=arguments.sanitize)
        table = [m for m in table if arguments.only in m.name]
        if arguments.families != "with":
            table = [m for m in table if bool(m.count) == (arguments.families == "only")]
        if arguments.random:
            table = random.Random(arguments.seed or 0).sample(table, min(arguments.random, len(table)))
        if arguments.resume:
            known = read_report(arguments.report)
            table = [m for m in table if not {one.digest for one in members([m])} <= known]
        print(f"{len(list(members(table)))} mutants", flush=True)
        if arguments.check:
            return 0
        return _run(table, arguments)
    except (TableError, BuildError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _run(table: list[Mutant], arguments: argparse.Namespace) -> int:
    folder = arguments.build.resolve()
    base = Base(folder / "source", folder / "native", arithmetic_path(), arguments.sanitize)
    native = {test for m in table if not m.is_python for test in m.tests}
    if native:
        base.prepare(native, max(arguments.jobs, 1))
        if not arguments.together:
            base.confirm(native, max(arguments.jobs, 1))
    deadline = float("inf")
    if arguments.sample:
        deadline = time.monotonic() + 60 * arguments.sample
        seed = arguments.seed if arguments.seed is not None else random.randrange(2**32)
        print(f"seed {seed}")
        table = [m for m in table if m.judged and not m.equivalent]  # these take longest, and say least
        table = random.Random(seed).sample(table, len(table))
    counts: dict[str, int] = {}
    judged = judge_together if arguments.together else judge_all
    for result in judged(table, base, folder, arguments.jobs, deadline):
        counts[result.status] = counts.get(result.status, 0) + 1
        line = f"{result.status}: {result.mutant.name}" + (f" (by {result.by})" if result.by else "")
        if result.status != KILLED or sys.stdout.isatty() or not result.mutant.count:
            print(f"{line}, {result.seconds:.1f} s", flush=True)
        if arguments.report:
            with arguments.report.open("a") as report:
                m = result.mutant
                record = {"file": m.file, "rule": m.rule, "index": m.index, "status": result.status, "by": result.by}
                record |= {"message": result.message, "seconds": round(result.seconds, 1), "mutant": m.digest}
                report.write(json.dumps(record) + "\n")
    print(", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "none judged")
    return 1 if counts.get(SURVIVED) or counts.get(WRONG) else 0


if __name__ == "__main__":
    sys.exit(main())

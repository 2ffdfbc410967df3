"""Everything that searches for defects, for as long as there is time: a night, or a minute.

    python fuzz/night.py --minutes N [--bb DIRECTORY] [--native DIRECTORY] [--seed S] [--output DIRECTORY] [--only STAGE]...

The stages share the time: property tests with ever new seeds, `bbipc fuzz` on both transports, one hostile client
beside others, mixed load among clients that die, the differential campaign, and the libFuzzer targets; conformance of
both transports is judged once. `--bb` names what tests/peer/make_test_bb.py has made, `--native` a build with
-DBBIPC_FUZZ=ON (docs/fuzzing.md); without them, the stages that need them are not run, and the summary says so.

Each stage writes a log into the output directory, where findings go as well. The seed is that of the day unless one is given.

Exit status: 0 nothing found, 1 something found, 2 wrong usage.
"""

import argparse
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

ROOT: Final = Path(__file__).resolve().parent.parent
BBIPC: Final = (sys.executable, "-P", "-m", "bbipc")
SERVER: Final = (*BBIPC, "msgpack", "run", "--setup", "{test-setup}")
NATIVE: Final = tuple(sorted(path.stem for path in (ROOT / "fuzz").glob("fuzz_*.cpp")))
TRANSPORTS: Final[Mapping[str, tuple[str, ...]]] = {"pipe": (), "socket": ("--socket",), "shm": ("--shm",)}
GRACE: Final = 900.0
"""Seconds beyond its share that a stage may take to end, shrink what it found, and so on."""


@dataclass(frozen=True)
class Plan:
    """What was asked for.

    Attributes:
        minutes: for everything.
        seed: where the random numbers begin.
        output: directory for logs and findings.
        bb: directory with bb-test and crs, if there is one.
        native: directory of a build with the libFuzzer targets, if there is one.
        only: names of the stages to run; empty for all.
    """

    minutes: float
    seed: int
    output: Path
    bb: Path | None = None
    native: Path | None = None
    only: tuple[str, ...] = ()

    @property
    def findings(self) -> Path:
        """Where conversations and mutants go that `bbipc conform --replay` runs again."""
        return self.output / "findings"

    @property
    def corpus(self) -> Path:
        """Where the corpora of the libFuzzer targets are; it grows from night to night."""
        return self.output / "corpus"


@dataclass(frozen=True)
class Stage:
    """One search.

    Attributes:
        name: for people and the log.
        command: what to run, with {minutes} or {seconds} in the place of its time and {seed} in that of its seed; empty if
            something is missing for it.
        needs: what is missing then.
        weight: its share of the time, relative to the others; 0: once, however long it takes.
        repeated: whether it knows no time of its own, and is run again and again with new seeds.
        environment: variables to add.
    """

    name: str
    command: tuple[str, ...]
    needs: str = ""
    weight: float = 0
    repeated: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a stage went: "ok", "FOUND" or "not run", and the last line of its log."""

    name: str
    status: str
    seconds: float
    last_line: str


def stages(plan: Plan) -> Iterator[Stage]:
    """All stages."""
    for transport, option in TRANSPORTS.items():
        yield Stage(f"conform-{transport}", (*BBIPC, "conform", "--setup", "test", *option, "--", *SERVER))
    options = ("-q", "-p", "no:cacheprovider", "--hypothesis-seed={seed}", "--hypothesis-profile=ci")
    pytest = (sys.executable, "-m", "pytest", *options, "fuzz", "tests/wire/test_properties.py")
    yield Stage("properties", pytest, weight=3, repeated=True)
    for transport, option in TRANSPORTS.items():
        yield _server(plan, transport, option)
    hostile = (sys.executable, "fuzz/hostile.py", "--minutes={minutes}", "--seed={seed}")
    yield Stage("hostile", hostile, weight=2)
    yield Stage("soak", (sys.executable, "fuzz/soak.py", "--minutes={minutes}", "--seed={seed}"), weight=2)
    yield _forged(plan)
    yield _differential(plan)
    for target in NATIVE:
        yield _native(plan, target)


def _of_bb(plan: Plan) -> dict[str, str]:
    return {} if plan.bb is None else {"CRS_PATH": str(plan.bb / "crs"), "HARDWARE_CONCURRENCY": "1"}


def _server(plan: Plan, transport: str, option: tuple[str, ...]) -> Stage:
    against = () if plan.bb is None else ("--against", f"{shlex.quote(str(plan.bb / 'bb-test'))} msgpack run")
    command = (*BBIPC, "fuzz", "--setup", "test", "--minutes={minutes}", "--seed={seed}", f"--save={plan.findings}")
    return Stage(f"server-{transport}", (*command, *option, *against, "--", *SERVER), weight=2, environment=_of_bb(plan))


def _forged(plan: Plan) -> Stage:
    """Makes the corpus of forged proofs anew: a fixed amount of work, some minutes."""
    bb = () if plan.bb is None else (f"--bb={plan.bb / 'bb-test'}",)
    command = (sys.executable, "fuzz/forge.py", "--check", "--subrelations=20", "--seed={seed}", *bb)
    return Stage("forged", command, weight=1, environment=_of_bb(plan))


def _differential(plan: Plan) -> Stage:
    if plan.bb is None:
        return Stage("differential", (), needs="--bb", weight=4)
    command = (sys.executable, "fuzz/differential.py", f"--bb={plan.bb / 'bb-test'}", f"--workers={os.cpu_count() or 1}")
    published = plan.bb / "package" / "build" / "amd64-linux" / "bb"
    aztec = (f"--aztec-bb={published}",) if published.is_file() else ()
    options = ("--minutes={minutes}", "--seed={seed}", f"--save={plan.findings}", *aztec)
    return Stage("differential", (*command, *options), weight=4, environment=_of_bb(plan))


def _native(plan: Plan, target: str) -> Stage:
    if plan.native is None:
        return Stage(target, (), needs="--native", weight=1)
    program = str(plan.native / "fuzz" / target)
    options = ("-max_len=70000", "-max_total_time={seconds}", "-seed={seed}", f"-artifact_prefix={plan.output}/")
    command = (program, *options, str(plan.corpus / target))
    return Stage(target, command, weight=1, environment={"BBIPC_FUZZ_SETUP": str(plan.corpus / "setup")})


def run(stage: Stage, seconds: float, plan: Plan) -> Outcome:
    """Run one stage for its share of the time."""
    if not stage.command:
        return Outcome(stage.name, "not run", 0, f"needs {stage.needs}")
    started = time.monotonic()
    log = plan.output / f"{stage.name}.log"
    seed, code = plan.seed, 0
    with log.open("wb") as output:
        while not code and (seed == plan.seed or (stage.repeated and time.monotonic() - started < seconds)):
            code = _run_once(stage, seconds, seed, output)
            seed += 1
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return Outcome(stage.name, "FOUND" if code else "ok", time.monotonic() - started, lines[-1] if lines else "")


def _run_once(stage: Stage, seconds: float, seed: int, output: BinaryIO) -> int:
    """The exit code; 1 if there is no end to it."""
    values = {"{minutes}": f"{seconds / 60:.4f}", "{seconds}": f"{max(seconds, 1):.0f}", "{seed}": str(seed)}
    command = list(stage.command)
    for name, value in values.items():
        command = [part.replace(name, value) for part in command]
    output.write(f"$ {shlex.join(command)}\n".encode())
    output.flush()
    try:
        return subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **stage.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=seconds + GRACE,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        output.write(f"no end {GRACE:.0f} s after its time\n".encode())
        return 1


def night(plan: Plan, chosen: Sequence[Stage]) -> list[Outcome]:
    """Run the stages one after the other; what each found."""
    plan.output.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    outcomes = []
    for index, stage in enumerate(chosen):
        # What earlier stages left or took beyond their share is divided among those to come.
        left = max(60 * plan.minutes - (time.monotonic() - started), 0)
        weights = sum(later.weight for later in chosen[index:] if later.command)
        outcome = run(stage, left * stage.weight / weights if weights else 0, plan)
        outcomes.append(outcome)
        sys.stdout.write(f"{outcome.status:8}{outcome.name:17}{outcome.seconds:8.0f} s  {outcome.last_line}\n")
        sys.stdout.flush()
    return outcomes


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    plan = parse_arguments(arguments)
    chosen = [stage for stage in stages(plan) if not plan.only or stage.name in plan.only]
    if plan.native is not None and any(stage.name in NATIVE for stage in chosen):
        subprocess.run([sys.executable, "fuzz/seeds.py", str(plan.corpus)], cwd=ROOT, check=True)
    outcomes = night(plan, chosen)
    found = [outcome.name for outcome in outcomes if outcome.status == "FOUND"]
    not_run = [outcome.name for outcome in outcomes if outcome.status == "not run"]
    sys.stdout.write(
        f"night: seed {plan.seed}, {len(outcomes) - len(not_run)} stages in {sum(o.seconds for o in outcomes) / 60:.1f} min, "
        f"{len(not_run)} not run: {'found by ' + ', '.join(found) if found else 'nothing found'}; logs in {plan.output}\n"
    )
    return 1 if found else 0


def parse_arguments(arguments: Sequence[str] | None) -> Plan:
    """The command line."""
    parser = argparse.ArgumentParser(description="Search for defects in every way, for a given time.")
    parser.add_argument("--minutes", type=float, required=True, metavar="N", help="how long to search")
    parser.add_argument("--bb", type=Path, metavar="DIRECTORY", help="what tests/peer/make_test_bb.py has made")
    parser.add_argument("--native", type=Path, metavar="DIRECTORY", help="a build with the libFuzzer targets")
    parser.add_argument("--seed", type=int, default=datetime.now(UTC).toordinal(), metavar="S", help="default: of the day")
    parser.add_argument("--output", type=Path, default=Path("night"), metavar="DIRECTORY", help="logs and findings (night)")
    names = [stage.name for stage in stages(Plan(0, 0, Path()))]
    parser.add_argument("--only", action="append", default=[], choices=names, metavar="STAGE", help=", ".join(names))
    options = parser.parse_args(arguments)
    bb, native = (path and path.resolve() for path in (options.bb, options.native))
    if bb and not (bb / "bb-test").is_file():
        parser.error(f"--bb {bb}: no bb-test in it; tests/peer/make_test_bb.py makes one")
    if native and not all((native / "fuzz" / target).is_file() for target in NATIVE):
        parser.error(f"--native {native}: the targets are not built there; see docs/fuzzing.md")
    return Plan(options.minutes, options.seed, options.output.resolve(), bb, native, tuple(options.only))


if __name__ == "__main__":
    sys.exit(main())

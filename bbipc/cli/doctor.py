"""`bbipc doctor`: is this installation in order?"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click

import bbipc
from bbipc.chonk import Setup, Verifier
from bbipc.chonk.core import arithmetic_paths
from bbipc.chonk.primitives import generators
from bbipc.cli import exit_codes, known_proof
from bbipc.cli.colour import colour
from bbipc.cli.msgpack import METRICS_LIBRARIES, OPTIONS_VARIABLE, check_environment

__all__ = ["command"]

GENERATORS_SHA256: Final = "72b8cdad9da82b666987e5fe6f5a0804e3a9b5ba750aa5d451b514442fe157b2"
"""Of the 2^15 Grumpkin generators, x | y each (chapter 01 section 6)."""

_CPU_FLAGS: Final = ("bmi2", "adx", "avx2", "avx512f", "avx512ifma")
_BB_PATIENCE: Final = 10.0


class Status(Enum):
    """How a check went. A `NOTE` is nothing wrong."""

    OK = "ok"
    NOTE = "note"
    FAILED = "failed"


_COLOURS: Final = {Status.OK: "green", Status.NOTE: "yellow", Status.FAILED: "red"}


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report."""

    name: str
    status: Status
    detail: str


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> int:
    """Check this installation: Python, compiled core, CPU, arithmetic, generators, setup, a known proof, and bb.

    Exit status: 0 in order; 1 a check failed.
    """
    checks = list(_run_all())
    healthy = all(check.status is not Status.FAILED for check in checks)
    if as_json:
        lines = [asdict(check) | {"status": check.status.value} for check in checks]
        click.echo(json.dumps({"healthy": healthy, "checks": lines}))
    else:
        for check in checks:
            status = click.style(f"{check.status.value:>6}", fg=_COLOURS[check.status])
            click.echo(f"{status}  {check.name}: {check.detail}", color=colour(sys.stdout))
    return exit_codes.SUCCESS if healthy else exit_codes.INVALID


def _run_all() -> Iterator[Check]:
    checks: dict[str, Callable[[], tuple[Status, str]]] = {
        "python": _python,
        "extension": _extension,
        "cpu": _cpu,
        "arithmetic": _arithmetic,
        "generators": _generators,
        "setup": _setup,
        "self-check": _self_check,
        "bb": _bb,
        "metrics": _metrics,
        "options": _options,
    }
    for name, check in checks.items():
        try:
            yield Check(name, *check())
        except Exception as error:  # whatever is broken must not hide the rest
            yield Check(name, Status.FAILED, f"{type(error).__name__}: {error}")


def _options() -> tuple[Status, str]:
    try:
        words = check_environment()
    except ValueError as error:
        return Status.FAILED, f"the variable {OPTIONS_VARIABLE}: {error}; for usage, see `bbipc msgpack run --help`"
    if not words:
        return Status.OK, f"none in the variable {OPTIONS_VARIABLE}"
    return Status.NOTE, f"{OPTIONS_VARIABLE} gives every server {' '.join(words)}"


def _python() -> tuple[Status, str]:
    return (
        Status.OK,
        f"{platform.python_implementation()} {platform.python_version()} at {sys.executable}, bbipc {bbipc.__version__}",
    )


def _extension() -> tuple[Status, str]:
    found = find_spec("bbipc._core")
    if found is None or found.origin is None:
        return Status.FAILED, "bbipc._core is missing: run `pip install .` again"
    return Status.OK, found.origin


def _cpu() -> tuple[Status, str]:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return Status.NOTE, f"{platform.machine()}, its features cannot be read"
    flags = set(next((line.split(":")[1].split() for line in text.splitlines() if line.startswith("flags")), []))
    has = [flag for flag in _CPU_FLAGS if flag in flags]
    return (
        Status.OK,
        f"{platform.machine()}, {len(os.sched_getaffinity(0))} CPUs, features: {', '.join(has) or 'none that matter'}",
    )


def _arithmetic() -> tuple[Status, str]:
    runnable = arithmetic_paths()
    used = Verifier().arithmetic
    status = Status.OK if used == runnable[-1] else Status.NOTE
    return status, f"uses {used} of {', '.join(runnable)}" + ("" if status is Status.OK else " (BBIPC_ARITH is set)")


def _generators() -> tuple[Status, str]:
    digest = hashlib.sha256(b"".join(generators())).hexdigest()
    if digest != GENERATORS_SHA256:
        return Status.FAILED, f"SHA-256 {digest}, expected {GENERATORS_SHA256}: build bbipc again"
    return Status.OK, f"SHA-256 {digest}, as published"


def _setup() -> tuple[Status, str]:
    Verifier(Setup.AZTEC)  # checks that its points are on their curves and in the subgroup
    return Status.OK, f"Aztec, [x]_2 with SHA-256 {hashlib.sha256(Setup.AZTEC.g2_x).hexdigest()}"


def _self_check() -> tuple[Status, str]:
    item = known_proof.load()
    verifier = Verifier(item.setup)
    good, bad = verifier.verify(item.proof, item.key), verifier.verify(item.broken(), item.key)
    if not good.valid or bad.valid:
        return Status.FAILED, f"the bundled proof is {good}, a broken one is {bad}: do not use this installation"
    foreign = Verifier(Setup.AZTEC).verify(item.proof, item.key)
    if foreign.valid:
        return Status.FAILED, "a proof of a test setup passes under that of Aztec: do not use this installation"
    return Status.OK, f"the bundled proof is valid; a broken one is {bad}"


def _bb() -> tuple[Status, str]:
    path = os.environ.get("BB_PATH") or shutil.which("bb")
    if path is None:
        return Status.NOTE, "not found on PATH, and BB_PATH is not set: commands that only bb has will be refused"
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=_BB_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Status.NOTE, f"{path} cannot be run: {error}"
    return Status.OK, f"{path}, version {done.stdout.strip() or 'unknown'}"


def _metrics() -> tuple[Status, str]:
    missing = [name for name in METRICS_LIBRARIES if find_spec(name) is None]
    if missing:
        return Status.NOTE, f"--metrics needs {' and '.join(missing)}: pip install 'bbipc[metrics]'"
    return Status.OK, f"{' and '.join(METRICS_LIBRARIES)} are there"

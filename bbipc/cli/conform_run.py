"""What `bbipc conform` does: it chooses cases, judges the server, and reports."""

import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

import click
import trio

from bbipc.cli.colour import colour
from bbipc.cli.escape import file_name
from bbipc.cli.inputs import InputError
from bbipc.conform.case import SUITES, Case
from bbipc.conform.cases import catalogue
from bbipc.conform.report.html import as_html
from bbipc.conform.report.machine import as_json, as_junit
from bbipc.conform.report.terminal import Terminal
from bbipc.conform.runner import Report, run_cases
from bbipc.conform.script import Script, ScriptError, case_of
from bbipc.conform.target import CannotStart, Target

__all__ = ["replays", "run", "selected", "write"]


def selected(names: Sequence[str]) -> list[Case]:
    """The cases of these suites, or that match these patterns; all if there are none."""
    cases = list(catalogue())
    for name in names:
        if name not in SUITES and not any(fnmatchcase(case.id, name) for case in cases):
            raise click.UsageError(f"--suite {name}: no such suite or case; suites: {', '.join(SUITES)}")
    return [case for case in cases if not names or any(case.suite == name or fnmatchcase(case.id, name) for name in names)]


def replays(files: Sequence[Path]) -> list[Case]:
    """The conversations in these files."""
    cases = []
    for file in files:
        try:
            cases.append(case_of(Script.load(file), file.stem))
        except OSError as error:
            raise InputError(f"{file_name(str(file))}: {error.strerror or error}") from None
        except ScriptError as error:
            raise InputError(str(error)) from None
    return cases


def run(cases: Sequence[Case], target: Target, *, timeout: float, jobs: int, verbose: bool) -> Report:
    """Judge the server, and print each result as it comes."""
    terminal = Terminal(colour=colour(sys.stdout), verbose=verbose)

    async def main() -> Report:
        return await run_cases(cases, target, timeout=timeout, jobs=jobs, on_result=terminal.result)

    try:
        report = trio.run(main)
    except CannotStart as error:
        raise InputError(str(error)) from None
    terminal.summary(report)
    return report


def write(report: Report, junit: Path | None, json_file: Path | None, html: Path | None, docs: str | None) -> None:
    """Write the reports that are asked for."""
    for file, text in ((junit, as_junit), (json_file, as_json), (html, partial(as_html, docs=docs))):
        if file is not None:
            try:
                file.write_text(text(report), encoding="utf-8")
            except OSError as error:
                raise InputError(f"{file_name(str(file))}: {error.strerror or error}") from None

"""`bbipc conform`: does a server keep the rules of the protocol?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bbipc.cli import exit_codes
from bbipc.cli.colour import colour
from bbipc.cli.escape import file_name
from bbipc.cli.inputs import InputError
from bbipc.cli.under_test import target_of, target_options

if TYPE_CHECKING:
    from bbipc.conform.case import Case
    from bbipc.conform.runner import Report
    from bbipc.conform.target import Target

__all__ = ["command"]


def _suites(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from bbipc.conform.case import SUITES  # noqa: PLC0415 - for shells only

    return [name for name in SUITES if name.startswith(incomplete)]


@click.command("conform", context_settings={"ignore_unknown_options": False})
@click.option(
    "--suite",
    "suites",
    multiple=True,
    shell_complete=_suites,
    metavar="NAME",
    help="Only this suite, or the cases that match NAME (`tagged.id-*`). Repeatable.",
)
@target_options(timeout=30.0, unit="case")
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="Cases that run at the same time."
)
@click.option(
    "--replay",
    "scripts",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Run a conversation saved by `bbipc fuzz` instead. Repeatable.",
)
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write JUnit XML.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write JSON, with everything that was sent and received.",
)
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write one self-contained HTML page.")
@click.option("--docs", metavar="URL", help="Link the rules of --html to this site of bbipc's documentation.")
@click.option("-v", "--verbose", is_flag=True, help="Show what was sent and received.")
@click.option("--list", "list_cases", is_flag=True, help="List the cases and their rules, and exit.")
@click.argument("server", nargs=-1, metavar="-- COMMAND...")
def command(
    suites: tuple[str, ...],
    socket: bool,
    shm: bool,
    setup: str,
    timeout: float,
    jobs: int,
    scripts: tuple[Path, ...],
    junit: Path | None,
    json_file: Path | None,
    html: Path | None,
    docs: str | None,
    verbose: bool,
    list_cases: bool,
    server: tuple[str, ...],
) -> int:
    """Test whether a server keeps the rules of the protocol.

    COMMAND is what clients start, for example `bbipc msgpack run` or `bb msgpack run`. It is started once for each case.
    The proofs that are sent were made under a test setup. If COMMAND verifies under that one, say so: --setup test
    (`{test-setup}` in COMMAND becomes the path of its file: `bbipc conform --setup test -- bbipc msgpack run --setup
    {test-setup}`); under Aztec's, every one of them must be found invalid.

    Exit status: 0 no case failed; 1 at least one failed; 2 wrong usage, or COMMAND is not a server at all.
    """
    cases = _replays(scripts) if scripts else _selected(suites)
    if list_cases:
        for case in cases:
            click.echo(f"{case.id}\n    {case.rule}  ({case.source})")
        return exit_codes.SUCCESS
    if not server:
        raise click.UsageError("which server? Give its command after --, for example: bbipc conform -- bbipc msgpack run")
    target = target_of(server, socket=socket, shm=shm, setup=setup)
    report = _run(cases, target, timeout=timeout, jobs=jobs, verbose=verbose)
    _write(report, junit, json_file, html, docs)
    return exit_codes.SUCCESS if report.passed else exit_codes.INVALID


def _selected(names: Sequence[str]) -> list[Case]:
    from bbipc.conform.case import SUITES  # noqa: PLC0415
    from bbipc.conform.cases import catalogue  # noqa: PLC0415 - reads the samples

    cases = list(catalogue())
    for name in names:
        if name not in SUITES and not any(fnmatchcase(case.id, name) for case in cases):
            raise click.UsageError(f"--suite {name}: no such suite or case; suites: {', '.join(SUITES)}")
    return [case for case in cases if not names or any(case.suite == name or fnmatchcase(case.id, name) for name in names)]


def _replays(files: Sequence[Path]) -> list[Case]:
    from bbipc.conform.script import Script, ScriptError, case_of  # noqa: PLC0415

    cases = []
    for file in files:
        try:
            cases.append(case_of(Script.load(file), file.stem))
        except OSError as error:
            raise InputError(f"{file_name(str(file))}: {error.strerror or error}") from None
        except ScriptError as error:
            raise InputError(str(error)) from None
    return cases


def _run(cases: Sequence[Case], target: Target, *, timeout: float, jobs: int, verbose: bool) -> Report:
    import trio  # noqa: PLC0415 - costs more than everything before

    from bbipc.conform.report.terminal import Terminal  # noqa: PLC0415
    from bbipc.conform.runner import run_cases  # noqa: PLC0415
    from bbipc.conform.target import CannotStart  # noqa: PLC0415

    terminal = Terminal(colour=colour(sys.stdout), verbose=verbose)

    async def main() -> Report:
        return await run_cases(cases, target, timeout=timeout, jobs=jobs, on_result=terminal.result)

    try:
        report = trio.run(main)
    except CannotStart as error:
        raise InputError(str(error)) from None
    terminal.summary(report)
    return report


def _write(report: Report, junit: Path | None, json_file: Path | None, html: Path | None, docs: str | None) -> None:
    from bbipc.conform.report.html import as_html  # noqa: PLC0415
    from bbipc.conform.report.machine import as_json, as_junit  # noqa: PLC0415

    for file, text in ((junit, as_junit), (json_file, as_json), (html, partial(as_html, docs=docs))):
        if file is not None:
            try:
                file.write_text(text(report), encoding="utf-8")
            except OSError as error:
                raise InputError(f"{file_name(str(file))}: {error.strerror or error}") from None

"""`bbipc conform`: does a server keep the rules of the protocol?"""

from pathlib import Path

import click

from bbipc.cli import exit_codes
from bbipc.cli.under_test import target_of, target_options

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
    from bbipc.cli import conform_run  # noqa: PLC0415 - Trio, the cases and their samples: --help needs none of them

    cases = conform_run.replays(scripts) if scripts else conform_run.selected(suites)
    if list_cases:
        for case in cases:
            click.echo(f"{case.id}\n    {case.rule}  ({case.source})")
        return exit_codes.SUCCESS
    if not server:
        raise click.UsageError("which server? Give its command after --, for example: bbipc conform -- bbipc msgpack run")
    target = target_of(server, socket=socket, shm=shm, setup=setup)
    report = conform_run.run(cases, target, timeout=timeout, jobs=jobs, verbose=verbose)
    conform_run.write(report, junit, json_file, html, docs)
    return exit_codes.SUCCESS if report.passed else exit_codes.INVALID

"""`bbipc fuzz`: look for a conversation that breaks the law of the protocol."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bbipc.cli import exit_codes
from bbipc.cli.inputs import InputError
from bbipc.cli.under_test import target_of, target_options

if TYPE_CHECKING:
    from bbipc.conform.target import Target
    from bbipc.fuzzing.campaign import Campaign, Finding

__all__ = ["command"]


@click.command("fuzz")
@click.option(
    "--minutes", type=click.FloatRange(min=0), default=1.0, show_default=True, metavar="N", help="How long to search."
)
@click.option("--seed", type=int, default=0, show_default=True, metavar="S", help="Seed of the random numbers.")
@click.option(
    "--against",
    multiple=True,
    metavar="COMMAND2",
    help="Another server, as one argument, whose verdicts must be the same; its death counts as an error. Repeatable.",
)
@target_options(timeout=20.0, unit="conversation")
@click.option(
    "--save",
    "directory",
    type=click.Path(path_type=Path),
    default=Path("fuzz-findings"),
    show_default=True,
    help="Folder for findings.",
)
@click.option(
    "--findings", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="Stop after this many findings."
)
@click.argument("server", nargs=-1, required=True, metavar="-- COMMAND...")
def command(
    minutes: float,
    seed: int,
    against: tuple[str, ...],
    socket: bool,
    shm: bool,
    setup: str,
    timeout: float,
    directory: Path,
    findings: int,
    server: tuple[str, ...],
) -> int:
    """Look for a conversation that breaks the law: one response for each frame, in its place, and the server goes on.

    Frames are valid, malformed, damaged or random, proofs are changed in structured ways, and all are cut into any writes.
    What is found is made as small as possible and saved; `bbipc conform --replay FILE -- COMMAND` runs it again.

    Exit status: 0 nothing found; 1 something found; 2 wrong usage, or COMMAND is not a server.
    """
    if find_spec("hypothesis") is None:
        raise InputError("bbipc fuzz needs Hypothesis: pip install 'bbipc[fuzz]'")
    target = target_of(server, socket=socket, shm=shm, setup=setup)
    others = [target_of(tuple(shlex.split(text)), setup=setup) for text in against]
    campaign = _search(target, others, seed=seed, seconds=60 * minutes, timeout=timeout, directory=directory, most=findings)
    click.echo(
        f"{campaign.examples} conversations, {campaign.compared} verdicts compared, {campaign.sandbox.starts} starts of the "
        f"server, seed {seed}: {len(campaign.findings)} findings"
    )
    return exit_codes.INVALID if campaign.findings else exit_codes.SUCCESS


@contextmanager
def _progress(campaign: Campaign, seconds: float) -> Iterator[Callable[[], Awaitable[None]]]:
    """A task that shows on a terminal how far the search is."""
    import trio  # noqa: PLC0415

    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield trio.sleep_forever
        return
    from bbipc.cli.progress import timed  # noqa: PLC0415 - rich, which only terminals need

    with timed("searching", seconds) as show:

        async def watch() -> None:
            while True:
                show(f"{campaign.examples} conversations, {len(campaign.findings)} findings")
                await trio.sleep(0.2)

        yield watch


def _search(
    target: Target, others: list[Target], *, seed: int, seconds: float, timeout: float, directory: Path, most: int
) -> Campaign:
    import trio  # noqa: PLC0415

    from bbipc.conform.runner import knows_tags  # noqa: PLC0415
    from bbipc.conform.target import CannotStart  # noqa: PLC0415
    from bbipc.fuzzing.campaign import Campaign  # noqa: PLC0415
    from bbipc.fuzzing.sandbox import Sandbox  # noqa: PLC0415

    def show(finding: Finding) -> None:
        path = finding.script.save_in(directory)
        click.echo(f"FOUND  expected {finding.expected}\n       got {finding.got}\n       saved as {path}")

    async def main() -> Campaign:
        tags = await knows_tags(target, timeout)
        async with trio.open_nursery() as nursery:
            sandboxes = [Sandbox(server, timeout, nursery) for server in (target, *others)]
            campaign = Campaign(sandboxes[0], sandboxes[1:], tags, seed, seconds)
            with _progress(campaign, seconds) as watch:
                nursery.start_soon(watch)
                await campaign.run(show, most=most)
                nursery.cancel_scope.cancel()
        return campaign

    try:
        return trio.run(main)
    except* CannotStart as group:
        raise InputError(str(group.exceptions[0])) from None

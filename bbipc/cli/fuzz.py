"""`bbipc fuzz`: look for a conversation that breaks the law of the protocol."""

import shlex
from importlib.util import find_spec
from pathlib import Path

import click

from bbipc.cli import exit_codes
from bbipc.cli.inputs import InputError
from bbipc.cli.under_test import target_of, target_options

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
    from bbipc.cli.fuzz_run import search  # noqa: PLC0415 - Trio and Hypothesis: --help needs neither, and Hypothesis is an extra

    target = target_of(server, socket=socket, shm=shm, setup=setup)
    others = [target_of(tuple(shlex.split(text)), setup=setup) for text in against]
    campaign = search(target, others, seed=seed, seconds=60 * minutes, timeout=timeout, directory=directory, most=findings)
    click.echo(
        f"{campaign.examples} conversations, {campaign.compared} verdicts compared, {campaign.sandbox.starts} starts of the "
        f"server, seed {seed}: {len(campaign.findings)} findings"
    )
    return exit_codes.INVALID if campaign.findings else exit_codes.SUCCESS

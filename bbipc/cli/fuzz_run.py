"""What `bbipc fuzz` does: a campaign against a server, with its progress on a terminal."""

import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import trio

from bbipc.cli.inputs import InputError
from bbipc.conform.runner import knows_tags
from bbipc.conform.target import CannotStart, Target
from bbipc.fuzzing.campaign import Campaign, Finding
from bbipc.fuzzing.sandbox import Sandbox

__all__ = ["search"]


@contextmanager
def _progress(campaign: Campaign, seconds: float) -> Iterator[Callable[[], Awaitable[None]]]:
    """A task that shows on a terminal how far the search is."""
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


def search(
    target: Target, others: list[Target], *, seed: int, seconds: float, timeout: float, directory: Path, most: int
) -> Campaign:
    """Search for `seconds`, or until `most` findings are saved in `directory`."""

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

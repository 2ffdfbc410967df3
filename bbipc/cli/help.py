"""`bbipc help`: the help of a command."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from bbipc.__main__ import run
from bbipc.cli.main import COMMANDS

__all__ = ["command"]


def _names(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=about) for name, about in sorted(COMMANDS.items()) if name.startswith(incomplete)]


@click.command("help")
@click.argument("words", nargs=-1, metavar="[COMMAND]", shell_complete=_names)
def command(words: tuple[str, ...]) -> int:
    """Show the help of COMMAND, or the list of commands.

    Exit status: 0.
    """
    return run([*words, "--help"])

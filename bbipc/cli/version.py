"""`bbipc version`."""

import click

import bbipc
from bbipc.cli import exit_codes

__all__ = ["command"]


@click.command("version")
def command() -> int:
    """Show the version, as --version does.

    Exit status: 0.
    """
    click.echo(f"bbipc {bbipc.__version__}")
    return exit_codes.SUCCESS

"""The entry point of the command `bbipc`."""

import os
import sys
import traceback
from importlib import import_module
from typing import Final

import click

from bbipc.cli import exit_codes

__all__ = ["COMMANDS", "cli", "main"]

COMMANDS: Final = {
    "bench": "bbipc.cli.bench",
    "call": "bbipc.cli.call",
    "completion": "bbipc.cli.completion",
    "compress": "bbipc.cli.compress",
    "conform": "bbipc.cli.conform",
    "decompress": "bbipc.cli.decompress",
    "demo": "bbipc.cli.demo",
    "doctor": "bbipc.cli.doctor",
    "fuzz": "bbipc.cli.fuzz",
    "inspect": "bbipc.cli.inspect",
    "msgpack": "bbipc.cli.msgpack",
    "verify": "bbipc.cli.verify",
    "verify-many": "bbipc.cli.verify_many",
}
"""Subcommand -> the module whose `command` it is."""


class LazyGroup(click.Group):
    """A group that imports a subcommand's module when the subcommand is named (or its help is listed)."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        """All names, in alphabetical order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The subcommand of that name; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name]).command
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the subcommand. If nobody reads its output, end quietly: click would exit with the code of an invalid proof."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Python flushes standard output once more when it exits, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(exit_codes.BROKEN_PIPE)


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        import bbipc  # noqa: PLC0415 - its version is looked up among the installed packages

        click.echo(f"bbipc {bbipc.__version__}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version and exit."
)
def cli() -> None:
    """Verify Aztec Chonk proofs, alone or for many clients at once over the msgpack pipe of Barretenberg's `bb`."""


def main() -> None:
    """Run `bbipc` with the arguments of this process, and exit (exit_codes.py lists the codes)."""
    try:
        result = cli.main(prog_name="bbipc", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("interrupted", err=True)
        sys.exit(exit_codes.INTERRUPTED)
    except Exception:
        traceback.print_exc()
        sys.exit(exit_codes.DEFECT)
    sys.exit(result if isinstance(result, int) else exit_codes.SUCCESS)

"""The entry point of the command `bbipc`."""

import io
import os
import sys
import traceback
from importlib import import_module
from typing import Final

import click

from bbipc.cli import exit_codes

__all__ = ["COMMANDS", "cli", "main"]

COMMANDS: Final = {
    "bench": "Measure how fast proofs are verified here.",
    "call": "Perform one command and print its response as JSON.",
    "completion": "Print a script that makes a shell complete commands.",
    "compress": "Compress a Chonk proof to about 60 % of its size.",
    "conform": "Test whether a server keeps the rules of the protocol.",
    "decompress": "Restore a compressed Chonk proof.",
    "demo": "Send real proofs to a server, and show who is answered when.",
    "doctor": "Check this installation.",
    "fuzz": "Look for a conversation in which a server breaks the rules.",
    "inspect": "Explain a proof, a verification key, or frames of the wire.",
    "msgpack": "Serve the msgpack requests of bb's clients.",
    "verify": "Verify one Chonk proof.",
    "verify-many": "Verify many Chonk proofs together, which is faster.",
    "verify-tx": "Tell whether Aztec transactions are valid.",
}
"""Subcommand -> what it does, in a line. Each is the `command` of the module of its name, which is imported when it is run: a
list of all need not load all that they need."""


class LazyGroup(click.Group):
    """A group that imports a subcommand's module when the subcommand is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        """All names, in alphabetical order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The subcommand of that name; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"bbipc.cli.{cmd_name.replace('-', '_')}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the subcommands."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))

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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="surrogateescape")  # names of files need not be text
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

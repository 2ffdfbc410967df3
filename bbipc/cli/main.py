"""The entry point of the command `bbipc`."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

import click

import bbipc
from bbipc.cli import exit_codes
from bbipc.cli.ending import defect, ended_by, flush_output, open_standard_streams, report
from bbipc.cli.escape import file_name

__all__ = ["COMMANDS", "COMPLETE_VARIABLE", "cli", "main", "run"]

COMPLETE_VARIABLE: Final = "_BBIPC_COMPLETE"
"""By this variable a shell asks for completions."""

COMMANDS: Final = {
    "bb": "Do what bb does, in its words.",
    "bench": "Measure how fast proofs are verified here.",
    "call": "Perform one command and print its response as JSON.",
    "completion": "Print a script that makes a shell complete commands.",
    "compress": "Compress a Chonk proof to about 60 % of its size.",
    "conform": "Test whether a server keeps the rules of the protocol.",
    "decompress": "Restore a compressed Chonk proof.",
    "demo": "Send real proofs to a server and show when each is answered.",
    "doctor": "Check this installation.",
    "fuzz": "Search for a conversation in which a server breaks the rules.",
    "help": "Show the help of a command.",
    "inspect": "Explain a proof, a key, a transaction, or frames of the wire.",
    "msgpack": "Serve the msgpack requests of bb's clients.",
    "serve": "Serve at a Unix socket until Ctrl-C.",
    "top": "Show what a server is doing, live.",
    "version": "Show the version.",
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

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The subcommand that is named first in `args`, or the error that says which one was probably meant."""
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None:
            raise click.UsageError(_unknown(name), ctx)
        return name, command, args[1:]


def _unknown(name: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - hardly ever needed

    similar = get_close_matches(name.lower(), COMMANDS, n=1)
    return f"no such command: {file_name(name)}" + (f" (did you mean {similar[0]}?)" if similar else "")


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"bbipc {bbipc.__version__}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-V",
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version.",
)
def cli() -> None:
    """Verify Aztec Chonk proofs, alone or for many clients at once over the msgpack pipe of Barretenberg's `bb`."""


def run(arguments: Sequence[str]) -> int:
    """Run `bbipc` with `arguments`; the exit code (exit_codes.py lists them). Whatever goes wrong is told in one line."""
    open_standard_streams()
    as_json = _wants_json(arguments)
    try:
        code = _run(arguments)
        flush_output()
    except click.exceptions.Exit as ended:
        return _flushed(ended.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.UsageError as error:
        context = error.ctx
        hint = "" if context is None else f"; for usage, see {context.command_path} --help"
        report(f"{error.format_message().rstrip('.')}{hint}", as_json=as_json)
        return error.exit_code
    except click.ClickException as error:
        report(error.format_message(), as_json=as_json)
        return error.exit_code
    except click.Abort:
        report("interrupted")
        return exit_codes.INTERRUPTED
    except (Exception, KeyboardInterrupt, BaseExceptionGroup) as error:
        known = ended_by(error, as_json=as_json)
        return defect() if known is None else known
    return code


def _run(arguments: Sequence[str]) -> int:
    instruction = os.environ.get(COMPLETE_VARIABLE)
    if instruction:
        from click.shell_completion import shell_complete  # noqa: PLC0415 - for shells only

        return shell_complete(cli, {}, "bbipc", COMPLETE_VARIABLE, instruction)
    with cli.make_context("bbipc", list(arguments)) as context:
        result = cli.invoke(context)
    return result if isinstance(result, int) else exit_codes.SUCCESS


def _flushed(code: int) -> int:
    """`code`, unless the help or version that was asked for cannot be written."""
    try:
        flush_output()
    except OSError as error:
        known = ended_by(error)
        assert known is not None, "an OSError is known"
        return known
    return code


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether a program reads what is wrong, too. (conform's --json names a file, and means something else.)"""
    options = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    return options[:1] != ["conform"] and not {"--json", "--json-lines"}.isdisjoint(options)


def main() -> None:
    """The entry point without the short cut of `bbipc.__main__`."""
    sys.exit(run(sys.argv[1:]))

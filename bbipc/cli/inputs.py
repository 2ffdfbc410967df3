"""What subcommands have in common: reading inputs, and choosing the trusted setup."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from bbipc import chonk
from bbipc.cli import exit_codes
from bbipc.cli.colour import colour
from bbipc.cli.escape import file_name

__all__ = ["INPUT", "MAX_INPUT", "OUTPUT", "InputError", "load_setup", "read_input", "setup_option", "shown"]

MAX_INPUT: Final = 64 << 20
"""Bytes that are read of one input: as many as a frame of the wire may have. A proof has about 40 thousand."""


INPUT: Final = click.Path(allow_dash=True)
"""The type of parameters that name a file or standard input: whether it is there, reading tells. Shells complete files."""

OUTPUT: Final = click.Path(allow_dash=True)
"""The same for what is written."""


class InputError(click.ClickException):
    """An input that cannot be read or decoded."""

    exit_code = exit_codes.UNREADABLE


def read_input(name: str) -> bytes:
    """The bytes of the file `name`, or of standard input if it is `-`.

    Raises:
        InputError: it cannot be read, or has more than `MAX_INPUT` bytes.
    """
    try:
        if name == "-":
            data = sys.stdin.buffer.read(MAX_INPUT + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(MAX_INPUT + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"{shown(name)}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_INPUT:
        raise InputError(f"{shown(name)}: more than {MAX_INPUT >> 20} MiB")
    return data


def shown(name: str) -> str:
    """How messages call the input `name`."""
    return "standard input" if name == "-" else file_name(name)


def setup_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--setup FILE`, whose value is for `load_setup`."""
    return click.option(
        "--setup",
        "setup_file",
        type=click.Path(),
        metavar="FILE",
        help="JSON file with another trusted setup than Aztec's (which is built in). For tests: a warning says so on stderr.",
    )(command)


def load_setup(file: str | None) -> chonk.Setup:
    """The setup that the operator chose; a warning on stderr if it is not Aztec's.

    Raises:
        InputError: the file cannot be read or holds no setup.
    """
    if file is None:
        return chonk.Setup.AZTEC
    try:
        setup = chonk.Setup.from_json(file)
    except OSError as error:
        raise InputError(f"{file_name(file)}: {error.strerror or error}") from None
    except chonk.ChonkFormatError as error:
        raise InputError(f"{file_name(file)}: {error}") from None
    if setup != chonk.Setup.AZTEC:
        name = file_name(file)
        warning = f"bbipc: warning: trusted setup of {name}, not Aztec's: whoever knows its secret can forge proofs"
        click.secho(warning, fg="yellow", err=True, color=colour(sys.stderr))
    return setup

"""Options of the commands that test a server, and the server that they name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bbipc.conform.target import Target

__all__ = ["target_of", "target_options"]


def target_options(*, timeout: float, unit: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Options --socket, --shm, --setup and --timeout; `timeout` seconds is the default for one `unit`."""
    options = (
        click.option("--socket", is_flag=True, help="Test over a Unix socket: `--input X.sock` is appended to COMMAND."),
        click.option("--shm", is_flag=True, help="Test over shared memory: `--input X.shm` is appended to COMMAND."),
        click.option(
            "--setup",
            type=click.Choice(["test", "aztec"]),
            default="aztec",
            show_default=True,
            help="The trusted setup COMMAND verifies under.",
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            default=timeout,
            show_default=True,
            metavar="S",
            help=f"Seconds that one {unit} may take.",
        ),
    )

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def target_of(server: tuple[str, ...], *, socket: bool = False, shm: bool = False, setup: str) -> Target:
    """The server under test."""
    if socket and shm:
        raise click.UsageError("--socket and --shm cannot be used together")
    from bbipc.conform.target import Target  # noqa: PLC0415 - reads nothing, but imports trio

    return Target(server, "socket" if socket else "shm" if shm else "pipe", setup)

"""`bbipc serve`: the server at a socket, for people."""

import click

from bbipc.cli.msgpack import run

__all__ = ["command"]


@click.command(
    "serve",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("socket", type=click.Path())
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def command(socket: str, options: tuple[str, ...]) -> int:
    """Serve at the Unix socket SOCKET until Ctrl-C: `bbipc msgpack run --input SOCKET`.

    OPTIONS are those of `bbipc msgpack run`. SOCKET ends in .sock.

    Exit status: 0 ended by Ctrl-C, SIGTERM or Shutdown; 1 the server cannot start; 2 wrong usage.
    """
    if not socket.endswith(".sock"):
        raise click.UsageError("the name of a socket must end in .sock, as bb demands it")
    return run(["--input", socket, *options])

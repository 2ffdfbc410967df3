"""`bbipc top`: what a server is doing, live in the terminal."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from bbipc.cli import exit_codes
from bbipc.cli.ending import report
from bbipc.cli.values import to_json
from bbipc.client import ClientError, ServerError
from bbipc.client.blocking import Client, open_client

__all__ = ["Sample", "command"]


@dataclass(frozen=True)
class Sample:
    """The fields of a StatsResponse, and when they came, in seconds of a clock."""

    stats: dict[str, Any]
    at: float


@click.command("top")
@click.argument("socket", metavar="SOCKET")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.05),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Time between two looks.",
)
@click.option("--once", is_flag=True, help="Look once and end; rates are then those since the server's start.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures of each look as one line of JSON.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long an answer may take.",
)
def command(socket: str, interval: float, once: bool, as_json: bool, timeout: float) -> int:
    """Show what the bbipc at the Unix socket SOCKET is doing, until Ctrl-C.

    Clients, requests, verdicts, batches and latencies are those that the server's command Stats tells. On a terminal the view
    is renewed in place; elsewhere one follows the other.

    \b
    bbipc top /run/bbipc/bbipc.sock
    bbipc top /run/bbipc/bbipc.sock --once --json

    Exit status: 0 after --once; 69 there is no server, it went away, does not answer in time, or has no Stats (as bb); 130
    after Ctrl-C; 141 the reader of the output went away.
    """  # noqa: D301 - \b is for click: do not wrap this paragraph
    try:
        with open_client(socket=socket, timeout=timeout) as client:
            if not client.supports_tagged:
                return _unavailable(f"the server at {socket} is not a bbipc: it has no figures to show", as_json)
            samples = _samples(client, interval, once)
            if as_json:
                _print_json(samples)
            else:
                from bbipc.cli.top_view import show  # noqa: PLC0415 - rich, which --json does not need

                show(samples, socket, once)
    except (ServerError, ClientError) as error:
        return _unavailable(str(error), as_json)
    except TimeoutError as error:
        return _unavailable(str(error), as_json)
    return exit_codes.SUCCESS


def _unavailable(message: str, as_json: bool) -> int:
    report(message, as_json=as_json)
    return exit_codes.UNAVAILABLE


def _samples(client: Client, interval: float, once: bool) -> Iterator[Sample]:
    while True:
        yield Sample(client.call("Stats"), time.monotonic())
        if once:
            return
        time.sleep(interval)


def _print_json(samples: Iterator[Sample]) -> None:
    for sample in samples:
        click.echo(json.dumps(to_json(sample.stats)))
        sys.stdout.flush()

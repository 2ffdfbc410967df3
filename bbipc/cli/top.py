"""`bbipc top`: what a server is doing, live in the terminal."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from bbipc.cli import exit_codes
from bbipc.cli.ending import report
from bbipc.cli.escape import one_line
from bbipc.cli.values import to_json
from bbipc.client import ClientError, ServerError
from bbipc.client.blocking import Client, open_client

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

__all__ = ["Sample", "command", "view"]

WIDE: Final = 100
"""Columns from which on figures and batches stand side by side."""
PLAIN_WIDTH: Final = 100
"""Columns where there is no terminal to ask."""
_OUTCOMES: Final = ("answered", "failed", "cancelled", "expired")
_BAR: Final = 16
"""Characters of the longest bar."""


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
                _show(samples, socket, once)
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


def _show(samples: Iterator[Sample], socket: str, once: bool) -> None:
    from rich.console import Console  # noqa: PLC0415 - only here
    from rich.live import Live  # noqa: PLC0415

    before: Sample | None = None
    on_terminal = sys.stdout.isatty()
    console = Console() if on_terminal else Console(width=PLAIN_WIDTH)
    if once or not on_terminal:
        for sample in samples:
            console.print(view(sample, before, socket, console.width))
            sys.stdout.flush()
            before = sample
        return
    with Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
        for sample in samples:
            live.update(view(sample, before, socket, console.width, console.height), refresh=True)
            before = sample


def view(sample: Sample, before: Sample | None, socket: str, width: int, height: int | None = None) -> RenderableType:
    """What is shown of a sample: rates are those since the one before, or since the server's start.

    Args:
        sample: what the server has just said.
        before: what it said last; None: nothing.
        socket: where it listens.
        width: columns that there are.
        height: lines that there are; None: as many as it takes.
    """
    from rich.console import Group  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    stats = sample.stats
    rates = _Rates(sample, before)
    uptime = _duration(stats["uptime_ms"])
    title = f"bbipc {stats['version']}  {stats['arithmetic']}  {_count(stats['threads'], 'thread')}  up {uptime}"
    since = "since the start" if before is None else f"in the last {rates.seconds:.1f} s"
    head = Text(one_line(title), style="bold", no_wrap=True, overflow="ellipsis")
    place = Text(one_line(f"rates {since}  {socket}"), style="dim", no_wrap=True, overflow="ellipsis")
    figures, batches = _figures(stats, rates), _batches(stats)
    if width >= WIDE:
        beside = Table.grid(padding=(0, 4))
        beside.add_row(figures, batches)
        parts: list[RenderableType] = [beside]
        lines = 3 + max(figures.row_count, batches.row_count + 1)
    else:
        parts = [figures, Text(""), batches]
        lines = 4 + figures.row_count + batches.row_count + 1
    room = None if height is None else max(height - lines - 3, 1)
    return Group(head, place, Text(""), *parts, Text(""), *_commands(stats, rates, room))


class _Rates:
    """Differences between two samples, by the second."""

    def __init__(self, sample: Sample, before: Sample | None) -> None:
        restarted = before is None or before.stats["uptime_ms"] > sample.stats["uptime_ms"]
        self.seconds = sample.stats["uptime_ms"] / 1000 if restarted or before is None else sample.at - before.at
        self._before: dict[str, Any] = {} if restarted or before is None else before.stats
        self._commands = {entry["name"]: _all(entry) for entry in self._before.get("commands", ())}

    def verdicts(self, stats: dict[str, Any]) -> float:
        """Proofs with a verdict."""
        return self._rate(sum(stats["verdicts"].values()), sum(self._before.get("verdicts", {}).values()))

    def requests(self, stats: dict[str, Any]) -> float:
        """Requests for any command."""
        return self._rate(sum(map(_all, stats["commands"])), sum(self._commands.values()))

    def command(self, entry: dict[str, Any]) -> float:
        """Requests for one command."""
        return self._rate(_all(entry), self._commands.get(entry["name"], 0))

    def _rate(self, now: int, then: int) -> float:
        return max(now - then, 0) / self.seconds if self.seconds > 0 else 0.0


def _all(entry: dict[str, Any]) -> int:
    return sum(entry[outcome] for outcome in _OUTCOMES)


def _figures(stats: dict[str, Any], rates: _Rates) -> Table:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")

    def row(name: str, *parts: str | Text) -> None:
        table.add_row(name, Text("  ").join(part if isinstance(part, Text) else Text(part) for part in parts))

    verdicts, latency, threads = stats["verdicts"], stats["latency"], stats["threads"]
    row("workers", f"{_bar(stats['running'], threads)} {stats['running']} of {threads} busy", f"{stats['waiting']:,} waiting")
    row("clients", f"{stats['connections']:,} now", f"{stats['connections_total']:,} in all", _bytes(stats["in_flight_bytes"]))
    row("requests", f"{_rate(rates.requests(stats))}/s", f"{stats['malformed']:,} malformed")
    row("proofs", f"{_rate(rates.verdicts(stats))}/s", f"{verdicts['valid']:,} valid", _bad(verdicts["invalid"], "invalid"))
    row("", _bad(verdicts["error"], "undecodable"), f"{verdicts['cancelled']:,} cancelled")
    if latency["count"]:
        half, most, nearly, longest = (_time(latency[name]) for name in ("p50_us", "p90_us", "p99_us", "max_us"))
        row("latency", f"{half} median", f"{most} 90 %", f"{nearly} 99 %")
        row("", f"{longest} at most", f"of {latency['count']:,} requests")
    else:
        row("latency", "nothing measured yet")
    if stats["batch_service"]["running"]:
        row(
            "service", f"{stats['batch_service']['waiting']:,} waiting", f"{stats['batch_service']['results']:,} results unread"
        )
    if stats["upstream"]["configured"]:
        upstream = stats["upstream"]
        row(
            "child bb",
            f"{upstream['forwarded']:,} forwarded",
            f"{upstream['waiting']:,} waiting",
            _bad(upstream["failed"], "failed"),
        )
    if stats["log"]["dropped"] or stats["log"]["left_out"]:
        row("log", _bad(stats["log"]["dropped"], "dropped"), f"{stats['log']['left_out']:,} left out")
    return table


def _batches(stats: dict[str, Any]) -> Table:
    """How many proofs were verified together, by powers of two."""
    from rich.table import Table  # noqa: PLC0415

    counts: dict[int, int] = {}
    for entry in stats["batches"]:
        bound = 1 << max(entry["max_proofs"] - 1, 0).bit_length()
        counts[bound] = counts.get(bound, 0) + entry["batches"]
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    most = max(counts.values(), default=0)
    for bound, count in sorted(counts.items()):
        table.add_row(f"batches of {'' if bound <= 2 else f'{bound // 2 + 1}-'}{bound}", f"{count:,}", _bar(count, most))
    if not counts:
        table.add_row("batches", "none yet", "")
    return table


def _commands(stats: dict[str, Any], rates: _Rates, room: int | None) -> list[RenderableType]:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, padding=(0, 1), header_style="cyan", pad_edge=False)
    table.add_column("command", no_wrap=True, overflow="ellipsis")
    for name in ("per s", *_OUTCOMES):
        table.add_column(name, justify="right", no_wrap=True)
    entries = sorted(stats["commands"], key=lambda entry: (-rates.command(entry), -_all(entry), entry["name"]))
    shown = entries if room is None or len(entries) <= room else entries[: max(room - 1, 0)]
    for entry in shown:
        outcomes = [
            Text(f"{entry[outcome]:,}", "red" if outcome == "failed" and entry[outcome] else "") for outcome in _OUTCOMES
        ]
        table.add_row(Text(one_line(entry["name"])), _rate(rates.command(entry)), *outcomes)
    left = len(entries) - len(shown)
    return [table] if not left else [table, Text(f"and {_count(left, 'command')} more", style="dim")]


def _bad(count: int, what: str) -> Text:
    from rich.text import Text  # noqa: PLC0415

    return Text(f"{count:,} {what}", style="red" if count else "")


def _bar(value: int, whole: int) -> str:
    filled = min(-(-_BAR * value // whole), _BAR) if whole > 0 else 0
    return "#" * filled + "." * (_BAR - filled)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _bytes(number: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} GiB"


def _time(micros: float) -> str:
    if micros < 1000:
        return f"{micros:.0f} us"
    return f"{micros / 1000:.3g} ms" if micros < 1e6 else f"{micros / 1e6:.3g} s" if micros < 1e9 else f"{micros / 1e6:,.0f} s"


def _duration(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"

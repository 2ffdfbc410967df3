"""What `bbipc top` shows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bbipc.cli.escape import one_line

if TYPE_CHECKING:
    from bbipc.cli.top import Sample

__all__ = ["show", "view"]

WIDE: Final = 100
"""Columns from which on figures and batches stand side by side."""
PLAIN_WIDTH: Final = 100
"""Columns where there is no terminal to ask."""
_OUTCOMES: Final = ("answered", "failed", "cancelled", "expired")
_BAR: Final = 16
"""Characters of the longest bar."""


def show(samples: Iterator[Sample], socket: str, once: bool) -> None:
    """Show samples as they come: in place on a terminal, one after the other elsewhere."""
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

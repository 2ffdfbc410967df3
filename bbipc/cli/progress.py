"""Progress on a terminal: one line at the bottom, with count, rate and the time that is left; what is told scrolls above it."""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from math import ceil
from typing import Final, Protocol

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, Task, TextColumn, TimeElapsedColumn
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

__all__ = ["counted", "timed"]

_MIN_BAR: Final = 10
_MAX_BAR: Final = 60
_WINDOW: Final = 30.0
"""Rate and time left are those of so many last seconds, or since the start."""


class _Print(Protocol):
    def __call__(self, text: str | None, *, error: bool = False, done: bool = True) -> None: ...


class _Line(Progress):
    """Everything in one line, however narrow: the bar takes what is left, and what has no room is left out, the last first."""

    def __init__(
        self, what: str, status: Callable[[], Sequence[str]], console: Console, get_time: Callable[[], float] = time.monotonic
    ) -> None:
        self._what, self._status = what, status
        self._seen = deque([(get_time(), 0.0)])  # when, and how many steps were done then
        super().__init__(console=console, get_time=get_time, transient=True, redirect_stdout=False, redirect_stderr=False)

    def get_renderable(self) -> RenderableType:
        """The line."""
        task = self.tasks[0] if self.tasks else None
        if task is None:
            return Text()
        width = self.console.width - 1  # in the last column some terminals wrap
        speed = self._speed(task.completed)
        parts = [
            f"{task.completed:.0f}/{task.total or 0:.0f}",
            *filter(None, (_rate(speed), *self._status(), _left(task, speed))),
        ]
        while len(parts) > 1 and len("  ".join(parts)) > width:
            parts.pop()
        text = "  ".join(parts)
        bar = min(width - len(self._what) - len(text) - 4, _MAX_BAR)
        if bar < _MIN_BAR:
            return Text(text[: max(width, 0)], no_wrap=True)
        row = Table.grid(padding=(0, 2, 0, 0))
        row.add_row(Text(self._what), ProgressBar(task.total, task.completed, width=bar), Text(text, no_wrap=True))
        return row

    def _speed(self, completed: float) -> float:
        """Steps a second. Those of a batch are all told at its end, so the time that it took counts: rich, which counts from
        the first step, makes a hundred thousand a second of the first batch."""
        now = self.get_time()
        self._seen.append((now, completed))
        while now - self._seen[1][0] > _WINDOW:
            self._seen.popleft()
        since, before = self._seen[0]
        return (completed - before) / (now - since) if now > since else 0.0


def _rate(speed: float) -> str:
    """Steps a second; nothing before there is one."""
    return "" if speed == 0 else f"{speed:.0f}/s" if speed >= 10 else f"{speed:.1f}/s"


def _left(task: Task, speed: float) -> str:
    return "" if speed == 0 else f"{timedelta(seconds=ceil((task.remaining or 0) / speed))} left"


@contextmanager
def counted(what: str, total: int, echo: _Print, status: Callable[[], Sequence[str]] = lambda: ()) -> Iterator[_Print]:
    """Show the progress of `total` steps; what is given takes what is to be told of each step, or None, or what is
    to be told beside the steps (`done=False`). Any thread may call it.

    Lines go to standard output or standard error: above the progress if that is a terminal, by `echo` if not.

    Args:
        what: is done.
        total: number of steps.
        echo: prints what is not for this terminal.
        status: what else there is to say; what matters most first.
    """
    console = Console(stderr=True)
    both = sys.stdout.isatty()
    progress = _Line(what, status, console)
    task = progress.add_task(what, total=total)

    def step(text: str | None, *, error: bool = False, done: bool = True) -> None:
        if text is not None and (error or both):
            progress.console.print(Text.from_ansi(text), soft_wrap=True, highlight=False)
        else:
            echo(text)
        progress.advance(task, done)

    with progress:
        yield step


@contextmanager
def timed(what: str, seconds: float) -> Iterator[Callable[[str], None]]:
    """Show how much of `seconds` is over; what is given takes what has been found so far."""
    columns = (TextColumn(what), BarColumn(bar_width=20), TimeElapsedColumn(), TextColumn("{task.fields[found]}"))
    progress = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False)
    task = progress.add_task(what, total=seconds, found="")
    start = time.monotonic()

    with progress:
        yield lambda found: progress.update(task, completed=min(time.monotonic() - start, seconds), found=found)

"""Progress on a terminal: one line at the bottom, with count, rate and the time that is left; what is told scrolls above it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

__all__ = ["counted"]


class _Rate(ProgressColumn):
    """Steps a second, of the last half minute."""

    def render(self, task: Task) -> Text:
        """As text; nothing before there is one."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.0f}/s" if speed >= 10 else f"{speed:.1f}/s")


@contextmanager
def counted(what: str, total: int, echo: Callable[[str], None]) -> Iterator[Callable[[str | None], None]]:
    """Show the progress of `total` steps; what is given takes the line of each step, or None.

    Lines go to standard output: above the progress if that is a terminal, by `echo` if not.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn(what),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    both = sys.stdout.isatty()
    progress = Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False, expand=True)
    task = progress.add_task(what, total=total)

    def step(line: str | None) -> None:
        if line is not None and both:
            progress.console.print(Text.from_ansi(line), soft_wrap=True, highlight=False)
        elif line is not None:
            echo(line)
        progress.advance(task)

    with progress:
        yield step

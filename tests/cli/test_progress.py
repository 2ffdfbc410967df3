"""The line of progress on a terminal."""

from collections.abc import Iterator
from io import StringIO

import pytest
from rich.console import Console

from bbipc.cli.progress import _Line


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Iterator[_Clock]:
    return _Clock()


def _shown(line: _Line, width: int) -> str:
    console = Console(file=StringIO(), width=width)
    console.print(line.get_renderable(), end="")
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 120])
def test_rate_and_time_left_count_the_time_that_a_batch_took(width: int, clock: _Clock) -> None:
    line = _Line("verifying", lambda: (), Console(file=StringIO(), width=width), clock)
    task = line.add_task("", total=320)
    assert "/s" not in _shown(line, width)
    clock.now += 4
    line.advance(task, 32)  # all at once, as the verdicts of a batch are known
    text = _shown(line, width)
    assert "32/320  8.0/s  0:00:36 left" in text
    assert max(map(len, text.splitlines())) < width
    clock.now += 4
    assert "32/320  4.0/s  0:01:12 left" in _shown(line, width)


def test_after_half_a_minute_the_start_does_not_count(clock: _Clock) -> None:
    line = _Line("verifying", lambda: (), Console(file=StringIO(), width=80), clock)
    task = line.add_task("", total=10_000)
    clock.now += 1
    line.advance(task, 9_000)  # what a journal has
    for _ in range(40):
        _shown(line, 80)
        clock.now += 1
        line.advance(task, 5)
    assert "9200/10000  5.0/s  0:02:40 left" in _shown(line, 80)

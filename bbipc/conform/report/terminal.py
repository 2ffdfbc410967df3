"""The report on a terminal or in a log."""

import sys

from bbipc.conform.case import CaseOutcome, Result
from bbipc.conform.runner import Report

__all__ = ["Terminal"]

_MARKS = {CaseOutcome.PASS: ("ok", "green"), CaseOutcome.FAIL: ("FAIL", "bold red"), CaseOutcome.NOT_APPLICABLE: ("n/a", "dim")}


class Terminal:
    """Writes a line for each result, and what is wrong with those that failed."""

    def __init__(self, *, colour: bool, verbose: bool) -> None:
        self._colour = colour
        self._verbose = verbose

    def _line(self, text: str, style: str = "") -> None:
        if not self._colour:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
            return
        from rich.console import Console  # noqa: PLC0415 - for terminals only
        from rich.text import Text  # noqa: PLC0415

        Console(highlight=False).print(Text(text, style=style), soft_wrap=True)

    def result(self, result: Result) -> None:
        """One result, as it comes."""
        mark, style = _MARKS[result.outcome]
        if result.outcome is CaseOutcome.PASS and not self._verbose:
            style = "green"
        self._line(f"{mark:<5}{result.case.id:<34} {result.seconds:7.2f} s", style)
        if result.outcome is CaseOutcome.FAIL:
            self._line(f"       rule      {result.case.rule}  ({result.case.source})")
            self._line(f"       expected  {result.expected}")
            self._line(f"       got       {result.got}", "red")
        elif result.outcome is CaseOutcome.NOT_APPLICABLE and self._verbose:
            self._line(f"       {result.got}", "dim")
        if self._verbose:
            for event in result.events:
                self._line(f"       {event.who:>12}  {event.what:<12} {event.text}", "dim")

    def summary(self, report: Report) -> None:
        """The last lines."""
        failed = report.count(CaseOutcome.FAIL)
        self._line("")
        dialects = "plain and tagged" if report.tagged else "plain"
        self._line(
            f"{' '.join(report.target.command)}  ({report.target.transport}, {dialects} requests, {report.target.setup} setup)"
        )
        self._line(
            f"{report.count(CaseOutcome.PASS)} passed, {failed} failed, "
            f"{report.count(CaseOutcome.NOT_APPLICABLE)} not applicable in {report.seconds:.1f} s",
            "bold red" if failed else "bold green",
        )

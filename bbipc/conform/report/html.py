"""One self-contained HTML page: no other file, no network, readable without JavaScript."""

import re
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from string import Template
from typing import Final

import bbipc
from bbipc.conform.case import SUITES, TRANSPORTS, CaseOutcome, Event, Result
from bbipc.conform.runner import Report

__all__ = ["as_html"]

_PAGE: Final = re.compile(r"docs/(?P<page>[\w/-]+)\.md(?P<anchor>#[\w-]+)?")
_HEX_SHOWN: Final = 96
_CLASSES: Final = {CaseOutcome.PASS: "pass", CaseOutcome.FAIL: "fail", CaseOutcome.NOT_APPLICABLE: "skip"}
_LABELS: Final = {CaseOutcome.PASS: "pass", CaseOutcome.FAIL: "fail", CaseOutcome.NOT_APPLICABLE: "n/a"}


def as_html(report: Report, docs: str | None = None) -> str:
    """The page.

    Args:
        report: what was found.
        docs: address of the site of bbipc's documentation, to which the sources of the rules are linked; None: they are text.
    """
    page = Template((files("bbipc.conform.report") / "page.html").read_text(encoding="utf-8"))
    passed, failed = report.count(CaseOutcome.PASS), report.count(CaseOutcome.FAIL)
    skipped = report.count(CaseOutcome.NOT_APPLICABLE)
    verdict = (
        "All applicable rules are kept" if report.passed else f"{failed} {'rule is' if failed == 1 else 'rules are'} broken"
    )
    return page.substitute(
        title=escape(f"Conformance of {' '.join(report.target.command)}"),
        command=escape(" ".join(report.target.command)),
        verdict=escape(verdict),
        verdict_class="pass" if report.passed else "fail",
        failed_class="zero" if report.passed else "fail",
        transport=escape(TRANSPORTS[report.target.transport]),
        dialects="plain and tagged" if report.tagged else "plain only",
        setup=escape(report.target.setup),
        seconds=f"{report.seconds:.1f}",
        total=len(report.results),
        passed=passed,
        failed=failed,
        skipped=skipped,
        bar=_bar(passed, failed, skipped),
        overview="\n".join(_overview(report)),
        suites="\n".join(_suites(report, docs)),
        date=f"{report.started:%Y-%m-%d %H:%M} UTC",
        version=escape(bbipc.__version__),
    )


def _bar(passed: int, failed: int, skipped: int) -> str:
    parts = (("pass", passed), ("fail", failed), ("skip", skipped))
    return "".join(f'<span class="{name}" style="flex-grow:{count}"></span>' for name, count in parts if count)


def _by_suite(report: Report) -> Iterator[tuple[str, list[Result]]]:
    for name in dict.fromkeys((*SUITES, *(result.case.suite for result in report.results))):
        results = [result for result in report.results if result.case.suite == name]
        if results:
            yield name, results


def _count(results: list[Result], outcome: CaseOutcome) -> int:
    return sum(result.outcome is outcome for result in results)


def _overview(report: Report) -> Iterator[str]:
    for name, results in _by_suite(report):
        passed, failed, skipped = (_count(results, outcome) for outcome in CaseOutcome)
        failed_class = ' class="bad"' if failed else ""
        kept = f"{passed} of {passed + failed}" if passed + failed else "n/a"
        yield (
            f'<a class="tile" href="#{escape(name)}"><strong>{escape(name)}</strong>'
            f'<span class="bar">{_bar(passed, failed, skipped)}</span>'
            f"<span{failed_class}>{kept}</span></a>"
        )


def _suites(report: Report, docs: str | None) -> Iterator[str]:
    for name, results in _by_suite(report):
        yield f'<section id="{escape(name)}"><h2>{escape(name)}</h2><p class="about">{escape(SUITES.get(name, ""))}</p>'
        yield from (_case(result, docs) for result in results)
        yield "</section>"


def _case(result: Result, docs: str | None) -> str:
    case, kind = result.case, _CLASSES[result.outcome]
    recorded = "".join(f"<code>{escape(place)}</code>" for place in case.recorded)
    finding = ""
    if result.outcome is CaseOutcome.FAIL:
        finding = (
            f'<dl class="finding"><dt>Expected</dt><dd>{escape(result.expected)}</dd>'
            f"<dt>Got</dt><dd>{escape(result.got)}</dd></dl>"
        )
    elif result.outcome is CaseOutcome.NOT_APPLICABLE:
        finding = f'<p class="reason">Not applicable: {escape(result.got)}.</p>'
    source = (
        f'<p class="source">From {_source(case.source, docs)}'
        + (f"; recorded with bb 5.0.0: {recorded}" if recorded else "")
        + "</p>"
    )
    seconds = f"{result.seconds:.2f} s" if result.seconds else ""
    got = f'<span class="got">{escape(result.got)}</span>' if result.outcome is CaseOutcome.FAIL else ""
    return (
        f'<details class="case {kind}" data-outcome="{kind}" id="{escape(case.id)}"><summary>'
        f'<span class="badge">{_LABELS[result.outcome]}</span>'
        f'<span class="name">{escape(case.id)}</span><span class="rule">{escape(case.rule)}{got}</span>'
        f'<span class="time">{seconds}</span></summary>'
        f'<div class="body">{_permalink(case.id)}{source}{finding}{_events(result.events)}</div></details>'
    )


def _permalink(case_id: str) -> str:
    return f'<p class="source"><a href="#{escape(case_id)}">Link to this case</a></p>'


def _source(source: str, docs: str | None) -> str:
    """Where the rule is written; a link, if it is known where the site is."""
    found = _PAGE.match(source)
    if docs is None or found is None:
        return escape(source)
    address = f"{docs.rstrip('/')}/{found['page']}/{found['anchor'] or ''}"
    return f'<a href="{escape(address)}">{escape(source)}</a>'


def _events(events: tuple[Event, ...]) -> str:
    if not events:
        return ""
    rows = "".join(
        f'<tr class="{_direction(event)}"><td>{escape(event.who)}</td><td>{escape(event.what)}</td>'
        f"<td>{escape(event.text)}{_hex(event.data)}</td></tr>"
        for event in events
    )
    return f"<table><thead><tr><th>Who</th><th>What</th><th>Content</th></tr></thead><tbody>{rows}</tbody></table>"


def _direction(event: Event) -> str:
    return {"sent": "sent", "received": "received"}.get(event.what, "other")


def _hex(data: bytes) -> str:
    if not data:
        return ""
    more = " ..." if len(data) > _HEX_SHOWN else ""
    return f"<code>{data[:_HEX_SHOWN].hex(' ', -4)}{more}</code>"

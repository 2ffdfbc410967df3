"""The reports say the same in every form, and survive whatever a server sends."""

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bbipc
from bbipc.conform.case import SUITES, Case, CaseOutcome, Event, Result
from bbipc.conform.cases import catalogue
from bbipc.conform.lab import Lab
from bbipc.conform.report.html import as_html
from bbipc.conform.report.machine import as_json, as_junit
from bbipc.conform.report.terminal import Terminal
from bbipc.conform.runner import Report
from bbipc.conform.target import Target

STARTED = datetime(2026, 11, 28, 21, 5, tzinfo=UTC)
ROOT = Path(__file__).parent.parent.parent


async def never(_lab: Lab) -> None:
    raise AssertionError("reports run nothing")


def report_of(outcomes: list[CaseOutcome], text: str = "what came", data: bytes = b"\x00\xff") -> Report:
    results = tuple(
        Result(
            Case(f"framing.case-{index}", f"rule {text}", "docs/protocol.md section 1", never, ("framing/one_request",)),
            outcome,
            0.25,
            "what was expected",
            text,
            (Event("client", "received", text, data),),
        )
        for index, outcome in enumerate(outcomes)
    )
    return Report(Target(("a-server", text)), True, results, 1.5, STARTED)


OUTCOMES = st.lists(st.sampled_from(CaseOutcome), min_size=1, max_size=5)


@given(OUTCOMES, st.text(max_size=40), st.binary(max_size=20))
def test_json_carries_everything(outcomes: list[CaseOutcome], text: str, data: bytes) -> None:
    value = json.loads(as_json(report_of(outcomes, text, data)))
    assert [case["outcome"] for case in value["cases"]] == [outcome.value for outcome in outcomes]
    assert value["summary"] == {outcome.value: outcomes.count(outcome) for outcome in CaseOutcome}
    assert all(
        case["events"] == [{"who": "client", "what": "received", "text": text, "hex": data.hex()}] for case in value["cases"]
    )


@given(OUTCOMES, st.text(max_size=40))
def test_junit_is_xml_with_the_right_counts(outcomes: list[CaseOutcome], text: str) -> None:
    (suite,) = ET.fromstring(as_junit(report_of(outcomes, text)).encode())
    assert suite.get("name") == "framing"
    assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure")) == outcomes.count(CaseOutcome.FAIL)
    assert int(suite.get("skipped", "")) == len(suite.findall("testcase/skipped")) == outcomes.count(CaseOutcome.NOT_APPLICABLE)
    assert int(suite.get("tests", "")) == len(outcomes)


class Page(HTMLParser):
    """What a page shows, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cases: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "details":
            self.cases.append(found["data-outcome"] or "")
        self.loads += [value or "" for key, value in attrs if key == "src" or (key == "href" and tag != "a")]

    def handle_data(self, data: str) -> None:
        self.text += data


@given(
    OUTCOMES,
    st.one_of(st.text(max_size=40), st.sampled_from(["<script>alert(1)</script>", "</details>", "$command ${x}", '"&amp;'])),
)
def test_html_shows_text_as_text(outcomes: list[CaseOutcome], text: str) -> None:
    source = as_html(report_of(outcomes, text))
    page = Page(source)
    names = {CaseOutcome.PASS: "pass", CaseOutcome.FAIL: "fail", CaseOutcome.NOT_APPLICABLE: "skip"}
    assert page.cases == [names[outcome] for outcome in outcomes]
    assert source.count("<script") == 1
    assert not page.loads
    assert not re.search(r"url\(|@import|https?://", source.replace(text, ""))
    if text.strip() and text.isprintable():
        assert text in page.text


def test_html_says_when_by_what_and_links_rules() -> None:
    report = report_of([CaseOutcome.PASS])
    page = as_html(report, docs="https://docs.example/bbipc/")
    assert "2026-11-28 21:05 UTC" in page
    assert f"bbipc {bbipc.__version__}" in page
    assert Page(page).loads == []  # a link loads nothing
    (case,) = catalogue()[:1]
    page = as_html(Report(report.target, True, (Result(case, CaseOutcome.PASS, 0.1),), 1.0, STARTED), docs='https://d"<')
    assert '<a href="https://d&quot;&lt;/protocol/#frames">docs/protocol.md#frames</a>' in page
    assert f'id="{case.id}"' in page
    assert f'href="#{case.id}"' in page


def test_machines_are_told_too() -> None:
    report = report_of([CaseOutcome.PASS])
    value = json.loads(as_json(report))
    assert (value["bbipc"], value["started"]) == (bbipc.__version__, "2026-11-28T21:05:00+00:00")
    assert 'timestamp="2026-11-28T21:05:00+00:00"' in as_junit(report)


def anchors(page: Path) -> set[str]:
    """Those of a page of the documentation, as the site makes them of its headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


def test_the_sources_of_the_rules_are_there() -> None:
    for source in {case.source for case in catalogue()}:
        found = re.fullmatch(r"(docs/[\w/-]+\.md)(?:#([\w-]+)| section [0-9.]+)?", source)
        assert found, source
        page = ROOT / found[1]
        assert page.exists(), source
        assert found[2] is None or found[2] in anchors(page), source


def test_terminal_says_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    report = report_of([CaseOutcome.PASS, CaseOutcome.FAIL, CaseOutcome.NOT_APPLICABLE])
    terminal = Terminal(colour=False, verbose=False)
    for result in report.results:
        terminal.result(result)
    terminal.summary(report)
    output = capsys.readouterr().out
    assert "FAIL framing.case-1" in output
    assert output.count("expected  what was expected") == 1
    assert "1 passed, 1 failed, 1 not applicable" in output
    assert "\x1b" not in output


def test_the_catalogue_is_in_order() -> None:
    cases = catalogue()
    assert len({case.id for case in cases}) == len(cases)
    assert list(dict.fromkeys(case.suite for case in cases)) == list(SUITES)
    for case in cases:
        assert re.fullmatch(r"[a-z]+\.[a-z0-9-]+", case.id)
        assert case.rule.endswith((".", ")"))
        assert not case.rule[0].islower()
        assert case.source.startswith("docs/")

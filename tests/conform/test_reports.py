"""The reports say the same in every form, and survive whatever a server sends."""

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbipc.conform.case import SUITES, Case, Event, Outcome, Result
from bbipc.conform.cases import catalogue
from bbipc.conform.lab import Lab
from bbipc.conform.report.html import as_html
from bbipc.conform.report.machine import as_json, as_junit
from bbipc.conform.report.terminal import Terminal
from bbipc.conform.runner import Report
from bbipc.conform.target import Target


async def never(_lab: Lab) -> None:
    raise AssertionError("reports run nothing")


def report_of(outcomes: list[Outcome], text: str = "what came", data: bytes = b"\x00\xff") -> Report:
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
    return Report(Target(("a-server", text)), True, results, 1.5)


OUTCOMES = st.lists(st.sampled_from(Outcome), min_size=1, max_size=5)


@given(OUTCOMES, st.text(max_size=40), st.binary(max_size=20))
def test_json_carries_everything(outcomes: list[Outcome], text: str, data: bytes) -> None:
    value = json.loads(as_json(report_of(outcomes, text, data)))
    assert [case["outcome"] for case in value["cases"]] == [outcome.value for outcome in outcomes]
    assert value["summary"] == {outcome.value: outcomes.count(outcome) for outcome in Outcome}
    assert all(
        case["events"] == [{"who": "client", "what": "received", "text": text, "hex": data.hex()}] for case in value["cases"]
    )


@given(OUTCOMES, st.text(max_size=40))
def test_junit_is_xml_with_the_right_counts(outcomes: list[Outcome], text: str) -> None:
    (suite,) = ET.fromstring(as_junit(report_of(outcomes, text)).encode())
    assert suite.get("name") == "framing"
    assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure")) == outcomes.count(Outcome.FAIL)
    assert int(suite.get("skipped", "")) == len(suite.findall("testcase/skipped")) == outcomes.count(Outcome.NOT_APPLICABLE)
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
        self.loads += [value or "" for key, value in attrs if key in ("src", "href") and not (value or "").startswith("#")]

    def handle_data(self, data: str) -> None:
        self.text += data


@given(
    OUTCOMES,
    st.one_of(st.text(max_size=40), st.sampled_from(["<script>alert(1)</script>", "</details>", "$command ${x}", '"&amp;'])),
)
def test_html_shows_text_as_text(outcomes: list[Outcome], text: str) -> None:
    source = as_html(report_of(outcomes, text))
    page = Page(source)
    names = {Outcome.PASS: "pass", Outcome.FAIL: "fail", Outcome.NOT_APPLICABLE: "skip"}
    assert page.cases == [names[outcome] for outcome in outcomes]
    assert source.count("<script") == 1
    assert not page.loads
    assert not re.search(r"url\(|@import|https?://", source.replace(text, ""))
    if text.strip() and text.isprintable():
        assert text in page.text


def test_terminal_says_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    report = report_of([Outcome.PASS, Outcome.FAIL, Outcome.NOT_APPLICABLE])
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

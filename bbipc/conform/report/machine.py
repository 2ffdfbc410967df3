"""JUnit XML and JSON."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import bbipc
from bbipc.conform.case import SUITES, CaseOutcome, Event, Result
from bbipc.conform.runner import Report, events_as_text

__all__ = ["as_json", "as_junit"]


def as_json(report: Report) -> str:
    """The whole report as one JSON object."""
    value = {
        "format": "bbipc-conform-1",
        "bbipc": bbipc.__version__,
        "started": report.started.isoformat(timespec="seconds"),
        "command": list(report.target.command),
        "transport": report.target.transport,
        "setup": report.target.setup,
        "tagged": report.tagged,
        "seconds": round(report.seconds, 3),
        "summary": {outcome.value: report.count(outcome) for outcome in CaseOutcome},
        "cases": [_case(result) for result in report.results],
    }
    return json.dumps(value, indent=1) + "\n"


def _case(result: Result) -> dict[str, Any]:
    case = result.case
    return {
        "id": case.id,
        "rule": case.rule,
        "source": case.source,
        "recorded": list(case.recorded),
        "outcome": result.outcome.value,
        "seconds": round(result.seconds, 3),
        "expected": result.expected,
        "got": result.got,
        "events": [_event(event) for event in result.events],
    }


def _event(event: Event) -> dict[str, str]:
    return {"who": event.who, "what": event.what, "text": event.text, "hex": event.data.hex()}


def as_junit(report: Report) -> str:
    """JUnit XML, a test suite for each suite."""
    root = ET.Element("testsuites", name="bbipc conform", time=f"{report.seconds:.3f}")
    root.set("timestamp", report.started.isoformat(timespec="seconds"))
    for name in dict.fromkeys((*SUITES, *(result.case.suite for result in report.results))):
        results = [result for result in report.results if result.case.suite == name]
        if not results:
            continue
        suite = ET.SubElement(
            root,
            "testsuite",
            name=name,
            tests=str(len(results)),
            failures=str(sum(result.outcome is CaseOutcome.FAIL for result in results)),
            skipped=str(sum(result.outcome is CaseOutcome.NOT_APPLICABLE for result in results)),
            errors="0",
            time=f"{sum(result.seconds for result in results):.3f}",
        )
        for result in results:
            _add_case(suite, result)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_case(suite: ET.Element, result: Result) -> None:
    case = ET.SubElement(suite, "testcase", classname=suite.get("name", ""), name=result.case.id, time=f"{result.seconds:.3f}")
    if result.outcome is CaseOutcome.NOT_APPLICABLE:
        ET.SubElement(case, "skipped", message=_clean(result.got))
    if result.outcome is CaseOutcome.FAIL:
        failure = ET.SubElement(case, "failure", message=_clean(f"expected {result.expected}; got {result.got}"))
        failure.text = _clean(f"{result.case.rule}\n({result.case.source})\n\n{events_as_text(result.events)}")


def _clean(text: str) -> str:
    """Without the characters that XML cannot carry."""
    return "".join(c if c in "\t\n" or " " <= c < "\ud800" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "?" for c in text)

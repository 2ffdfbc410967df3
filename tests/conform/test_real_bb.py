"""The report of the real bb: the rules it breaks are those that the exchanges recorded with bb 5.0.0 show.

BBIPC_TEST_BB names a bb 5.0.0 that verifies under the test setup; BBIPC_TEST_BB_CRS (or CRS_PATH) its CRS directory.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import trio

from bbipc.conform.case import Case, CaseOutcome, Result
from bbipc.conform.cases import catalogue
from bbipc.conform.runner import knows_tags, run_case
from bbipc.conform.target import Target, describe_exit
from samples import DATA

BB = os.environ.get("BBIPC_TEST_BB", "")
pytestmark = pytest.mark.skipif(not BB, reason="BBIPC_TEST_BB does not name a bb 5.0.0 that verifies under the test setup")

UNINITIALISED = {"errors.field-31-bytes", "errors.field-1-byte", "errors.field-empty", "errors.field-str"}
"""bb reads memory that it never wrote; what it answers differs from run to run."""

NEVER_ANSWERED = {"framing.big-endian-length"}
"""bb waits for the rest of a huge frame; the recorded exchange ended because its input did."""


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    if crs := os.environ.get("BBIPC_TEST_BB_CRS"):
        monkeypatch.setenv("CRS_PATH", crs)
    monkeypatch.setenv("HARDWARE_CONCURRENCY", "1")


def recorded(case: Case) -> dict[str, Any] | None:
    """The first recorded exchange over a pipe that a case names and that is part of the test data."""
    for place in case.recorded:
        file = Path(DATA) / "frames" / f"{place}.json"
        if file.is_file() and not place.startswith("socket/"):
            exchange: dict[str, Any] = json.loads(file.read_text())
            return exchange
    return None


CASES = [
    case
    for case in catalogue()
    if case.suite in ("framing", "errors", "verdicts")
    and case.id not in UNINITIALISED | NEVER_ANSWERED
    and "pipe" in case.transports
    and isinstance(recorded(case), dict)
]


def recorded_at_socket(case: Case) -> dict[str, Any] | None:
    """The exchange of a malformed request over a socket that a case names."""
    for place in case.recorded:
        file = Path(DATA) / "frames" / f"{place}.json"
        if file.is_file() and place.startswith("socket/bad_"):
            exchange: dict[str, Any] = json.loads(file.read_text())
            return exchange
    return None


SOCKET_CASES = [case for case in catalogue() if case.suite in ("framing", "errors") and recorded_at_socket(case)]


def run(case: Case, transport: str = "pipe") -> Result:
    async def main() -> Result:
        return await run_case(case, Target((BB, "msgpack", "run"), transport, setup="test"), tagged=False, timeout=120)

    return trio.run(main)


def exit_code(exchange: dict[str, Any]) -> int | None:
    """The exit code if bb died of the request."""
    if "alive_before_stdin_close" in exchange:
        return None if exchange["alive_before_stdin_close"] else exchange["exit_code"]
    return exchange["process_exit_code_if_died"]  # type: ignore[no-any-return]


def response(exchange: dict[str, Any]) -> str:
    """The name of what bb answered."""
    if "stdout_frames" in exchange:
        return str(exchange["stdout_frames"][0]["decoded"])
    return str(exchange["response"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_report_matches_the_recorded_exchange(case: Case) -> None:
    exchange = recorded(case)
    assert exchange is not None
    result = run(case)
    code = exit_code(exchange)
    if code is not None:
        assert result.outcome is CaseOutcome.FAIL
        assert describe_exit(code) in result.got
    elif case.suite == "errors" or "ErrorResponse" in result.expected:
        kept = response(exchange).startswith("['ErrorResponse'")
        assert result.outcome is (CaseOutcome.PASS if kept else CaseOutcome.FAIL), (result.expected, result.got)
    else:
        assert result.outcome is CaseOutcome.PASS, (result.expected, result.got)


@pytest.mark.parametrize("case", SOCKET_CASES, ids=lambda case: case.id)
def test_report_matches_the_exchange_over_a_socket(case: Case) -> None:
    exchange = recorded_at_socket(case)
    assert exchange is not None
    (answer,) = exchange["events"][0]["got"]
    result = run(case, "socket")
    if answer == "timeout 3 s":
        assert result.outcome is CaseOutcome.FAIL
        assert result.got.startswith("no response to it")
    else:
        kept = answer["decoded"].startswith("['ErrorResponse'")
        assert result.outcome is (CaseOutcome.PASS if kept else CaseOutcome.FAIL), (result.expected, result.got)


@pytest.mark.parametrize("name", ["faults.gone-before-reading", "lifecycle.sigterm", "lifecycle.sigint"])
def test_exit_matches_the_exchange_over_a_socket(name: str) -> None:
    case = next(case for case in catalogue() if case.id == name)
    (place,) = (place for place in case.recorded if place.startswith("socket/"))
    code = json.loads((Path(DATA) / "frames" / f"{place}.json").read_text())["exit"]
    result = run(case, "socket")
    if code == 0:
        assert result.outcome is CaseOutcome.PASS, (result.expected, result.got)
    else:
        assert result.outcome is CaseOutcome.FAIL
        assert describe_exit(code) in result.got


def test_bb_knows_plain_requests_only() -> None:
    assert not trio.run(knows_tags, Target((BB, "msgpack", "run"), setup="test"), 60)


def test_bb_batches_do_not_bind_g0() -> None:
    case = next(case for case in catalogue() if case.id == "verdicts.batch-ipa-g0")
    result = run(case)
    assert result.outcome is CaseOutcome.FAIL
    assert result.got.startswith("valid")

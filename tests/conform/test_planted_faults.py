"""Deliberately broken servers are each caught by a named case, and the same server without the fault passes it."""

import os
import sys
from pathlib import Path

import pytest
import trio

from bbipc.conform.case import CaseOutcome, Result
from bbipc.conform.cases import catalogue
from bbipc.conform.runner import knows_tags, run_case
from bbipc.conform.target import CannotStart, Target

PLANTED = Path(__file__).parent / "planted.py"
CASES = {case.id: case for case in catalogue()}

FAULTS = [
    ("answers-twice", "framing.one-request"),
    ("swaps-two", "framing.pipelined"),
    ("loses-tagged", "ordering.none-lost"),
    ("accepts-33-bytes", "errors.field-33-bytes"),
    ("dies-on-garbage", "errors.garbage"),
    ("dies-on-garbage", "limits.garbage-flood"),
    ("ignores-g0", "verdicts.ipa-g0"),
    ("silent-on-error", "framing.zero-length"),
    ("trailing-bytes", "framing.trailing-bytes"),
    ("repeated-key", "errors.repeated-key"),
    ("wrong-id", "tagged.any-command"),
    ("error-without-id", "tagged.error-unknown-command"),
    ("slow-last", "ordering.plain-fifo"),
    ("batch-any", "verdicts.batch-one-invalid"),
    ("stays-after-shutdown", "lifecycle.shutdown-then-request"),
    ("prints", "lifecycle.stdout-clean"),
    ("exit-0", "lifecycle.eof-in-body"),
    ("answers-early", "lifecycle.eof-behind-object"),
    ("extra-in-frame", "framing.one-request"),
    ("extra-at-end", "framing.one-request"),
    ("swaps-under-load", "ordering.none-lost"),
    ("id-as-str", "tagged.any-command"),
    ("id-of-32-bits", "tagged.id-widths"),
    ("id-zero-answered", "tagged.id-zero"),
    ("serves-duplicates", "tagged.duplicate-id"),
    ("reads-on", "limits.unread-responses"),
]
if sys.platform == "linux":
    FAULTS.append(("allocates", "limits.memory-follows-bytes"))


def target(fault: str) -> Target:
    return Target((sys.executable, str(PLANTED), fault), setup="test")


def run(fault: str, case: str, timeout: float = 60) -> Result:
    async def main() -> Result:
        return await run_case(CASES[case], target(fault), tagged=True, timeout=timeout)

    return trio.run(main)


@pytest.mark.parametrize(("fault", "case"), FAULTS)
def test_fault_is_caught(fault: str, case: str) -> None:
    result = run(fault, case)
    assert result.outcome is CaseOutcome.FAIL
    assert "Traceback" not in result.got
    assert "nothing more for" not in result.got  # seen, not only waited for


@pytest.mark.parametrize("case", sorted({case for _, case in FAULTS}))
def test_same_case_passes_without_the_fault(case: str) -> None:
    result = run("none", case)
    assert result.outcome is CaseOutcome.PASS, (result.expected, result.got)


def test_a_server_that_hangs_is_killed_with_its_group() -> None:
    result = run("hangs", "framing.one-request", timeout=0.5)
    assert result.outcome is CaseOutcome.FAIL
    assert "nothing more for 0.5 s" in result.got
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            assert b"planted.py\0hangs" not in command or os.getpgid(int(entry.name)) == os.getpgid(0)


def test_tagged_cases_do_not_apply_to_plain_servers() -> None:
    async def main() -> Result:
        return await run_case(CASES["tagged.mixed"], target("none"), tagged=False, timeout=60)

    assert trio.run(main).outcome is CaseOutcome.NOT_APPLICABLE


def test_probe_tells_the_dialects() -> None:
    assert trio.run(knows_tags, target("none"), 60)
    assert not trio.run(knows_tags, target("wrong-id"), 60)


def test_a_command_that_is_no_server_cannot_start() -> None:
    for command in (("/nonexistent/server",), (sys.executable, "-c", "raise SystemExit('no server')")):
        with pytest.raises(CannotStart):
            trio.run(knows_tags, Target(command), 60)

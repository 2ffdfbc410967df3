"""Running cases: one server each, a limit on time, and nothing left behind."""

import time
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import trio

from bbipc.conform.case import Broken, Case, CaseOutcome, Event, NotApplicable, Result
from bbipc.conform.lab import Lab
from bbipc.conform.messages import blake2s_request, blake2s_response
from bbipc.conform.peer import Record
from bbipc.conform.target import CannotStart, Target, scratch_directory

__all__ = ["Report", "knows_tags", "run_case", "run_cases"]


@dataclass(frozen=True, slots=True)
class Report:
    """The results of a run.

    Attributes:
        target: what was tested.
        tagged: whether it knows tagged requests.
        results: one for each case, in the order of the cases.
        seconds: how long the run took.
        started: when it began, in UTC.
    """

    target: Target
    tagged: bool
    results: tuple[Result, ...]
    seconds: float
    started: datetime

    def count(self, outcome: CaseOutcome) -> int:
        """Results with that outcome."""
        return sum(result.outcome is outcome for result in self.results)

    @property
    def passed(self) -> bool:
        """Whether no case failed."""
        return not self.count(CaseOutcome.FAIL)


@asynccontextmanager
async def _lab(target: Target, record: Record) -> AsyncIterator[Lab]:
    async with scratch_directory() as directory:
        yield Lab(target, record, directory)


async def knows_tags(target: Target, timeout: float) -> bool:
    """Whether the server answers a tagged request with its id.

    Raises:
        CannotStart: the command cannot be run, or does not answer a plain request either.
    """
    record = Record()
    with trio.move_on_after(timeout):
        try:
            async with _lab(target, record) as lab, lab.peer() as peer:
                await peer.send(blake2s_request(b"plain"))
                await peer.expect(blake2s_response(b"plain"))
                await peer.send(blake2s_request(b"tagged", 1) + blake2s_request(b"behind"))
                try:
                    reply = await peer.receive()
                except Broken:
                    return False
                return reply.request_id == 1
        except Broken as failure:
            raise CannotStart(f"the server does not answer a plain request: {failure}{_messages(record)}") from None
    raise CannotStart(f"the server does not answer a plain request within {timeout:g} s{_messages(record)}")


def _messages(record: Record) -> str:
    texts = [event.text for event in record.events if event.what == "stderr"]
    return f"; it wrote: {texts[-1].strip()}" if texts else ""


async def run_case(case: Case, target: Target, *, tagged: bool, timeout: float) -> Result:
    """The result of one case.

    Raises:
        CannotStart: the command cannot be run.
    """
    if target.transport not in case.transports:
        return Result(case, CaseOutcome.NOT_APPLICABLE, got=f"for a {'/'.join(sorted(case.transports))} only")
    if case.tagged and not tagged:
        return Result(case, CaseOutcome.NOT_APPLICABLE, got="the server knows plain requests only")
    record = Record()
    started = time.perf_counter()
    outcome, expected, got = CaseOutcome.FAIL, "", ""
    with trio.move_on_after(timeout) as scope:
        try:
            async with _lab(target, record) as lab:
                await case.run(lab)
            outcome = CaseOutcome.PASS
        except Exception as error:
            outcome, expected, got = _judge(_cause(error))
    if scope.cancelled_caught:
        record.add("harness", "time-out", f"after {timeout:g} s")
        expected, got = _last_wish(record, timeout)
    return Result(case, outcome, time.perf_counter() - started, expected, got, record.finished())


def _cause(error: Exception) -> Exception:
    """The one error that matters of a group that nurseries have made."""
    while isinstance(error, ExceptionGroup):
        ranked = sorted(error.exceptions, key=lambda inner: not isinstance(inner, Broken | NotApplicable | ExceptionGroup))
        error = ranked[0]
    return error


def _judge(error: Exception) -> tuple[CaseOutcome, str, str]:
    match error:
        case Broken():
            return CaseOutcome.FAIL, error.expected, error.got
        case NotApplicable():
            return CaseOutcome.NOT_APPLICABLE, "", str(error)
        case CannotStart():
            raise error
    return CaseOutcome.FAIL, "the harness to work", "".join(traceback.format_exception(error))


def _last_wish(record: Record, timeout: float) -> tuple[str, str]:
    sent = [event.text for event in record.events if event.what in ("sent", "signal", "end of input")]
    return "the rule to be met in time", f"nothing more for {timeout:g} s" + (f"; last sent: {sent[-1]}" if sent else "")


async def run_cases(
    cases: Sequence[Case],
    target: Target,
    *,
    timeout: float,
    jobs: int = 1,
    on_result: Callable[[Result], None] = lambda _result: None,
) -> Report:
    """The results of all cases, `jobs` of them at the same time.

    Raises:
        CannotStart: the command cannot be run, or is no such server.
    """
    date, started = datetime.now(UTC), time.perf_counter()
    tagged = await knows_tags(target, timeout)
    results: dict[str, Result] = {}
    waiting = iter(cases)
    failure: CannotStart | None = None

    async def work() -> None:
        nonlocal failure
        for case in waiting:
            try:
                result = await run_case(case, target, tagged=tagged, timeout=timeout)
            except CannotStart as error:
                failure = error
                return
            results[case.id] = result
            on_result(result)

    async with trio.open_nursery() as nursery:
        for _ in range(jobs):
            nursery.start_soon(work)
    if failure is not None:
        raise failure
    in_order = tuple(results[case.id] for case in cases)
    return Report(target, tagged, in_order, time.perf_counter() - started, date)


def events_as_text(events: Sequence[Event]) -> str:
    """The record of a case, a line for each event."""
    return "\n".join(f"{event.who:>10}  {event.what:<14} {event.text}" for event in events)

"""`bbipc verify-many`: the verdicts on many proofs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import click

from bbipc.chonk import Outcome, Setup, Verdict
from bbipc.cli import exit_codes
from bbipc.cli.archive import ArchiveOptions, Failed, archive_options, of_units, open_journal, open_run, setup_name
from bbipc.cli.colour import colour
from bbipc.cli.ending import report as report_error
from bbipc.cli.escape import file_name, one_line
from bbipc.cli.inputs import INPUT, InputError, load_setup, setup_option, shown
from bbipc.cli.keys import KEY, described_setup, load_key, pin_option, setup_as_json
from bbipc.cli.many import Executor, Item, Result, find_proofs, here, key_beside, with_opinions

if TYPE_CHECKING:
    from bbipc.client.blocking import Client

__all__ = ["command"]

_COLOURS: Final = {Outcome.VALID: "green", Outcome.INVALID: "red", Outcome.ERROR: "yellow"}
_SUMMARY: Final = {Outcome.VALID: "valid", Outcome.INVALID: "invalid", Outcome.ERROR: "unreadable"}


@dataclass(slots=True)
class _Run:
    """All that is known of a run: what was to be verified, and what was found so far."""

    items: Sequence[Item]
    setup: Setup
    setup_file: str | None
    against: str | None
    results: list[Result] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False
    given_up: bool = False

    def give_up(self, reason: str | None, journal: str | None) -> list[Result]:
        """Results for all that was not verified, if there is a reason to give up. All results are then in order."""
        self.results.sort(key=lambda result: result.item.number)
        if reason is None:
            return []
        self.given_up = True
        rest = f"not verified: {reason}" + ("" if journal is None else f"; --resume {shown(journal)} goes on")
        done = {result.item.number for result in self.results}
        verdict = Verdict(Outcome.ERROR, reason=rest)
        rest_of_items = [Result(item, verdict) for item in self.items if item.number not in done]
        self.results += rest_of_items
        self.results.sort(key=lambda result: result.item.number)
        return rest_of_items

    @property
    def counts(self) -> dict[str, int]:
        """How many proofs are valid, invalid, unreadable."""
        counts = Counter(result.verdict.outcome for result in self.results)
        return {name: counts[outcome] for outcome, name in _SUMMARY.items()}

    @property
    def disputed(self) -> int:
        """On how many proofs the other server disagrees."""
        return sum(result.disputed for result in self.results)

    @property
    def exit_code(self) -> int:
        """What is worst counts."""
        outcomes = {result.verdict.outcome for result in self.results}
        if self.interrupted:
            return exit_codes.INTERRUPTED
        if self.given_up:
            return exit_codes.UNREADABLE
        if self.disputed:
            return exit_codes.DISAGREEMENT
        if Outcome.INVALID in outcomes:
            return exit_codes.INVALID
        if outcomes != {Outcome.VALID}:
            return exit_codes.UNREADABLE
        unasked = self.against is not None and any(result.opinion is None for result in self.results)
        return exit_codes.UNAVAILABLE if unasked else exit_codes.SUCCESS


@click.command("verify-many")
@click.argument("paths", nargs=-1, required=True, type=INPUT)
@click.option(
    "--vk",
    type=KEY,
    metavar="KEY",
    help="The key of all proofs, as for `bbipc verify`. Default: that beside the proof.",
)
@pin_option
@setup_option
@click.option("--threads", type=click.IntRange(min=1), default=lambda: len(os.sched_getaffinity(0)), help="Default: all CPUs.")
@click.option("--strict", is_flag=True, help="As for `bbipc verify`.")
@click.option(
    "--against",
    metavar="COMMAND",
    help="Ask this server for a second opinion on every proof, for instance 'bb msgpack run'. It must use the same setup.",
)
@archive_options
@click.option("--quiet", is_flag=True, help="Name only proofs that are not valid.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
@click.option("--json-lines", is_flag=True, help="Print a JSON object for each proof as soon as its verdict is known.")
@click.option("--junit", type=click.Path(), metavar="FILE", help="Write JUnit XML, a test case for each proof.")
def command(
    paths: tuple[str, ...],
    vk: str | None,
    pins: tuple[bytes, ...],
    setup_file: str | None,
    threads: int,
    strict: bool,
    against: str | None,
    archive: ArchiveOptions,
    quiet: bool,
    as_json: bool,
    json_lines: bool,
    junit: str | None,
) -> int:
    """Verify many Chonk proofs together, which is several times faster than one after the other.

    PATHS are files with proofs in any encoding that `bbipc verify` reads, and folders. Below a folder every file is taken whose
    name begins with proof or ends in .proof. The key of proof_N is vk_N beside it, that of NAME.proof is NAME.vk, and vk where
    there is none. A name that is not clear is shown in double quotes, with escapes.

    Ctrl-C ends it with what is known by then.

    Exit status: 0 all proofs are valid; 1 at least one is invalid; 2 none is invalid, but at least one (or its key, or the
    setup) cannot be read or decoded, or a Dask cluster went away; 3 the server of --against disagrees; 69 it cannot be asked;
    130 interrupted.
    """
    if as_json and json_lines:
        raise click.UsageError("--json and --json-lines exclude each other")
    if against is not None and archive.of_units:
        raise click.UsageError("--against goes with neither --dask nor --resume")
    setup = load_setup(setup_file)
    if vk is not None:
        load_key(vk, pins)
    items = [Item(number, file, vk or key_beside(file)) for number, file in enumerate(find_proofs(paths))]
    run = _Run(items, setup, setup_file, against)
    failed = Failed()
    show = _shown_as(run, quiet=quiet, as_json=as_json, json_lines=json_lines)
    start = time.perf_counter()
    try:
        with ExitStack() as stack:
            client = None if against is None else stack.enter_context(_second(against))
            tell = stack.enter_context(_told(len(items)))
            execute = stack.enter_context(_executor(archive, setup, failed, threads=threads, strict=strict, pins=pins))
            results = execute(items)
            for result in results if client is None else with_opinions(results, client):
                run.results.append(result)
                tell(show(result))
    except KeyboardInterrupt:
        run.interrupted = True
    run.seconds = time.perf_counter() - start
    for result in run.give_up(failed.reason, archive.resume):
        if (line := show(result)) is not None:
            _echo(line)
    _finish(run, as_json=as_json, json_lines=json_lines)
    if junit is not None:
        _write_junit(run, junit)
    if run.interrupted:
        report_error("interrupted")
    return run.exit_code


def _shown_as(run: _Run, *, quiet: bool, as_json: bool, json_lines: bool) -> Callable[[Result], str | None]:
    """The line for a result, or None if it has none."""
    if as_json:
        return lambda _result: None
    if json_lines:
        return lambda result: json.dumps(_result_json(result, run))
    return lambda result: _line(result, quiet=quiet)


@contextmanager
def _executor(
    archive: ArchiveOptions, setup: Setup, failed: Failed, *, threads: int, strict: bool, pins: tuple[bytes, ...]
) -> Iterator[Executor]:
    if not archive.of_units:
        yield here(setup, threads=threads, strict=strict, pins=pins)
        return
    asked = {"command": "verify-many", "setup": setup_name(setup), "strict": strict}
    with open_journal(archive.resume, asked) as journal, open_run(archive, threads, failed) as run:
        yield of_units(run, setup, archive, journal, strict=strict, pins=pins)


def _second(words: str) -> AbstractContextManager[Client]:
    """A client of the server that gives second opinions."""
    import shlex  # noqa: PLC0415 - with --against only

    from bbipc.client.blocking import open_client  # noqa: PLC0415

    try:
        return open_client(command=shlex.split(words))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--against") from None


# ---- While it runs --------------------------------------------------------------------------------------------------


def _told(total: int) -> AbstractContextManager[Callable[[str | None], None]]:
    """What takes one line for each result, or None. A terminal shows progress below the lines."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        from bbipc.cli.progress import counted  # noqa: PLC0415 - rich, which only terminals need

        return counted("verifying", total, _echo)
    return nullcontext(lambda line: None if line is None else _echo(line))


def _echo(line: str) -> None:
    click.echo(line, color=colour(sys.stdout))


def _line(result: Result, *, quiet: bool) -> str | None:
    if quiet and result.verdict.valid and not result.disputed and result.unasked is None:
        return None
    verdict = click.style(one_line(str(result.verdict)), fg=_COLOURS[result.verdict.outcome])
    line = f"{file_name(result.item.file)}: {verdict}"
    if result.disputed:
        line += click.style(f"  DISAGREEMENT: the other server says {one_line(str(result.opinion))}", fg="red", bold=True)
    elif result.unasked is not None:
        line += f"  (no second opinion: {one_line(result.unasked)})"
    return line


# ---- At the end -----------------------------------------------------------------------------------------------------


def _finish(run: _Run, *, as_json: bool, json_lines: bool) -> None:
    if as_json or json_lines:
        listed: dict[str, Any] = {} if json_lines else {"proofs": [_result_json(result, run) for result in run.results]}
        summary = listed | run.counts | {"total": len(run.items), "interrupted": run.interrupted}
        if run.against is not None:
            summary |= {"against": run.against, "disagreements": run.disputed}
        click.echo(json.dumps(summary | setup_as_json(run.setup, run.setup_file) | {"seconds": round(run.seconds, 3)}))
        return
    done = len(run.results)
    parts = [f"{count} {name}" for name, count in run.counts.items() if count]
    if run.against is not None:
        parts.append(f"{run.disputed} disagreement{'s' * (run.disputed != 1)}")
    count = f"{done} of {len(run.items)} proofs" if run.interrupted else f"{done} proof{'s' * (done != 1)}"
    rate = f"({run.seconds:.2f} s, {done / run.seconds:.0f}/s)"
    click.secho(f"{count}: {', '.join(parts) or 'no verdict'} {rate}", bold=True, color=colour(sys.stdout))
    keys = {str(result.key) for result in run.results if result.key is not None}
    click.echo(f"{_keys(keys)}{described_setup(run.setup, run.setup_file)}")


def _keys(keys: set[str]) -> str:
    if len(keys) == 1:
        return f"{keys.pop()}  "
    return f"{len(keys)} different keys  " if keys else ""


def _result_json(result: Result, run: _Run) -> dict[str, Any]:
    one: dict[str, Any] = {
        "file": result.item.file,
        "outcome": result.verdict.outcome.value,
        "step": result.verdict.step,
        "reason": result.verdict.reason,
        "key": None if result.key is None else result.key.as_json(),
    }
    if run.against is not None:
        opinion = None if result.opinion is None else result.opinion.outcome.value
        one |= {"second_opinion": opinion, "disagreement": result.disputed, "no_second_opinion": result.unasked}
    return one


def _write_junit(run: _Run, path: str) -> None:
    from xml.etree import ElementTree as ET  # noqa: PLC0415 - with --junit only

    by_number = {result.item.number: result for result in run.results}
    bad = sum(_failure(result) is not None for result in run.results)
    counts: dict[str, Any] = {
        "tests": str(len(run.items)),
        "failures": str(bad),
        "skipped": str(len(run.items) - len(by_number)),
    }
    suite = ET.Element("testsuite", name="bbipc verify-many", time=f"{run.seconds:.3f}", **counts)
    for item in run.items:
        case = ET.SubElement(suite, "testcase", classname="proof", name=file_name(item.file))
        result = by_number.get(item.number)
        failure = None if result is None else _failure(result)
        if result is None:
            ET.SubElement(case, "skipped", message="interrupted before a verdict")
        elif failure is not None:
            ET.SubElement(case, "failure", message=one_line(failure), type=result.verdict.outcome.value)
    try:
        ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise InputError(f"{file_name(path)}: {error.strerror or error}") from None


def _failure(result: Result) -> str | None:
    if result.disputed:
        return f"{result.verdict}; the other server says {result.opinion}"
    return None if result.verdict.valid else str(result.verdict)

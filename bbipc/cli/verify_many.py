"""`bbipc verify-many`: the verdicts on many proofs."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import click

from bbipc.archive.proofs import ProofJudge
from bbipc.chonk import Outcome, Setup, Verdict, VerificationKey
from bbipc.cli import exit_codes
from bbipc.cli.archive import (
    Archive,
    ArchiveOptions,
    Course,
    Read,
    Tell,
    archive_options,
    follow,
    not_verified,
    open_executor,
    setup_name,
    sha256,
    source,
)
from bbipc.cli.colour import colour
from bbipc.cli.ending import report as report_error
from bbipc.cli.escape import file_name, one_line
from bbipc.cli.inputs import INPUT, InputError, load_setup, setup_option
from bbipc.cli.keys import KEY, described_setup, load_key, pin_option, setup_as_json
from bbipc.cli.many import Item, Result, find_proofs, here, key_beside, with_opinions

if TYPE_CHECKING:
    from bbipc.client.blocking import Client

__all__ = ["command"]

_COLOURS: Final = {Outcome.VALID: "green", Outcome.INVALID: "red", Outcome.ERROR: "yellow"}
_SUMMARY: Final = {Outcome.VALID: "valid", Outcome.INVALID: "invalid", Outcome.ERROR: "unreadable"}


@dataclass(slots=True)
class _Run:
    """What was to be verified, and what was found so far. Results themselves are kept only if they are needed at the end."""

    files: Sequence[str]
    vk: str | None
    setup: Setup
    setup_file: str | None
    against: str | None
    keep: bool
    course: Course
    results: list[Result] = field(default_factory=list)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)
    disputed: int = 0
    unasked: int = 0

    def item(self, number: int) -> Item:
        """The item of this number."""
        file = self.files[number]
        return Item(number, file, self.vk or key_beside(file))

    def add(self, result: Result) -> None:
        """Count a result."""
        self.outcomes[result.verdict.outcome] += 1
        self.disputed += result.disputed
        self.unasked += self.against is not None and result.opinion is None
        self.course.failures += not result.verdict.valid
        if result.key is not None:
            self.keys.add(str(result.key))
        if self.keep:
            self.results.append(replace(result, proof=None))

    @property
    def counts(self) -> dict[str, int]:
        """How many proofs are valid, invalid, unreadable."""
        return {name: self.outcomes[outcome] for outcome, name in _SUMMARY.items()}

    @property
    def exit_code(self) -> int:
        """What is worst counts."""
        if self.course.interrupted:
            return exit_codes.INTERRUPTED
        if self.course.lost is not None:
            return exit_codes.UNREADABLE
        if self.disputed:
            return exit_codes.UNDECIDED
        if self.outcomes[Outcome.INVALID]:
            return exit_codes.INVALID
        if self.outcomes.keys() != {Outcome.VALID}:
            return exit_codes.UNREADABLE
        return exit_codes.UNAVAILABLE if self.unasked else exit_codes.SUCCESS


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
    help="Ask this server for a second opinion on every proof, for example 'bb msgpack run'. It must use the same setup.",
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

    PATHS are files with proofs in any encoding that `bbipc verify` reads, and folders. In a folder, every file is taken whose
    name begins with proof or ends in .proof. The key of proof_N is vk_N beside it, that of NAME.proof is NAME.vk, and vk where
    there is none. A name that is not clear is shown in double quotes, with escapes.

    Ctrl-C ends it with what is known by then.

    Exit status: 0 all proofs are valid; 1 at least one is invalid; 2 none is invalid, but at least one (or its key, or the
    setup) cannot be read or decoded, or a Dask cluster went away; 3 the server of --against disagrees; 69 it cannot be asked;
    130 interrupted.
    """
    _check_options(archive, against, as_json=as_json, json_lines=json_lines)
    setup = load_setup(setup_file)
    if vk is not None:
        load_key(vk, pins)
    files = find_proofs(paths)
    run = _Run(files, vk, setup, setup_file, against, as_json or junit is not None, Course(len(files)))
    show = _shown_as(run, quiet=quiet, as_json=as_json, json_lines=json_lines)

    def take(result: Result, tell: Tell) -> None:
        run.add(result)
        tell(show(result))

    def results(stack: ExitStack) -> Iterator[Result]:
        items = map(run.item, range(len(files)))
        if archive.of_units:
            return stack.enter_context(open_executor(_archive(archive, setup, strict, pins), archive, threads, run.course))(
                items
            )
        found = here(setup, threads=threads, strict=strict, pins=pins)(items)
        return found if against is None else with_opinions(found, stack.enter_context(_second(against)))

    def lost(number: int, reason: str) -> Result:
        return Result(run.item(number), Verdict(Outcome.ERROR, reason=not_verified(reason, archive)))

    follow(run.course, results, take, lost)
    run.results.sort(key=lambda result: result.number)
    _finish(run, as_json=as_json, json_lines=json_lines)
    if junit is not None:
        _write_junit(run, junit)
    if run.course.interrupted:
        report_error("interrupted")
    return run.exit_code


def _check_options(archive: ArchiveOptions, against: str | None, *, as_json: bool, json_lines: bool) -> None:
    if as_json and json_lines:
        raise click.UsageError("--json and --json-lines cannot be used together")
    if against is not None and archive.of_units:
        raise click.UsageError("--against cannot be used with --dask or --resume")


def _shown_as(run: _Run, *, quiet: bool, as_json: bool, json_lines: bool) -> Callable[[Result], str | None]:
    """The line for a result, or None if it has none."""
    if as_json:
        return lambda _result: None
    if json_lines:
        return lambda result: json.dumps(_result_json(result, run))
    return lambda result: _line(result, quiet=quiet)


@lru_cache(maxsize=64)
def _once(key: VerificationKey) -> VerificationKey:
    """One object for equal keys of many files: in a unit it travels once."""
    return key


def _archive(options: ArchiveOptions, setup: Setup, strict: bool, pins: tuple[bytes, ...]) -> Archive[Item, Result]:
    """The proofs as units for `open_executor`."""

    def read(item: Item) -> Read[Result]:
        key = None
        try:
            for_unit, data = source(item.file, options)
            key = load_key(item.vk, pins)  # here in any case: which keys are trusted is decided by the client
        except InputError as error:
            unread = Verdict(Outcome.ERROR, reason=error.message)
            return Read(item.file, unread, None, lambda verdict: Result(item, verdict, key))
        digest = None if options.resume is None else sha256(data + key.key.to_bytes())
        return Read(item.file, (for_unit, _once(key.key)), digest, lambda verdict: Result(item, verdict, key))

    return Archive(
        ProofJudge(setup, strict),
        read,
        {"command": "verify-many", "setup": setup_name(setup), "strict": strict},
        lambda verdict: {"outcome": verdict.outcome.value, "step": verdict.step, "reason": verdict.reason},
        lambda known: Verdict(Outcome(known["outcome"]), known["step"], known["reason"]),
    )


def _second(words: str) -> AbstractContextManager[Client]:
    """A client of the server that gives second opinions."""
    from bbipc.client.blocking import open_client  # noqa: PLC0415

    try:
        return open_client(command=shlex.split(words))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--against") from None


# ---- While it runs --------------------------------------------------------------------------------------------------


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
        summary = listed | run.counts | {"total": len(run.files), "interrupted": run.course.interrupted}
        if run.against is not None:
            summary |= {"against": run.against, "disagreements": run.disputed}
        click.echo(json.dumps(summary | setup_as_json(run.setup, run.setup_file) | {"seconds": round(run.course.seconds, 3)}))
        return
    done, seconds = run.outcomes.total(), run.course.seconds
    parts = [f"{count} {name}" for name, count in run.counts.items() if count]
    if run.against is not None:
        parts.append(f"{run.disputed} disagreement{'s' * (run.disputed != 1)}")
    count = f"{done} of {len(run.files)} proofs" if run.course.interrupted else f"{done} proof{'s' * (done != 1)}"
    rate = f"({seconds:.2f} s, {done / seconds:.0f}/s)"
    click.secho(f"{count}: {', '.join(parts) or 'no verdict'} {rate}", bold=True, color=colour(sys.stdout))
    click.echo(f"{_keys(run.keys)}{described_setup(run.setup, run.setup_file)}")


def _keys(keys: set[str]) -> str:
    if len(keys) == 1:
        return f"{next(iter(keys))}  "
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
        "tests": str(len(run.files)),
        "failures": str(bad),
        "skipped": str(len(run.files) - len(by_number)),
    }
    suite = ET.Element("testsuite", name="bbipc verify-many", time=f"{run.course.seconds:.3f}", **counts)
    for number, file in enumerate(run.files):
        case = ET.SubElement(suite, "testcase", classname="proof", name=file_name(file))
        result = by_number.get(number)
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

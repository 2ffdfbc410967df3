"""What `verify-many` and `verify-tx` share: many items, decided here or on a Dask cluster, with or without a journal."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from bbipc.archive.cut import cut
from bbipc.archive.fingerprint import own_fingerprint
from bbipc.archive.journal import Journal, JournalError, Record
from bbipc.archive.proofs import ProofItem, ProofJudge
from bbipc.archive.unit import ALL_THREADS, Done, Unit
from bbipc.chonk import Outcome, Setup, Verdict
from bbipc.cli.inputs import InputError, read_input
from bbipc.cli.keys import TrustedKey, load_key
from bbipc.cli.many import Executor, Item, Result

__all__ = ["ArchiveOptions", "Failed", "archive_options", "of_units", "open_journal", "open_run", "setup_name"]

_NO_DASK: Final = "--dask needs Dask's distributed: pip install 'bbipc[dask]'"


@dataclass(frozen=True, slots=True)
class ArchiveOptions:
    """The options of `archive_options`.

    Attributes:
        dask: address of a cluster; None: this process decides.
        report: file for Dask's performance report.
        threads_per_unit: threads of a worker for one unit, or `ALL_THREADS`.
        shared_files: workers read the files themselves.
        resume: file of the journal.
    """

    dask: str | None
    report: str | None
    threads_per_unit: int
    shared_files: bool
    resume: str | None

    @property
    def of_units(self) -> bool:
        """Whether anything here is asked for, so that units are what is decided."""
        return self.dask is not None or self.resume is not None

    def __post_init__(self) -> None:
        if self.dask is None:
            for given, name in ((self.shared_files, "--shared-files"), (self.report is not None, "--dask-report")):
                if given:
                    raise click.UsageError(f"{name} goes with --dask ADDRESS")


@dataclass(slots=True)
class Failed:
    """Why the executor gave up, if it did: what it had not decided by then stays undecided.

    Attributes:
        reason: one line; None while all goes well.
    """

    reason: str | None = None


Run = Callable[[Iterator[Unit[Any]]], Iterator[Done]]
"""Decides units, in any order."""


def _threads(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    if value == "all":
        return ALL_THREADS
    if not value.isascii() or not value.isdigit() or int(value) < 1:
        raise click.BadParameter(f"{value!r} is neither a number from 1 on nor `all`")
    return int(value)


def archive_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of `ArchiveOptions`, as the argument `archive`."""

    def with_options(
        dask: str | None, dask_report: str | None, threads_per_unit: int, shared_files: bool, resume: str | None, **others: Any
    ) -> Any:
        return command(archive=ArchiveOptions(dask, dask_report, threads_per_unit, shared_files, resume), **others)

    with_options.__doc__, with_options.__name__ = command.__doc__, command.__name__
    with_options.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    options = (
        click.option(
            "--dask",
            metavar="ADDRESS",
            help="Verify on a Dask cluster: tcp://HOST:8786, tls://HOST:8786, or local[:WORKERS[xTHREADS]] to start one here.",
        ),
        click.option("--dask-report", metavar="FILE", help="Save Dask's performance report, an HTML page."),
        click.option(
            "--threads-per-unit",
            default="1",
            show_default=True,
            metavar="N|all",
            callback=_threads,
            help="Threads of a Dask worker that work on one batch.",
        ),
        click.option("--shared-files", is_flag=True, help="Dask workers read the files themselves, at the same paths."),
        click.option(
            "--resume",
            metavar="FILE",
            help="Keep a journal in FILE, and take over the verdicts that it has already.",
        ),
    )
    for option in reversed(options):
        with_options = option(with_options)
    return with_options


@contextmanager
def open_run(options: ArchiveOptions, threads: int, failed: Failed) -> Iterator[Run]:
    """What decides units: this process on `threads` threads, or the cluster.

    Args:
        options: which.
        threads: of this process.
        failed: is told why the cluster went away, if it does.

    Raises:
        InputError: the cluster cannot be used.
    """
    if options.dask is None:
        yield lambda units: (Done(unit, list(unit.judge.decide(unit.items, threads))) for unit in units)
        return
    try:
        from bbipc.cluster import ClusterError, connect, run_units  # noqa: PLC0415 - an extra, and slow to import
    except ModuleNotFoundError:
        raise InputError(_NO_DASK) from None

    def run(units: Iterator[Unit[Any]]) -> Iterator[Done]:
        try:
            yield from run_units(client, units)
        except ClusterError as error:
            failed.reason = str(error)

    with ExitStack() as stack:
        try:
            client = stack.enter_context(connect(options.dask, options.report))
        except ClusterError as error:
            raise InputError(f"--dask: {error}") from None
        yield run


@contextmanager
def open_journal(file: str | None, asked: dict[str, Any]) -> Iterator[Journal | None]:
    """The journal of `--resume FILE`.

    Raises:
        InputError: the file cannot be used.
    """
    if file is None:
        yield None
        return
    try:
        with Journal(Path(file), asked) as journal:
            yield journal
    except JournalError as error:
        raise InputError(f"--resume: {error}") from None


def of_units(
    run: Run,
    setup: Setup,
    options: ArchiveOptions,
    journal: Journal | None,
    *,
    strict: bool,
    pins: tuple[bytes, ...] = (),
) -> Executor:
    """The executor that has units decided by `run`. What is in the journal is not decided again; what is given is in it."""

    def execute(items: Iterable[Item]) -> Iterator[Result]:
        waiting: dict[int, _Read] = {}
        recorded: deque[Result] = deque()

        def unit_items() -> Iterator[ProofItem]:
            number = 0
            for item in items:
                read = _read(item, pins, shared=options.shared_files)
                known = None if journal is None else journal.known(item.file, read.sha256)
                if known is not None:
                    recorded.append(Result(item, _from_json(known), read.key))
                    continue
                waiting[number] = read
                number += 1
                yield read.for_unit

        made_by = own_fingerprint() if options.dask is not None else None
        units = cut(unit_items(), ProofJudge(setup, strict), threads=options.threads_per_unit, made_by=made_by)
        for done in run(units):
            reads = [waiting.pop(index) for index in done.unit.indices]
            results = [Result(read.item, verdict, read.key) for read, verdict in zip(reads, done.results, strict=True)]
            if journal is not None:
                journal.add(
                    Record(read.item.file, read.sha256, _to_json(result.verdict))
                    for read, result in zip(reads, results, strict=True)
                )
            while recorded:
                yield recorded.popleft()
            yield from results
        yield from recorded

    return execute


@dataclass(frozen=True, slots=True)
class _Read:
    """An item as it goes into a unit, its key, and the digest of both."""

    item: Item
    for_unit: ProofItem
    key: TrustedKey | None
    sha256: str | None


def _read(item: Item, pins: tuple[bytes, ...], *, shared: bool) -> _Read:
    key = None
    try:
        proof = b"" if shared else read_input(item.file)
        key = load_key(item.vk, pins)  # here in any case: which keys are trusted is decided by the client
        if shared:
            return _Read(item, (Path(item.file).absolute(), key.key), key, None)
    except InputError as error:
        return _Read(item, Verdict(Outcome.ERROR, reason=error.message), key, None)
    digest = hashlib.sha256(proof + key.key.bytes_).hexdigest()
    return _Read(item, (proof, key.key), key, digest)


def _to_json(verdict: Verdict) -> dict[str, Any]:
    return {"outcome": verdict.outcome.value, "step": verdict.step, "reason": verdict.reason}


def _from_json(result: dict[str, Any]) -> Verdict:
    return Verdict(Outcome(result["outcome"]), result["step"], result["reason"])


def setup_name(setup: Setup) -> str:
    """What a journal calls a setup: equal for equal setups only."""
    return "Aztec" if setup == Setup.AZTEC else hashlib.sha256(setup.g2_x + setup.translator_key).hexdigest()

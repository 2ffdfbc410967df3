"""What `verify-many` and `verify-tx` share: many items, decided here or on a Dask cluster, with or without a journal."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from bbipc.archive.cut import cut
from bbipc.archive.fingerprint import Fingerprint
from bbipc.archive.journal import Journal, JournalError, Record
from bbipc.archive.unit import ALL_THREADS, Done, Judge, Unit
from bbipc.cli.inputs import InputError

__all__ = ["ArchiveOptions", "Entry", "Failed", "archive_options", "decided", "open_executor", "open_journal"]

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

    def __post_init__(self) -> None:
        if self.dask is None:
            for given, name in ((self.shared_files, "--shared-files"), (self.report is not None, "--dask-report")):
                if given:
                    raise click.UsageError(f"{name} goes with --dask ADDRESS")


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to decide.

    Attributes:
        index: its place among all.
        name: how it is named in output and journal.
        item: what the judge takes.
        sha256: hexadecimal, of its bytes; None if they were not read here.
    """

    index: int
    name: str
    item: Any
    sha256: str | None


@dataclass(slots=True)
class Failed:
    """Why the executor gave up, if it did: what it had not decided by then stays undecided.

    Attributes:
        reason: one line; None while all goes well.
    """

    reason: str | None = None


Executor = Callable[[Iterator[Unit[Any]]], Iterator[Done]]


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
def open_executor(options: ArchiveOptions, threads: int, failed: Failed, label: Callable[[str], None]) -> Iterator[Executor]:
    """What decides units: this process on `threads` threads, or the cluster.

    Args:
        options: which.
        threads: of this process.
        failed: is told why the cluster went away, if it does.
        label: is told what the cluster does, in a few words, now and then.

    Raises:
        InputError: the cluster cannot be used.
    """
    if options.dask is None:
        yield lambda units: (Done(unit, list(unit.judge.decide(unit.items, threads))) for unit in units)
        return
    try:
        from bbipc.cluster import ClusterError, Progress, connect, run_units  # noqa: PLC0415 - an extra, and slow to import
    except ModuleNotFoundError:
        raise InputError(_NO_DASK) from None

    def run(units: Iterator[Unit[Any]]) -> Iterator[Done]:
        progress = Progress()
        try:
            for done in run_units(client, units, progress=progress):
                again = f", {progress.failures} again" if progress.failures else ""
                label(f"{progress.workers} workers{again}")
                yield done
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


def decided(
    entries: Iterable[Entry],
    judge: Judge,
    run: Executor,
    journal: Journal | None,
    to_json: Callable[[Any], dict[str, Any]],
    from_json: Callable[[dict[str, Any]], Any],
    *,
    threads: int = 1,
    made_by: Fingerprint | None = None,
) -> Iterator[tuple[Entry, Any]]:
    """Each entry with its result, as they are known; results of the journal first.

    What is yielded is in the journal. Entries are taken as they are needed.
    """
    waiting: dict[int, Entry] = {}
    recorded: deque[tuple[Entry, Any]] = deque()

    def items() -> Iterator[Any]:
        for number, entry in enumerate(fresh()):
            waiting[number] = entry
            yield entry.item

    def fresh() -> Iterator[Entry]:
        for entry in entries:
            known = journal.known(entry.name, entry.sha256) if journal is not None else None
            if known is None:
                yield entry
            else:
                recorded.append((entry, from_json(known)))

    for done in run(cut(items(), judge, threads=threads, made_by=made_by)):
        results = [(waiting.pop(index), result) for index, result in zip(done.unit.indices, done.results, strict=True)]
        if journal is not None:
            journal.add(Record(entry.name, entry.sha256, to_json(result)) for entry, result in results)
        while recorded:
            yield recorded.popleft()
        yield from results
    yield from recorded

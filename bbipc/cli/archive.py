"""What `verify-many` and `verify-tx` share: many items, decided here or on a Dask cluster, with or without a journal."""

import gc
import hashlib
import os
import stat
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

import click

from bbipc.archive.cut import cut
from bbipc.archive.fingerprint import own_fingerprint
from bbipc.archive.journal import Journal, JournalError, Record
from bbipc.archive.local import LOCAL, start_fork_server
from bbipc.archive.unit import ALL_THREADS, Done, Judge, Unit
from bbipc.chonk import Setup
from bbipc.cli.colour import colour
from bbipc.cli.inputs import InputError, read_input, shown

__all__ = [
    "Archive",
    "ArchiveOptions",
    "Course",
    "Read",
    "Tell",
    "archive_options",
    "echo",
    "follow",
    "not_verified",
    "open_executor",
    "setup_name",
    "sha256",
    "source",
]

_LARGE: Final = 1 << 20
"""Bytes. Larger files are read here in any case, so that the limit of a unit's bytes bounds the memory of a worker."""

_NO_DASK: Final = "--dask needs Dask's distributed: pip install 'bbipc[dask]'"

Item = TypeVar("Item")
Result = TypeVar("Result", bound="_Numbered")


class _Numbered(Protocol):
    @property
    def number(self) -> int:
        """The place of its item in the order of the user."""
        ...


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

    @property
    def local(self) -> bool:
        """Whether a cluster is started on this machine."""
        return self.dask is not None and LOCAL.fullmatch(self.dask) is not None

    def path_for_workers(self, file: str) -> Path | None:
        """Where workers read this file, if they do.

        They do when they are asked to; and on this machine, where its bytes need not travel, if it is an ordinary one and no
        journal needs its digest.
        """
        if file == "-":
            return None
        if self.shared_files:
            return Path(file).absolute()
        if not self.local or self.resume is not None:
            return None
        try:
            # /dev/fd/7 means something else to a worker, and so does a link to it, or a link to its folder. A Path and a whole
            # `realpath` for each file take longer, and there are millions.
            status = os.lstat(file)
            if stat.S_ISLNK(status.st_mode):
                path = os.path.realpath(file)
                status = os.stat(path)  # noqa: PTH116
            else:
                folder, name = os.path.split(file)
                path = os.path.join(_real_folder(folder), name)  # noqa: PTH118
        except (OSError, ValueError):  # the reason is told when it is read here
            return None
        small = stat.S_ISREG(status.st_mode) and status.st_size <= _LARGE
        return Path(path) if small and not path.startswith(("/dev/", "/proc/")) and os.access(path, os.R_OK) else None

    def __post_init__(self) -> None:
        if self.dask is None:
            for given, name in ((self.shared_files, "--shared-files"), (self.report is not None, "--dask-report")):
                if given:
                    raise click.UsageError(f"{name} goes with --dask ADDRESS")


@lru_cache(maxsize=64)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


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
        archive = ArchiveOptions(dask, dask_report, threads_per_unit, shared_files, resume)
        if archive.local:
            start_fork_server()  # it imports while this process looks for the files and imports the same
        return command(archive=archive, **others)

    with_options.__doc__, with_options.__name__ = command.__doc__, command.__name__
    with_options.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    options = (
        click.option(
            "--dask",
            metavar="ADDRESS",
            help="Verify on a Dask cluster: tcp://HOST:8786, tls://HOST:8786, or local[:WORKERS[xTHREADS]] to start one here.",
        ),
        click.option("--dask-report", type=click.Path(), metavar="FILE", help="Save Dask's performance report, an HTML page."),
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
            type=click.Path(),
            metavar="FILE",
            help="Keep a journal in FILE, and take over the verdicts that it has already.",
        ),
    )
    for option in reversed(options):
        with_options = option(with_options)
    return with_options


# ---- From items to results ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read(Generic[Result]):
    """An item as it goes into a unit.

    Attributes:
        name: of the item, in the journal.
        for_unit: what the judge decides.
        digest: SHA-256 of all that the verdict depends on but for the options, hexadecimal; None: it cannot be read, or
            there is no journal.
        result: what becomes of the judge's verdict.
    """

    name: str
    for_unit: Any
    digest: str | None
    result: Callable[[Any], Result]


@dataclass(frozen=True, slots=True)
class Archive(Generic[Item, Result]):
    """What a command decides.

    Attributes:
        judge: decides.
        read: reads an item.
        asked: what every verdict depends on beside its item, as JSON: a journal belongs to it.
        to_json: a verdict for the journal.
        from_json: a verdict of the journal.
    """

    judge: Judge
    read: Callable[[Item], Read[Result]]
    asked: dict[str, Any]
    to_json: Callable[[Any], dict[str, Any]]
    from_json: Callable[[dict[str, Any]], Any]


@dataclass(slots=True)
class Course:
    """How a run goes.

    Attributes:
        total: items.
        lost: why the executor gave up, in a line: what it had not decided by then stays undecided. None while all goes well.
        interrupted: whether the user ended it.
        seconds: how long it took.
        status: what the executor is doing, in a few words, for people.
        warn: tells people in a line what they have to know while it runs.
        failures: items that are not valid so far, for people.
    """

    total: int
    lost: str | None = None
    interrupted: bool = False
    seconds: float = 0.0
    status: Callable[[], str] = field(default=lambda: "")
    warn: Callable[[str], None] = field(default=lambda text: echo(text, error=True))
    failures: int = 0
    _decided: bytearray = field(init=False)

    def __post_init__(self) -> None:
        self._decided = bytearray(self.total)

    def decided(self, number: int) -> None:
        """Note that there is a result for this item."""
        self._decided[number] = 1

    def missing(self) -> Iterator[int]:
        """The items without a result."""
        return (number for number, known in enumerate(self._decided) if not known)


def source(file: str, options: ArchiveOptions) -> tuple[bytes | Path, bytes]:
    """What a unit has of a file (its content, or the path if workers read it), and the content if it was read here, else b"".

    With a journal it is always read: a verdict belongs to bytes, not to a name.

    Raises:
        InputError: it cannot be read here.
    """
    path = options.path_for_workers(file)
    data = read_input(file) if path is None or options.resume is not None else b""
    return (data if path is None else path), data


@contextmanager
def open_executor(
    archive: Archive[Item, Result], options: ArchiveOptions, threads: int, course: Course
) -> Iterator[Callable[[Iterable[Item]], Iterator[Result]]]:
    """What turns items into results, in any order, each once.

    Args:
        archive: what is decided.
        options: where, and with which journal. What is in the journal is not decided again; what is given is in it.
        threads: of this process, if it decides.
        course: is told why a cluster went away, if it does.

    Raises:
        InputError: the cluster or the journal cannot be used.
    """
    with _open_journal(options.resume, archive.asked) as journal, _open_run(options, threads, course) as run:
        yield lambda items: _execute(items, archive, options, journal, run)


def _execute(
    items: Iterable[Item],
    archive: Archive[Item, Result],
    options: ArchiveOptions,
    journal: Journal | None,
    run: Callable[[Iterator[Unit[Any]]], Iterator[Done]],
) -> Iterator[Result]:
    recorded: deque[Result] = deque()
    waiting: dict[int, Read[Result]] = {}

    def known(read: Read[Result]) -> Result | None:
        before = None if journal is None or read.digest is None else journal.known(read.name, read.digest)
        return None if before is None else read.result(archive.from_json(before))

    def fresh(reads: Iterable[Read[Result]]) -> Iterator[Any]:
        number = 0
        for read in reads:
            result = known(read)
            if result is not None:
                recorded.append(result)
                continue
            waiting[number] = read
            number += 1
            yield read.for_unit

    reads = map(archive.read, items)
    for first in reads:  # what a journal has is mostly the beginning
        result = known(first)
        if result is None:
            break
        yield result
    else:
        return
    made_by = own_fingerprint() if options.dask is not None else None
    units = cut(fresh(chain([first], reads)), archive.judge, threads=options.threads_per_unit, made_by=made_by)
    for done in run(units):
        known_now = [waiting.pop(index) for index in done.unit.indices]
        results = [read.result(verdict) for read, verdict in zip(known_now, done.results, strict=True)]
        if journal is not None:
            journal.add(
                Record(read.name, read.digest, archive.to_json(verdict))
                for read, verdict in zip(known_now, done.results, strict=True)
            )
        while recorded:
            yield recorded.popleft()
        yield from results
    yield from recorded


@contextmanager
def _open_run(
    options: ArchiveOptions, threads: int, course: Course
) -> Iterator[Callable[[Iterator[Unit[Any]]], Iterator[Done]]]:
    """What decides units, in any order: this process on `threads` threads, or the cluster."""
    if options.dask is None:
        yield lambda units: (Done(unit, list(unit.judge.decide(unit.items, threads))) for unit in units)
        return
    course.status = lambda: "connecting"
    gc.disable()  # what is imported stays: to look at it again and again takes a tenth of the time
    try:
        from bbipc.cluster import ClusterError, Progress, check_workers, connect, run_units  # noqa: PLC0415 - an extra, and slow to import
    except ModuleNotFoundError:
        raise InputError(_NO_DASK) from None
    finally:
        gc.freeze()
        gc.enable()
    progress = Progress()

    def warn() -> None:
        how = f"start some (dask worker {options.dask}), or end this with Ctrl-C"
        course.warn(f"bbipc: warning: no workers at {options.dask}; waiting: {how}")

    def run(units: Iterator[Unit[Any]]) -> Iterator[Done]:
        on_no_workers = warn if LOCAL.fullmatch(str(options.dask)) is None else None  # a local cluster starts its own again
        try:
            yield from run_units(client, units, progress=progress, on_no_workers=on_no_workers)
        except ClusterError as error:
            course.lost = str(error)

    with ExitStack() as stack:
        try:
            client = stack.enter_context(connect(options.dask, options.report))
            paths = check_workers(client)
        except ClusterError as error:
            raise InputError(f"--dask: {error}") from None
        slower = paths.total() - paths["ifma"]
        course.status = lambda: f"{progress} ({slower} without IFMA)" if slower else str(progress)
        yield run


@contextmanager
def _open_journal(file: str | None, asked: dict[str, Any]) -> Iterator[Journal | None]:
    if file is None:
        yield None
        return
    try:
        with Journal(Path(file), asked) as journal:
            yield journal
    except JournalError as error:
        raise InputError(f"--resume: {error}") from None


def not_verified(reason: str, options: ArchiveOptions) -> str:
    """What is to be said of items that the executor did not decide before it gave up."""
    return f"not verified: {reason}" + ("" if options.resume is None else f"; --resume {shown(options.resume)} goes on")


def setup_name(setup: Setup) -> str:
    """What a journal calls a setup: equal for equal setups only."""
    return "Aztec" if setup == Setup.AZTEC else sha256(setup.g2_x + setup.translator_key)


def sha256(data: bytes) -> str:
    """A digest for journals, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


# ---- While it runs --------------------------------------------------------------------------------------------------


class Tell(Protocol):
    """Tells people what became of one item, or something else (not `done`)."""

    def __call__(self, text: str | None, *, error: bool = False, done: bool = True) -> None:
        """Print lines on standard output, or on standard error; None: only count the item."""
        ...


def follow(
    course: Course,
    results: Callable[[ExitStack], Iterator[Result]],
    take: Callable[[Result, Tell], None],
    lost: Callable[[int, str], Result],
) -> None:
    """Have everything decided, and give each result to `take`, until all is done, the executor gives up, or Ctrl-C.

    Args:
        course: is kept up to date.
        results: opens the executor, and gives its results.
        take: is given each result, and tells what there is to tell.
        lost: the result of an item that the executor had not decided when it gave up, given why.
    """
    start = time.perf_counter()
    try:
        with ExitStack() as stack:
            tell = stack.enter_context(_told(course))
            course.warn = lambda text: tell(text, error=True, done=False)
            for result in results(stack):
                course.decided(result.number)
                take(result, tell)
    except KeyboardInterrupt:
        course.interrupted = True
    course.seconds = time.perf_counter() - start
    if course.lost is not None:
        for number in course.missing():
            take(lost(number, course.lost), echo)


def _told(course: Course) -> AbstractContextManager[Tell]:
    """A terminal shows progress below the lines."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        from bbipc.cli.progress import counted  # noqa: PLC0415 - rich, which only terminals need

        return counted("verifying", course.total, echo, lambda: _status(course))
    return nullcontext(echo)


def _status(course: Course) -> list[str]:
    failures = f"{course.failures} not valid" if course.failures else ""
    return [text for text in (course.status(), failures) if text]


def echo(text: str | None, *, error: bool = False, done: bool = True) -> None:  # noqa: ARG001 - see Tell
    """Print lines, if there are any."""
    if text is not None:
        click.echo(text, err=error, color=colour(sys.stderr if error else sys.stdout))

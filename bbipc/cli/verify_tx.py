"""`bbipc verify-tx`: the verdict on Aztec transactions."""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import click

from bbipc.archive.txs import Encoded, TxJudge
from bbipc.aztec import CHECKS, Check, Registry, TxFormatError, TxVerdict
from bbipc.aztec.registry import aztec
from bbipc.aztec.verdict import NOT_MADE
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
from bbipc.cli.inputs import INPUT, InputError, load_setup, setup_option, shown
from bbipc.cli.many import files_below

__all__ = ["command", "load_registry"]

_MARKS: Final = {True: ("ok", "green"), False: ("FAILED", "red"), None: ("-", "yellow")}
_SUMMARY: Final = {
    exit_codes.SUCCESS: "valid",
    exit_codes.INVALID: "invalid",
    exit_codes.UNDECIDED: "undecided",
    exit_codes.UNREADABLE: "unreadable",
}
_WORST_FIRST: Final = (exit_codes.INVALID, exit_codes.UNREADABLE, exit_codes.UNDECIDED)
_NAMES: Final = {True: ("valid", "green"), False: ("invalid", "red"), None: ("undecided", "yellow")}


@dataclass(frozen=True, slots=True)
class _Result:
    """The verdict on a transaction, the name of its file, and its place in the order of the user."""

    number: int
    file: str
    verdict: TxVerdict

    @property
    def exit_code(self) -> int:
        """The exit code that it calls for."""
        if self.verdict.error is not None:
            return exit_codes.UNREADABLE
        if self.verdict.valid is None:
            return exit_codes.UNDECIDED
        return exit_codes.SUCCESS if self.verdict.valid else exit_codes.INVALID


@dataclass(slots=True)
class _Run:
    """What was found so far."""

    course: Course
    found: Counter[int] = field(default_factory=Counter)

    def add(self, result: _Result) -> None:
        """Count a result."""
        self.found[result.exit_code] += 1
        self.course.failures += result.exit_code not in (exit_codes.SUCCESS, exit_codes.UNDECIDED)

    @property
    def counts(self) -> dict[str, int]:
        """How many transactions are valid, invalid, undecided, unreadable."""
        return {name: self.found[code] for code, name in _SUMMARY.items()}

    @property
    def exit_code(self) -> int:
        """What is worst counts."""
        if self.course.interrupted:
            return exit_codes.INTERRUPTED
        if self.course.lost is not None:
            return exit_codes.UNREADABLE
        return next((code for code in _WORST_FIRST if self.found[code]), exit_codes.SUCCESS)


@click.command("verify-tx")
@click.argument("transactions", nargs=-1, required=True, type=INPUT, metavar="TX...")
@click.option("--network", metavar="NAME", help="Demand that it is for this network: mainnet, testnet, or one of the registry.")
@click.option(
    "--registry",
    "registry_file",
    type=click.Path(),
    metavar="FILE",
    help="JSON file with other keys and key trees than Aztec's (which are built in). For tests: a warning says so on stderr.",
)
@setup_option
@click.option("--threads", type=click.IntRange(min=1), default=lambda: len(os.sched_getaffinity(0)), help="Default: all CPUs.")
@click.option(
    "--strict",
    is_flag=True,
    help="Refuse what nodes accept in an irregular form: bytes after the transaction, booleans above 1, calldata in another "
    "order, public inputs of a compressed proof that differ, parts of a proof with other lengths.",
)
@archive_options
@click.option("--quiet", is_flag=True, help="Name only transactions that are not valid.")
@click.option("--explain", is_flag=True, help="Say what each check that did not pass means.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each transaction, in a line of its own.")
@click.option("--json-lines", is_flag=True, help="The same as soon as each verdict is known, and a summary as the last line.")
def command(
    transactions: tuple[str, ...],
    network: str | None,
    registry_file: str | None,
    setup_file: str | None,
    threads: int,
    strict: bool,
    archive: ArchiveOptions,
    quiet: bool,
    explain: bool,
    as_json: bool,
    json_lines: bool,
) -> int:
    """Tell whether Aztec transactions are valid: not only their proofs, but also what they are proofs of.

    TX is a file with the binary form of a transaction (as in gossip or a node's file store), its hex digits or base64, the JSON
    of a node or its whole JSON-RPC answer (ask with includeProof: true); - for standard input; or a folder, of which every file
    is taken. What needs the state of a node is not checked.

    Ctrl-C ends it with what is known by then. On a cluster, verdicts come in the order in which they are known.

    Exit status: 0 all are valid; 1 at least one is invalid, or made for an unknown key tree; 2 none is invalid, but at least
    one (or the setup or registry) cannot be read, or, whatever else was found, a Dask cluster went away; 3 at least one cannot
    be decided here: it has no proof, or one of another proof system; 130 interrupted.
    """
    if as_json and json_lines:
        raise click.UsageError("--json and --json-lines cannot be used together")
    setup, registry = load_setup(setup_file), load_registry(registry_file)
    _check_network(registry, network)
    files = _files(transactions)
    run = _Run(Course(len(files)))
    several = len(transactions) > 1 or Path(transactions[0]).is_dir()

    def take(result: _Result, tell: Tell) -> None:
        run.add(result)
        if as_json or json_lines:
            tell(json.dumps(_as_json(result)))
        elif result.verdict.error is not None:
            tell(click.style(f"bbipc: error: {one_line(result.verdict.error)}", fg="red"), error=True)
        else:
            tell(None if quiet and result.verdict.valid else _text(result, explain, named=several))

    def results(stack: ExitStack) -> Iterator[_Result]:
        kind = _archive(TxJudge(registry, setup, network, strict), archive)
        return stack.enter_context(open_executor(kind, archive, threads, run.course))(enumerate(files))

    def lost(number: int, reason: str) -> _Result:
        return _Result(number, files[number], _named(files[number], TxVerdict(error=not_verified(reason, archive))))

    follow(run.course, results, take, lost)
    _finish(run, json_lines=json_lines, words=several and not as_json)
    return run.exit_code


def _check_network(registry: Registry, network: str | None) -> None:
    if network is not None:
        try:
            registry.network(network)
        except ValueError as error:
            raise click.UsageError(str(error)) from None


def _archive(judge: TxJudge, options: ArchiveOptions) -> Archive[tuple[int, str], _Result]:
    """The transactions as units for `open_executor`."""

    def read(item: tuple[int, str]) -> Read[_Result]:
        number, file = item
        try:
            for_unit, data = source(file, options)
        except InputError as error:
            return Read(file, TxVerdict(error=error.message), None, lambda verdict: _Result(number, file, verdict))
        digest = None if options.resume is None else sha256(data)
        unit = Encoded(for_unit) if isinstance(for_unit, bytes) else for_unit
        return Read(file, unit, digest, lambda verdict: _Result(number, file, _named(file, verdict)))

    return Archive(
        judge,
        read,
        {
            "command": "verify-tx",
            "setup": setup_name(judge.setup),
            "strict": judge.strict,
            "network": judge.network,
            "registry": _registry_name(judge.registry),
        },
        _to_journal,
        _from_journal,
    )


def _named(file: str, verdict: TxVerdict) -> TxVerdict:
    """An error says in which file it is."""
    return verdict if verdict.error is None else replace(verdict, error=f"{shown(file)}: {verdict.error}")


def _registry_name(registry: Registry) -> str:
    """What a journal calls a registry: equal for equal registries only, of which Aztec's own changes with releases."""
    releases = [
        [
            release.name,
            release.vk_tree_root.hex(),
            release.protocol_contracts_hash.hex(),
            release.verifiable,
            sorted((name, key.to_bytes().hex()) for name, key in release.keys.items()),
        ]
        for release in registry.releases
    ]
    networks = [asdict(network) for network in registry.networks]
    return sha256(json.dumps([releases, networks]).encode())


def load_registry(file: str | None) -> Registry:
    """The registry that the operator chose; a warning on stderr if it is not Aztec's.

    Raises:
        InputError: the file or one of its keys cannot be read.
    """
    if file is None:
        return aztec()
    try:
        registry = Registry.from_json(file)
    except OSError as error:
        raise InputError(f"{file_name(str(error.filename or file))}: {error.strerror or error}") from None
    except TxFormatError as error:
        raise InputError(f"{file_name(file)}: {error}") from None
    name = file_name(file)
    warning = f"bbipc: warning: registry of {name}, not Aztec's: transactions count as valid under the key trees that it names"
    click.secho(warning, fg="yellow", err=True, color=colour(sys.stderr))
    return registry


def _files(names: Sequence[str]) -> list[str]:
    """The files that `names` stand for; those of a folder in alphabetical order, but for hidden ones."""
    found = []
    for name in names:
        if not Path(name).is_dir():
            found.append(name)
            continue
        files = files_below(name, lambda file: not file.startswith("."))
        if not files:
            raise InputError(f"{shown(name)}: there is no file in this folder")
        found += files
    return found


def _text(result: _Result, explain: bool, *, named: bool) -> str:
    verdict = result.verdict
    lines = [click.style(shown(result.file), bold=True)] if named else []
    for check in verdict.checks:
        mark, tint = ("warning", "yellow") if check.warning else _MARKS[check.ok]
        lines.append(f"{click.style(f'{mark:8}', fg=tint)}{check.name}: {check.detail}")
        if explain and (check.ok is not True or check.warning):
            lines.append(f"{'':8}{CHECKS[check.name]}")
    name, tint = _NAMES[verdict.valid]
    lines.append(click.style(name if verdict.reason is None else f"{name}: {verdict.reason}", fg=tint, bold=True))
    return "\n".join((*lines, NOT_MADE))


def _finish(run: _Run, *, json_lines: bool, words: bool) -> None:
    course = run.course
    if json_lines:
        summary = run.counts | {"total": course.total, "interrupted": course.interrupted}
        click.echo(json.dumps(summary | {"seconds": round(course.seconds, 3)}))
    elif words:
        click.secho(_summary(run), bold=True, color=colour(sys.stdout))
    if course.interrupted:
        report_error("interrupted")


def _summary(run: _Run) -> str:
    done, seconds, total = run.found.total(), run.course.seconds, run.course.total
    count = f"{done} of {total} transactions" if run.course.interrupted else f"{done} transaction{'s' * (done != 1)}"
    parts = [f"{count} {name}" for name, count in run.counts.items() if count]
    return f"{count}: {', '.join(parts) or 'no verdict'} ({seconds:.2f} s, {done / seconds:.0f}/s)"


def _as_json(result: _Result) -> dict[str, Any]:
    verdict = result.verdict
    return {
        "file": result.file,
        "tx_hash": None if verdict.tx_hash is None else "0x" + verdict.tx_hash.hex(),
        "release": verdict.release,
        "network": verdict.network,
        "valid": None if verdict.error is not None else verdict.valid,
        "error": verdict.error,
        "checks": [
            {"name": check.name, "ok": check.ok, "detail": check.detail, "warning": check.warning} for check in verdict.checks
        ],
    }


def _to_journal(verdict: TxVerdict) -> dict[str, Any]:
    return asdict(verdict) | {"tx_hash": None if verdict.tx_hash is None else verdict.tx_hash.hex()}


def _from_journal(known: dict[str, Any]) -> TxVerdict:
    tx_hash = None if known["tx_hash"] is None else bytes.fromhex(known["tx_hash"])
    return TxVerdict(
        tuple(Check(**check) for check in known["checks"]), tx_hash, known["release"], known["network"], known["error"]
    )

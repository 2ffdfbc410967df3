"""`bbipc verify-tx`: the verdict on Aztec transactions."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click

from bbipc.aztec import CHECKS, Registry, TxFormatError, TxVerdict
from bbipc.aztec.detect import detect_tx
from bbipc.aztec.registry import aztec
from bbipc.aztec.verdict import NOT_MADE
from bbipc.aztec.verify import Sized, verify_txs
from bbipc.chonk import Setup
from bbipc.cli import exit_codes
from bbipc.cli.colour import colour
from bbipc.cli.escape import file_name, one_line
from bbipc.cli.inputs import INPUT, InputError, load_setup, read_input, setup_option, shown

__all__ = ["command", "load_registry"]

_BATCH: Final = 32
"""Transactions that are read and decided together."""
_MARKS: Final = {True: ("ok", "green"), False: ("FAILED", "red"), None: ("-", "yellow")}
_NAMES: Final = {True: ("valid", "green"), False: ("invalid", "red"), None: ("undecided", "yellow")}


@dataclass(frozen=True, slots=True)
class _Result:
    file: str
    verdict: TxVerdict


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
    help="Refuse what nodes accept in an irregular form: bytes behind the transaction, booleans above 1, calldata in another "
    "order, public inputs of a compressed proof that differ, parts of a proof with other lengths.",
)
@click.option("--explain", is_flag=True, help="Say what each check that did not pass means.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each transaction, in a line of its own.")
def command(
    transactions: tuple[str, ...],
    network: str | None,
    registry_file: str | None,
    setup_file: str | None,
    threads: int,
    strict: bool,
    explain: bool,
    as_json: bool,
) -> int:
    """Tell whether Aztec transactions are valid: not only their proofs, but also what they are proofs of.

    TX is a file with the binary form of a transaction (as in gossip or a node's file store), its hex digits or base64, the JSON
    of a node or its whole JSON-RPC answer (ask with includeProof: true); - for standard input; or a folder, of which every file
    is taken. What needs the state of a node is not checked.

    Exit status: 0 all are valid; 1 at least one is invalid, or made for an unknown key tree; 2 none is invalid, but at least
    one (or the setup or registry) cannot be read; 3 at least one cannot be decided here: it has no proof, or one of another
    proof system.
    """
    setup, registry = load_setup(setup_file), load_registry(registry_file)
    if network is not None:
        try:
            registry.network(network)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    seen: set[int] = set()
    for result in _verify(_files(transactions), network, registry, setup, threads, strict):
        if as_json:
            click.echo(json.dumps(_as_json(result)))
        else:
            _print(result, explain, named=seen != set() or len(transactions) > 1 or Path(transactions[0]).is_dir())
        seen.add(_exit_code(result.verdict))
    return next(code for code in (*_CODES, exit_codes.SUCCESS) if code in seen or code == exit_codes.SUCCESS)


_CODES: Final = (exit_codes.INVALID, exit_codes.UNREADABLE, exit_codes.UNDECIDED)


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


def _files(names: Sequence[str]) -> Iterator[str]:
    """The files that `names` stand for; those of a folder in alphabetical order, but for hidden ones."""
    for name in names:
        if not Path(name).is_dir():
            yield name
            continue
        files = sorted(str(file) for file in Path(name).rglob("*") if file.is_file() and not file.name.startswith("."))
        if not files:
            raise InputError(f"{shown(name)}: there is no file in this folder")
        yield from files


def _verify(
    files: Iterable[str], network: str | None, registry: Registry, setup: Setup, threads: int, strict: bool
) -> Iterator[_Result]:
    iterator = iter(files)
    while batch := list(islice(iterator, _BATCH)):
        loaded = [_load(file) for file in batch]
        txs = [item for item in loaded if isinstance(item, Sized)]
        verdicts = verify_txs(
            txs, network=network, registry=registry, setup=setup, threads=threads, strict=strict, batch=_BATCH
        )
        for file, item in zip(batch, loaded, strict=True):
            yield _Result(file, item if isinstance(item, TxVerdict) else next(verdicts))


def _load(file: str) -> Sized | TxVerdict:
    """A transaction, or the verdict that it cannot be read."""
    try:
        found = detect_tx(read_input(file))
        return Sized(found.tx, found.size)
    except TxFormatError as error:
        return TxVerdict(error=f"{shown(file)}: {error}")
    except InputError as error:
        return TxVerdict(error=error.message)


def _exit_code(verdict: TxVerdict) -> int:
    if verdict.error is not None:
        return exit_codes.UNREADABLE
    if verdict.valid is None:
        return exit_codes.UNDECIDED
    return exit_codes.SUCCESS if verdict.valid else exit_codes.INVALID


def _print(result: _Result, explain: bool, *, named: bool) -> None:
    verdict, colourful = result.verdict, colour(sys.stdout)
    if verdict.error is not None:
        click.secho(one_line(verdict.error), fg="red", err=True, color=colour(sys.stderr))
        return
    if named:
        click.secho(shown(result.file), bold=True, color=colourful)
    for check in verdict.checks:
        mark, tint = ("warning", "yellow") if check.warning else _MARKS[check.ok]
        click.echo(f"{click.style(f'{mark:8}', fg=tint) if colourful else f'{mark:8}'}{check.name}: {check.detail}")
        if explain and (check.ok is not True or check.warning):
            click.echo(f"{'':8}{CHECKS[check.name]}")
    name, tint = _NAMES[verdict.valid]
    click.secho(name if verdict.reason is None else f"{name}: {verdict.reason}", fg=tint, bold=True, color=colourful)
    click.echo(NOT_MADE)


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

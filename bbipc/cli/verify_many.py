"""`bbipc verify-many`: the verdicts on many proofs."""

import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import click

from bbipc.archive.fingerprint import own_fingerprint
from bbipc.archive.proofs import ProofJudge
from bbipc.chonk import Outcome, Setup, Verdict
from bbipc.cli import exit_codes
from bbipc.cli.archive import ArchiveOptions, Entry, Failed, archive_options, decided, open_executor, open_journal
from bbipc.cli.colour import colour
from bbipc.cli.inputs import InputError, load_setup, read_input, setup_option

__all__ = ["command", "find_proofs"]

_KEY_NAME: Final = "vk"
_COLOURS: Final = {Outcome.VALID: "green", Outcome.INVALID: "red", Outcome.ERROR: "yellow"}


@dataclass(frozen=True, slots=True)
class _Result:
    file: str
    verdict: Verdict


@click.command("verify-many")
@click.argument("paths", nargs=-1, required=True)
@click.option("--vk", metavar="FILE", help="The key of all proofs. Default: for each proof the file vk in its folder.")
@setup_option
@click.option("--threads", type=click.IntRange(min=1), default=lambda: len(os.sched_getaffinity(0)), help="Default: all CPUs.")
@click.option("--strict", is_flag=True, help="As for `bbipc verify`.")
@archive_options
@click.option("--quiet", is_flag=True, help="Name only proofs that are not valid.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    paths: tuple[str, ...],
    vk: str | None,
    setup_file: str | None,
    threads: int,
    strict: bool,
    archive: ArchiveOptions,
    quiet: bool,
    as_json: bool,
) -> int:
    """Verify many Chonk proofs together, which is several times faster than one after the other.

    PATHS are files with proofs in any encoding that `bbipc verify` reads, and folders. Below a folder every file is taken whose
    name begins with proof or ends in .proof.

    Exit status: 0 all proofs are valid; 1 at least one is invalid; 2 none is invalid, but at least one (or its key, or the
    setup) cannot be read or decoded, or a Dask cluster went away before all were verified; 130 ended by Ctrl-C, after the
    verdicts that were known.
    """
    setup = load_setup(setup_file)
    files = find_proofs(paths)
    start = time.perf_counter()
    results: dict[int, _Result] = {}
    failed, interrupted = Failed(), False
    asked = {"command": "verify-many", "setup": _setup_name(setup), "strict": strict}
    with open_journal(archive.resume, asked) as journal, _progress(len(files)) as bar:

        def label(text: str) -> None:
            bar.label = f"verifying, {text}"

        judge, entries = ProofJudge(setup, strict), _entries(files, vk, archive)
        try:
            with open_executor(archive, threads, failed, label) as run:
                made_by = own_fingerprint() if archive.dask is not None else None
                for entry, verdict in decided(
                    entries, judge, run, journal, _to_json, _from_json, threads=archive.threads_per_unit, made_by=made_by
                ):
                    results[entry.index] = _Result(entry.name, verdict)
                    bar.update(1)
        except KeyboardInterrupt:
            interrupted = True
    seconds = time.perf_counter() - start
    if failed.reason is not None:
        rest = f"not verified: {failed.reason}" + ("" if archive.resume is None else f"; --resume {archive.resume} goes on")
        for index, file in enumerate(files):
            results.setdefault(index, _Result(file, Verdict(Outcome.ERROR, reason=rest)))
    known = [results[index] for index in sorted(results)]
    if as_json:
        click.echo(json.dumps(_as_json(known, seconds)))
    else:
        _print(known, seconds, quiet)
    if interrupted:
        click.echo(f"interrupted: {len(files) - len(known)} of {len(files)} proofs were not verified", err=True)
        return exit_codes.INTERRUPTED
    return exit_codes.UNREADABLE if failed.reason is not None else _exit_code(known)


def find_proofs(paths: Sequence[str]) -> list[str]:
    """The files that `paths` stand for, in order; those of a folder in alphabetical order.

    Raises:
        InputError: a folder holds no proof.
    """
    files: list[str] = []
    for path in paths:
        if not Path(path).is_dir():
            files.append(path)
            continue
        found = sorted(str(file) for file in Path(path).rglob("*") if file.is_file() and _is_proof(file.name))
        if not found:
            raise InputError(f"{path}: no file in this folder begins with proof or ends in .proof; name the files themselves")
        files += found
    return files


def _is_proof(name: str) -> bool:
    return name.startswith("proof") or name.endswith(".proof")


def _entries(files: Sequence[str], vk: str | None, archive: ArchiveOptions) -> Iterator[Entry]:
    for index, file in enumerate(files):
        key = vk or str(Path(file).parent / _KEY_NAME)
        if archive.shared_files:
            yield Entry(index, file, (Path(file).absolute(), Path(key).absolute()), None)
            continue
        try:
            pair = read_input(file), _key(key)
        except InputError as error:
            yield Entry(index, file, Verdict(Outcome.ERROR, reason=error.message), None)
        else:
            digest = hashlib.sha256(b"".join(pair)).hexdigest() if archive.resume is not None else None
            yield Entry(index, file, pair, digest)


@lru_cache(maxsize=64)
def _key(vk: str) -> bytes:
    return read_input(vk)


def _setup_name(setup: Setup) -> str:
    """What a journal calls a setup: equal for equal setups only."""
    return "Aztec" if setup == Setup.AZTEC else hashlib.sha256(setup.g2_x + setup.translator_key).hexdigest()


def _to_json(verdict: Verdict) -> dict[str, Any]:
    return {"outcome": verdict.outcome.value, "step": verdict.step, "reason": verdict.reason}


def _from_json(result: dict[str, Any]) -> Verdict:
    return Verdict(Outcome(result["outcome"]), result["step"], result["reason"])


def _progress(total: int) -> Any:
    """A bar on stderr; invisible if that is no terminal."""
    return click.progressbar(
        length=total, label="verifying", file=sys.stderr, hidden=sys.stderr is None or not sys.stderr.isatty()
    )


def _print(results: Sequence[_Result], seconds: float, quiet: bool) -> None:
    colourful = colour(sys.stdout)
    for result in results:
        if not (quiet and result.verdict.valid):
            click.secho(f"{result.file}: {result.verdict}", fg=_COLOURS[result.verdict.outcome], color=colourful)
    counts = Counter(result.verdict.outcome for result in results)
    parts = [f"{counts[outcome]} {name}" for outcome, name in _SUMMARY.items() if counts[outcome]]
    rate = len(results) / max(seconds, 1e-9)
    count = f"{len(results)} proof{'s' * (len(results) != 1)}"
    click.secho(f"{count}: {', '.join(parts)} ({seconds:.2f} s, {rate:.0f}/s)", bold=True, color=colourful)


_SUMMARY: Final = {Outcome.VALID: "valid", Outcome.INVALID: "invalid", Outcome.ERROR: "unreadable"}


def _as_json(results: Sequence[_Result], seconds: float) -> dict[str, Any]:
    counts = Counter(result.verdict.outcome for result in results)
    return {
        "proofs": [{"file": result.file, **_to_json(result.verdict)} for result in results],
        **{name: counts[outcome] for outcome, name in _SUMMARY.items()},
        "seconds": round(seconds, 3),
    }


def _exit_code(results: Sequence[_Result]) -> int:
    outcomes = {result.verdict.outcome for result in results}
    if Outcome.INVALID in outcomes:
        return exit_codes.INVALID
    return exit_codes.SUCCESS if outcomes == {Outcome.VALID} else exit_codes.UNREADABLE

"""`bbipc verify-many`: the verdicts on many proofs."""

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

from bbipc.chonk import ChonkFormatError, ChonkProof, Outcome, Setup, Verdict, VerificationKey, verify_many
from bbipc.chonk.detect import detect_proof, unhex
from bbipc.chonk.key import KEY_SIZE
from bbipc.cli import exit_codes
from bbipc.cli.colour import colour
from bbipc.cli.inputs import InputError, load_setup, read_input, setup_option

__all__ = ["command", "find_proofs"]

_KEY_NAME: Final = "vk"
_BATCH: Final = 32
"""Proofs that are read and decided together: more gain little, fewer cost speed."""
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
@click.option("--quiet", is_flag=True, help="Name only proofs that are not valid.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    paths: tuple[str, ...], vk: str | None, setup_file: str | None, threads: int, strict: bool, quiet: bool, as_json: bool
) -> int:
    """Verify many Chonk proofs together, which is several times faster than one after the other.

    PATHS are files with proofs in any encoding that `bbipc verify` reads, and folders. Below a folder every file is taken whose
    name begins with proof or ends in .proof.

    Exit status: 0 all proofs are valid; 1 at least one is invalid; 2 none is invalid, but at least one (or its key, or the
    setup) cannot be read or decoded.
    """
    setup = load_setup(setup_file)
    files = find_proofs(paths)
    start = time.perf_counter()
    results = []
    with _progress(len(files)) as bar:
        for result in _verify(files, vk, setup, threads, strict):
            results.append(result)
            bar.update(1)
    seconds = time.perf_counter() - start
    if as_json:
        click.echo(json.dumps(_as_json(results, seconds)))
    else:
        _print(results, seconds, quiet)
    return _exit_code(results)


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


def _verify(files: Sequence[str], vk: str | None, setup: Setup, threads: int, strict: bool) -> Iterator[_Result]:
    for start in range(0, len(files), _BATCH):
        batch = files[start : start + _BATCH]
        loaded = [_load(file, vk or str(Path(file).parent / _KEY_NAME)) for file in batch]
        pairs = [item for item in loaded if not isinstance(item, Verdict)]
        decided = verify_many(pairs, setup=setup, threads=threads, strict=strict, batch=_BATCH)
        for file, item in zip(batch, loaded, strict=True):
            yield _Result(file, item if isinstance(item, Verdict) else next(decided))


def _load(file: str, vk: str) -> tuple[ChonkProof, VerificationKey] | Verdict:
    """A proof and its key, or the verdict that they cannot be read."""
    try:
        proof, key = read_input(file), _key(vk)
        return detect_proof(proof, key.num_public_inputs).proof, key
    except (InputError, ChonkFormatError) as error:
        return Verdict(Outcome.ERROR, reason=error.message if isinstance(error, InputError) else str(error))


@lru_cache(maxsize=64)
def _key(vk: str) -> VerificationKey:
    data = read_input(vk)
    return VerificationKey.from_bytes(data if len(data) == KEY_SIZE else unhex(data) or data)


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
    rate = len(results) / seconds
    count = f"{len(results)} proof{'s' * (len(results) != 1)}"
    click.secho(f"{count}: {', '.join(parts)} ({seconds:.2f} s, {rate:.0f}/s)", bold=True, color=colourful)


_SUMMARY: Final = {Outcome.VALID: "valid", Outcome.INVALID: "invalid", Outcome.ERROR: "unreadable"}


def _as_json(results: Sequence[_Result], seconds: float) -> dict[str, Any]:
    counts = Counter(result.verdict.outcome for result in results)
    return {
        "proofs": [
            {
                "file": result.file,
                "outcome": result.verdict.outcome.value,
                "step": result.verdict.step,
                "reason": result.verdict.reason,
            }
            for result in results
        ],
        **{name: counts[outcome] for outcome, name in _SUMMARY.items()},
        "seconds": round(seconds, 3),
    }


def _exit_code(results: Sequence[_Result]) -> int:
    outcomes = {result.verdict.outcome for result in results}
    if Outcome.INVALID in outcomes:
        return exit_codes.INVALID
    return exit_codes.SUCCESS if outcomes == {Outcome.VALID} else exit_codes.UNREADABLE

"""Verdicts on many files: from names to results, with nothing that is printed.

An executor turns items into results in whichever order they are known; what
becomes of a result does not depend on the executor.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bbipc.chonk import ChonkFormatError, ChonkProof, Outcome, Setup, Verdict, Verifier, detect_proof
from bbipc.cli.inputs import InputError, read_input, shown
from bbipc.cli.keys import TrustedKey, load_key
from bbipc.client.errors import ClientError

if TYPE_CHECKING:
    from bbipc.client import RemoteVerdict
    from bbipc.client.blocking import Client

__all__ = [
    "BATCH",
    "Executor",
    "Item",
    "Result",
    "files_below",
    "find_proofs",
    "here",
    "key_beside",
    "numbered_pairs",
    "with_opinions",
]

BATCH: Final = 32
"""Proofs that are read and decided together: more gain little, fewer cost speed."""

_KEY_NAME: Final = "vk"


@dataclass(frozen=True, slots=True)
class Item:
    """A proof to be verified: its place in the order of the user, its file, and where its key is."""

    number: int
    file: str
    vk: str


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict on an item, and the key that it is about (None: it could not be read).

    Attributes:
        opinion: what another server says; None: it was not asked.
        unasked: why it was not asked, or did not answer.
    """

    item: Item
    verdict: Verdict
    key: TrustedKey | None = None
    proof: ChonkProof | None = None
    opinion: RemoteVerdict | None = None
    unasked: str | None = None

    @property
    def number(self) -> int:
        """The place of the item in the order of the user."""
        return self.item.number

    @property
    def disputed(self) -> bool:
        """Whether the other server accepts what is refused here, or the other way round."""
        return self.opinion is not None and self.opinion.valid != self.verdict.valid


Executor = Callable[[Iterable[Item]], Iterator[Result]]
"""Decides items, in any order; each item gives one result."""


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
        found = files_below(path, _is_proof)
        if not found:
            raise InputError(
                f"{shown(path)}: no file in this folder begins with proof or ends in .proof; name the files themselves"
            )
        files += found
    return files


def files_below(folder: str, wanted: Callable[[str], bool]) -> list[str]:
    """The files below a folder whose names are wanted, in the order of their paths."""
    # Path.rglob keeps a Path of everything that it has seen: ten times the memory of the names.
    found = [
        file
        for below, _, names in os.walk(folder)
        for name in names
        if wanted(name) and os.path.isfile(file := os.path.join(below, name))  # noqa: PTH113, PTH118
    ]
    return sorted(str(Path(file)) for file in found)


def _is_proof(name: str) -> bool:
    return name.startswith("proof") or name.endswith(".proof")


def key_beside(file: str) -> str:
    """Where the key of a proof is if nobody says so: vk_N for proof_N (as bb names them), NAME.vk for NAME.proof, else vk."""
    path = Path(file)
    names = [f"{_KEY_NAME}{path.name.removeprefix('proof')}"] if path.name.startswith("proof_") else []
    if path.suffix == ".proof":
        names.append(f"{path.stem}.vk")
    found = (path.parent / name for name in names)
    return str(next((key for key in found if key.is_file()), path.parent / _KEY_NAME))


def numbered_pairs(folder: str) -> list[Item]:
    """The pairs proof_0 and vk_0, proof_1 and vk_1 ... of a folder, up to the first that is not there: as bb counts them."""
    items: list[Item] = []
    while True:
        proof, key = (Path(folder) / f"{name}_{len(items)}" for name in ("proof", _KEY_NAME))
        if not (proof.exists() and key.exists()):
            return items
        items.append(Item(len(items), str(proof), str(key)))


def here(setup: Setup, *, threads: int, strict: bool, pins: tuple[bytes, ...] = (), batch: int = BATCH) -> Executor:
    """The executor of this process: `batch` proofs at a time."""

    def execute(items: Iterable[Item]) -> Iterator[Result]:
        try:
            verifier = Verifier(setup)
        except ChonkFormatError as error:
            raise InputError(str(error)) from None
        waiting = iter(items)
        while group := list(islice(waiting, batch)):
            yield from _decide(verifier, [_load(item, pins) for item in group], threads=threads, strict=strict)

    return execute


def _load(item: Item, pins: tuple[bytes, ...]) -> tuple[Item, TrustedKey, ChonkProof] | Result:
    """A proof and its key, or the verdict that they cannot be read."""
    key = None
    try:
        data, key = read_input(item.file), load_key(item.vk, pins)
        return item, key, detect_proof(data, key.key.num_public_inputs).proof
    except (InputError, ChonkFormatError) as error:
        reason = error.message if isinstance(error, InputError) else str(error)
        return Result(item, Verdict(Outcome.ERROR, reason=reason), key)


def _decide(
    verifier: Verifier, loaded: Sequence[tuple[Item, TrustedKey, ChonkProof] | Result], *, threads: int, strict: bool
) -> Iterator[Result]:
    ready = [one for one in loaded if not isinstance(one, Result)]
    pairs = [(proof, key.key) for _, key, proof in ready]
    decided = iter(verifier.verify_many(pairs, threads=threads, strict=strict) if pairs else [])
    for one in loaded:
        yield one if isinstance(one, Result) else Result(one[0], next(decided), one[1], one[2])


def with_opinions(results: Iterator[Result], client: Client, group: int = BATCH) -> Iterator[Result]:
    """Each result with the opinion of the server of `client`. A server that ends is not asked again; that is told, too."""
    gone: str | None = None
    while waiting := list(islice(results, group)):
        pairs = [(one.proof, one.key.key) for one in waiting if one.proof is not None and one.key is not None]
        opinions = iter(client.verify_many(pairs)) if gone is None else iter(())
        for one in waiting:
            if one.proof is None:
                yield replace(one, unasked="it cannot be read here")
                continue
            try:
                opinion = next(opinions, None) if gone is None else None
            except (ClientError, TimeoutError) as error:
                opinion, gone = None, str(error)
            yield replace(one, opinion=opinion, proof=None, unasked=gone if opinion is None else None)

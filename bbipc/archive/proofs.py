"""Proofs as items of a unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from bbipc.archive.content import content
from bbipc.chonk import ChonkFormatError, ChonkProof, Outcome, Setup, Verdict, VerificationKey
from bbipc.chonk.detect import detect_proof
from bbipc.chonk.sizes import KEY_SIZE
from bbipc.chonk.unwrap import unhex
from bbipc.chonk.verifier import verify_many

__all__ = ["ProofItem", "ProofJudge", "load"]

ProofItem: TypeAlias = tuple[ChonkProof | bytes | Path, VerificationKey | bytes | Path] | Verdict
"""A proof and its key: decoded, as the bytes of a file, or as the path of a file that the workers can read, too. Or the verdict
on something that could not be read."""


@dataclass(frozen=True, slots=True)
class ProofJudge:
    """Verifies proofs; see `bbipc.chonk.verify_many`.

    Attributes:
        setup: the trusted setup.
        strict: as for `bbipc.chonk.Verifier.verify`.
    """

    setup: Setup
    strict: bool

    @property
    def name(self) -> str:
        """The name of the tasks."""
        return "verify-proofs"

    def nbytes(self, item: ProofItem) -> int:
        """Bytes that an item adds to its unit, near enough."""
        return 256 if isinstance(item, Verdict) else sum(map(_nbytes, item))

    def decide(self, items: Sequence[ProofItem], threads: int) -> list[Verdict]:
        """A verdict for each item; one that cannot be read gets an error."""
        loaded = [item if isinstance(item, Verdict) else load(*item) for item in items]
        pairs = [pair for pair in loaded if not isinstance(pair, Verdict)]
        decided = verify_many(pairs, setup=self.setup, threads=threads, strict=self.strict, batch=max(len(pairs), 1))
        return [pair if isinstance(pair, Verdict) else next(decided) for pair in loaded]

    def failed(self, reason: str) -> Verdict:
        """The verdict on a proof that no worker could decide."""
        return Verdict(Outcome.ERROR, reason=reason)


def load(proof: ChonkProof | bytes | Path, key: VerificationKey | bytes | Path) -> tuple[ChonkProof, VerificationKey] | Verdict:
    """A proof and its key as the verifier takes them, or the verdict that they cannot be read."""
    try:
        decoded_key = key if isinstance(key, VerificationKey) else _key(content(key))
        if isinstance(proof, ChonkProof):
            return proof, decoded_key
        return detect_proof(content(proof), decoded_key.num_public_inputs).proof, decoded_key
    except ChonkFormatError as error:
        return Verdict(Outcome.ERROR, reason=str(error))
    except OSError as error:
        return Verdict(Outcome.ERROR, reason=f"{error.filename}: {error.strerror or error}")


def _nbytes(part: ChonkProof | VerificationKey | bytes | Path) -> int:
    if isinstance(part, bytes):
        return len(part)
    if isinstance(part, ChonkProof):
        return sum(map(len, part.parts()))
    return KEY_SIZE if isinstance(part, VerificationKey) else 256


@lru_cache(maxsize=64)
def _key(data: bytes) -> VerificationKey:
    return VerificationKey.from_bytes(data if len(data) == KEY_SIZE else unhex(data) or data)

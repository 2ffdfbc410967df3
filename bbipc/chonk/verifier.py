"""Verification of proofs."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import TypeAlias

from bbipc.chonk.core import CancelFlag, Claim, Core
from bbipc.chonk.key import VerificationKey
from bbipc.chonk.proof import ChonkProof
from bbipc.chonk.setup import Setup
from bbipc.chonk.shared import shared_core
from bbipc.chonk.verdict import Verdict

__all__ = ["CancelFlag", "Claim", "Key", "Verifier", "verify", "verify_many"]

Key: TypeAlias = bytes | VerificationKey
"""A verification key, or its bytes as they came: a wrong size is a verdict, not an exception."""


class Verifier:
    """A verifier under one trusted setup.

    It is immutable and may be used by any number of threads at the same time; every method releases the GIL while the core
    works.

    Args:
        setup: the trusted setup.
        arithmetic: `auto`, or the name of an arithmetic path (`portable`, `adx`, `ifma`). The environment variable
            BBIPC_ARITH decides what `auto` means; by default it is the fastest path of this machine.

    Raises:
        ChonkFormatError: a point of the setup is not canonical, not on its curve or not in the subgroup.
        ValueError: this machine cannot run that arithmetic path.
    """

    __slots__ = ("_core", "setup")

    setup: Setup

    def __init__(self, setup: Setup = Setup.AZTEC, arithmetic: str = "auto") -> None:
        _check_setup(setup)
        self.setup = setup
        self._core = Core(setup.g2_x, setup.translator_key, arithmetic)

    @classmethod
    def _of(cls, setup: Setup, core: Core) -> "Verifier":
        verifier = cls.__new__(cls)
        verifier.setup, verifier._core = setup, core
        return verifier

    @property
    def arithmetic(self) -> str:
        """The arithmetic path in use."""
        return self._core.arithmetic

    def verify(
        self, proof: ChonkProof, key: Key, *, threads: int = 1, strict: bool = False, cancel: CancelFlag | None = None
    ) -> Verdict:
        """The verdict on one proof; whatever is wrong with proof or key is a verdict, never an exception.

        Args:
            proof: the proof.
            key: the verification key that the caller trusts.
            threads: upper bound on the threads that work on it.
            strict: also demand the exact part lengths of chapter 00 section 1, and canonical words of the key.
            cancel: a flag that ends the verification early, with `Outcome.CANCELLED`.
        """
        return self._core.verify(_parts(proof), _key_bytes(key), threads=threads, strict=strict, cancel=cancel)

    def verify_many(
        self,
        pairs: Sequence[tuple[ChonkProof, Key]],
        *,
        threads: int = 1,
        strict: bool = False,
        cancel: CancelFlag | None = None,
    ) -> list[Verdict]:
        """The verdicts on several proofs decided together, in their order: each equals what `verify` gives.

        The arguments are those of `verify`. All proofs are held at once; the function `verify_many` streams.
        """
        return self._core.verify_many(
            [_parts(proof) for proof, _ in pairs],
            [_key_bytes(key) for _, key in pairs],
            threads=threads,
            strict=strict,
            cancel=cancel,
        )

    def reduce(self, proof: ChonkProof, key: Key, *, strict: bool = False, cancel: CancelFlag | None = None) -> Claim:
        """Do everything of a verification that needs no other proof; `check` decides many claims for the price of a few."""
        return self._core.reduce(_parts(proof), _key_bytes(key), strict=strict, cancel=cancel)

    def reduce_many(
        self,
        pairs: Sequence[tuple[ChonkProof, Key]],
        *,
        strict: bool = False,
        cancels: Sequence[CancelFlag | None] | None = None,
    ) -> list[Claim]:
        """What `reduce` does, for several proofs side by side on one thread: several times faster than one by one where the
        machine has AVX-512 IFMA, and fastest for multiples of eight.

        Args:
            pairs: proofs and their keys.
            strict: as for `verify`.
            cancels: as many flags (or None) as there are pairs; each ends its own proof.

        Raises:
            ValueError: a wrong number of flags.
        """
        return self._core.reduce_many(
            [_parts(proof) for proof, _ in pairs], [_key_bytes(key) for _, key in pairs], strict=strict, cancels=cancels
        )

    def check(
        self, claims: Sequence[Claim], *, threads: int = 1, cancels: Sequence[CancelFlag | None] | None = None
    ) -> list[Verdict]:
        """Decide claims together: each gets the verdict that `verify` would have given, in their order.

        Args:
            claims: results of `reduce` of this verifier.
            threads: upper bound on the threads that work on them.
            cancels: as many flags (or None) as there are claims.

        Raises:
            ValueError: a claim of another verifier, or a wrong number of flags.
        """
        return self._core.check(claims, threads=threads, cancels=cancels)


def verify(proof: ChonkProof, key: Key, *, setup: Setup = Setup.AZTEC, threads: int = 1, strict: bool = False) -> Verdict:
    """The verdict on one proof, see `Verifier.verify`. The verifiers of the most recently used setups are kept."""
    return _verifier(setup).verify(proof, key, threads=threads, strict=strict)


def verify_many(
    pairs: Iterable[tuple[ChonkProof, Key]],
    *,
    setup: Setup = Setup.AZTEC,
    threads: int = 1,
    strict: bool = False,
    batch: int = 16,
) -> Iterator[Verdict]:
    """The verdicts on many proofs, in their order.

    Proofs are taken from `pairs` only as verdicts are asked for, and decided `batch` at a time, which is several times faster
    than one by one; not more than `batch` proofs are held at once.

    Raises:
        ValueError: `batch` or `threads` is less than 1.
    """
    if batch < 1:
        raise ValueError(f"batch must be at least 1, not {batch}")
    if threads < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    return _verify_batches(_verifier(setup), iter(pairs), threads, strict, batch)


def _verify_batches(
    verifier: Verifier, iterator: Iterator[tuple[ChonkProof, Key]], threads: int, strict: bool, batch: int
) -> Iterator[Verdict]:
    while pairs := list(islice(iterator, batch)):
        yield from verifier.verify_many(pairs, threads=threads, strict=strict)


@lru_cache(maxsize=8)
def _verifier(setup: Setup) -> Verifier:
    _check_setup(setup)
    return Verifier._of(setup, shared_core(setup))


def _check_setup(setup: object) -> None:
    if not isinstance(setup, Setup):
        raise TypeError(f"setup: {type(setup).__name__}, expected Setup; Setup.from_json reads a file")


def _parts(proof: ChonkProof) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    if not isinstance(proof, ChonkProof):
        raise TypeError(
            f"proof: {type(proof).__name__}, expected ChonkProof; ChonkProof.from_bytes and from_file read all encodings"
        )
    return proof.parts()


def _key_bytes(key: Key) -> bytes:
    if isinstance(key, VerificationKey):
        return key.to_bytes()
    if not isinstance(key, bytes):
        raise TypeError(f"key: {type(key).__name__}, expected VerificationKey or bytes; VerificationKey.from_file reads a file")
    return key

"""What must be equal on client and worker, so that the same proof gets the same verdict."""

import hashlib
from dataclasses import dataclass, fields
from functools import cache

import bbipc
from bbipc.chonk.core import GENERATORS, abi_version
from bbipc.chonk.shared import default_core

__all__ = ["Fingerprint", "arithmetic_path", "own_fingerprint"]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A build of bbipc as far as verdicts depend on it. Arithmetic paths may differ: they agree bit for bit.

    Attributes:
        version: of the package.
        abi: number of the C ABI that the compiled core offers.
        generators: SHA-256 of the 2^15 Grumpkin generators in the core (chapter 01 section 6), hexadecimal.
    """

    version: str
    abi: int
    generators: str

    def differences(self, other: "Fingerprint") -> str:
        """What `other` has instead, in words; empty if the two are equal."""
        return ", ".join(
            f"{field.name} {getattr(other, field.name)} instead of {getattr(self, field.name)}"
            for field in fields(self)
            if getattr(self, field.name) != getattr(other, field.name)
        )


@cache
def own_fingerprint() -> Fingerprint:
    """The fingerprint of this process. It takes a few milliseconds, once."""
    digest = hashlib.sha256(default_core().generators(0, GENERATORS)).hexdigest()
    return Fingerprint(bbipc.__version__, abi_version(), digest)


def arithmetic_path() -> str:
    """How this process calculates: `portable`, `adx` or `ifma`."""
    return default_core().arithmetic

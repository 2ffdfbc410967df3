"""The verification key of a hiding kernel (chapter 03 section 1)."""

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from bbipc.chonk.errors import ChonkFormatError, require_bytes
from bbipc.chonk.shared import default_core
from bbipc.chonk.sizes import KEY_SIZE

if TYPE_CHECKING:
    from bbipc.chonk.unwrap import Unwrapped

__all__ = ["VerificationKey"]


@dataclass(frozen=True, slots=True, repr=False)
class VerificationKey:
    """A verification key: 3680 bytes, of which nothing but the size is checked before a property or a verification needs more.

    Its properties raise `ChonkFormatError` if a commitment cannot be decoded. They cost about a millisecond once per key; the
    results for the most recently used keys are kept.
    """

    _data: bytes

    def __post_init__(self) -> None:
        require_bytes(self._data)
        if len(self._data) != KEY_SIZE:
            raise ChonkFormatError(f"verification key has wrong size: expected {KEY_SIZE}, got {len(self._data)}", "vk")

    @classmethod
    def from_bytes(cls, data: bytes) -> "VerificationKey":
        """A key from its 3680 bytes, as the wire has them; `bbipc.chonk.detect_key` reads other forms, too.

        Raises:
            ChonkFormatError: `data` has another length.
            TypeError: `data` is not bytes.
        """
        require_bytes(data)
        return cls(bytes(data))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> "VerificationKey":
        """The key in a file, in any form that `bbipc.chonk.detect_key` reads.

        Raises:
            OSError: the file cannot be read.
            ChonkFormatError: it holds no key.
            TypeError: `path` is not a path.
        """
        from bbipc.chonk.forms import path_of, unwrapped_key  # noqa: PLC0415 - most keys are their bytes

        return cls.from_unwrapped(unwrapped_key(path_of(path).read_bytes()))

    @classmethod
    def from_unwrapped(cls, inside: "Unwrapped") -> "VerificationKey":
        """The key that was in layers (`bbipc.chonk.unwrap`), one of which may claim a hash for it.

        Raises:
            ChonkFormatError: it has another size or another hash.
        """
        key = cls(inside.content)
        if inside.claimed_hash is not None and inside.claimed_hash != key.hash:
            claimed = inside.claimed_hash.hex()
            raise ChonkFormatError.at("vk", f"JSON that claims the hash 0x{claimed} for a key whose hash is 0x{key.hash.hex()}")
        return key

    def to_bytes(self) -> bytes:
        """The 3680 bytes."""
        return self._data

    def __repr__(self) -> str:
        return f"VerificationKey({self._data[:4].hex()}..{self._data[-4:].hex()}, {len(self._data)} bytes)"

    @property
    def log_circuit_size(self) -> int:
        """Binary logarithm of the number of rows, as the key says (its word 0 mod r, mod 2^64)."""
        return _inspect(self._data)[0]

    @property
    def num_public_inputs(self) -> int:
        """Number of public inputs, as the key says (its word 1 mod r, mod 2^64)."""
        return _inspect(self._data)[1]

    @property
    def pub_inputs_offset(self) -> int:
        """Row of the first public input, as the key says (its word 2 mod r, mod 2^64)."""
        return _inspect(self._data)[2]

    @property
    def hash(self) -> bytes:
        """The key's Poseidon2 hash, 32 bytes big-endian, which enters the transcript first."""
        return _inspect(self._data)[3]


@lru_cache(maxsize=64)
def _inspect(data: bytes) -> tuple[int, int, int, bytes]:
    return default_core().key_inspect(data)

"""Hashes."""

from __future__ import annotations

import hashlib
from typing import Final

from bbipc.chonk.shared import default_core
from bbipc.server.steps import Steps
from bbipc.wire.values import FR_MODULUS, WORD, Fields

# What one step of a long request does: about a millisecond and a half.
WORDS_IN_STEP: Final = 3 << 8
BYTES_IN_STEP: Final = 1 << 20


def poseidon2_hash(fields: Fields) -> Fields:
    """``Poseidon2Hash``."""
    return {"hash": default_core().poseidon2_hash(fields["inputs"])}


def poseidon2_hash_in_steps(fields: Fields) -> Steps[Fields]:
    """The same for any number of inputs."""
    words = fields["inputs"]
    if len(words) <= WORD * WORDS_IN_STEP:
        return poseidon2_hash(fields)
    return {"hash": (yield from default_core().poseidon2_hash_in_steps(words, WORDS_IN_STEP))}


def poseidon2_permutation(fields: Fields) -> Fields:
    """``Poseidon2Permutation``."""
    return {"outputs": default_core().poseidon2_permute(fields["inputs"])}


def blake2s(fields: Fields) -> Fields:
    """``Blake2s``."""
    return {"hash": hashlib.blake2s(fields["data"]).digest()}


def blake2s_in_steps(fields: Fields) -> Steps[Fields]:
    """The same for data of any length."""
    return {"hash": (yield from _digest_in_steps(fields["data"]))}


def blake2s_to_field(fields: Fields) -> Fields:
    """``Blake2sToField``."""
    return _to_field(blake2s(fields)["hash"])


def blake2s_to_field_in_steps(fields: Fields) -> Steps[Fields]:
    """The same for data of any length."""
    return _to_field((yield from _digest_in_steps(fields["data"])))


def _digest_in_steps(data: bytes) -> Steps[bytes]:
    whole, state = memoryview(data), hashlib.blake2s()
    for start in range(0, len(data), BYTES_IN_STEP):
        state.update(whole[start : start + BYTES_IN_STEP])
        yield
    return state.digest()


def _to_field(digest: bytes) -> Fields:
    return {"field": (int.from_bytes(digest, "big") % FR_MODULUS).to_bytes(WORD, "big")}

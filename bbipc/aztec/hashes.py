"""Hashes of the protocol: Poseidon2 of a separator and elements (chapter 15 sections 3 and 5)."""

from collections.abc import Sequence
from typing import Final

from bbipc.chonk.shared import default_core
from bbipc.chonk.words import WORD

__all__ = ["CALLDATA", "MERKLE", "element", "hash_elements", "merkle_root"]

CALLDATA: Final = 2760353947
"""The separator of the calldata of a public call."""
MERKLE: Final = 2982624097
"""The separator of a node of the tree of verification keys."""


def element(value: int) -> bytes:
    """The 32 bytes of an element of Fr."""
    return value.to_bytes(WORD, "big")


def hash_elements(elements: bytes, separator: int | None = None) -> bytes:
    """Poseidon2 (chapter 02 section 2) of elements of 32 bytes each, behind a separator if there is one.

    Raises:
        NotCanonicalError: an element is not below the modulus.
    """
    return default_core().poseidon2_hash(elements if separator is None else element(separator) + elements)


def merkle_root(leaf: bytes, index: int, siblings: Sequence[bytes]) -> bytes:
    """The root of the tree of verification keys in which `leaf` has that index and, from the leaf upwards, these siblings."""
    node = leaf
    for sibling in siblings:
        node = hash_elements(sibling + node if index & 1 else node + sibling, MERKLE)
        index >>= 1
    return node

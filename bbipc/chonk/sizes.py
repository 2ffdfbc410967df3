"""What proofs and keys consist of (chapter 00 section 1, chapter 03)."""

from typing import Final

__all__ = ["COMPRESSED_FIXED_WORDS", "FIXED_WORDS", "IO_WORDS", "KEY_SIZE", "OINK_FIXED_WORDS", "PARTS"]

PARTS: Final = ("hiding_oink_proof", "merge_proof", "eccvm_proof", "ipa_proof", "joint_proof")
"""The names of a proof's parts, in the order of a flat proof."""

OINK_FIXED_WORDS: Final = 48
"""Words of the first part that are not public inputs."""

FIXED_WORDS: Final = 1242
"""Words of a proof that are not public inputs (chapter 00 section 1)."""

COMPRESSED_FIXED_WORDS: Final = 697
"""Words of a compressed proof that are not public inputs (chapter 03 section 5)."""

IO_WORDS: Final = 28
"""Public inputs that every hiding kernel has (chapter 05)."""

KEY_SIZE: Final = 3680
"""Bytes of a key: 115 words of 32 bytes."""

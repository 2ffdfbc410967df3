"""32-byte words: the form of every field element outside of the core (chapter 01 section 1)."""

from collections.abc import Sequence
from typing import Final

from bbipc.chonk.errors import ChonkFormatError

__all__ = ["FR_MODULUS", "WORD", "canonical", "first_non_canonical", "flatten", "join", "split", "whole_words"]

WORD: Final = 32
"""Bytes of a field element."""

FR_MODULUS: Final = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
"""r, the modulus of Fr."""

_MODULUS_BYTES = FR_MODULUS.to_bytes(WORD, "big")
_SUSPICIOUS = bytes(int(byte >= _MODULUS_BYTES[0]) for byte in range(256))


def join(words: object, position: str) -> bytes:
    """Concatenate a list of elements of Fr after checking each of them.

    Raises:
        ChonkFormatError: `words` is not a list or tuple, or one of its items is not 32 bytes, or not below the modulus.
    """
    if not isinstance(words, list | tuple):
        raise ChonkFormatError.at(position, f"{type(words).__name__}, expected an array")
    for index, word in enumerate(words):
        if not isinstance(word, bytes):
            raise ChonkFormatError.at(f"{position}[{index}]", f"{type(word).__name__}, expected {WORD} bytes")
        if len(word) != WORD:
            raise ChonkFormatError.at(f"{position}[{index}]", f"{len(word)} bytes, expected {WORD}")
    return canonical(b"".join(words), position)


def canonical(data: bytes, position: str) -> bytes:
    """Return `data`, a multiple of 32 bytes, if each word is below the modulus of Fr.

    Raises:
        ChonkFormatError: naming the first word that is not.
    """
    index = first_non_canonical(data)
    if index >= 0:
        raise ChonkFormatError.at(f"{position}[{index}]", "non-canonical field element: value >= the modulus of Fr")
    return data


def first_non_canonical(data: bytes) -> int:
    """The index of the first word of `data`, a multiple of 32 bytes, that is not below the modulus of Fr; -1 if all are."""
    # Nearly all words are known to be small by their first byte. Byte strings of equal length compare as the integers they
    # stand for.
    suspicious = data[::WORD].translate(_SUSPICIOUS)
    index = suspicious.find(1)
    while index >= 0 and data[WORD * index : WORD * (index + 1)] < _MODULUS_BYTES:
        index = suspicious.find(1, index + 1)
    return index


def split(data: bytes) -> list[bytes]:
    """The 32-byte words of `data`, whose length is a multiple of 32."""
    return [data[start : start + WORD] for start in range(0, len(data), WORD)]


def whole_words(data: bytes, position: str) -> int:
    """How many words `data` has.

    Raises:
        ChonkFormatError: its length is not a multiple of 32.
    """
    count, rest = divmod(len(data), WORD)
    if rest:
        raise ChonkFormatError.at(position, f"{len(data)} bytes, expected a multiple of {WORD}")
    return count


def flatten(fields: bytes | Sequence[bytes], position: str) -> bytes:
    """Checked concatenation of fields given as one byte string or as a list of 32-byte words."""
    if isinstance(fields, bytes):
        whole_words(fields, position)
        return canonical(fields, position)
    return join(fields, position)

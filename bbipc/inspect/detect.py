"""What a file holds."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from bbipc.chonk.detect import unhex
from bbipc.chonk.key import KEY_SIZE
from bbipc.chonk.proof import COMPRESSED_FIXED_WORDS, FIXED_WORDS
from bbipc.chonk.words import WORD
from bbipc.inspect.layout import IO_WORDS
from bbipc.wire import cursor
from bbipc.wire.errors import DecodeError
from bbipc.wire.frame import HEADER_BYTES
from bbipc.wire.values import FR_MODULUS

__all__ = ["Content", "Detected", "detect"]


class Content(Enum):
    """What can be explained."""

    KEY = "key"
    FLAT_PROOF = "fields"
    MSGPACK_PROOF = "msgpack"
    COMPRESSED_PROOF = "compressed"
    FRAMES = "frames"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Detected:
    """What a file holds (None: nobody knows), its bytes, and whether they were written as hex digits."""

    content: Content | None
    data: bytes
    hexadecimal: bool


_MAPS: Final = frozenset({*range(0x80, 0x90), 0xDE, 0xDF})
_ARRAYS: Final = frozenset({*range(0x90, 0xA0), 0xDC, 0xDD})
_MAX_VALUES: Final = 1 << 20
_MODULUS: Final = FR_MODULUS.to_bytes(WORD, "big")


def detect(data: bytes) -> Detected:
    """Guess, by size and first bytes, what `data` is; hex digits are read first.

    A flat and a compressed proof are told apart by their values if their size does not: compressed points have a sign in
    their highest bit, and no word of a flat proof is that large.
    """
    digits = unhex(data)
    content = data if digits is None else digits
    return Detected(_guess(content), content, digits is not None)


def _guess(data: bytes) -> Content | None:
    if not data:
        return None
    if len(data) == KEY_SIZE:
        return Content.KEY
    if _starts_with_a_frame(data):
        return Content.FRAMES
    if data[0] in _MAPS:
        return Content.MSGPACK_PROOF
    if data[0] in _ARRAYS:
        return Content.MESSAGE
    return _guess_words(data)


def _guess_words(data: bytes) -> Content | None:
    words, rest = divmod(len(data), WORD)
    if rest or words < COMPRESSED_FIXED_WORDS:
        return None
    canonical = all(data[start : start + WORD] < _MODULUS for start in range(0, len(data), WORD))
    if words >= FIXED_WORDS + IO_WORDS and canonical:
        return Content.FLAT_PROOF
    return Content.COMPRESSED_PROOF if words < FIXED_WORDS or not canonical else Content.FLAT_PROOF


def _starts_with_a_frame(data: bytes) -> bool:
    """Whether a length and an array of that length come first, as no proof or key begins."""
    if len(data) <= HEADER_BYTES or data[HEADER_BYTES] not in _ARRAYS:
        return False
    length = int.from_bytes(data[:HEADER_BYTES], "little")
    payload = data[HEADER_BYTES : HEADER_BYTES + length]
    try:
        return cursor.skip(payload, 0, cursor.Allowance(_MAX_VALUES)) == length
    except DecodeError:
        return False

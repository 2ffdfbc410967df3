"""What a file holds."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from bbipc.chonk.forms import MSGPACK_ARRAYS, Encoding, guess_encoding
from bbipc.chonk.sizes import KEY_SIZE
from bbipc.chonk.unwrap import unwrap
from bbipc.wire import cursor
from bbipc.wire.errors import DecodeError
from bbipc.wire.frame import HEADER_BYTES

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
    """What a file holds (None: nobody knows), its bytes, and what they were wrapped in, from the outside."""

    content: Content | None
    data: bytes
    layers: tuple[str, ...] = ()

    @property
    def hexadecimal(self) -> bool:
        """Whether the bytes were written as hex digits."""
        return "hex" in self.layers


_MAX_VALUES: Final = 1 << 20
_PROOFS: Final = {
    Encoding.FIELDS: Content.FLAT_PROOF,
    Encoding.MSGPACK: Content.MSGPACK_PROOF,
    Encoding.COMPRESSED: Content.COMPRESSED_PROOF,
}


def detect(data: bytes) -> Detected:
    """Guess, by size and first bytes, what `data` is, after all layers around it are taken off.

    Raises:
        ChonkFormatError: a layer is damaged.
    """
    if _starts_with_a_frame(data):
        return Detected(Content.FRAMES, data)
    inside = unwrap(data)
    return Detected(_guess(inside.content), inside.content, inside.layers)


def _guess(data: bytes) -> Content | None:
    if not data:
        return None
    if len(data) == KEY_SIZE:
        return Content.KEY
    if _starts_with_a_frame(data):
        return Content.FRAMES
    if data[0] in MSGPACK_ARRAYS:
        return Content.MESSAGE
    encoding = guess_encoding(data)
    return None if encoding is None else _PROOFS[encoding]


def _starts_with_a_frame(data: bytes) -> bool:
    """Whether a length and an array of that length come first, as no proof or key begins."""
    if len(data) <= HEADER_BYTES or data[HEADER_BYTES] not in MSGPACK_ARRAYS:
        return False
    length = int.from_bytes(data[:HEADER_BYTES], "little")
    payload = data[HEADER_BYTES : HEADER_BYTES + length]
    try:
        return cursor.skip(payload, 0, cursor.Allowance(_MAX_VALUES)) == length
    except DecodeError:
        return False

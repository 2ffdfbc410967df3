"""In which form bytes hold a proof or a key. The one place where that is decided, for commands and programs."""

import os
from enum import Enum
from pathlib import Path
from typing import Final

from bbipc.chonk.errors import ChonkFormatError
from bbipc.chonk.sizes import COMPRESSED_FIXED_WORDS, FIXED_WORDS, IO_WORDS, KEY_SIZE
from bbipc.chonk.unwrap import Unwrapped, described, unwrap
from bbipc.chonk.words import FR_MODULUS, WORD

__all__ = [
    "MSGPACK_ARRAYS",
    "MSGPACK_MAPS",
    "Encoding",
    "guess_encoding",
    "guess_words",
    "path_of",
    "unwrapped_key",
    "unwrapped_proof",
]

AZTEC_PROOF_WORDS: Final = FIXED_WORDS + IO_WORDS
"""Words of a proof in an Aztec transaction, which does not repeat the transaction's public inputs."""


class Encoding(Enum):
    """The encodings of chapter 03."""

    FIELDS = "fields"
    MSGPACK = "msgpack"
    COMPRESSED = "compressed"


MSGPACK_MAPS: Final = frozenset({*range(0x80, 0x90), 0xDE, 0xDF})
"""First bytes of a msgpack map."""
MSGPACK_ARRAYS: Final = frozenset({*range(0x90, 0xA0), 0xDC, 0xDD})
"""First bytes of a msgpack array."""
_MODULUS: Final = FR_MODULUS.to_bytes(WORD, "big")
_LENGTH: Final = 4


def unwrapped_proof(data: bytes, num_public_inputs: int | None = None) -> tuple[Unwrapped, Encoding]:
    """The bytes of a proof, and their encoding; the arguments are those of `bbipc.chonk.detect_proof`.

    Raises:
        ChonkFormatError: no encoding fits.
    """
    inside = unwrap(data)
    return inside, _encoding(inside, num_public_inputs)


def unwrapped_key(data: bytes) -> Unwrapped:
    """The bytes of a key.

    Raises:
        ChonkFormatError: they are those of something else.
    """
    inside = unwrap(data)
    if len(inside.content) != KEY_SIZE:
        raise ChonkFormatError(f"{_what(inside, 'verification key')}; a key has {KEY_SIZE} bytes", "vk")
    return inside


def path_of(source: str | os.PathLike[str]) -> Path:
    """The path that `source` is.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(source, str | os.PathLike):
        raise TypeError(f"path: {type(source).__name__}, expected str or a path; from_bytes takes bytes")
    return Path(source)


def guess_words(data: bytes) -> Encoding | None:
    """Whether words are those of a flat or of a compressed proof, for a key that is not known; None: of neither.

    Compressed points have a sign in their highest bit, and no word of a flat proof is that large.
    """
    words, rest = divmod(len(data), WORD)
    if rest or words < COMPRESSED_FIXED_WORDS:
        return None
    canonical = all(data[start : start + WORD] < _MODULUS for start in range(0, len(data), WORD))
    return Encoding.FIELDS if canonical and words >= FIXED_WORDS else Encoding.COMPRESSED


def guess_encoding(data: bytes) -> Encoding | None:
    """The encoding of a proof for a key that is not known; None: this is no proof."""
    if len(data) == KEY_SIZE:
        return None
    return Encoding.MSGPACK if data and data[0] in MSGPACK_MAPS else guess_words(data)


def _encoding(inside: Unwrapped, num_public_inputs: int | None) -> Encoding:
    data = inside.content
    guess = guess_encoding(data)
    if guess is Encoding.MSGPACK:
        return guess
    if num_public_inputs is None:
        if guess is None:
            raise ChonkFormatError.at("proof", _what(inside, "proof"))
        return guess
    flat, compressed = (WORD * (count + num_public_inputs) for count in (FIXED_WORDS, COMPRESSED_FIXED_WORDS))
    if len(data) == flat:
        return Encoding.FIELDS
    if len(data) == compressed:
        return Encoding.COMPRESSED
    raise ChonkFormatError.at(
        "proof",
        f"{_what(inside, 'proof')}; with the {num_public_inputs} public inputs of this key "
        f"a flat proof has {flat} bytes and a compressed one {compressed}",
    )


def _what(inside: Unwrapped, wanted: str) -> str:
    """What was found instead of `wanted`."""
    data = inside.content
    if len(data) == KEY_SIZE and wanted != "verification key":
        return f"{inside.how}a verification key, not a {wanted}"
    if len(data) == WORD * AZTEC_PROOF_WORDS:
        kind = f"{AZTEC_PROOF_WORDS} words, as the proof in an Aztec transaction has, without its public inputs"
        return f"{inside.how}{kind}" + ("" if wanted == "proof" else f", not a {wanted}")
    if wanted != "proof" and guess_encoding(data) is not None:
        return f"{inside.how}{len(data)} bytes of a proof, not a {wanted}"
    if len(data) > _LENGTH and data[_LENGTH] in MSGPACK_ARRAYS and int.from_bytes(data[:_LENGTH], "little") <= len(data):
        return f"{inside.how}frames of the wire, not a {wanted}; `bbipc inspect` explains them"
    return f"{inside.how}{described(data)} that are not a {wanted}" if data else f"{inside.how}nothing: it is empty"

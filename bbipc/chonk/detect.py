"""What bytes hold: a proof, a key, and in which encoding. The one place where that is decided, for commands and programs."""

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from bbipc.chonk.errors import ChonkFormatError
from bbipc.chonk.key import KEY_SIZE, VerificationKey
from bbipc.chonk.proof import COMPRESSED_FIXED_WORDS, FIXED_WORDS, ChonkProof
from bbipc.chonk.unwrap import Unwrapped, described, unhex, unwrap
from bbipc.chonk.words import FR_MODULUS, WORD

__all__ = [
    "MSGPACK_ARRAYS",
    "MSGPACK_MAPS",
    "DetectedKey",
    "DetectedProof",
    "Encoding",
    "detect_key",
    "detect_proof",
    "guess_encoding",
    "guess_words",
    "path_of",
    "unhex",
]

IO_WORDS: Final = 28
"""Public inputs that every hiding kernel has (chapter 05)."""

AZTEC_PROOF_WORDS: Final = FIXED_WORDS + IO_WORDS
"""Words of a proof in an Aztec transaction, which does not repeat the transaction's public inputs."""


class Encoding(Enum):
    """The encodings of chapter 03."""

    FIELDS = "fields"
    MSGPACK = "msgpack"
    COMPRESSED = "compressed"


@dataclass(frozen=True, slots=True)
class DetectedProof:
    """A proof, and how it was written.

    Attributes:
        proof: the proof.
        encoding: the encoding of its bytes.
        layers: what these bytes were wrapped in, from the outside, see `bbipc.chonk.unwrap`.
    """

    proof: ChonkProof
    encoding: Encoding
    layers: tuple[str, ...] = ()

    @property
    def hexadecimal(self) -> bool:
        """Whether the bytes were written as hex digits."""
        return "hex" in self.layers


@dataclass(frozen=True, slots=True)
class DetectedKey:
    """A key, and what its bytes were wrapped in, from the outside."""

    key: VerificationKey
    layers: tuple[str, ...] = ()


MSGPACK_MAPS: Final = frozenset({*range(0x80, 0x90), 0xDE, 0xDF})
"""First bytes of a msgpack map."""
MSGPACK_ARRAYS: Final = frozenset({*range(0x90, 0xA0), 0xDC, 0xDD})
"""First bytes of a msgpack array."""
_MODULUS: Final = FR_MODULUS.to_bytes(WORD, "big")
_LENGTH: Final = 4


def detect_proof(data: bytes, num_public_inputs: int | None = None) -> DetectedProof:
    """Read a proof in whichever encoding it is: msgpack map, flat fields or compressed, and in any layers around it: gzip, hex
    digits, base64, 0x-words, JSON (an array of words or bytes, an object of parts, `proof` with `publicInputs`), a length in
    front, a byte-order mark.

    At most one encoding fits. A msgpack map starts with a byte of 0x80 or more, a flat or compressed proof with a public
    input, whose first byte is at most 0x30. Flat and compressed proofs for one key differ in size.

    Args:
        data: the content of a file.
        num_public_inputs: that of the key. None: flat and compressed proofs are told apart by their words, see `guess_words`.

    Raises:
        ChonkFormatError: no encoding fits, or the one that fits is violated.
    """
    inside = unwrap(data)
    encoding = _encoding(inside, num_public_inputs)
    return DetectedProof(_read(encoding, inside.content, num_public_inputs), encoding, inside.layers)


def detect_key(data: bytes) -> DetectedKey:
    """Read a key: its 3680 bytes, in any of the layers that `detect_proof` reads. Of JSON also a circuit artifact
    (`hiding_kernel_to_*.json`), its member `verificationKey`, and `vk.data.json`; bytes, fields and hash must agree.

    Raises:
        ChonkFormatError: it is none; the message says what it is instead.
    """
    inside = unwrap(data)
    if len(inside.content) != KEY_SIZE:
        raise ChonkFormatError(f"{_what(inside, 'verification key')}; a key has {KEY_SIZE} bytes", "vk")
    key = VerificationKey.from_bytes(inside.content)
    if inside.claimed_hash is not None and inside.claimed_hash != key.hash:
        claimed = inside.claimed_hash.hex()
        raise ChonkFormatError.at("vk", f"JSON that claims the hash 0x{claimed} for a key whose hash is 0x{key.hash.hex()}")
    return DetectedKey(key, inside.layers)


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


def _read(encoding: Encoding, data: bytes, num_public_inputs: int | None) -> ChonkProof:
    if encoding is Encoding.MSGPACK:
        return ChonkProof.from_msgpack(data)
    if encoding is Encoding.COMPRESSED:
        return ChonkProof.from_compressed(data)
    return ChonkProof.from_fields(data, num_public_inputs)

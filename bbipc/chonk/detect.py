"""Which encoding of a proof a file holds."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from bbipc.chonk.errors import ChonkFormatError
from bbipc.chonk.proof import COMPRESSED_FIXED_WORDS, FIXED_WORDS, ChonkProof
from bbipc.chonk.words import WORD

__all__ = ["DetectedProof", "Encoding", "detect_proof", "unhex"]


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
        hexadecimal: whether these bytes were written as hex digits.
    """

    proof: ChonkProof
    encoding: Encoding
    hexadecimal: bool


_HEX_DIGITS: Final = b"0123456789abcdefABCDEF"
_MSGPACK_MAPS: Final = frozenset({*range(0x80, 0x90), 0xDE, 0xDF})


def detect_proof(data: bytes, num_public_inputs: int) -> DetectedProof:
    """Read a proof in whichever encoding it is: msgpack map, flat fields, compressed, or the hex digits of one of these.

    At most one encoding fits. A msgpack map starts with a byte of 0x80 or more, a flat or compressed proof with a public
    input, whose first byte is at most 0x30. Flat and compressed proofs for one key differ in size. And hex digits of any of
    them are longer than
    both: 64 * (npi + 697) > 32 * (npi + 1242).

    Args:
        data: the content of a file.
        num_public_inputs: that of the key.

    Raises:
        ChonkFormatError: no encoding fits, or the one that fits is violated.
    """
    digits = unhex(data)
    content = data if digits is None else digits
    encoding = _encoding(content, num_public_inputs)
    return DetectedProof(_read(encoding, content, num_public_inputs), encoding, digits is not None)


def unhex(data: bytes) -> bytes | None:
    """The bytes written as hex digits in `data`, with or without 0x, spaces and line ends; None if it is no such text."""
    digits = b"".join(data.split())
    digits = digits[2:] if digits[:2] in (b"0x", b"0X") else digits
    if not digits or len(digits) % 2 or digits.strip(_HEX_DIGITS):
        return None
    return bytes.fromhex(digits.decode("ascii"))


def _encoding(data: bytes, num_public_inputs: int) -> Encoding:
    if data and data[0] in _MSGPACK_MAPS:
        return Encoding.MSGPACK
    flat, compressed = (WORD * (count + num_public_inputs) for count in (FIXED_WORDS, COMPRESSED_FIXED_WORDS))
    if len(data) == flat:
        return Encoding.FIELDS
    if len(data) == compressed:
        return Encoding.COMPRESSED
    raise ChonkFormatError.at(
        "proof",
        f"{len(data)} bytes that are no msgpack map; with the {num_public_inputs} public inputs of this key "
        f"a flat proof has {flat} bytes and a compressed one {compressed}",
    )


def _read(encoding: Encoding, data: bytes, num_public_inputs: int) -> ChonkProof:
    if encoding is Encoding.MSGPACK:
        return ChonkProof.from_msgpack(data)
    if encoding is Encoding.COMPRESSED:
        return ChonkProof.from_compressed(data)
    return ChonkProof.from_fields(data, num_public_inputs)

"""A proof or a key, in whichever form it is."""

from dataclasses import dataclass

from bbipc.chonk.errors import require_bytes
from bbipc.chonk.forms import Encoding, unwrapped_key, unwrapped_proof
from bbipc.chonk.key import VerificationKey
from bbipc.chonk.proof import ChonkProof

__all__ = ["DetectedKey", "DetectedProof", "detect_key", "detect_proof"]


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
        TypeError: `data` is not bytes.
    """
    require_bytes(data, hint="ChonkProof.from_file reads a file")
    inside, encoding = unwrapped_proof(data, num_public_inputs)
    return DetectedProof(ChonkProof.from_encoding(encoding.value, inside.content, num_public_inputs), encoding, inside.layers)


def detect_key(data: bytes) -> DetectedKey:
    """Read a key: its 3680 bytes, in any of the layers that `detect_proof` reads. Of JSON also a circuit artifact
    (`hiding_kernel_to_*.json`), its member `verificationKey`, and `vk.data.json`; bytes, fields and hash must agree.

    Raises:
        ChonkFormatError: it is none; the message says what it is instead.
        TypeError: `data` is not bytes.
    """
    require_bytes(data, hint="VerificationKey.from_file reads a file")
    inside = unwrapped_key(data)
    return DetectedKey(VerificationKey.from_unwrapped(inside), inside.layers)

"""Chonk proofs and their encodings (chapter 03)."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bbipc.chonk import words
from bbipc.chonk.errors import ChonkFormatError, require_bytes
from bbipc.chonk.shared import default_core
from bbipc.chonk.sizes import COMPRESSED_FIXED_WORDS, FIXED_WORDS, OINK_FIXED_WORDS, PARTS
from bbipc.chonk.words import WORD

__all__ = ["ChonkProof"]


@dataclass(frozen=True, slots=True, repr=False)
class ChonkProof:
    """A proof as its five parts, each a concatenation of 32-byte big-endian words.

    The constructor checks that each part is made of whole words; `from_words`, `from_fields`, `from_msgpack` and
    `from_compressed` also check that every word is an element of Fr. How many words each part has, and what they mean, is
    judged by verification only: chapter 00 section 6 says why parts of other lengths than those of chapter 00 section 1 can
    still be valid.
    """

    hiding_oink_proof: bytes
    merge_proof: bytes
    eccvm_proof: bytes
    ipa_proof: bytes
    joint_proof: bytes

    PARTS: ClassVar[tuple[str, ...]] = PARTS
    """The names of the parts, in the order of a flat proof."""

    def __post_init__(self) -> None:
        for name, part in zip(self.PARTS, self.parts(), strict=True):
            words.whole_words(part, f"proof.{name}")

    def parts(self) -> tuple[bytes, bytes, bytes, bytes, bytes]:
        """The five parts in order."""
        return self.hiding_oink_proof, self.merge_proof, self.eccvm_proof, self.ipa_proof, self.joint_proof

    @property
    def num_public_inputs(self) -> int:
        """Public inputs by the length of the first part; negative if that part is too short for any proof."""
        return len(self.hiding_oink_proof) // WORD - OINK_FIXED_WORDS

    def __repr__(self) -> str:
        words_of_parts = "+".join(str(len(part) // WORD) for part in self.parts())
        return f"ChonkProof({self.hiding_oink_proof[:4].hex()}.., {words_of_parts} words)"

    @classmethod
    def from_bytes(cls, data: bytes, num_public_inputs: int | None = None) -> "ChonkProof":
        """A proof from any form that `bbipc.chonk.detect_proof` reads: msgpack, flat, compressed, JSON, base64, gzip ...

        Args:
            data: the content of a file.
            num_public_inputs: that of the key; None: what the words imply.

        Raises:
            ChonkFormatError: `data` holds no proof; the message says what it is instead.
            TypeError: `data` is not bytes.
        """
        require_bytes(data)
        from bbipc.chonk.forms import unwrapped_proof  # noqa: PLC0415 - most proofs come over the wire

        inside, encoding = unwrapped_proof(bytes(data), num_public_inputs)
        return cls.from_encoding(encoding.value, inside.content, num_public_inputs)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], num_public_inputs: int | None = None) -> "ChonkProof":
        """The proof in a file, see `from_bytes`.

        Raises:
            OSError: the file cannot be read.
            ChonkFormatError: it holds no proof.
            TypeError: `path` is not a path.
        """
        from bbipc.chonk.forms import path_of  # noqa: PLC0415 - as above

        return cls.from_bytes(path_of(path).read_bytes(), num_public_inputs)

    @classmethod
    def from_encoding(cls, encoding: str, data: bytes, num_public_inputs: int | None = None) -> "ChonkProof":
        """A proof in a known encoding, "msgpack", "compressed" or "fields"; errors are those of `from_msgpack` and so on."""
        if encoding == "msgpack":
            return cls.from_msgpack(data)
        if encoding == "compressed":
            return cls.from_compressed(data)
        return cls.from_fields(data, num_public_inputs)

    @classmethod
    def from_words(cls, parts: Mapping[str, Sequence[bytes]]) -> "ChonkProof":
        """A proof from lists of words by the names of `PARTS`; other names are ignored.

        Raises:
            ChonkFormatError: a part is missing or is not a list of elements of Fr of 32 bytes each.
        """
        flat = []
        for name in cls.PARTS:
            if name not in parts:
                raise ChonkFormatError.at(f"proof.{name}", "missing")
            flat.append(words.join(parts[name], f"proof.{name}"))
        return cls(*flat)

    @classmethod
    def from_fields(cls, fields: bytes | Sequence[bytes], num_public_inputs: int | None = None) -> "ChonkProof":
        """A proof from its flat list of elements (chapter 03 section 3), as one byte string or as a list of words.

        Args:
            fields: all five parts in order.
            num_public_inputs: that of the key; None: what the length implies.

        Raises:
            ChonkFormatError: an item is not an element of Fr, or their number does not fit.
        """
        from bbipc.chonk.core import proof_split  # noqa: PLC0415 - the core is loaded when it is needed

        flat = words.flatten(fields, "fields")
        total = len(flat) // WORD
        if num_public_inputs is None:
            num_public_inputs = max(total - FIXED_WORDS, 0)
        ends, parts = 0, []
        for count in proof_split(total, num_public_inputs):
            parts.append(flat[ends : ends + WORD * count])
            ends += WORD * count
        return cls(*parts)

    @classmethod
    def from_msgpack(cls, data: bytes) -> "ChonkProof":
        """A proof from one msgpack map of five arrays of 32-byte bins, as bb and bb.js write it to files.

        The keys are the names of `PARTS` or their camelCase forms (`hidingOinkProof` ...), which is how bb.js names them; other
        keys are ignored.

        Raises:
            ChonkFormatError: anything else, a part given twice, or bytes after the map.
            TypeError: `data` is not bytes.
        """
        require_bytes(data)
        from bbipc.chonk.proof_msgpack import unpack  # noqa: PLC0415 - most callers never need msgpack

        return cls.from_words(unpack(data))

    @classmethod
    def from_compressed(cls, data: bytes) -> "ChonkProof":
        """A proof from its compressed form (chapter 03 section 5): 32 * (697 + public inputs) bytes.

        Raises:
            ChonkFormatError: another size, a word out of range, or an x that is on no point.
            TypeError: `data` is not bytes.
        """
        require_bytes(data)
        num_public_inputs = words.whole_words(data, "compressed") - COMPRESSED_FIXED_WORDS
        if num_public_inputs < 0:
            problem = f"{len(data)} bytes, expected at least {WORD * COMPRESSED_FIXED_WORDS}"
            raise ChonkFormatError.at("compressed", problem)
        return cls.from_fields(default_core().decompress(data, FIXED_WORDS + num_public_inputs), num_public_inputs)

    def to_fields(self) -> bytes:
        """The flat proof: the concatenation of the parts."""
        return b"".join(self.parts())

    def to_words(self) -> dict[str, list[bytes]]:
        """The parts as lists of 32-byte words, by the names of `PARTS`: the fields of the wire's `ChonkProof`."""
        return {name: words.split(part) for name, part in zip(self.PARTS, self.parts(), strict=True)}

    def to_msgpack(self) -> bytes:
        """The proof as one msgpack map, with the names of `PARTS` as keys."""
        import msgpack  # noqa: PLC0415 - most callers never need it

        packed: bytes = msgpack.packb(self.to_words())
        return packed

    def compress(self) -> bytes:
        """The compressed proof, 32 * (697 + public inputs) bytes (chapter 03 section 5).

        Raises:
            ChonkFormatError: the parts do not have the lengths of chapter 00 section 1, or a word is out of its range.
        """
        return default_core().compress(self.parts(), COMPRESSED_FIXED_WORDS + max(self.num_public_inputs, 0))

"""The parts of a transaction, which its bytes and its JSON have in common (chapter 15 sections 1 and 6)."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from bbipc.aztec.errors import TxFormatError
from bbipc.aztec.hashes import CALLDATA, hash_elements
from bbipc.chonk.words import WORD, first_non_canonical

__all__ = ["CLASS_LOG_WORDS", "NON_CANONICAL", "HashedValues", "TxParts", "check_word", "check_words"]

CLASS_LOG_WORDS: Final = 3023
"""Elements of a contract class log; those after the emitted ones are zero."""

NON_CANONICAL: Final = "non-canonical field element: value >= the modulus of Fr"


@dataclass(frozen=True, slots=True)
class HashedValues:
    """The calldata of one public call.

    Attributes:
        values: its elements, 32 bytes each, joined.
        hash: the hash that the transaction gives for them, which may be wrong: `compute_hash` tells the right one.
    """

    values: bytes
    hash: bytes

    def __post_init__(self) -> None:
        check_words(self.values, "values", None)
        check_word(self.hash, "hash")

    def compute_hash(self) -> bytes:
        """Poseidon2 of the values (chapter 15 section 5)."""
        return hash_elements(self.values, CALLDATA)


class TxParts(NamedTuple):
    """What JSON says of a transaction; `data` and `proof` are not decoded yet.

    Attributes:
        tx_hash: 32 bytes; None if it is not told.
        data: what the proof is about.
        proof: with its length.
        contract_class_logs: their elements.
        public_calldata: that of each public call.
    """

    tx_hash: bytes | None
    data: bytes
    proof: bytes
    contract_class_logs: tuple[bytes, ...]
    public_calldata: tuple[HashedValues, ...]


def check_words(words: bytes, name: str, start: int | None) -> None:
    """Raise TxFormatError unless these are canonical elements; `start` is where they begin, if they are a piece of bytes."""
    if len(words) % WORD:
        raise TxFormatError.at(name, start, f"{len(words)} bytes, expected a multiple of {WORD}")
    index = first_non_canonical(words)
    if index >= 0:
        raise TxFormatError.at(f"{name}[{index}]", None if start is None else start + WORD * index, NON_CANONICAL)


def check_word(word: bytes, name: str) -> None:
    """Raise TxFormatError unless this is one canonical element."""
    if len(word) != WORD:
        raise TxFormatError.at(name, None, f"{len(word)} bytes, expected {WORD}")
    if first_non_canonical(word) >= 0:
        raise TxFormatError.at(name, None, NON_CANONICAL)

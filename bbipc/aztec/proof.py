"""What stands in the place of a transaction's proof (chapter 15 section 4)."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from bbipc.aztec.errors import TxFormatError
from bbipc.chonk.words import WORD, first_non_canonical

__all__ = ["PROOF_WORDS", "ProofForm", "TxProof", "form_and_size"]

PROOF_WORDS: Final = 1270
"""Elements of a proof without the public inputs of its transaction: 28 of the kernel's inputs and outputs, and the 1242 that
are not public inputs at all."""

_MAX_LENGTH: Final = 1 << 32


class ProofForm(Enum):
    """The forms of a proof. The last two belong to other proof systems than that of bbipc."""

    NONE = "none"
    PLAIN = "plain"
    COMPRESSED = "compressed"
    RELEASE_4 = "release 4.x"
    VERSION_6 = "development version 6"


_WORDS: Final = {ProofForm.PLAIN: PROOF_WORDS, ProofForm.RELEASE_4: 1935, ProofForm.VERSION_6: 1221}
_FORM_OF_WORDS: Final = {words: form for form, words in _WORDS.items()}
"""A count of elements; no compressed proof has so many bytes, for it is made of words of 32."""


@dataclass(frozen=True, slots=True)
class TxProof:
    """A proof as it stands in a transaction.

    Attributes:
        form: which form it has.
        content: its elements, 32 bytes each, without the public inputs of the transaction; or a compressed proof (chapter 03
            section 5), which has them; or nothing.
    """

    form: ProofForm = ProofForm.NONE
    content: bytes = b""

    def __post_init__(self) -> None:
        length = len(self.content)
        if self.form is ProofForm.COMPRESSED:
            if not 0 < length < _MAX_LENGTH or length in _FORM_OF_WORDS:
                raise TxFormatError.at("proof", None, f"a compressed proof of {length} bytes cannot be written")
            return
        expected = WORD * _WORDS.get(self.form, 0)
        if length != expected:
            raise TxFormatError.at("proof", None, f"{length} bytes, expected {expected} of a proof in form {self.form.value}")
        index = first_non_canonical(self.content)
        if index >= 0:
            problem = "non-canonical field element: value >= the modulus of Fr"
            raise TxFormatError.at(f"proof[{index}]", None, problem)

    def to_bytes(self) -> bytes:
        """The proof with its length, as in a transaction."""
        length = len(self.content) if self.form is ProofForm.COMPRESSED else _WORDS.get(self.form, 0)
        return length.to_bytes(4, "big") + self.content


def form_and_size(length: int) -> tuple[ProofForm, int]:
    """The form and the bytes of a proof whose length is written as `length`."""
    if length == 0:
        return ProofForm.NONE, 0
    form = _FORM_OF_WORDS.get(length)
    return (ProofForm.COMPRESSED, length) if form is None else (form, WORD * length)

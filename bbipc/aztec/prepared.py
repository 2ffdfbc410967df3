"""A transaction's proof in the form that the verifier takes."""

from itertools import accumulate
from typing import Final

from bbipc.aztec.proof import PROOF_WORDS, ProofForm
from bbipc.aztec.tx import Tx
from bbipc.chonk.errors import ChonkFormatError
from bbipc.chonk.proof import ChonkProof
from bbipc.chonk.shared import default_core
from bbipc.chonk.sizes import COMPRESSED_FIXED_WORDS, FIXED_WORDS, OINK_FIXED_WORDS
from bbipc.chonk.words import WORD

__all__ = ["chonk_proof", "repeated_inputs"]

_KERNEL_WORDS: Final = PROOF_WORDS - FIXED_WORDS
"""Public inputs that the hiding kernel adds."""

_ENDS: Final = tuple(accumulate((OINK_FIXED_WORDS + _KERNEL_WORDS, 41, 612, 64, 477)))
"""Where the parts end in the elements without the public inputs (chapter 03 section 2)."""


def chonk_proof(tx: Tx) -> ChonkProof:
    """The proof of a transaction with the public inputs of its data, whatever a compressed proof says they are.

    Raises:
        ChonkFormatError: it has no proof of this proof system, or a compressed proof cannot be decoded.
    """
    inputs, words = tx.public_inputs(), tx.proof.content
    if tx.proof.form is ProofForm.COMPRESSED:
        words = _decompressed(tx)
    elif tx.proof.form is not ProofForm.PLAIN:
        raise ChonkFormatError.at("proof", f"a proof in form {tx.proof.form.value}")
    starts = (0, *_ENDS[:-1])
    first, *others = (words[WORD * start : WORD * end] for start, end in zip(starts, _ENDS, strict=True))
    return ChonkProof(inputs + first, *others)


def repeated_inputs(tx: Tx) -> bytes | None:
    """The public inputs that a compressed proof repeats; None if the proof is in another form."""
    if tx.proof.form is not ProofForm.COMPRESSED:
        return None
    return tx.proof.content[: len(tx.public_inputs())]


def _decompressed(tx: Tx) -> bytes:
    """The elements of a compressed proof behind the public inputs of the transaction."""
    inputs = len(tx.form.places)
    expected = WORD * (COMPRESSED_FIXED_WORDS + inputs + _KERNEL_WORDS)
    if len(tx.proof.content) != expected:
        problem = f"a compressed proof of {len(tx.proof.content)} bytes, expected {expected} for this form of data"
        raise ChonkFormatError.at("proof", problem)
    flat = default_core().decompress(tx.proof.content, FIXED_WORDS + inputs + _KERNEL_WORDS)
    return flat[WORD * inputs :]

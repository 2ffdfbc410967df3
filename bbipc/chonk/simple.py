"""A verdict from files or bytes, in one call."""

import os
from pathlib import Path

from bbipc.chonk.detect import detect_key, detect_proof
from bbipc.chonk.errors import ChonkFormatError
from bbipc.chonk.key import VerificationKey
from bbipc.chonk.proof import ChonkProof
from bbipc.chonk.setup import Setup
from bbipc.chonk.verdict import Outcome, Verdict
from bbipc.chonk.verifier import verify as verify_proof

__all__ = ["KeySource", "ProofSource", "verify"]

ProofSource = ChonkProof | bytes | str | os.PathLike[str]
"""A proof, its bytes in any encoding, or the path of a file with them."""

KeySource = VerificationKey | bytes | str | os.PathLike[str]
"""A key, its bytes in any encoding, or the path of a file with them."""


def verify(
    proof: ProofSource, key: KeySource, *, setup: Setup = Setup.AZTEC, threads: int = 1, strict: bool = False
) -> Verdict:
    """The verdict on one proof, in whichever encoding it and its key are: `bbipc.verify("proof", "vk")`.

    Args:
        proof: a proof, bytes, or the path of a file (`bbipc.chonk.detect_proof` lists the encodings).
        key: the key that the caller trusts, bytes, or the path of a file (see `bbipc.chonk.detect_key`).
        setup: the trusted setup. Default: Aztec's.
        threads: upper bound on the threads that work on it.
        strict: also demand the exact lengths of the parts, and canonical words of the key.

    Returns:
        The verdict, true exactly if the proof is valid. Bytes that are not a proof or key are the verdict `error`.

    Raises:
        OSError: a file cannot be read.
        TypeError: an argument is of another type.
    """
    try:
        trusted = _key(key)
        decoded = _proof(proof, trusted)
    except ChonkFormatError as error:
        return Verdict(Outcome.ERROR, reason=str(error))
    return verify_proof(decoded, trusted, setup=setup, threads=threads, strict=strict)


def _key(key: KeySource) -> VerificationKey:
    if isinstance(key, VerificationKey):
        return key
    return detect_key(_bytes(key, "key")).key


def _proof(proof: ProofSource, key: VerificationKey) -> ChonkProof:
    if isinstance(proof, ChonkProof):
        return proof
    return detect_proof(_bytes(proof, "proof"), key.num_public_inputs).proof


def _bytes(source: object, name: str) -> bytes:
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if isinstance(source, str | os.PathLike):
        return Path(source).read_bytes()
    raise TypeError(f"{name}: {type(source).__name__}, expected bytes or the path of a file")

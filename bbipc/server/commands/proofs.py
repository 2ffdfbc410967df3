"""Encodings of proofs."""

from __future__ import annotations

from bbipc.chonk.errors import ChonkFormatError
from bbipc.chonk.proof import ChonkProof
from bbipc.server.errors import CommandError
from bbipc.wire.values import Fields


def compress(fields: Fields) -> Fields:
    """``ChonkCompressProof``."""
    try:
        return {"compressed_proof": ChonkProof(*(fields["proof"][part] for part in ChonkProof.PARTS)).compress()}
    except ChonkFormatError as error:
        raise CommandError(f"ChonkCompressProof: {error}") from None


def decompress(fields: Fields) -> Fields:
    """``ChonkDecompressProof``."""
    try:
        proof = ChonkProof.from_compressed(fields["compressed_proof"])
    except ChonkFormatError as error:
        raise CommandError(f"ChonkDecompressProof: {error}") from None
    return {"proof": dict(zip(ChonkProof.PARTS, proof.parts(), strict=True))}

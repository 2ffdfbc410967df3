"""One valid proof for the self-check and the self-benchmark, made under a test setup that protects nothing."""

from dataclasses import dataclass
from importlib.resources import as_file, files

from bbipc.chonk import ChonkProof, Setup, VerificationKey

__all__ = ["Sample", "load"]


@dataclass(frozen=True, slots=True)
class Sample:
    """A valid proof, its key, and the setup under which it is valid."""

    proof: ChonkProof
    key: VerificationKey
    setup: Setup

    def broken(self) -> ChonkProof:
        """The same proof with the two halves of one evaluation exchanged: it can be decoded, and is invalid."""
        fields = bytearray(self.proof.to_fields())
        start = len(self.proof.hiding_oink_proof) + 20 * 32  # LEFT_TABLE_EVAL_0 and _1 of the merge proof
        fields[start : start + 64] = fields[start + 32 : start + 64] + fields[start : start + 32]
        return ChonkProof.from_fields(bytes(fields))


def load() -> Sample:
    """The sample that comes with bbipc: one of those that `conform` sends."""
    folder = files("bbipc") / "conform" / "data"
    with as_file(folder / "test_setup.json") as setup:
        return Sample(
            ChonkProof.from_compressed((folder / "flow1" / "compressed.bin").read_bytes()),
            VerificationKey.from_bytes((folder / "flow1" / "vk").read_bytes()),
            Setup.from_json(setup),
        )

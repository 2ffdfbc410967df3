"""The real proofs of tests/data, made under the test setup (tests/data/test_setup.json)."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bbipc.chonk import ChonkProof

DATA = Path(__file__).parent / "data"
SPECIFICATION = Path(__file__).parent.parent / "docs" / "spec"


@dataclass(frozen=True)
class Sample:
    """A valid proof with its key.

    The four flows come in every encoding; the others are more proofs, by other transactions, as flat fields only.
    """

    folder: Path

    def __str__(self) -> str:
        return self.folder.name

    @property
    def vk(self) -> bytes:
        return (self.folder / "vk").read_bytes()

    @property
    def fields(self) -> bytes:
        return (self.folder / "proof_fields.bin").read_bytes()

    @property
    def proof(self) -> ChonkProof:
        return ChonkProof.from_fields(self.fields)

    @property
    def msgpack(self) -> bytes:
        return (self.folder / "proof.msgpack").read_bytes()

    @property
    def compressed(self) -> bytes:
        return (self.folder / "compressed.bin").read_bytes()


FLOWS = tuple(Sample(DATA / f"flow{number}") for number in (1, 2, 4, 8))
CORPUS = tuple(Sample(folder) for folder in sorted((DATA / "corpus").iterdir()))
FLOW1, FLOW2, FLOW4, FLOW8 = FLOWS


@cache
def flow1_parts() -> dict[str, list[bytes]]:
    """The words of flow1's proof by part; copy before changing it."""
    return FLOW1.proof.to_words()


def copy_parts(parts: dict[str, list[bytes]]) -> dict[str, list[bytes]]:
    return {name: list(words) for name, words in parts.items()}


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def raw_proof(parts: dict[str, list[bytes]]) -> ChonkProof:
    """A proof whose words were not checked, as the constructor allows."""
    return ChonkProof(*(b"".join(parts[name]) for name in ChonkProof.PARTS))

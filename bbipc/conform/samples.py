"""Real proofs, made under the test setup (whose secret is known: they prove nothing), and their keys."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from bbipc.chonk import ChonkProof

__all__ = [
    "FIXED_WORDS",
    "PARTS",
    "PART_WORDS",
    "SAMPLES",
    "TESTNET_HASH",
    "TEST_REGISTRY",
    "TEST_SETUP",
    "WORD",
    "Sample",
    "compressed",
    "sample",
    "split",
    "transaction",
]

WORD: Final = 32
PARTS: Final = ("hiding_oink_proof", "merge_proof", "eccvm_proof", "ipa_proof", "joint_proof")
PART_WORDS: Final = {"hiding_oink_proof": 48, "merge_proof": 41, "eccvm_proof": 612, "ipa_proof": 64, "joint_proof": 477}
"""Words of each part; the first part has the public inputs on top (docs/spec/00-overview.md section 1)."""
FIXED_WORDS: Final = sum(PART_WORDS.values())
SAMPLES: Final = ("flow1", "flow2", "flow4")
"""flow1 and flow2 have the same key and 32 public inputs, flow4 has another key and 532."""

_DATA: Final = files("bbipc.conform") / "data"
TEST_SETUP: Final = Path(str(_DATA / "test_setup.json"))
"""The file for a server's `--setup`."""
TEST_REGISTRY: Final = Path(str(_DATA / "tx" / "registry.json"))
"""The file for a server's `--registry`."""
TESTNET_HASH: Final = bytes.fromhex("1533315086638c2c474dde463c6a6a5ad684f6bd26869c2af9a77519ad4a07e0")
"""The hash of the transaction `testnet`, as on the network."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A proof, valid under the test setup, as lists of words, and its key. The lists must not be changed."""

    name: str
    parts: dict[str, list[bytes]]
    key: bytes

    @property
    def fields(self) -> list[bytes]:
        """The flat proof."""
        return [word for name in PARTS for word in self.parts[name]]

    @property
    def verify(self) -> dict[str, Any]:
        """The fields of a ChonkVerify."""
        return {"proof": self.parts, "vk": self.key}

    @property
    def num_public_inputs(self) -> int:
        """Public inputs of the hiding kernel."""
        return len(self.parts[PARTS[0]]) - PART_WORDS[PARTS[0]]


def split(fields: bytes) -> dict[str, list[bytes]]:
    """The five parts of a flat proof."""
    words = [fields[at : at + WORD] for at in range(0, len(fields), WORD)]
    parts, start = {}, 0
    for name in PARTS:
        count = PART_WORDS[name] + (len(words) - FIXED_WORDS if name == PARTS[0] else 0)
        parts[name] = words[start : start + count]
        start += count
    return parts


@cache
def sample(name: str) -> Sample:
    """The sample of that name, one of `SAMPLES`."""
    fields = ChonkProof.from_compressed(compressed(name)).to_fields()
    return Sample(name, split(fields), (_DATA / name / "vk").read_bytes())


@cache
def transaction(name: str) -> bytes:
    """A transaction in its binary form: `valid` under the test setup and the test registry, with a compressed proof and a key
    tree that somebody invented; or `testnet`, a real one without its proof."""
    return (_DATA / "tx" / f"{name}.bin").read_bytes()


@cache
def compressed(name: str) -> bytes:
    """The compressed form of a sample, as it is kept; bb made that of flow1."""
    return (_DATA / name / "compressed.bin").read_bytes()

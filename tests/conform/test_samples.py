"""The proofs that `conform` and `fuzz` send are those that bb made; they are kept compressed."""

import pytest

from bbipc.chonk import ChonkProof
from bbipc.conform.samples import SAMPLES, compressed, sample
from samples import DATA


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_what_bb_made(name: str) -> None:
    folder = DATA / name
    assert b"".join(sample(name).fields) == (folder / "proof_fields.bin").read_bytes()
    assert sample(name).key == (folder / "vk").read_bytes()
    assert sample(name).parts == ChonkProof.from_msgpack((folder / "proof.msgpack").read_bytes()).to_words()
    assert compressed(name) == (folder / "compressed.bin").read_bytes()

"""Real proofs: valid under the setup they were made for, invalid under Aztec's, and what neighbours of valid proofs are."""

from dataclasses import replace

import pytest

from bbipc.chonk import ChonkProof, Outcome, Verdict, VerificationKey, Verifier
from bbipc.chonk import verify as verify_under_aztec
from samples import CORPUS, FLOW1, FLOW2, FLOW4, FLOW8, FLOWS, Sample, word

SAMPLES = FLOWS + CORPUS


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_valid(verifier: Verifier, sample: Sample) -> None:
    verdict = verifier.verify(sample.proof, sample.vk)
    assert verdict == Verdict(Outcome.VALID)
    assert verdict


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_valid_when_strict(verifier: Verifier, sample: Sample) -> None:
    assert verifier.verify(sample.proof, VerificationKey(sample.vk), strict=True).valid


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_valid_with_threads(verifier: Verifier, threads: int) -> None:
    assert verifier.verify(FLOW1.proof, FLOW1.vk, threads=threads).valid


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_invalid_under_the_aztec_setup(sample: Sample) -> None:
    verdict = verify_under_aztec(sample.proof, sample.vk)
    assert verdict == Verdict(Outcome.INVALID, step="PI pairing points")
    assert not verdict


@pytest.mark.parametrize("part", ChonkProof.PARTS)
def test_a_part_of_another_valid_proof(verifier: Verifier, part: str) -> None:
    """flow1 and flow2 have the same key."""
    assert FLOW1.vk == FLOW2.vk
    mixed = replace(FLOW1.proof, **{part: getattr(FLOW2.proof, part)})
    assert verifier.verify(mixed, FLOW1.vk).outcome is Outcome.INVALID


@pytest.mark.parametrize(("proof", "key"), [(FLOW1, FLOW4), (FLOW1, FLOW8), (FLOW4, FLOW1), (FLOW8, FLOW4)], ids=str)
def test_the_key_of_another_circuit(verifier: Verifier, proof: Sample, key: Sample) -> None:
    expected = 1242 + VerificationKey(key.vk).num_public_inputs
    reason = f"proof has wrong size: expected {expected}, got {len(proof.fields) // 32}"
    verdict = verifier.verify(proof.proof, key.vk)
    assert verdict.outcome is Outcome.ERROR
    assert verdict.reason == reason


def test_the_key_of_another_circuit_that_fits_in_size(verifier: Verifier) -> None:
    key = bytearray(FLOW8.vk)
    key[32:64] = FLOW1.vk[32:64]
    assert verifier.verify(FLOW1.proof, bytes(key)) == Verdict(Outcome.INVALID, step="Merge reduction")


@pytest.mark.parametrize("index", range(115))
def test_each_word_of_the_key_counts(verifier: Verifier, index: int) -> None:
    """The lowest bit of one word flipped; the limbs of commitments then are on no curve."""
    start = 32 * index
    value = int.from_bytes(FLOW1.vk[start : start + 32], "big") ^ 1
    verdict = verifier.verify(FLOW1.proof, FLOW1.vk[:start] + word(value) + FLOW1.vk[start + 32 :])
    if index in (0, 2):
        assert verdict == Verdict(Outcome.INVALID, step="Merge reduction")
    elif index == 1:
        assert verdict.outcome is Outcome.ERROR
        assert verdict.reason == "proof has wrong size: expected 1275, got 1274"
    else:
        assert verdict.outcome is Outcome.ERROR
        assert verdict.part == "vk"
        assert verdict.position is not None
        assert verdict.position <= index < verdict.position + 4
        assert "not on the curve" in str(verdict.reason)


@pytest.mark.parametrize("substitute", ["infinity", "generator", "next commitment"])
@pytest.mark.parametrize("number", range(28))
def test_each_commitment_of_the_key_counts(verifier: Verifier, number: int, substitute: str) -> None:
    start = 32 * (3 + 4 * number)
    other = 32 * (3 + 4 * ((number + 1) % 28))
    point = {
        "infinity": bytes(128),
        "generator": word(1) + word(0) + word(2) + word(0),
        "next commitment": FLOW1.vk[other : other + 128],
    }[substitute]
    key = FLOW1.vk[:start] + point + FLOW1.vk[start + 128 :]
    same = key == FLOW1.vk
    assert verifier.verify(FLOW1.proof, key) == (
        Verdict(Outcome.VALID) if same else Verdict(Outcome.INVALID, step="Merge reduction")
    )


def test_key_properties() -> None:
    key = VerificationKey.from_bytes(FLOW1.vk)
    assert (key.log_circuit_size, key.num_public_inputs, key.pub_inputs_offset) == (16, 32, 667)
    assert key.hash.hex() == "2599f9531a2d7b3f856e3503f98a9f99da2e8dbe410bb568d79e13e6e8ca5e49"
    assert VerificationKey.from_bytes(FLOW4.vk).num_public_inputs == 532

"""Proofs that are opened anew are valid if nothing else was changed, and are refused otherwise."""

from random import Random

import pytest
from differential import load_samples, our_outcome
from hypothesis import given, settings
from hypothesis import strategies as st
from reopen import reopen, valid_forms

from bbipc.chonk import ChonkProof, Setup, Verifier
from bbipc.conform.samples import TEST_SETUP, Sample

SAMPLES = load_samples()


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier(Setup.from_json(TEST_SETUP))


@settings(max_examples=15)
@given(st.sampled_from(SAMPLES), st.integers(0, 2**32))
def test_what_is_changed_besides_is_found(verifier: Verifier, base: Sample, seed: int) -> None:
    mutant = reopen(base, Random(seed))
    assert mutant == reopen(base, Random(seed))
    assert mutant.has_shape
    outcome, why = our_outcome(verifier, mutant)
    assert outcome == ("valid" if mutant.is_base else "invalid"), why


def test_bases_of_unusual_form(verifier: Verifier) -> None:
    forms = valid_forms()
    assert len(forms) >= 15
    assert {sample.name for sample in forms} <= {sample.name for sample in SAMPLES}
    assert all(verifier.verify_many([(sample_proof(sample), sample.key) for sample in forms]))


def sample_proof(sample: Sample) -> ChonkProof:
    return ChonkProof.from_words(sample.parts)

"""Forgeries that keep an identity are found by the step behind it, each proof by each."""

from random import Random

import pytest
from differential import load_samples, our_outcome
from hypothesis import given, settings
from hypothesis import strategies as st
from known_challenges import FLOWS, FORGERIES, Forgery, forge_known, forge_merge

from bbipc.chonk import Setup, Verifier
from bbipc.conform.samples import TEST_SETUP
from bbipc.fuzzing.mutant import Mutant

SAMPLES = {sample.name: sample for sample in load_samples() if sample.name in FLOWS}


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier(Setup.from_json(TEST_SETUP))


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.__name__)
@settings(max_examples=5)
@given(seed=st.integers(0, 2**32))
def test_the_right_step_finds_it(verifier: Verifier, forgery: Forgery, flow: str, seed: int) -> None:
    if forgery is forge_merge and flow != "flow1":
        return
    base = SAMPLES[flow]
    mutant = forgery(Mutant(base.parts, base.key, "", base), Random(seed), flow)
    assert our_outcome(verifier, mutant) == ("invalid", FORGERIES[forgery])


@given(st.sampled_from(FLOWS), st.integers(0, 2**32))
def test_a_seed_reproduces(flow: str, seed: int) -> None:
    mutant = forge_known(SAMPLES[flow], Random(seed))
    assert mutant == forge_known(SAMPLES[flow], Random(seed))
    assert mutant.has_shape
    assert not mutant.is_base

"""The pairing of the core against the slow reference of tests/reference/bn254_pairing.py (chapter 01 section 4)."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbipc.chonk.core import Core
from bbipc.chonk.setup import Setup
from tests.reference import bn254_pairing as reference
from tests.reference import pairing_vectors

AZTEC_G2_SHA256 = "01797bfc4de5a96f0e516a9ea4537d18786dc30cb991aca4274c95822b69c32f"

# Few bits more often than many: small multiples meet each other's negatives.
SCALARS = st.one_of(st.integers(-3, 3), st.integers(0, reference.R - 1))


@pytest.fixture(scope="module", params=["portable", "auto"])
def core(request: pytest.FixtureRequest) -> Core:
    return Core(Setup.AZTEC.g2_x, Setup.AZTEC.translator_key, request.param)


def test_aztec_g2_is_the_published_file() -> None:
    assert hashlib.sha256(Setup.AZTEC.g2_x).hexdigest() == AZTEC_G2_SHA256


def test_vectors_are_those_of_the_reference() -> None:
    assert pairing_vectors.PATH.read_text().splitlines() == list(pairing_vectors.lines())


@pytest.mark.parametrize("label", pairing_vectors.products())
def test_core_gives_the_vectors(core: Core, label: str) -> None:
    pairs = pairing_vectors.products()[label]
    is_one, value = core.pairing(b"".join(p for p, _ in pairs), b"".join(q for _, q in pairs))
    assert value == reference.expected_gt(pairs)
    assert is_one == (value == (1).to_bytes(32, "big") + bytes(352))


@settings(max_examples=5, deadline=None)
@given(pairs=st.lists(st.tuples(SCALARS, SCALARS), max_size=2))
def test_core_equals_the_reference(core: Core, pairs: list[tuple[int, int]]) -> None:
    points = [(pairing_vectors.g1(a), pairing_vectors.g2(b)) for a, b in pairs]
    is_one, value = core.pairing(b"".join(p for p, _ in points), b"".join(q for _, q in points))
    assert value == reference.expected_gt(points)
    assert is_one == (sum(a * b for a, b in pairs) % reference.R == 0)


@settings(max_examples=8, deadline=None)
@given(scalar=st.integers(0, reference.R - 1))
def test_g2_mul_equals_the_reference(core: Core, scalar: int) -> None:
    assert core.g2_mul(reference.G2_BYTES, scalar.to_bytes(32, "big")) == pairing_vectors.g2(scalar)

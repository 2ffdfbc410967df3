"""All arithmetic paths of this machine agree bit for bit."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbipc.chonk import Setup, Verifier
from bbipc.chonk.core import Core, Curve, Field, FieldOperation, arithmetic_paths
from reference.bn254_pairing import G2_BYTES
from reference.curves import G1, Q, R, to_bytes
from samples import FLOWS, Sample, word
from strategies import elements

PATHS = arithmetic_paths()
CORES = [Core(Setup.AZTEC.g2_x, Setup.AZTEC.translator_key, path) for path in PATHS]


def test_the_portable_path_is_always_there() -> None:
    assert PATHS[0] == "portable"
    assert [core.arithmetic for core in CORES] == PATHS


@given(st.sampled_from(list(FieldOperation)), elements(R), elements(R))
def test_fields(operation: FieldOperation, a: int, b: int) -> None:
    """Also the choice between the two square roots."""
    binary = operation in (FieldOperation.ADD, FieldOperation.SUB, FieldOperation.MUL)
    for field in Field:
        results = set()
        for core in CORES:
            try:
                results.add(core.field_op(field, operation, word(a), word(b) if binary else None))
            except ValueError as error:
                results.add(repr(error).encode())
        assert len(results) == 1


@settings(max_examples=20)
@given(elements(R), elements(R))
def test_pairing_values(a: int, b: int) -> None:
    point = to_bytes(G1.mul(a, G1.generator))
    assert len({core.pairing(point, core.g2_mul(G2_BYTES, word(b)))[1] for core in CORES}) == 1


def test_msm_over_the_generators() -> None:
    stream = hashlib.shake_256(b"paths").digest(32 << 15)
    scalars = b"".join(word(int.from_bytes(stream[start : start + 32], "big") % Q) for start in range(0, len(stream), 32))
    assert len({core.generators_msm(scalars, threads) for core in CORES for threads in (1, 2)}) == 1


def test_small_msm() -> None:
    points = CORES[0].generators(0, 100)
    scalars = b"".join(word(pow(3, 1000 + i, Q)) for i in range(100))
    assert len({core.point_msm(Curve.GRUMPKIN, points, scalars) for core in CORES}) == 1


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("sample", FLOWS, ids=str)
def test_verdicts(setup: Setup, path: str, sample: Sample) -> None:
    verifier = Verifier(setup, path)
    assert verifier.arithmetic == path
    assert verifier.verify(sample.proof, sample.vk).valid
    assert verifier.verify(sample.proof, sample.vk, threads=2).valid


def test_environment_chooses_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in PATHS:
        monkeypatch.setenv("BBIPC_ARITH", path)
        assert Verifier().arithmetic == path
        assert Verifier(arithmetic="portable").arithmetic == "portable"
    monkeypatch.setenv("BBIPC_ARITH", "abacus")
    with pytest.raises(ValueError, match="'abacus' cannot run here; these can: auto, portable"):
        Verifier()


def test_automatic_choice_is_the_last_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BBIPC_ARITH", raising=False)
    assert Verifier().arithmetic == PATHS[-1]

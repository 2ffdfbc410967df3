"""The Grumpkin generators (chapter 01 section 6), and the multi-scalar multiplication over them."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbipc.chonk import NotCanonicalError, PrimitiveError
from bbipc.chonk.core import Core, Curve
from reference.curves import GRUMPKIN, Point, Q, from_bytes, to_bytes
from samples import word
from strategies import elements

COUNT = 1 << 15
FLAT_FILE_SHA256 = "72b8cdad9da82b666987e5fe6f5a0804e3a9b5ba750aa5d451b514442fe157b2"
positions = st.one_of(st.sampled_from([0, 1, 2, COUNT - 1]), st.integers(0, COUNT - 1))


def generator(core: Core, index: int) -> Point:
    return from_bytes(core.generators(index, 1))


def test_flat_file_has_the_published_digest(core: Core) -> None:
    assert hashlib.sha256(core.generators(0, COUNT)).hexdigest() == FLAT_FILE_SHA256


def test_derivation_of_some(core: Core) -> None:
    """The derivation of chapter 01 section 6 in Python."""
    for index in (0, 1, 2, 255, 32767):
        assert generator(core, index) == derive(index)


def derive(index: int) -> Point:
    attempt = 0
    while True:
        message = b"BARRETENBERG_GRUMPKIN_IPA_CRS" + index.to_bytes(8, "big") + attempt.to_bytes(8, "big")
        digest = hashlib.sha256(message).digest()
        value = sum(int.from_bytes(digest[8 * j : 8 * j + 8], "big") << (64 * j) for j in range(4))
        odd, x = value >> 255, value & (2**255 - 1)
        if x < GRUMPKIN.p and (y := square_root(x**3 - 17)) is not None:
            return x, y if y % 2 == odd else GRUMPKIN.p - y
        attempt += 1


def square_root(value: int) -> int | None:
    """Cipolla's algorithm modulo r."""
    p = GRUMPKIN.p
    value %= p
    if pow(value, (p - 1) // 2, p) != 1:
        return None
    a = next(a for a in range(1, p) if pow(a * a - value, (p - 1) // 2, p) == p - 1)
    square = (a * a - value) % p
    result, base, exponent = (1, 0), (a, 1), (p + 1) // 2
    while exponent:
        if exponent & 1:
            result = ((result[0] * base[0] + result[1] * base[1] * square) % p, (result[0] * base[1] + result[1] * base[0]) % p)
        base = ((base[0] * base[0] + base[1] * base[1] * square) % p, 2 * base[0] * base[1] % p)
        exponent >>= 1
    return result[0]


@settings(max_examples=25)
@given(st.dictionaries(positions, elements(Q), max_size=4), st.integers(1, 3))
def test_msm_of_few_scalars(core: Core, terms: dict[int, int], threads: int) -> None:
    scalars = [word(terms.get(index, 0)) for index in range(max(terms, default=-1) + 1)]
    expected = GRUMPKIN.sum(GRUMPKIN.mul(scalar, generator(core, index)) for index, scalar in terms.items())
    assert core.generators_msm(b"".join(scalars), threads) == to_bytes(expected)


@pytest.fixture(scope="module")
def sum_of_all(core: Core) -> Point:
    points = core.generators(0, COUNT)
    return GRUMPKIN.sum(from_bytes(points[start : start + 64]) for start in range(0, len(points), 64))


@pytest.mark.parametrize("scalar", [0, 1, 2, Q - 1, (Q - 1) // 2, 2**253, 2**128 - 1, 0x1234567 << 200])
def test_msm_with_equal_scalars(core: Core, sum_of_all: Point, scalar: int) -> None:
    """Every point goes to the same buckets."""
    assert core.generators_msm(word(scalar) * COUNT, 1) == to_bytes(GRUMPKIN.mul(scalar, sum_of_all))


def random_scalars(label: str, count: int = COUNT) -> list[int]:
    stream = hashlib.shake_256(label.encode()).digest(40 * count)
    return [int.from_bytes(stream[start : start + 40], "big") % Q for start in range(0, len(stream), 40)]


def test_dense_msm_equals_small_msms(core: Core) -> None:
    """Random scalars, against the core's other multi-scalar multiplication, 512 points at a time."""
    count = 4096
    scalars, points = b"".join(map(word, random_scalars("dense", count))), core.generators(0, count)
    chunks = (
        core.point_msm(Curve.GRUMPKIN, points[64 * start : 64 * (start + 512)], scalars[32 * start : 32 * (start + 512)])
        for start in range(0, count, 512)
    )
    expected = to_bytes(GRUMPKIN.sum(map(from_bytes, chunks)))
    for threads in (1, 2, 3):
        assert core.generators_msm(scalars, threads) == expected


@settings(max_examples=5)
@given(st.sampled_from([1, 2, 3, 100, 4095, 4097, 20000, COUNT - 1]), st.data())
def test_dense_msm_is_linear(core: Core, count: int, data: st.DataObject) -> None:
    """Any number of scalars, mixtures of random, small and zero ones: a + b and c * a."""
    edges = data.draw(st.lists(elements(Q), min_size=1, max_size=5))
    a = [edges[s % len(edges)] if s & 7 == 0 else s for s in random_scalars(f"a{count}", count)]
    b, factor = random_scalars(f"b{count}", count), data.draw(elements(Q))
    mixed = [(factor * x + y) % Q for x, y in zip(a, b, strict=True)]
    of_a, of_b, of_mixed = (from_bytes(core.generators_msm(b"".join(map(word, s)), 2)) for s in (a, b, mixed))
    assert of_mixed == GRUMPKIN.add(GRUMPKIN.mul(factor, of_a), of_b)


def test_limits(core: Core) -> None:
    assert core.generators_msm(b"", 1) == bytes(64)
    assert core.generators(COUNT, 0) == b""
    with pytest.raises(PrimitiveError):
        core.generators_msm(bytes(32 * (COUNT + 1)), 1)
    with pytest.raises(PrimitiveError):
        core.generators(COUNT - 1, 2)
    with pytest.raises(PrimitiveError):
        core.generators(2**63, 1)
    with pytest.raises(ValueError, match="must not be negative"):
        core.generators(-1, 1)
    with pytest.raises(NotCanonicalError):
        core.generators_msm(word(0) * 5 + word(Q), 1)
    with pytest.raises(ValueError, match="threads must be at least 1"):
        core.generators_msm(b"", 0)

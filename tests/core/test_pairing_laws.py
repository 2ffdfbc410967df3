"""Pairing and G2 of the core through the C ABI (chapter 01 section 4)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbipc.chonk import NotCanonicalError, NotOnCurveError, PrimitiveError, Setup, primitives
from bbipc.chonk.core import Core, Curve
from reference.bn254_pairing import G2_BYTES, from_g2, point_mul, to_g2_bytes
from reference.curves import G1, Q, R, to_bytes
from samples import word
from strategies import elements, not_below

G = to_bytes(G1.generator)
scalars = elements(R)


def g1(scalar: int) -> bytes:
    return to_bytes(G1.mul(scalar, G1.generator))


@settings(max_examples=25)
@given(scalars, scalars)
def test_bilinear(core: Core, a: int, b: int) -> None:
    """e(aG, bH) = e(abG, H), as a value and as a product that must be one."""
    of_both, of_one = g1(a), g1(a * b % R)
    h = core.g2_mul(G2_BYTES, word(b))
    assert core.pairing(of_both, h)[1] == core.pairing(of_one, G2_BYTES)[1]
    assert core.pairing(of_both + g1(-a * b % R), h + G2_BYTES)[0]


@settings(max_examples=15)
@given(st.lists(st.tuples(scalars, scalars), max_size=5), st.integers(0, 2))
def test_product_is_one_exactly_if_the_exponents_cancel(core: Core, pairs: list[tuple[int, int]], error: int) -> None:
    exponent = sum(a * b for a, b in pairs)
    points = [*(g1(a) for a, _ in pairs), g1((error - exponent) % R)]
    twist_points = [*(core.g2_mul(G2_BYTES, word(b)) for _, b in pairs), G2_BYTES]
    assert core.pairing(b"".join(points), b"".join(twist_points))[0] == (error == 0)


def test_infinity_contributes_one(core: Core) -> None:
    infinity1, infinity2 = bytes(64), bytes(128)
    one = core.pairing(b"", b"")
    assert one[0]
    assert core.pairing(infinity1, G2_BYTES) == one
    assert core.pairing(G, infinity2) == one
    assert core.pairing(infinity1 + G, G2_BYTES + infinity2) == one
    assert not core.pairing(G, G2_BYTES)[0]
    assert not core.pairing(infinity1 + G, G2_BYTES + G2_BYTES)[0]


@settings(max_examples=15)
@given(scalars)
def test_g2_multiplication(core: Core, scalar: int) -> None:
    assert core.g2_mul(G2_BYTES, word(scalar)) == to_g2_bytes(point_mul(from_g2(G2_BYTES), scalar))


def test_g2_multiplication_at_the_edges(core: Core) -> None:
    minus_one = core.g2_mul(G2_BYTES, word(R - 1))
    assert core.g2_mul(minus_one, word(R - 1)) == G2_BYTES
    assert core.g2_mul(G2_BYTES, word(0)) == bytes(128)
    assert core.g2_mul(bytes(128), word(R - 1)) == bytes(128)
    with pytest.raises(NotCanonicalError):
        core.g2_mul(G2_BYTES, word(R))


def fq2_mul(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return (a[0] * b[0] - a[1] * b[1]) % Q, (a[0] * b[1] + a[1] * b[0]) % Q


def fq2_sqrt(a: tuple[int, int]) -> tuple[int, int] | None:
    """By the norm; q = 3 mod 4. `a` has a non-zero imaginary part."""
    norm_root = pow(a[0] * a[0] + a[1] * a[1], (Q + 1) // 4, Q)
    for root in (norm_root, -norm_root % Q):
        half = (a[0] + root) * pow(2, -1, Q) % Q
        x = pow(half, (Q + 1) // 4, Q)
        if x * x % Q == half and x:
            candidate = x, a[1] * pow(2 * x, -1, Q) % Q
            if fq2_mul(candidate, candidate) == a:
                return candidate
    return None


def twist_point_outside_of_the_subgroup() -> bytes:
    """The first point of the twist by its x: the subgroup is one in 2^254 of them."""
    nine_plus_u_inverse = (9 * pow(82, -1, Q) % Q, -pow(82, -1, Q) % Q)
    b = (3 * nine_plus_u_inverse[0] % Q, 3 * nine_plus_u_inverse[1] % Q)
    for real in range(1, 100):
        cube = fq2_mul((real, 1), fq2_mul((real, 1), (real, 1)))
        y = fq2_sqrt(((cube[0] + b[0]) % Q, (cube[1] + b[1]) % Q))
        if y is not None:
            return b"".join(map(word, (real, 1, *y)))
    raise AssertionError("half of all x have a point")


def test_points_of_the_twist_outside_of_the_subgroup_are_refused(core: Core) -> None:
    outside = twist_point_outside_of_the_subgroup()
    with pytest.raises(NotOnCurveError):
        core.g2_mul(outside, word(1))
    with pytest.raises(NotOnCurveError):
        core.pairing(G, outside)
    with pytest.raises(ValueError, match="setup"):
        Core(outside, Setup.AZTEC.translator_key)


@settings(max_examples=20)
@given(st.integers(0, 3), st.data())
def test_bad_points_are_refused(core: Core, coordinate: int, data: st.DataObject) -> None:
    words = [G2_BYTES[start : start + 32] for start in range(0, 128, 32)]
    words[coordinate] = word(data.draw(not_below(Q)))
    with pytest.raises(NotCanonicalError):
        core.g2_mul(b"".join(words), word(1))
    with pytest.raises(NotCanonicalError):
        core.pairing(G, b"".join(words))
    words[coordinate] = word((int.from_bytes(G2_BYTES[32 * coordinate : 32 * coordinate + 32], "big") + 1) % Q)
    with pytest.raises(NotOnCurveError):
        core.g2_mul(b"".join(words), word(1))
    with pytest.raises(NotOnCurveError):
        core.pairing(word(1) + word(3), G2_BYTES)


def test_sizes_are_checked() -> None:
    with pytest.raises(PrimitiveError, match="1 points of G1 but 2 of G2"):
        primitives.pairing_check([G], [G2_BYTES] * 2)
    with pytest.raises(PrimitiveError, match="item 0 has 64 bytes, expected 128"):
        primitives.pairing_check([G], [G])


def test_the_python_face_agrees() -> None:
    double = primitives.point_mul(Curve.G1, G, word(2))
    half = primitives.g2_mul(G2_BYTES, word(pow(2, -1, R)))
    assert primitives.pairing_product([double], [half]) == primitives.pairing_product([G], [G2_BYTES])
    assert primitives.pairing_check([double, to_bytes(G1.neg(G1.generator))], [half, G2_BYTES])

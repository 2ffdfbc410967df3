"""Point arithmetic of the core against affine formulas in Python (chapter 01 sections 2, 3 and 7)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbipc.chonk import NotCanonicalError, NotOnCurveError, PrimitiveError, primitives
from bbipc.chonk.core import Core, Curve
from reference import curves
from samples import word
from strategies import elements, logarithms, not_below

REFERENCE = {Curve.G1: curves.G1, Curve.GRUMPKIN: curves.GRUMPKIN}
all_curves = st.sampled_from(list(Curve))


def point(curve: Curve, logarithm: int) -> curves.Point:
    reference = REFERENCE[curve]
    return reference.mul(logarithm, reference.generator)


@settings(max_examples=60)
@given(all_curves, st.data())
def test_addition_is_complete(core: Core, curve: Curve, data: st.DataObject) -> None:
    """Any two points, among them equal, opposite and infinite ones."""
    reference = REFERENCE[curve]
    a = point(curve, data.draw(logarithms(reference)))
    b = data.draw(st.sampled_from([a, reference.neg(a), None, point(curve, data.draw(logarithms(reference)))]))
    total = core.point_add(curve, curves.to_bytes(a), curves.to_bytes(b))
    assert total == curves.to_bytes(reference.add(a, b))
    assert core.point_add(curve, curves.to_bytes(b), curves.to_bytes(a)) == total


@settings(max_examples=60)
@given(all_curves, st.data())
def test_multiplication(core: Core, curve: Curve, data: st.DataObject) -> None:
    reference = REFERENCE[curve]
    base, scalar = point(curve, data.draw(logarithms(reference))), data.draw(elements(reference.order))
    assert core.point_mul(curve, curves.to_bytes(base), word(scalar)) == curves.to_bytes(reference.mul(scalar, base))


@settings(max_examples=30)
@given(all_curves, st.data())
def test_msm_is_the_sum_of_products(core: Core, curve: Curve, data: st.DataObject) -> None:
    """Up to 200 points, many of them equal, opposite or infinite, with scalars that are often 0 or near the order."""
    reference = REFERENCE[curve]
    pool = data.draw(st.lists(logarithms(reference), min_size=1, max_size=6))
    pool += [-logarithm % reference.order for logarithm in pool]
    scalar_pool = data.draw(st.lists(elements(reference.order), min_size=1, max_size=6))
    terms = data.draw(st.lists(st.tuples(st.sampled_from(pool), st.sampled_from(scalar_pool)), max_size=200))
    points = {logarithm: curves.to_bytes(point(curve, logarithm)) for logarithm in pool}
    total = core.point_msm(curve, b"".join(points[p] for p, _ in terms), b"".join(word(s) for _, s in terms))
    logarithm = sum(p * s for p, s in terms) % reference.order
    assert total == curves.to_bytes(point(curve, logarithm))


@settings(max_examples=20)
@given(all_curves, st.data())
def test_batch_mul_multiplies_each(core: Core, curve: Curve, data: st.DataObject) -> None:
    reference = REFERENCE[curve]
    logs, scalar = data.draw(st.lists(logarithms(reference), max_size=8)), data.draw(elements(reference.order))
    products = core.point_batch_mul(curve, b"".join(curves.to_bytes(point(curve, k)) for k in logs), word(scalar))
    assert products == b"".join(curves.to_bytes(point(curve, k * scalar % reference.order)) for k in logs)


@settings(max_examples=50)
@given(all_curves, st.data())
def test_points_off_the_curve_are_refused(core: Core, curve: Curve, data: st.DataObject) -> None:
    reference = REFERENCE[curve]
    x, y = data.draw(elements(reference.p)), data.draw(elements(reference.p))
    encoded = curves.to_bytes((x, y))
    if (x, y) == (0, 0) or reference.is_on_curve((x, y)):
        assert core.point_add(curve, encoded, bytes(64)) == encoded
        return
    with pytest.raises(NotOnCurveError):
        core.point_add(curve, bytes(64), encoded)
    with pytest.raises(NotOnCurveError):
        core.point_mul(curve, encoded, word(0))
    with pytest.raises(NotOnCurveError):
        core.point_msm(curve, bytes(64) + encoded, word(0) + word(0))
    with pytest.raises(NotOnCurveError):
        core.point_batch_mul(curve, bytes(64) + encoded, word(0))
    assert not primitives.point_is_on_curve(curve, encoded)


@given(all_curves, st.data())
def test_coordinates_and_scalars_must_be_canonical(core: Core, curve: Curve, data: st.DataObject) -> None:
    reference = REFERENCE[curve]
    good = curves.to_bytes(reference.generator)
    bad = word(data.draw(not_below(reference.p)))
    for encoded in (bad + good[32:], good[:32] + bad, bad + bad):
        with pytest.raises(NotCanonicalError):
            core.point_add(curve, encoded, good)
    with pytest.raises(NotCanonicalError):
        core.point_mul(curve, good, word(data.draw(not_below(reference.order))))


def test_generators_are_on_their_curves() -> None:
    for curve, reference in REFERENCE.items():
        assert primitives.point_is_on_curve(curve, curves.to_bytes(reference.generator))
        assert primitives.point_is_on_curve(curve, bytes(64))
        assert primitives.point_mul(curve, curves.to_bytes(reference.generator), word(reference.order - 1)) == curves.to_bytes(
            reference.neg(reference.generator)
        )


def test_sizes_are_checked(core: Core) -> None:
    with pytest.raises(PrimitiveError, match="65 bytes, expected a multiple of 64"):
        core.point_msm(Curve.G1, bytes(65), bytes(32))
    with pytest.raises(PrimitiveError, match="32 bytes, expected 64"):
        core.point_msm(Curve.G1, bytes(128), bytes(32))
    with pytest.raises(PrimitiveError, match="96 bytes, expected 64"):
        core.point_msm(Curve.G1, bytes(128), bytes(96))
    with pytest.raises(PrimitiveError, match="65 bytes, expected 64"):
        core.point_mul(Curve.G1, bytes(65), bytes(32))
    with pytest.raises(PrimitiveError, match="1 points but 2 scalars"):
        primitives.point_msm(Curve.G1, [bytes(64)], [bytes(32)] * 2)
    with pytest.raises(PrimitiveError, match="item 1 has 63 bytes, expected 64"):
        primitives.point_batch_mul(Curve.G1, [bytes(64), bytes(63)], bytes(32))


@settings(max_examples=50)
@given(elements(curves.Q), st.booleans())
def test_g1_decompression(x: int, odd: bool) -> None:
    """As bb's Bn254G1FromCompressed: bit 255 is the parity of y; x of no point is an error."""
    compressed = word(x | odd << 255)
    square = (x**3 + 3) % curves.Q
    if pow(square, (curves.Q - 1) // 2, curves.Q) != 1:
        with pytest.raises(PrimitiveError):
            primitives.g1_decompress(compressed)
        return
    result = curves.from_bytes(primitives.g1_decompress(compressed))
    assert result is not None
    assert result[0] == x
    assert result[1] % 2 == odd
    assert curves.G1.is_on_curve(result)


def test_g1_decompression_refuses_what_bb_refuses() -> None:
    """Recorded from bb: 0 and 4 are on no point, q and q + 1 are not canonical; 1 gives the generator or its opposite."""
    for value in (0, 1 << 255, 4, curves.Q, curves.Q + 1, 2**256 - 1):
        with pytest.raises(PrimitiveError):
            primitives.g1_decompress(word(value))
    assert primitives.g1_decompress(word(1)) == word(1) + word(2)
    assert primitives.g1_decompress(word(1 | 1 << 255)) == word(1) + word(curves.Q - 2)
    with pytest.raises(PrimitiveError, match="31 bytes, expected 32"):
        primitives.g1_decompress(bytes(31))

"""Operations on points.

Points on the wire write infinity as all bytes 0xff, and there (0, 0) is a point off the curve; the core writes infinity
as (0, 0). Only this module knows both.
"""

from __future__ import annotations

from typing import Final

from bbipc.chonk.core import Curve
from bbipc.chonk.errors import NotOnCurveError, PrimitiveError
from bbipc.chonk.primitives import g1_decompress, point_is_on_curve
from bbipc.chonk.shared import default_core
from bbipc.server.errors import CommandError
from bbipc.server.steps import Steps
from bbipc.wire.values import WORD, Fields

POINTS_IN_STEP: Final = 1 << 8
"""What one step of a long request does: about 18 milliseconds."""

_POINT: Final = 2 * WORD
_OFF_CURVE: Final = "Input point must be on the curve"


def multiply_grumpkin(fields: Fields) -> Fields:
    """``GrumpkinMul``."""
    return _multiply(fields, Curve.GRUMPKIN)


def multiply_g1(fields: Fields) -> Fields:
    """``Bn254G1Mul``."""
    return _multiply(fields, Curve.G1)


def multiply_g2(fields: Fields) -> Fields:
    """``Bn254G2Mul``."""
    try:
        return {"point": _to_wire(default_core().g2_mul(_from_wire(fields["point"]), fields["scalar"]))}
    except NotOnCurveError:
        raise CommandError(f"{_OFF_CURVE} and lie in the prime-order subgroup") from None


def multiply_batch(fields: Fields) -> Steps[Fields]:
    """``GrumpkinBatchMul``."""
    points, products = fields["points"], list[bytes]()
    for start in range(0, len(points), POINTS_IN_STEP):
        factors = b"".join([_from_wire(point) for point in points[start : start + POINTS_IN_STEP]])
        try:
            multiplied = default_core().point_batch_mul(Curve.GRUMPKIN, factors, fields["scalar"])
        except NotOnCurveError:
            raise CommandError(_OFF_CURVE) from None
        products += [_to_wire(multiplied[position : position + _POINT]) for position in range(0, len(multiplied), _POINT)]
        yield
    return {"points": products}


def add(fields: Fields) -> Fields:
    """``GrumpkinAdd``."""
    a, b = (_on_grumpkin(fields[name], f"Input {name} must be on the curve") for name in ("point_a", "point_b"))
    return {"point": _to_wire(default_core().point_add(Curve.GRUMPKIN, a, b))}


def g1_is_on_curve(fields: Fields) -> Fields:
    """``Bn254G1IsOnCurve``."""
    try:
        return {"is_on_curve": point_is_on_curve(Curve.G1, _from_wire(fields["point"]))}
    except CommandError:
        return {"is_on_curve": False}


def g1_from_compressed(fields: Fields) -> Fields:
    """``Bn254G1FromCompressed``."""
    try:
        return {"point": g1_decompress(fields["compressed"])}
    except PrimitiveError:
        raise CommandError("Decompressed point is not on the curve") from None


def _multiply(fields: Fields, curve: Curve) -> Fields:
    try:
        return {"point": _to_wire(default_core().point_mul(curve, _from_wire(fields["point"]), fields["scalar"]))}
    except NotOnCurveError:
        raise CommandError(_OFF_CURVE) from None


def _on_grumpkin(point: bytes, error: str) -> bytes:
    native = _from_wire(point, error)
    if not point_is_on_curve(Curve.GRUMPKIN, native):
        raise CommandError(error)
    return native


def _from_wire(point: bytes, error: str = _OFF_CURVE) -> bytes:
    """A point in the core's notation."""
    infinity = bytes(len(point))
    if point == infinity:
        raise CommandError(error)
    return infinity if point == b"\xff" * len(point) else point


def _to_wire(point: bytes) -> bytes:
    return point if any(point) else b"\xff" * len(point)

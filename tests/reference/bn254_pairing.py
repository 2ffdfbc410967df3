"""A slow BN254 pairing that shares nothing with csrc/pairing: one polynomial extension, a generic Miller loop, a plain power.

Fq12 = Fq[w] / (w^12 - 18 w^6 + 82), in which w^6 = 9 + u with u^2 = -1. Points of the twist are carried to the curve over Fq12
by (x, y) -> (x w^2, y w^3), where both groups live on y^2 = x^3 + 3 and one set of affine formulas serves all of it.
Source: chapter 01 section 4 of the specification and the definition of the optimal ate pairing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, reduce

T = 4965661367192848881  # the parameter of the curve
Q = 36 * T**4 + 36 * T**3 + 24 * T**2 + 6 * T + 1
R = 36 * T**4 + 36 * T**3 + 18 * T**2 + 6 * T + 1

Fq12 = tuple[int, ...]  # twelve coefficients, those of w^0 first
Point = tuple[Fq12, Fq12] | None  # affine, on y^2 = x^3 + 3 over Fq12; None is infinity

G1_BYTES = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")
G2_BYTES = b"".join(
    c.to_bytes(32, "big")
    for c in (
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
    )
)


def constant(value: int) -> Fq12:
    return (value % Q,) + (0,) * 11


ONE = constant(1)


def monomial(coefficient: int, degree: int) -> Fq12:
    return tuple(coefficient % Q if i == degree else 0 for i in range(12))


def add(a: Fq12, b: Fq12) -> Fq12:
    return tuple((x + y) % Q for x, y in zip(a, b, strict=True))


def sub(a: Fq12, b: Fq12) -> Fq12:
    return tuple((x - y) % Q for x, y in zip(a, b, strict=True))


def mul(a: Fq12, b: Fq12) -> Fq12:
    product = [0] * 23
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            product[i + j] += x * y
    for i in range(22, 11, -1):  # w^12 = 18 w^6 - 82
        product[i - 6] += 18 * product[i]
        product[i - 12] -= 82 * product[i]
    return tuple(x % Q for x in product[:12])


def power(a: Fq12, exponent: int) -> Fq12:
    result = ONE
    for bit in bin(exponent)[2:]:
        result = mul(result, result)
        if bit == "1":
            result = mul(result, a)
    return result


def inverse(a: Fq12) -> Fq12:
    """Solve a z = 1 as twelve linear equations over Fq (Gauss and Jordan); ZeroDivisionError for zero."""
    columns = [mul(a, monomial(1, j)) for j in range(12)]
    rows = [[columns[j][i] for j in range(12)] + [int(i == 0)] for i in range(12)]
    for i in range(12):
        pivot = next((k for k in range(i, 12) if rows[k][i]), None)
        if pivot is None:
            raise ZeroDivisionError("zero has no inverse in Fq12")
        rows[i], rows[pivot] = rows[pivot], rows[i]
        scale = pow(rows[i][i], -1, Q)
        rows[i] = [x * scale % Q for x in rows[i]]
        for k in range(12):
            if k != i and rows[k][i]:
                factor = rows[k][i]
                rows[k] = [(x - factor * y) % Q for x, y in zip(rows[k], rows[i], strict=True)]
    return tuple(row[12] for row in rows)


def from_fq2(c0: int, c1: int) -> Fq12:
    """c0 + c1 u with u = w^6 - 9."""
    return tuple((c0 - 9 * c1) % Q if i == 0 else c1 % Q if i == 6 else 0 for i in range(12))


def on_curve(p: Point) -> bool:
    return p is None or mul(p[1], p[1]) == add(mul(p[0], mul(p[0], p[0])), constant(3))


def from_g1(data: bytes) -> Point:
    """64 bytes x | y; zeros are infinity. ValueError off the curve."""
    x, y = (int.from_bytes(data[i : i + 32], "big") for i in (0, 32))
    point = (constant(x), constant(y)) if x or y else None
    if not on_curve(point):
        raise ValueError("not on G1")
    return point


def from_g2(data: bytes) -> Point:
    """128 bytes x.c0 | x.c1 | y.c0 | y.c1 on the twist; zeros are infinity. ValueError off the twist."""
    if not any(data):
        return None
    x0, x1, y0, y1 = (int.from_bytes(data[i : i + 32], "big") for i in range(0, 128, 32))
    point = (mul(from_fq2(x0, x1), monomial(1, 2)), mul(from_fq2(y0, y1), monomial(1, 3)))
    if not on_curve(point):
        raise ValueError("not on the twist")
    return point


def slope(a: tuple[Fq12, Fq12], b: tuple[Fq12, Fq12]) -> Fq12 | None:
    """Of the tangent for equal points, else of the chord; None if it is vertical."""
    if a == b:
        return mul(mul(constant(3), mul(a[0], a[0])), inverse(add(a[1], a[1])))
    if a[0] == b[0]:
        return None
    return mul(sub(b[1], a[1]), inverse(sub(b[0], a[0])))


def point_add(a: Point, b: Point) -> Point:
    if a is None or b is None:
        return a or b
    m = slope(a, b)
    if m is None:
        return None
    x = sub(sub(mul(m, m), a[0]), b[0])
    return x, sub(mul(m, sub(a[0], x)), a[1])


def point_mul(p: Point, scalar: int) -> Point:
    result: Point = None
    for bit in bin(scalar)[2:]:
        result = point_add(result, result)
        if bit == "1":
            result = point_add(result, p)
    return result


def negative(p: Point) -> Point:
    return p and (p[0], sub(constant(0), p[1]))


def frobenius(p: tuple[Fq12, Fq12]) -> tuple[Fq12, Fq12]:
    return power(p[0], Q), power(p[1], Q)


def line(a: tuple[Fq12, Fq12], b: tuple[Fq12, Fq12], at: tuple[Fq12, Fq12]) -> Fq12:
    m = slope(a, b)
    if m is None:
        return sub(at[0], a[0])
    return sub(sub(at[1], a[1]), mul(m, sub(at[0], a[0])))


def miller(p: Point, q: Point) -> Fq12:
    """The optimal ate Miller function, for 6 T + 2 and the lines through the images of q under Frobenius."""
    if p is None or q is None:
        return ONE
    f, t = ONE, q

    def step(other: tuple[Fq12, Fq12]) -> None:
        nonlocal f, t
        f = mul(f, line(t, other, p))
        total = point_add(t, other)
        assert total is not None
        t = total

    for bit in bin(6 * T + 2)[3:]:
        f = mul(f, f)
        step(t)
        if bit == "1":
            step(q)
    image = frobenius(q)
    step(image)
    second = frobenius(image)
    f = mul(f, line(t, (second[0], sub(constant(0), second[1])), p))
    return f


def pairing_product(pairs: Iterable[tuple[bytes, bytes]]) -> Fq12:
    """Product of the pairings of (64 bytes of G1, 128 bytes of G2), each to the power (q^12 - 1)/r."""
    f = reduce(mul, (miller(from_g1(a), from_g2(b)) for a, b in pairs), ONE)
    return power(f, (Q**12 - 1) // R)


def to_g1_bytes(p: Point) -> bytes:
    return bytes(64) if p is None else b"".join(c[0].to_bytes(32, "big") for c in p)


def to_g2_bytes(p: Point) -> bytes:
    """Inverse of from_g2."""
    if p is None:
        return bytes(128)
    words = []
    for coordinate, shift in zip(p, (2, 3), strict=True):
        a = mul(coordinate, inverse(monomial(1, shift)))
        words += [(a[0] + 9 * a[6]) % Q, a[6]]
    return b"".join(x.to_bytes(32, "big") for x in words)


def tower_coefficients(a: Fq12) -> list[int]:
    """Those of 1, u, v, vu, v^2, v^2 u, w, wu, vw, vwu, v^2 w, v^2 w u with v = w^2: the order of csrc/pairing/fq12.hpp."""
    result = []
    for degree in (0, 2, 4, 1, 3, 5):
        result += [(a[degree] + 9 * a[degree + 6]) % Q, a[degree + 6]]
    return result


def cofactor() -> int:
    """csrc/pairing raises to this multiple of (q^12 - 1)/r, because that is cheaper; it is prime to r."""
    return 2 * T * (6 * T**2 + 3 * T + 1)


def expected_gt(pairs: Sequence[tuple[bytes, bytes]]) -> bytes:
    """The 384 bytes of `gt` that bbipc_pairing must give."""
    return _expected_gt(tuple(pairs))


@cache
def _expected_gt(pairs: tuple[tuple[bytes, bytes], ...]) -> bytes:
    value = power(pairing_product(pairs), cofactor())
    return b"".join(c.to_bytes(32, "big") for c in tower_coefficients(value))

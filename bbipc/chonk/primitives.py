"""The arithmetic under the verifier: bytes in, bytes out.

Field elements are 32 bytes big-endian and canonical. Points of G1 and Grumpkin are 64 bytes, x then y; points of G2 are 128
bytes, x.c0, x.c1, y.c0, y.c1; infinity is all zeros. Every function checks its operands and raises

- `NotCanonicalError` for a field element that is not below its modulus,
- `NotOnCurveError` for coordinates that are on no curve,
- `NoResultError` where there is no result,
- `PrimitiveError` (the base of these three, itself a `ValueError`) for operands of a wrong size.

Nothing here is constant-time: it is meant for public data.
"""

from collections.abc import Sequence
from typing import Final

from bbipc.chonk.core import GENERATORS, Curve, Field, FieldOperation
from bbipc.chonk.errors import NotOnCurveError, PrimitiveError
from bbipc.chonk.shared import default_core
from bbipc.chonk.words import WORD, split

__all__ = [
    "Curve",
    "Field",
    "field_add",
    "field_inverse",
    "field_mul",
    "field_neg",
    "field_reduce512",
    "field_sqr",
    "field_sqrt",
    "field_sub",
    "g1_decompress",
    "g2_mul",
    "generators",
    "generators_msm",
    "pairing_check",
    "pairing_product",
    "point_add",
    "point_batch_mul",
    "point_is_on_curve",
    "point_msm",
    "point_mul",
    "poseidon2_hash",
    "poseidon2_hash_many",
    "poseidon2_permutation",
]

_POINT: Final = 2 * WORD
_INFINITY: Final = bytes(_POINT)
_THREE: Final = (3).to_bytes(WORD, "big")
_SIGN_BIT: Final = 0x80


def field_add(field: Field, a: bytes, b: bytes) -> bytes:
    """a + b."""
    return default_core().field_op(field, FieldOperation.ADD, a, b)


def field_sub(field: Field, a: bytes, b: bytes) -> bytes:
    """a - b."""
    return default_core().field_op(field, FieldOperation.SUB, a, b)


def field_mul(field: Field, a: bytes, b: bytes) -> bytes:
    """a * b."""
    return default_core().field_op(field, FieldOperation.MUL, a, b)


def field_sqr(field: Field, a: bytes) -> bytes:
    """a * a."""
    return default_core().field_op(field, FieldOperation.SQR, a, None)


def field_neg(field: Field, a: bytes) -> bytes:
    """-a."""
    return default_core().field_op(field, FieldOperation.NEG, a, None)


def field_inverse(field: Field, a: bytes) -> bytes:
    """1 / a; `NoResultError` for zero."""
    return default_core().field_op(field, FieldOperation.INV, a, None)


def field_sqrt(field: Field, a: bytes) -> bytes:
    """One of the two square roots of a; `NoResultError` if there is none."""
    return default_core().field_op(field, FieldOperation.SQRT, a, None)


def field_reduce512(field: Field, data: bytes) -> bytes:
    """The big-endian integer of 64 bytes, reduced."""
    return default_core().field_reduce512(field, data)


def point_add(curve: Curve, a: bytes, b: bytes) -> bytes:
    """a + b."""
    return default_core().point_add(curve, a, b)


def point_mul(curve: Curve, point: bytes, scalar: bytes) -> bytes:
    """scalar * point; the scalar is an element of the curve's scalar field (Fr for G1, Fq for Grumpkin)."""
    return default_core().point_mul(curve, point, scalar)


def point_batch_mul(curve: Curve, points: Sequence[bytes], scalar: bytes) -> list[bytes]:
    """scalar * point for each of the points."""
    products = default_core().point_batch_mul(curve, _concatenated(points, _POINT), scalar)
    return [products[start : start + _POINT] for start in range(0, len(products), _POINT)]


def point_msm(curve: Curve, points: Sequence[bytes], scalars: Sequence[bytes]) -> bytes:
    """The sum of scalar * point over two sequences of the same length."""
    if len(points) != len(scalars):
        raise PrimitiveError(f"{len(points)} points but {len(scalars)} scalars")
    return default_core().point_msm(curve, _concatenated(points, _POINT), _concatenated(scalars, WORD))


def point_is_on_curve(curve: Curve, point: bytes) -> bool:
    """Whether a point of canonical coordinates is on the curve, as infinity is."""
    try:
        point_add(curve, point, _INFINITY)
    except NotOnCurveError:
        return False
    return True


def g1_decompress(data: bytes) -> bytes:
    """The point of G1 with a given x (bits 0 to 254 of 32 big-endian bytes) and parity of y (bit 255).

    This is the form of bb's Bn254G1FromCompressed, not that of compressed proofs (chapter 03 section 5), whose sign bit means
    another thing. There is no encoding of infinity.

    Raises:
        NotCanonicalError: x is not below the modulus.
        NoResultError: no point has this x.
    """
    if len(data) != WORD:
        raise PrimitiveError(f"{len(data)} bytes, expected {WORD}")
    odd = bool(data[0] & _SIGN_BIT)
    x = bytes([data[0] & ~_SIGN_BIT]) + data[1:]
    cube = field_mul(Field.FQ, field_sqr(Field.FQ, x), x)
    y = field_sqrt(Field.FQ, field_add(Field.FQ, cube, _THREE))
    return x + (y if bool(y[-1] & 1) == odd else field_neg(Field.FQ, y))


def g2_mul(point: bytes, scalar: bytes) -> bytes:
    """scalar * point in G2; the scalar is an element of Fr. `NotOnCurveError` also for points outside of the subgroup."""
    return default_core().g2_mul(point, scalar)


def pairing_product(g1: Sequence[bytes], g2: Sequence[bytes]) -> bytes:
    """The product of e(g1[i], g2[i]), 384 bytes: the 12 coefficients in the order that csrc/pairing/fq12.hpp documents."""
    return _pairing(g1, g2)[1]


def pairing_check(g1: Sequence[bytes], g2: Sequence[bytes]) -> bool:
    """Whether the product of e(g1[i], g2[i]) is one."""
    return _pairing(g1, g2)[0]


def generators(first: int = 0, count: int = GENERATORS) -> list[bytes]:
    """Grumpkin generators first .. first + count - 1 (chapter 01 section 6), of which there are 2^15."""
    points = default_core().generators(first, count)
    return [points[start : start + _POINT] for start in range(0, len(points), _POINT)]


def generators_msm(scalars: Sequence[bytes], *, threads: int = 1) -> bytes:
    """The sum of scalars[i] * generator i, for at most 2^15 scalars in Fq."""
    return default_core().generators_msm(_concatenated(scalars, WORD), threads)


def poseidon2_permutation(state: Sequence[bytes]) -> list[bytes]:
    """The permutation of chapter 02 section 1 on four elements of Fr."""
    return split(default_core().poseidon2_permute(_concatenated(state, WORD)))


def poseidon2_hash(words: Sequence[bytes]) -> bytes:
    """The hash of chapter 02 section 2 of a list of elements of Fr."""
    return default_core().poseidon2_hash(_concatenated(words, WORD))


def poseidon2_hash_many(messages: Sequence[Sequence[bytes]]) -> list[bytes]:
    """The `poseidon2_hash` of each message; several times faster than one by one where the machine has lanes for it."""
    return default_core().poseidon2_hash_many([_concatenated(words, WORD) for words in messages])


def _pairing(g1: Sequence[bytes], g2: Sequence[bytes]) -> tuple[bool, bytes]:
    if len(g1) != len(g2):
        raise PrimitiveError(f"{len(g1)} points of G1 but {len(g2)} of G2")
    return default_core().pairing(_concatenated(g1, _POINT), _concatenated(g2, 2 * _POINT))


def _concatenated(items: Sequence[bytes], size: int) -> bytes:
    for index, item in enumerate(items):
        if len(item) != size:
            raise PrimitiveError(f"item {index} has {len(item)} bytes, expected {size}")
    return b"".join(items)

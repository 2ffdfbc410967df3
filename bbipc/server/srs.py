"""``SrsInitSrs`` and ``SrsInitGrumpkinSrs``: the reference strings that a client hands over.

A verifier needs nothing of them but [x]_2, which it has. They are checked as bb checks them, so that a client with a
wrong one learns of it, and are not kept.

bb knows a compressed string of BN254 by its SHA-256. Here it is known by what it must be: its points are
G, xG, x^2 G ... for the x of [x]_2, exactly if the first is G and a random linear combination of all neighbours fulfils
e(sum c_i P_(i+1), [1]_2) = e(sum c_i P_i, [x]_2). With 128-bit c_i a wrong string passes with probability 2^-128.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

from bbipc.chonk import Setup
from bbipc.chonk.core import Curve
from bbipc.chonk.errors import PrimitiveError
from bbipc.chonk.primitives import g1_decompress
from bbipc.chonk.verifier import default_core
from bbipc.server.errors import CommandError
from bbipc.wire.values import FQ_MODULUS, FR_MODULUS, WORD

_POINT: Final = 2 * WORD
_COMPRESSED_UNIT: Final = 4 * 1024 * 1024
_INFINITY: Final = b"\xff" * _POINT
_G1: Final = (1).to_bytes(WORD, "big") + (2).to_bytes(WORD, "big")
_G2: Final = bytes.fromhex(
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
)
"""The generator of G2: x.c0, x.c1, y.c0, y.c1."""


def check_bn254(points: bytes, count: int, g2_point: bytes) -> bytes:
    """Check a reference string of `count` points of G1, 64 or, compressed, 32 bytes each, and its [x]_2.

    Returns:
        the points uncompressed if they came compressed, else nothing, as bb does.

    Raises:
        CommandError: it is not Aztec's.
    """
    if not points or len(points) not in (WORD * count, _POINT * count):
        raise CommandError(
            f"SrsInitSrs: invalid points_buf size: {len(points)} bytes for {count} points, expected 32 or 64 bytes per point"
        )
    if g2_point != Setup.AZTEC.g2_x:
        raise CommandError("SrsInitSrs: g2_point is not the canonical Aztec [x]_2")
    if len(points) == _POINT * count:
        _check_uncompressed(_reduced_points(points, count, FQ_MODULUS, 3, "SrsInitSrs"))
        return b""
    return _check_compressed(points)


def check_grumpkin(points: bytes, count: int) -> None:
    """Check that the first `count` points, 64 bytes each, are on Grumpkin.

    Raises:
        CommandError: they are not, or there are fewer.
    """
    if len(points) < _POINT * count:
        raise CommandError(
            f"SrsInitGrumpkinSrs: points_buf too small ({len(points)} bytes) for num_points={count} (need {_POINT * count})"
        )
    _reduced_points(points, count, FR_MODULUS, -17, "SrsInitGrumpkinSrs")


def _reduced_points(points: bytes, count: int, modulus: int, b: int, command: str) -> list[bytes]:
    """The points with canonical coordinates, checked to be on y^2 = x^3 + b; infinity is allowed."""
    reduced = []
    for index in range(count):
        point = points[_POINT * index : _POINT * (index + 1)]
        if point != _INFINITY:
            x, y = (int.from_bytes(half, "big") % modulus for half in (point[:WORD], point[WORD:]))
            if (y * y - x * x * x - b) % modulus:
                raise CommandError(f"{command}: points_buf[{index}] is not on the curve")
            point = x.to_bytes(WORD, "big") + y.to_bytes(WORD, "big")
        reduced.append(point)
    return reduced


def _check_uncompressed(points: Sequence[bytes]) -> None:
    if points[0] != _G1:
        raise CommandError("SrsInitSrs: points_buf[0] is not the canonical BN254 generator")
    if len(points) > 1 and (points[1] == _INFINITY or not _is_next(points[1], points[0])):
        raise CommandError("SrsInitSrs: points_buf[1] is not [x]_1 of the canonical trusted setup")


def _check_compressed(data: bytes) -> bytes:
    if len(data) % _COMPRESSED_UNIT:
        raise CommandError(
            f"SrsInitSrs: compressed points_buf size {len(data)} must be a positive multiple of {_COMPRESSED_UNIT}"
        )
    words = [data[start : start + WORD] for start in range(0, len(data), WORD)]
    # What is not the string of powers mostly differs early: do not decompress the rest of it.
    first = b"".join(map(_decompressed, range(2), words))
    _check_uncompressed([first[:_POINT], first[_POINT:]])
    points = first + b"".join(map(_decompressed, range(2, len(words)), words[2:]))
    coefficients = b"".join([secrets.token_bytes(16).rjust(WORD, b"\0") for _ in words[1:]])
    core = default_core()
    later = core.point_msm(Curve.G1, points[_POINT:], coefficients)
    earlier = core.point_msm(Curve.G1, points[:-_POINT], coefficients)
    if not _is_next(later, earlier):
        raise CommandError("SrsInitSrs: points_buf is not the reference string of the canonical trusted setup")
    return points


def _decompressed(index: int, word: bytes) -> bytes:
    try:
        return g1_decompress(word)
    except PrimitiveError:
        raise CommandError(f"SrsInitSrs: points_buf[{index}] is not on the curve") from None


def _is_next(later: bytes, earlier: bytes) -> bool:
    """Whether `later` = x * `earlier`."""
    y = (-int.from_bytes(earlier[WORD:], "big")) % FQ_MODULUS
    is_one, _ = default_core().pairing(later + earlier[:WORD] + y.to_bytes(WORD, "big"), _G2 + Setup.AZTEC.g2_x)
    return is_one

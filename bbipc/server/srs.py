"""``SrsInitSrs`` and ``SrsInitGrumpkinSrs``: the reference strings that a client hands over.

A verifier needs nothing of them but [x]_2, which it has. They are checked as bb checks them, so that a client with a
wrong one learns of it, and are not kept.

bb knows a compressed string of BN254 by its SHA-256. Here it is known by what it must be: its points are
G, xG, x^2 G ... for the x of [x]_2, exactly if the first is G and a random linear combination of all neighbours fulfils
e(sum c_i P_(i+1), [1]_2) = e(sum c_i P_i, [x]_2). With 128-bit c_i a wrong string passes with probability 2^-128.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bbipc.chonk import Setup
from bbipc.chonk.core import Curve
from bbipc.chonk.shared import default_core
from bbipc.server.errors import CommandError
from bbipc.server.steps import Steps
from bbipc.wire.values import FQ_MODULUS, WORD

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


# Points in one step: some milliseconds on one thread. A combination of more is cheaper for each point.
_CHECKED: Final = 1 << 15
_DECOMPRESSED: Final = 1 << 12
_COMBINED: Final = 1 << 15


def check_bn254(points: bytes, count: int, g2_point: bytes, threads: int) -> Steps[bytes]:
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
        yield from _check_on_curve(Curve.G1, memoryview(points), threads, "SrsInitSrs")
        _check_first_two(_reduced(points[: 2 * _POINT]))
        return b""
    return (yield from _check_compressed(points, threads))


def check_grumpkin(points: bytes, count: int, threads: int) -> Steps[None]:
    """Check that the first `count` points, 64 bytes each, are on Grumpkin, on up to `threads` threads.

    Raises:
        CommandError: they are not, or there are fewer.
    """
    if len(points) < _POINT * count:
        raise CommandError(
            f"SrsInitGrumpkinSrs: points_buf too small ({len(points)} bytes) for num_points={count} (need {_POINT * count})"
        )
    yield from _check_on_curve(Curve.GRUMPKIN, memoryview(points)[: _POINT * count], threads, "SrsInitGrumpkinSrs")


def _check_on_curve(curve: Curve, points: memoryview, threads: int, command: str) -> Steps[None]:
    """Coordinates need not be canonical; infinity is allowed."""
    for start in range(0, len(points) // _POINT, _CHECKED):
        failed = default_core().points_check(curve, points[_POINT * start : _POINT * (start + _CHECKED)], threads)
        if failed is not None:
            raise CommandError(f"{command}: points_buf[{start + failed}] is not on the curve")
        yield


def _reduced(points: bytes) -> list[bytes]:
    """Points of G1 with canonical coordinates."""
    return [
        point
        if point == _INFINITY
        else b"".join((int.from_bytes(half, "big") % FQ_MODULUS).to_bytes(WORD, "big") for half in (point[:WORD], point[WORD:]))
        for point in (points[start : start + _POINT] for start in range(0, len(points), _POINT))
    ]


def _check_first_two(points: Sequence[bytes]) -> None:
    if points[0] != _G1:
        raise CommandError("SrsInitSrs: points_buf[0] is not the canonical BN254 generator")
    if len(points) > 1 and (points[1] == _INFINITY or not _is_next(points[1], points[0])):
        raise CommandError("SrsInitSrs: points_buf[1] is not [x]_1 of the canonical trusted setup")


def _check_compressed(data: bytes, threads: int) -> Steps[bytes]:
    if len(data) % _COMPRESSED_UNIT:
        raise CommandError(
            f"SrsInitSrs: compressed points_buf size {len(data)} must be a positive multiple of {_COMPRESSED_UNIT}"
        )
    # What is not the string of powers mostly differs early: do not decompress the rest of it.
    first = _decompressed(data, 0, 2, threads)
    _check_first_two([first[:_POINT], first[_POINT:]])
    pieces = []
    for start in range(0, len(data) // WORD, _DECOMPRESSED):
        pieces.append(_decompressed(data, start, _DECOMPRESSED, threads))
        yield
    points = b"".join(pieces)
    pieces.clear()
    core = default_core()
    sums = bytes(_POINT), bytes(_POINT)
    for start in range(0, len(points) // _POINT - 1, _COMBINED):
        # All weights are independent: the sum of combinations is one of all neighbours.
        piece = points[_POINT * start : _POINT * (start + _COMBINED + 1)]
        combined = core.g1_combine_neighbours(piece, threads)
        sums = core.point_add(Curve.G1, sums[0], combined[0]), core.point_add(Curve.G1, sums[1], combined[1])
        yield
    if not _is_next(*sums):
        raise CommandError("SrsInitSrs: points_buf is not the reference string of the canonical trusted setup")
    return points


def _decompressed(words: bytes, start: int, count: int, threads: int) -> bytes:
    points, failed = default_core().g1_decompress(words[WORD * start : WORD * (start + count)], threads)
    if failed is not None:
        raise CommandError(f"SrsInitSrs: points_buf[{start + failed}] is not on the curve")
    return points


def _is_next(later: bytes, earlier: bytes) -> bool:
    """Whether `later` = x * `earlier`."""
    y = (-int.from_bytes(earlier[WORD:], "big")) % FQ_MODULUS
    is_one, _ = default_core().pairing(later + earlier[:WORD] + y.to_bytes(WORD, "big"), _G2 + Setup.AZTEC.g2_x)
    return is_one

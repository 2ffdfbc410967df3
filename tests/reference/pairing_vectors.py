"""Writes tests/data/pairing_vectors.txt: products of pairings by the slow reference, for the native test and the Python one.

Every case holds `g1`, two words a point (x, y); `g2`, four words a point (x.c0, x.c1, y.c0, y.c1); and `gt`, the twelve words
of the value of `bbipc_pairing`; infinity is all zeros. `python -m tests.reference.pairing_vectors` writes the file again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.reference.bn254_pairing import (
    G1_BYTES,
    G2_BYTES,
    R,
    expected_gt,
    from_g1,
    from_g2,
    point_mul,
    to_g1_bytes,
    to_g2_bytes,
)

PATH = Path(__file__).parent.parent / "data" / "pairing_vectors.txt"
Pairs = list[tuple[bytes, bytes]]


def g1(scalar: int) -> bytes:
    return to_g1_bytes(point_mul(from_g1(G1_BYTES), scalar % R))


def g2(scalar: int) -> bytes:
    return to_g2_bytes(point_mul(from_g2(G2_BYTES), scalar % R))


@cache
def products() -> dict[str, Pairs]:
    rng = random.Random(254)
    a, b, c, x = (rng.randrange(R) for _ in range(4))
    return {
        "empty": [],
        "generators": [(g1(1), g2(1))],
        "negative": [(g1(-1), g2(1))],
        "g1-infinity": [(g1(0), g2(1))],
        "g2-infinity": [(g1(1), g2(0))],
        "random": [(g1(a), g2(b))],
        "kzg": [(g1(-a * x), g2(1)), (g1(a), g2(x))],
        "kzg-wrong": [(g1(-a * x + 1), g2(1)), (g1(a), g2(x))],
        "kzg-infinity": [(g1(0), g2(1)), (g1(a), g2(x))],
        "three-cancel": [(g1(a), g2(b)), (g1(b), g2(c)), (g1(-a - c), g2(b))],
        "repeated": [(g1(a), g2(a)), (g1(a), g2(a)), (g1(b), g2(-c)), (g1(0), g2(0))],
    }


def words(data: bytes) -> str:
    return "".join(" " + data[i : i + 32].hex() for i in range(0, len(data), 32))


def lines() -> Iterator[str]:
    for label, pairs in products().items():
        yield f"case product {label}"
        yield "g1" + words(b"".join(p for p, _ in pairs))
        yield "g2" + words(b"".join(q for _, q in pairs))
        yield "gt" + words(expected_gt(pairs))


if __name__ == "__main__":
    PATH.write_text("".join(line + "\n" for line in lines()))

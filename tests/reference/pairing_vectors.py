"""Writes tests/data/pairing_vectors.txt: products of pairings by the slow reference, for the native test and the Python one.

One product a line, in fields separated by spaces: the number n of pairs, n times 64 bytes of G1 and 128 bytes of G2, then 384
bytes of the value of `bbipc_pairing`; all bytes in hexadecimal. `python -m tests.reference.pairing_vectors` writes it again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
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


def products() -> Iterator[Pairs]:
    rng = random.Random(254)
    a, b, c, x = (rng.randrange(R) for _ in range(4))
    yield []
    yield [(g1(1), g2(1))]
    yield [(g1(-1), g2(1))]
    yield [(g1(0), g2(1))]
    yield [(g1(1), g2(0))]
    yield [(g1(a), g2(b))]
    yield [(g1(-a * x), g2(1)), (g1(a), g2(x))]  # one
    yield [(g1(-a * x + 1), g2(1)), (g1(a), g2(x))]
    yield [(g1(0), g2(1)), (g1(a), g2(x))]
    yield [(g1(a), g2(b)), (g1(b), g2(c)), (g1(-a - c), g2(b))]  # one
    yield [(g1(a), g2(a)), (g1(a), g2(a)), (g1(b), g2(-c)), (g1(0), g2(0))]


def lines() -> Iterator[str]:
    for pairs in products():
        yield " ".join([str(len(pairs)), *(point.hex() for pair in pairs for point in pair), expected_gt(pairs).hex()])


if __name__ == "__main__":
    PATH.write_text("".join(line + "\n" for line in lines()))

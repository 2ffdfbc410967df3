"""How long the reference string of BN254 takes that `initSRSChonk()` of bb.js hands over.

    python bench/srs.py [--log2 N] [--threads N] [--rounds N]

compressed    2^N points of 32 bytes, as bb.js sends them: decompressed, and checked to be the powers of the secret
uncompressed  2^N points of 64 bytes: checked to be on the curve

The points are G and xG of the test setup in turn, so the last step of the first check fails: all of the work is done before. bb
is not asked: it knows the compressed string by its SHA-256, and the second point of the other by heart, and takes only Aztec's
string, which bb.js downloads. Seconds, the best of the rounds.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bbipc.chonk import Setup
from bbipc.chonk.core import Curve
from bbipc.chonk.primitives import point_mul
from bbipc.server import srs
from bbipc.server.errors import CommandError
from bbipc.server.steps import finish
from bbipc.wire.values import FR_MODULUS

SETUP = Path(__file__).parents[1] / "tests" / "data" / "test_setup.json"
G1 = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")


class TestSetup:
    """The test setup in the place of Aztec's: the first two points are then right."""

    AZTEC = Setup.from_json(SETUP)


def strings(log2: int) -> tuple[bytes, bytes]:
    """The same points, compressed and not."""
    tau = int(json.loads(SETUP.read_text())["tau"], 16) % FR_MODULUS
    pair = (G1, point_mul(Curve.G1, G1, tau.to_bytes(32, "big")))
    compressed = b"".join(bytes([point[0] | (point[63] & 1) << 7]) + point[1:32] for point in pair)
    return compressed * (1 << log2 - 1), b"".join(pair) * (1 << log2 - 1)


def checked(points: bytes, count: int, threads: int) -> float:
    """Seconds of the check."""
    start = time.perf_counter()
    with suppress(CommandError):
        finish(srs.check_bn254(points, count, TestSetup.AZTEC.g2_x, threads))
    return time.perf_counter() - start


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log2", type=int, default=17, help="of the number of points, 17 or more; bb.js sends 2^19 by default")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    srs.Setup = TestSetup  # type: ignore[attr-defined, assignment]
    compressed, plain = strings(options.log2)
    count, threads = 1 << options.log2, options.threads
    measures: dict[str, Callable[[], float]] = {
        "compressed": lambda: checked(compressed, count, threads),
        "uncompressed": lambda: checked(plain, count, threads),
    }
    seconds: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(options.rounds):
        for name, measure in measures.items():
            seconds[name].append(measure())
    print(f"2^{options.log2} points, {threads} threads")
    for name, values in seconds.items():
        print(f"{name:14} {min(values):8.3f} s")


if __name__ == "__main__":
    main()

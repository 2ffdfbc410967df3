"""Requests for the commands that are no verification: random ones, and the edges of each."""

from collections.abc import Callable, Iterator
from random import Random

import msgpack

from bbipc.wire.values import FQ_MODULUS as Q
from bbipc.wire.values import FR_MODULUS as R
from samples import FLOW1, FLOW4, word

Request = tuple[str, dict]

FF = b"\xff" * 32
INFINITY = {"x": FF, "y": FF}
ORIGIN = {"x": bytes(32), "y": bytes(32)}
G1 = {"x": word(1), "y": word(2)}
GRUMPKIN_Y = 0x2CF135E7506A45D632D270D45F1181294833FC48D823F272C
GRUMPKIN = {"x": word(1), "y": word(GRUMPKIN_Y)}
G2 = {
    "x": [
        word(0x1800DEEF121F1E76426A00665E5C4479674322D4F75EDADD46DEBD5CD992F6ED),
        word(0x198E9393920D483A7260BFB731FB5D25F1AA493335A9E71297E485B7AEF312C2),
    ],
    "y": [
        word(0x12C85EA5DB8C6DEB4AAB71808DCB408FE3D1E7690C43D37B4CE6CC0166FA7DAA),
        word(0x090689D0585FF075EC9E99AD690C3395BC4B313370B38EF355ACDADCD122975B),
    ],
}
# On the twist, not in the subgroup of order r; found by trying x = (n, 1).
G2_INFINITY = {"x": [FF, FF], "y": [FF, FF]}


def square_root(value: int, modulus: int) -> int | None:
    """Cipolla's algorithm: slow, and none of those under test."""
    value %= modulus
    if value == 0 or pow(value, (modulus - 1) // 2, modulus) != 1:
        return 0 if value == 0 else None
    a = next(a for a in range(modulus) if pow(a * a - value, (modulus - 1) // 2, modulus) == modulus - 1)
    non_residue = a * a - value

    def multiply(p: tuple[int, int], q: tuple[int, int]) -> tuple[int, int]:
        return (p[0] * q[0] + p[1] * q[1] * non_residue) % modulus, (p[0] * q[1] + p[1] * q[0]) % modulus

    result, base, exponent = (1, 0), (a, 1), (modulus + 1) // 2
    while exponent:
        if exponent & 1:
            result = multiply(result, base)
        base, exponent = multiply(base, base), exponent >> 1
    return result[0]


def random_point(random: Random, modulus: int, b: int) -> dict:
    while True:
        x = random.randrange(modulus)
        y = square_root(x**3 + b, modulus)
        if y is not None:
            return {"x": word(x), "y": word(random.choice([y, -y % modulus]))}


def negated(point: dict, modulus: int) -> dict:
    return {"x": point["x"], "y": word(-int.from_bytes(point["y"], "big") % modulus)}


def off_curve(point: dict) -> dict:
    return {"x": point["x"], "y": point["x"]}


def scalars(random: Random, modulus: int) -> list[bytes]:
    return [word(value) for value in (0, 1, 2, modulus - 1, 2**128, random.randrange(modulus))]


def hashes(random: Random) -> Iterator[Request]:
    for count in (0, 1, 2, 3, 4, 5, 6, 7, 30, 31):
        yield "Poseidon2Hash", {"inputs": [word(random.randrange(R)) for _ in range(count)]}
    for value in (0, 1, R - 1):
        yield "Poseidon2Hash", {"inputs": [word(value)] * 3}
        yield "Poseidon2Permutation", {"inputs": [word(value)] * 4}
    yield "Poseidon2Hash", {"inputs": [word(R)]}
    yield "Poseidon2Permutation", {"inputs": [word(random.randrange(R)) for _ in range(4)]}
    for length in (0, 1, 63, 64, 65, 255, 256, 5000):
        data = random.randbytes(length)
        yield "Blake2s", {"data": data}
        yield "Blake2sToField", {"data": data}


def fields(random: Random) -> Iterator[Request]:
    for name, modulus in (("Bn254FrSqrt", R), ("Bn254FqSqrt", Q)):
        for value in (0, 1, 2, 3, 4, 5, 7, 9, modulus - 1, modulus - 4, pow(5, 2**28, modulus)):
            yield name, {"input": word(value)}
        for _ in range(4):
            value = random.randrange(modulus)
            yield name, {"input": word(value)}
            yield name, {"input": word(value * value % modulus)}
            # Squares of odd order: the even part of their discrete logarithm is zero.
            yield name, {"input": word(pow(value, 2**28, modulus))}
        yield name, {"input": word(modulus)}
    for data in (bytes(64), b"\xff" * 64, bytes(32) + word(R), bytes(32) + word(Q), bytes(31) + b"\1" + bytes(32)):
        yield "GrumpkinReduce512", {"input": data}
    yield "GrumpkinReduce512", {"input": random.randbytes(64)}


def points(random: Random) -> Iterator[Request]:
    for name, modulus, b, order, generator in (
        ("Bn254G1Mul", Q, 3, R, G1),
        ("GrumpkinMul", R, -17, Q, GRUMPKIN),
    ):
        for point in (generator, random_point(random, modulus, b)):
            for scalar in scalars(random, order):
                yield name, {"point": point, "scalar": scalar}
        for point in (INFINITY, ORIGIN, off_curve(generator)):
            yield name, {"point": point, "scalar": word(3)}
        yield name, {"point": generator, "scalar": word(order)}
    for point in (G1, random_point(random, Q, 3), INFINITY, ORIGIN, off_curve(G1), {"x": word(2), "y": word(2)}):
        yield "Bn254G1IsOnCurve", {"point": point}
    p, q = random_point(random, R, -17), random_point(random, R, -17)
    for a, b_ in ((p, q), (p, p), (p, negated(p, R)), (p, INFINITY), (INFINITY, q), (INFINITY, INFINITY)):
        yield "GrumpkinAdd", {"point_a": a, "point_b": b_}
    for a, b_ in ((ORIGIN, q), (p, ORIGIN), (off_curve(p), q), (p, off_curve(q)), (off_curve(p), off_curve(q))):
        yield "GrumpkinAdd", {"point_a": a, "point_b": b_}
    for scalar in (0, 1, Q - 1, random.randrange(Q)):
        yield "GrumpkinBatchMul", {"points": [p, q, INFINITY, p, negated(q, R)], "scalar": word(scalar)}
    for several in ([], [p], [INFINITY], [ORIGIN], [p, off_curve(q)]):
        yield "GrumpkinBatchMul", {"points": several, "scalar": word(5)}


def compressed_points(random: Random) -> Iterator[Request]:
    for x in (*range(6), Q - 1, Q, Q + 1, random.randrange(Q), random.randrange(Q), random.randrange(Q), 2**254, 2**255 - 1):
        for sign in (0, 1):
            yield "Bn254G1FromCompressed", {"compressed": word(x | sign << 255)}


def g2_points(random: Random) -> Iterator[Request]:
    for scalar in scalars(random, R):
        yield "Bn254G2Mul", {"point": G2, "scalar": scalar}
    for point in (G2_INFINITY, {"x": [bytes(32)] * 2, "y": [bytes(32)] * 2}, {"x": G2["y"], "y": G2["x"]}):
        yield "Bn254G2Mul", {"point": point, "scalar": word(2)}
    yield "Bn254G2Mul", {"point": {"x": G2["x"], "y": [FF, FF]}, "scalar": word(2)}


def twist_point(random: Random) -> dict:
    """A point of the twist y^2 = x^3 + 3 / (9 + u); it lies in the subgroup with negligible probability."""

    def multiply(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
        return (a[0] * b[0] - a[1] * b[1]) % Q, (a[0] * b[1] + a[1] * b[0]) % Q

    norm = pow(82, -1, Q)
    b = 27 * norm % Q, -3 * norm % Q  # 3 / (9 + u)
    while True:
        x = random.randrange(Q), random.randrange(Q)
        cube = multiply(multiply(x, x), x)
        c0, c1 = (cube[0] + b[0]) % Q, (cube[1] + b[1]) % Q
        root = square_root(c0 * c0 + c1 * c1, Q)
        for sign in (1, -1) if root is not None else ():
            y0 = square_root((c0 + sign * root) * pow(2, -1, Q), Q)
            if y0:
                y1 = c1 * pow(2 * y0, -1, Q) % Q
                if multiply((y0, y1), (y0, y1)) == (c0, c1):
                    return {"x": [word(x[0]), word(x[1])], "y": [word(y0), word(y1)]}


def off_subgroup(random: Random) -> Iterator[Request]:
    yield "Bn254G2Mul", {"point": twist_point(random), "scalar": word(1)}


AZTEC_G2 = bytes.fromhex(
    "0118c4d5b837bcc2bc89b5b398b5974e9f5944073b32078b7e231fec938883b0"
    "260e01b251f6f1c7e7ff4e580791dee8ea51d87a358e038b4efe30fac09383c1"
    "22febda3c0c0632a56475b4214e5615e11e6dd3f96e6cea2854a87d4dacc5e55"
    "04fc6369f7110fe3d25156c1bb9a72859cf2a04641f99ba4ee413c80da6a5fe4"
)


def reference_strings(random: Random) -> Iterator[Request]:
    g1, two = word(1) + word(2), random_point(random, Q, 3)
    for data, count, g2 in (
        (g1, 1, AZTEC_G2),
        (g1, 1, bytes(128)),
        (g1, 1, AZTEC_G2[:-1]),
        (b"", 0, AZTEC_G2),
        (g1, 2, AZTEC_G2),
        (g1 * 2, 1, AZTEC_G2),
        (g1 * 2, 2, AZTEC_G2),
        (two["x"] + two["y"], 1, AZTEC_G2),
        (FF * 2, 1, AZTEC_G2),
        (bytes(64), 1, AZTEC_G2),
        (word(1) + word(3), 1, AZTEC_G2),
        (word(Q + 1) + word(2), 1, AZTEC_G2),
        (word(1), 1, AZTEC_G2),
    ):
        yield "SrsInitSrs", {"points_buf": data, "num_points": count, "g2_point": g2}
    generator = GRUMPKIN["x"] + GRUMPKIN["y"]
    for data, count in (
        (b"", 0),
        (b"", 1),
        (b"", 2**32 - 1),
        (generator, 1),
        (generator * 3, 2),
        (generator + b"odd", 1),
        (FF * 2, 1),
        (bytes(64), 1),
        (generator + word(1) + word(3), 2),
        (generator + word(1) + word(3), 1),
        (word(R + 1) + word(GRUMPKIN_Y), 1),
    ):
        yield "SrsInitGrumpkinSrs", {"points_buf": data, "num_points": count}
    yield "SetMsmLegacy", {"enabled": True}
    yield "SetMsmLegacy", {"enabled": False}


def proof_encodings(random: Random) -> Iterator[Request]:
    for sample in (FLOW1, FLOW4):
        yield "ChonkCompressProof", {"proof": sample.proof.to_words()}
        yield "ChonkDecompressProof", {"compressed_proof": sample.compressed}
    compressed = bytearray(FLOW1.compressed)
    yield "ChonkDecompressProof", {"compressed_proof": b""}
    yield "ChonkDecompressProof", {"compressed_proof": bytes(compressed[:-1])}
    yield "ChonkDecompressProof", {"compressed_proof": bytes(compressed[: 32 * 696])}
    compressed[32 * 32 : 32 * 33] = word(4)  # no point of G1 has x = 4
    yield "ChonkDecompressProof", {"compressed_proof": bytes(compressed)}


GROUPS: tuple[Callable[[Random], Iterator[Request]], ...] = (
    hashes,
    fields,
    points,
    compressed_points,
    g2_points,
    off_subgroup,
    reference_strings,
    proof_encodings,
)


def all_requests(seed: int) -> list[Request]:
    random = Random(seed)
    return [request for group in GROUPS for request in group(random)]


def payload(request: Request) -> bytes:
    return msgpack.packb([list(request)])

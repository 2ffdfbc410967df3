"""Write bbipc/conform/data/known_answers.json: what bb answers to requests of every cheap command.

    python tests/conform/record_known_answers.py BB msgpack run > bbipc/conform/data/known_answers.json

BB is the published binary of @aztec/bb.js 5.0.0.
"""

import json
import struct
import subprocess
import sys
from hashlib import sha256
from random import Random
from typing import Any

import msgpack

FR = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
FQ = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
G1 = {"x": (1).to_bytes(32, "big"), "y": (2).to_bytes(32, "big")}
INFINITY = {"x": b"\xff" * 32, "y": b"\xff" * 32}
GRUMPKIN = {
    "x": (1).to_bytes(32, "big"),
    "y": 0x2CF135E7506A45D632D270D45F1181294833FC48D823F272C.to_bytes(32, "big"),
}


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def element(text: str, modulus: int = FR) -> bytes:
    return word(int.from_bytes(sha256(text.encode()).digest(), "big") % modulus)


def ask(command: list[str], name: str, fields: Any) -> list[Any] | None:
    payload = msgpack.packb([[name, fields]])
    done = subprocess.run(command, input=struct.pack("<I", len(payload)) + payload, capture_output=True, check=False)
    return msgpack.unpackb(done.stdout[4:]) if done.stdout else None


def requests(command: list[str]) -> list[tuple[str, str, Any]]:
    random = Random(5)
    mul = lambda name, point, scalar: ask(command, name, {"point": point, "scalar": scalar})[1]["point"]  # noqa: E731
    g1 = [mul("Bn254G1Mul", G1, word(random.randrange(FR))) for _ in range(2)]
    gr = [mul("GrumpkinMul", GRUMPKIN, word(random.randrange(FQ))) for _ in range(2)]
    negated = lambda point, modulus: {  # noqa: E731
        "x": point["x"],
        "y": word(modulus - int.from_bytes(point["y"], "big")),
    }
    off = {"x": word(1), "y": word(3)}
    compressed = bytearray(g1[0]["x"])
    return [
        ("Poseidon2Hash", "no input", {"inputs": []}),
        ("Poseidon2Hash", "one element", {"inputs": [word(1)]}),
        ("Poseidon2Hash", "three elements", {"inputs": [element("a"), element("b"), word(FR - 1)]}),
        ("Poseidon2Hash", "ten elements", {"inputs": [element(str(i)) for i in range(10)]}),
        ("Poseidon2Permutation", "0, 1, 2, 3", {"inputs": [word(i) for i in range(4)]}),
        ("Poseidon2Permutation", "random elements", {"inputs": [element(f"p{i}") for i in range(4)]}),
        ("Blake2s", "no bytes", {"data": b""}),
        ("Blake2s", "1000 bytes", {"data": b"\xa5" * 1000}),
        ("Bn254FrSqrt", "a square", {"input": word(4)}),
        ("Bn254FrSqrt", "no square", {"input": word(5)}),
        ("Bn254FrSqrt", "zero", {"input": word(0)}),
        ("Bn254FqSqrt", "a square", {"input": word(4)}),
        ("Bn254FqSqrt", "no square", {"input": word(3)}),
        ("Bn254G1Mul", "generator by 2", {"point": G1, "scalar": word(2)}),
        ("Bn254G1Mul", "by 0", {"point": g1[0], "scalar": word(0)}),
        ("Bn254G1Mul", "random", {"point": g1[0], "scalar": element("s")}),
        ("Bn254G1Mul", "infinity", {"point": INFINITY, "scalar": word(3)}),
        ("Bn254G1Mul", "not on the curve", {"point": off, "scalar": word(3)}),
        ("Bn254G1IsOnCurve", "on it", {"point": g1[1]}),
        ("Bn254G1IsOnCurve", "not on it", {"point": off}),
        ("Bn254G1FromCompressed", "one sign", {"compressed": bytes(compressed)}),
        ("Bn254G1FromCompressed", "the other sign", {"compressed": bytes((compressed[0] | 0x80, *compressed[1:]))}),
        ("GrumpkinMul", "random", {"point": gr[0], "scalar": element("t", FQ)}),
        ("GrumpkinMul", "infinity", {"point": INFINITY, "scalar": word(3)}),
        ("GrumpkinMul", "not on the curve", {"point": off, "scalar": word(3)}),
        ("GrumpkinAdd", "two points", {"point_a": gr[0], "point_b": gr[1]}),
        ("GrumpkinAdd", "a point to itself", {"point_a": gr[0], "point_b": gr[0]}),
        ("GrumpkinAdd", "a point to its negative", {"point_a": gr[0], "point_b": negated(gr[0], FR)}),
        ("GrumpkinAdd", "infinity", {"point_a": INFINITY, "point_b": gr[1]}),
        ("GrumpkinBatchMul", "two points", {"points": gr, "scalar": element("u", FQ)}),
        ("GrumpkinBatchMul", "no points", {"points": [], "scalar": word(3)}),
        ("GrumpkinReduce512", "all ones", {"input": b"\xff" * 64}),
        ("SetMsmLegacy", "on", {"enabled": True}),
        ("SetMsmLegacy", "off", {"enabled": False}),
    ]


def main() -> None:
    command = sys.argv[1:]
    answers = []
    for name, note, fields in requests(command):
        response = ask(command, name, fields)
        assert response is not None, (name, note)
        failed = response[0] == "ErrorResponse"
        answers.append(
            {
                "command": name,
                "note": note,
                "request": msgpack.packb([[name, fields]]).hex(),
                "response": None if failed else msgpack.packb(response).hex(),
            }
        )
    json.dump({"answered by": "bb 5.0.0", "answers": answers}, sys.stdout, indent=1)
    sys.stdout.write("\n")


main()

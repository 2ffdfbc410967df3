#!/usr/bin/env python3
"""Write csrc/hash/poseidon2_constants.hpp from the data of the specification, or with --check tell whether it is up to date.

    python3 csrc/hash/generate_poseidon2_constants.py [--check] docs/spec csrc/hash/poseidon2_constants.hpp

Every constant is written as the four limbs of its Montgomery form (a * 2^256 mod p), so that the core needs no start-up work.
Besides the constants of chapters 02 and 11 it derives those of the internal rounds as a recurrence, explained in poseidon2.cpp,
and checks that recurrence against the rounds themselves.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

MODULUS = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
EXTERNAL_ROUNDS = (*range(4), *range(60, 64))
INTERNAL_ROUNDS = range(4, 60)


def montgomery_form(value: int) -> int:
    """The integer that represents `value` in the core."""
    return (value << 256) % MODULUS


def element(value: int) -> str:
    """C++ expression of the field element `value`."""
    montgomery = montgomery_form(value)
    limbs = ", ".join(f"0x{montgomery >> 64 * i & 2**64 - 1:016x}" for i in range(4))
    return f"Fr::from_montgomery({{{{{limbs}}}}})"


def table(name: str, comment: str, dimensions: tuple[int, ...], values: list[int]) -> str:
    """C++ definition of a constant array; `values` in row-major order."""
    shape = "".join(f"[{n}]" for n in dimensions)
    if len(dimensions) == 1:
        body = [f"    {element(v)}," for v in values]
    else:
        width = dimensions[1]
        body = []
        for row in range(dimensions[0]):
            lines = ",\n     ".join(element(v) for v in values[row * width : (row + 1) * width])
            body.append(f"    {{{lines}}},")
    return "\n".join([f"// {comment}", f"inline constexpr Fr {name}{shape} = {{", *body, "};"])


Vector = list[int]
Matrix = list[Vector]


def row_times(row: Sequence[int], matrix: Sequence[Sequence[int]]) -> Vector:
    """Row vector times matrix."""
    return [sum(a * matrix[i][j] for i, a in enumerate(row)) % MODULUS for j in range(len(matrix[0]))]


def inverse_3x3(m: Matrix) -> Matrix:
    """The inverse, by cofactors."""

    def minor(i: int, j: int) -> int:
        a, b = (k for k in range(3) if k != i)
        c, d = (k for k in range(3) if k != j)
        determinant = m[a][c] * m[b][d] - m[a][d] * m[b][c]
        return -determinant if (i + j) % 2 else determinant

    scale = pow(sum(m[0][j] * minor(0, j) for j in range(3)), -1, MODULUS)
    return [[scale * minor(j, i) % MODULUS for j in range(3)] for i in range(3)]


def square_root(a: int) -> int | None:
    """Some square root, by Tonelli and Shanks; None if there is none."""
    odd, bits = MODULUS - 1, 0
    while odd % 2 == 0:
        odd, bits = odd // 2, bits + 1
    z, root, error = pow(5, odd, MODULUS), pow(a, (odd + 1) // 2, MODULUS), pow(a, odd, MODULUS)
    for k in range(bits - 1, 0, -1):  # if a is a square, then the order of error divides 2^k
        if pow(error, 2 ** (k - 1), MODULUS) != 1:
            root, error = root * z % MODULUS, error * z * z % MODULUS
        z = z * z % MODULUS
    return root if root * root % MODULUS == a % MODULUS else None


@dataclass(frozen=True)
class Recurrence:
    """The internal rounds as in poseidon2.cpp."""

    scale: int  # f
    coefficients: Vector  # of v_{n-3}, y_{n-3}, v_{n-2}, y_{n-2}, v_{n-1}, y_{n-1} in y_n
    start: Matrix  # y_{-1}, y_{-2}, y_{-3} from the hidden lanes
    finish: Matrix  # hidden lanes after the last round, over the same basis as `coefficients`

    def fits(self) -> bool:
        """The bound that the sums of six products rely on."""
        rows = [self.coefficients, *self.finish]
        return all(sum(map(montgomery_form, row)) + MODULUS < 2**256 for row in rows)

    def run(self, state: Sequence[int], constants: Sequence[int]) -> Vector:
        """The state after rounds with these constants."""
        inverse = pow(self.scale, -1, MODULUS)
        history = [x for row in reversed(self.start) for x in (0, sum(c * s for c, s in zip(row, state[1:], strict=True)))]
        x = state[0] * inverse
        for constant in constants:
            y = sum(c * h for c, h in zip(self.coefficients, history[-6:], strict=True)) % MODULUS
            v = 2 * pow(x + constant * inverse, 5, MODULUS)
            x, history = v + y, [*history, v, y]
        hidden = [sum(c * h for c, h in zip(row, history[-6:], strict=True)) % MODULUS for row in self.finish]
        return [x * self.scale % MODULUS, *hidden]


def internal_rounds(state: Sequence[int], constants: Sequence[int], minus_one: Sequence[int]) -> Vector:
    """The same as chapter 02 writes it."""
    for constant in constants:
        lanes = [pow(state[0] + constant, 5, MODULUS), *state[1:]]
        state = [(d * s + sum(lanes)) % MODULUS for d, s in zip(minus_one, lanes, strict=True)]
    return list(state)


def derive_recurrence(diagonal: Sequence[int], scale: int) -> Recurrence:
    """The recurrence for a scale f with f^4 D_0 = 2."""
    ones = [1, 1, 1]
    hidden = [[diagonal[i + 1] if i == j else 1 for j in range(3)] for i in range(3)]  # M: the hidden lanes act on themselves
    powers = [ones]  # rows 1^T M^k: y_(n+k) of lanes that no S-box output enters
    for _ in range(3):
        powers.append(row_times(powers[-1], hidden))
    observe = inverse_3x3(powers[:3])
    from_y = row_times(powers[3], observe)[::-1]  # 1^T M^3 = sum of from_y[i] 1^T M^(2-i), so y_n = sum of from_y[i] y_(n-1-i)
    response = [sum(row) for row in powers[:3]]  # of y to an S-box output, which enters every hidden lane once
    from_v = [response[k] - sum(from_y[i] * response[k - 1 - i] for i in range(k)) for k in range(3)]
    from_v = [c * pow(diagonal[0], -1, MODULUS) % MODULUS for c in from_v]  # v = D_0 f^4 times the scaled S-box output
    coefficients = [c for pair in zip(reversed(from_v), reversed(from_y), strict=True) for c in pair]

    inverse, back = inverse_3x3(hidden), [pow(scale, -1, MODULUS)] * 3
    start = []
    for _ in range(3):
        back = row_times(back, inverse)
        start.append(back)

    window = [[int(i == j) for j in range(6)] for i in range(6)]  # the basis, then y_n, y_(n+1), y_(n+2) with no further v
    for _ in range(3):
        window += [[0] * 6, row_times(coefficients, window[-6:])]
    ahead = [window[7], window[9], window[11]]
    finish = [row_times([scale * c for c in row], ahead) for row in observe]
    return Recurrence(scale, coefficients, start, finish)


def find_recurrence(diagonal: Sequence[int], constants: Sequence[int]) -> Recurrence:
    """The recurrence with the least scale whose sums fit, tested against the rounds themselves."""
    square = square_root(2 * pow(diagonal[0], -1, MODULUS))
    if square is None:
        raise ValueError("2 / D_0 is no square")
    roots = [r for r in (square_root(square), square_root(-square % MODULUS)) if r is not None]
    scales = sorted(sign * r % MODULUS for sign, r in product((1, -1), roots))
    recurrence = next(r for r in (derive_recurrence(diagonal, scale) for scale in scales) if r.fits())
    rng = random.Random(56)
    minus_one = [d - 1 for d in diagonal]
    for _ in range(3):
        state = [rng.randrange(MODULUS) for _ in range(4)]
        if recurrence.run(state, constants) != internal_rounds(state, constants, minus_one):
            raise ValueError("the recurrence is wrong")
    return recurrence


def render(spec: Path) -> str:
    """The text of the header."""
    data = json.loads((spec / "poseidon2_constants.json").read_text())
    quad = json.loads((spec / "poseidon2_quad_constants.json").read_text())
    rounds = [[int(c, 16) for c in row] for row in data["round_constants"]]
    minus_one = [int(d, 16) for d in data["internal_diag_minus_one"]]
    diagonal = [int(d, 16) for d in quad["D"]]
    if diagonal != [d + 1 for d in minus_one]:
        raise ValueError("the two files of constants disagree about the diagonal")
    if any(any(rounds[k][1:]) for k in INTERNAL_ROUNDS):
        raise ValueError("an internal round has constants for other lanes than 0")
    internal_constants = [rounds[k][0] for k in INTERNAL_ROUNDS]
    recurrence = find_recurrence(diagonal, internal_constants)
    inverse_scale = pow(recurrence.scale, -1, MODULUS)
    parts = [
        "// Written by generate_poseidon2_constants.py from docs/spec; do not edit.\n"
        "// Montgomery form, least significant limb first.",
        "#pragma once",
        '#include "../field/field.hpp"',
        "BBIPC_BEGIN",
        "namespace poseidon2_constants {",
        table(
            "external_round",
            "Round constants of the external rounds 0..3 and 60..63 (chapter 02 section 1), one row each.",
            (8, 4),
            [c for k in EXTERNAL_ROUNDS for c in rounds[k]],
        ),
        table(
            "internal_round",
            "Round constants of lane 0 in the internal rounds 4..59.",
            (56,),
            internal_constants,
        ),
        table(
            "scaled_internal_round",
            "The same divided by f.",
            (56,),
            [c * inverse_scale % MODULUS for c in internal_constants],
        ),
        table("scale", "f and 1/f, where f^4 D_0 = 2.", (2,), [recurrence.scale, inverse_scale]),
        table(
            "recurrence",
            "Coefficients of (v_{n-3}, y_{n-3}, v_{n-2}, y_{n-2}, v_{n-1}, y_{n-1}) in y_n.",
            (6,),
            recurrence.coefficients,
        ),
        table(
            "start",
            "Rows: y_{-1}, y_{-2}, y_{-3} from the lanes 1, 2, 3 before the internal rounds.",
            (3, 3),
            [c for row in recurrence.start for c in row],
        ),
        table(
            "finish",
            "Rows: the lanes 1, 2, 3 after the internal rounds from (v_53, y_53, v_54, y_54, v_55, y_55).",
            (3, 6),
            [c for row in recurrence.finish for c in row],
        ),
        table("diagonal_minus_one", "D of chapter 02 section 1.", (4,), minus_one),
        table("diagonal", "D_0..D_3 of chapter 11: D of chapter 02 plus one.", (4,), diagonal),
        table(
            "quad",
            "C of chapter 11: the state after four internal rounds, over (w_r, w_o, w_4, u_0, u_1, u_2, u_3).",
            (4, 7),
            [int(c, 16) for row in quad["C"] for c in row],
        ),
        "}  // namespace poseidon2_constants",
        "BBIPC_END",
    ]
    return "\n\n".join(parts) + "\n"


def main() -> int:
    """Write or check the header."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("spec", type=Path)
    parser.add_argument("header", type=Path)
    arguments = parser.parse_args()
    text = render(arguments.spec)
    if not arguments.check:
        arguments.header.write_text(text)
    elif arguments.header.read_text() != text:
        print(f"{arguments.header} is out of date: run {Path(__file__).name} without --check", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

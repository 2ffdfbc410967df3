#!/usr/bin/env python3
"""Write csrc/hash/poseidon2_constants.hpp from the data of the specification, or with --check tell whether it is up to date.

    python3 csrc/hash/generate_poseidon2_constants.py [--check] docs/spec csrc/hash/poseidon2_constants.hpp

Every constant is written as the four limbs of its Montgomery form (a * 2^256 mod p), so that the core needs no start-up work.
"""

import argparse
import json
import sys
from pathlib import Path

MODULUS = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
EXTERNAL_ROUNDS = (*range(4), *range(60, 64))
INTERNAL_ROUNDS = range(4, 60)


def element(value: int) -> str:
    """C++ expression of the field element `value`."""
    montgomery = (value << 256) % MODULUS
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
            [rounds[k][0] for k in INTERNAL_ROUNDS],
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

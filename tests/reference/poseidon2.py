"""Poseidon2 as chapter 02 writes it, in plain Python integers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from reference.curves import R

CONSTANTS = Path(__file__).parent.parent.parent / "docs" / "spec" / "poseidon2_constants.json"
EXTERNAL = ((5, 7, 1, 3), (4, 6, 1, 1), (1, 3, 5, 7), (1, 1, 4, 6))


@cache
def constants() -> tuple[list[list[int]], list[int]]:
    """The round constants, and D, the diagonal of the internal layer minus one."""
    document = json.loads(CONSTANTS.read_text())
    rounds = [[_integer(value) for value in row] for row in document["round_constants"]]
    return rounds, [_integer(value) for value in document["internal_diag_minus_one"]]


def _integer(value: str | int) -> int:
    return int(value, 0) if isinstance(value, str) else value


def external(state: Sequence[int]) -> list[int]:
    return [sum(m * s for m, s in zip(row, state, strict=True)) % R for row in EXTERNAL]


def internal(state: Sequence[int]) -> list[int]:
    total = sum(state)
    return [(d * s + total) % R for d, s in zip(constants()[1], state, strict=True)]


def permute(state: Sequence[int]) -> list[int]:
    rounds, _ = constants()
    s = external(state)
    for k, row in enumerate(rounds):
        if 4 <= k < 60:
            s = internal([pow(s[0] + row[0], 5, R), *s[1:]])
        else:
            s = external([pow(x + c, 5, R) for x, c in zip(s, row, strict=True)])
    return s


def hash_list(elements: Sequence[int]) -> int:
    state = [0, 0, 0, len(elements) << 64]
    for start in range(0, max(len(elements), 1), 3):
        for i, element in enumerate(elements[start : start + 3]):
            state[i] = (state[i] + element) % R
        state = permute(state)
    return state[0]

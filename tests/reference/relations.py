"""The relations of chapters 08, 11 and 12 in plain modular arithmetic, sharing nothing with csrc/relations.

Chapter 08 is not transcribed: its `calc` blocks are executed. Chapters 11 and 12 are written anew here, by other means than in
the core where there are other means (the compressed rounds are run, not multiplied by their matrix; the decomposition table is
read from the data of the specification).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import prod
from pathlib import Path
from types import CodeType
from typing import Any

Q = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47  # Fq
R = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001  # Fr
SPEC = Path(__file__).parents[2] / "docs" / "spec"

Json = Any  # the data files of the specification


@cache
def data(name: str) -> Json:
    """A JSON file of docs/spec."""
    return json.loads((SPEC / name).read_text())


@dataclass(frozen=True)
class Residue:
    """An integer modulo Q, for executing formulas."""

    value: int

    @staticmethod
    def _integer(other: Residue | int) -> int:
        return other.value if isinstance(other, Residue) else other

    def __add__(self, other: Residue | int) -> Residue:
        return Residue((self.value + self._integer(other)) % Q)

    def __sub__(self, other: Residue | int) -> Residue:
        return Residue((self.value - self._integer(other)) % Q)

    def __rsub__(self, other: int) -> Residue:
        return Residue((other - self.value) % Q)

    def __mul__(self, other: Residue | int) -> Residue:
        return Residue(self.value * self._integer(other) % Q)

    def __rtruediv__(self, other: int) -> Residue:
        return Residue(other * pow(self.value, -1, Q) % Q)

    def __pow__(self, exponent: int) -> Residue:
        return Residue(pow(self.value, exponent, Q))

    def __neg__(self) -> Residue:
        return Residue(-self.value % Q)

    __radd__ = __add__
    __rmul__ = __mul__


# ---- Sumcheck factors -------------------------------------------------------------------------------------------------


def gate_separator(u: Sequence[int], gate: int, modulus: int) -> int:
    return prod(1 + u_i * (pow(gate, 2**i, modulus) - 1) for i, u_i in enumerate(u)) % modulus


def first_rows_indicator(u: Sequence[int], modulus: int) -> int:
    return prod(1 - u_i for u_i in u[2:]) % modulus


def powers(base: int, count: int, modulus: int) -> list[int]:
    return [pow(base, k, modulus) for k in range(count)]


# ---- ECCVM (chapter 08) -----------------------------------------------------------------------------------------------

ECCVM_NAMES: list[str] = [e["name"] for e in data("eccvm_data.json")["entities"]]


@cache
def _chapter_08() -> tuple[dict[str, CodeType], dict[str, Callable[..., Any]], list[list[str]]]:
    """The code of every section; ADD and DBL; the lists of 8.9 and 8.10."""
    text = (SPEC / "08-eccvm-relations.md").read_text()
    sections = dict(re.findall(r"^## (8\.\d+) (.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE))
    calc = {number: "\n".join(re.findall(r"```calc\n(.*?)```", body, re.DOTALL)) for number, body in sections.items()}
    code = {number: compile(text, f"section {number}", "exec") for number, text in calc.items()}
    addition, doubling = re.findall(r"```\n(.*?)```", sections["8.6"], re.DOTALL)[:2]

    def function(body: str, parameters: Sequence[str], results: Sequence[str]) -> Callable[..., Any]:
        compiled = compile(body, "a helper of 8.6", "exec")

        def call(*arguments: Residue) -> tuple[Residue, ...]:
            names: dict[str, Any] = dict(zip(parameters, arguments, strict=True))
            exec(compiled, names)
            return tuple(names[r] for r in results)

        return call

    helpers = {
        "ADD": function(addition, ("xb", "yb", "xa", "ya", "l", "s"), ("x", "y", "slope", "diff")),
        "DBL": function(doubling, ("xa", "ya", "l"), ("x", "y", "slope")),
    }
    lists = [block.split() for block in re.findall(r"```list\n(.*?)```", text, re.DOTALL)]
    return code, helpers, lists


def eccvm_subrelations(evaluations: Sequence[int], beta: int, gamma: int) -> list[int]:
    """The 159 values; ZeroDivisionError or ValueError if delta does not exist."""
    code, helpers, (booleans, shiftable) = _chapter_08()
    row = {name: Residue(v) for name, v in zip(ECCVM_NAMES, evaluations, strict=True)}
    common: dict[str, Any] = {**helpers, "beta": Residue(beta), "gamma": Residue(gamma)}
    exec(code["8.2"], common)
    values: list[Residue] = []
    for section, count in (("8.3", 31), ("8.4", 6), ("8.5", 23), ("8.6", 51), ("8.7", 2), ("8.8", 2)):
        results: dict[int, Residue] = {}
        exec(code[section], {**common, **row, "T": results})
        if sorted(results) != list(range(count)):
            raise ValueError(f"section {section} does not define {count} subrelations")
        values += [results[i] for i in range(count)]
    values += [row[c] * (row[c] - 1) for c in booleans]
    values += [row["lagrange_first"] * row[c] for c in shiftable]
    return [v.value for v in values]


def eccvm_batched(values: Sequence[int], alpha: int, separator: int) -> int:
    weights = powers(alpha, 159, Q)
    return sum(w * v * (1 if k == 114 else separator) for k, (w, v) in enumerate(zip(weights, values, strict=True))) % Q


# ---- MegaZK (chapter 11) ----------------------------------------------------------------------------------------------

MEGA_NAMES: list[str] = [n for kind in ("precomputed", "witness", "shifted") for n in data("mega_entities.json")[kind]]
DIAGONAL = [int(d, 16) + 1 for d in data("poseidon2_constants.json")["internal_diag_minus_one"]]
EXTERNAL = [[5, 7, 1, 3], [4, 6, 1, 1], [1, 3, 5, 7], [1, 1, 4, 6]]
Row = Mapping[str, int]


def _solve(matrix: list[list[int]], right: list[int]) -> list[int]:
    """The solution of a square system modulo R."""
    rows = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    for i in range(len(rows)):
        pivot = next(k for k in range(i, len(rows)) if rows[k][i] % R)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        inverse = pow(rows[i][i], -1, R)
        rows[i] = [v * inverse % R for v in rows[i]]
        for k in range(len(rows)):
            if k != i:
                factor = rows[k][i]
                rows[k] = [(v - factor * w) % R for v, w in zip(rows[k], rows[i], strict=True)]
    return [row[-1] for row in rows]


def _internal_round(state: Sequence[int], u: int) -> list[int]:
    """One internal round, u = (s_0 + c)^5."""
    lanes = [u, *state[1:]]
    return [(sum(lanes) + (DIAGONAL[i] - 1) * lanes[i]) % R for i in range(4)]


def _state_after_compressed_row(lanes_0: Sequence[int], u: Sequence[int]) -> list[int]:
    """The state after four rounds with lane 0 equal to `lanes_0` before each; the hidden lanes follow from the last three."""

    def lanes_0_of(hidden: Sequence[int], s_boxes: Sequence[int]) -> list[int]:
        state, seen = [0, *hidden], []
        for k in range(3):
            state = _internal_round(state, s_boxes[k])
            seen.append(state[0])
        return seen

    offset = lanes_0_of([0, 0, 0], u)
    columns = [lanes_0_of([int(i == j) for i in range(3)], [0, 0, 0]) for j in range(3)]
    matrix = [[columns[j][k] for j in range(3)] for k in range(3)]
    hidden = _solve(matrix, [(w - o) % R for w, o in zip(lanes_0[1:], offset, strict=True)])
    state = [lanes_0[0], *hidden]
    for s_box in u:
        state = _internal_round(state, s_box)
    return state


def _hidden_sums(e: Row) -> list[int]:
    """b_1, b_2, b_3 of chapter 11: sums of D_j^k s_j over the hidden lanes of the successor row."""
    sigma = sum(DIAGONAL[1:])
    v = [pow(e["w_l_shift"] + e["q_m"], 5, R), pow(e["w_r_shift"] + e["q_c"], 5, R), pow(e["w_o_shift"] + e["q_5"], 5, R)]
    d_0 = DIAGONAL[0]
    b_1 = e["w_r_shift"] - d_0 * v[0]
    b_2 = e["w_o_shift"] - d_0 * v[1] - 3 * v[0] - 2 * b_1
    b_3 = e["w_4_shift"] - d_0 * v[2] - 3 * v[1] - (sigma + 6) * v[0] - b_2 - (sigma + 4) * b_1
    return [b_1, b_2, b_3]


def mega_subrelations(evaluations: Sequence[int], beta: int, gamma: int, delta: int) -> list[int]:
    """The 44 values, without gate separator and row factors."""
    e: Row = dict(zip(MEGA_NAMES, evaluations, strict=True))
    w = [e["w_l"], e["w_r"], e["w_o"], e["w_4"]]
    following = [e["w_l_shift"], e["w_r_shift"], e["w_o_shift"], e["w_4_shift"]]
    q = e["q_arith"]
    linear = sum(e[f"q_{c}"] * e[f"w_{c}"] for c in "lro4")
    values = [
        q * (-pow(2, -1, R) * (q - 3) * e["q_m"] * w[0] * w[1] + linear + e["q_c"] + (q - 1) * following[3]),
        q * (q - 1) * (q - 2) * (w[0] + w[3] - following[0] + e["q_m"]),
    ]
    numerator, denominator = (prod(w[i] + e[f"{kind}_{i + 1}"] * beta + gamma for i in range(4)) for kind in ("id", "sigma"))
    values.append(
        (e["z_perm"] + e["lagrange_first"]) * numerator - (e["z_perm_shift"] + e["lagrange_last"] * delta) * denominator
    )
    values += [e["lagrange_last"] * e["z_perm_shift"], e["lagrange_first"] * e["z_perm"]]
    for a, b in pairwise([*w, following[0]]):
        values.append(e["q_delta_range"] * prod(b - a - j for j in range(4)))
    queue = [e[f"ecc_op_wire_{i}"] for i in range(1, 5)]
    values += [e["lagrange_ecc_op"] * (o - f) for o, f in zip(queue, following, strict=True)]
    values += [(1 - e["lagrange_ecc_op"]) * o for o in queue]
    values += queue
    read, look_up = e["q_busread"] * e["q_l"], w[0] + w[1] * beta + gamma
    table = e["kernel_calldata"] + e["databus_id"] * beta + gamma
    inverse, count = e["kernel_calldata_inverses"], e["kernel_calldata_read_counts"]
    values += [(inverse * look_up * table - 1) * read, (inverse * look_up * table - 1) * count]
    values += [(read * table - count * look_up) * inverse, (1 - e["kernel_calldata_indicator"]) * count]
    s_boxes = [pow(e[f"w_{c}"] + e[f"q_{c}"], 5, R) for c in "lro4"]
    for selector, vector in (("q_poseidon2_external", s_boxes), ("q_poseidon2_external_initial", w)):
        images = [sum(m * v for m, v in zip(row, vector, strict=True)) for row in EXTERNAL]
        values += [e[selector] * (image - f) for image, f in zip(images, following, strict=True)]
    out = _state_after_compressed_row(w, s_boxes)
    quad = e["q_poseidon2_quad_internal"]
    sums = [sum(pow(DIAGONAL[j], k, R) * out[j] for j in (1, 2, 3)) for k in range(3)]
    values.append(quad * (out[0] - following[0]))
    values += [quad * (s - b) for s, b in zip(sums, _hidden_sums(e), strict=True)]
    values += [e["q_poseidon2_quad_internal_terminal"] * (o - f) for o, f in zip(out, following, strict=True)]
    entry = [
        pow(w[0] + e["q_l"], 5, R),
        pow(following[1] + e["q_r"], 5, R),
        pow(following[2] + e["q_o"], 5, R),
    ]
    state = w
    for k in range(3):
        state = _internal_round(state, entry[k])
        values.append(e["q_poseidon2_transition_entry"] * (state[0] - following[k + 1]))
    return [v % R for v in values]


def mega_batched(values: Sequence[int], alpha: int, separator: int, first_rows: int) -> int:
    total = 0
    for k, (weight, value) in enumerate(zip(powers(alpha, 44, R), values, strict=True)):
        factor = first_rows if k in range(17, 21) else 1 - first_rows
        total += weight * value * factor * (1 if k == 23 else separator)
    return total % R


# ---- Translator (chapter 12) ------------------------------------------------------------------------------------------

TRANSLATOR: Json = data("translator_entities.json")
INDICATORS = (
    "lagrange_first",
    "lagrange_last",
    "lagrange_result_row",
    "lagrange_last_in_minicircuit",
    "lagrange_real_last",
    "lagrange_ordered_masking",
    "lagrange_masking",
    "lagrange_mini_masking",
    "lagrange_even_in_minicircuit",
    "lagrange_odd_in_minicircuit",
)


def limbs(number: int) -> list[int]:
    return [number >> 68 * k & 2**68 - 1 for k in range(4)]


@dataclass(frozen=True)
class TranslatorParameters:
    """10.4."""

    x: list[int]
    v: list[list[int]]
    acc: list[int]
    beta: int
    gamma: int

    @classmethod
    def derive(cls, x: int, v: int, acc: int, beta: int, gamma: int) -> TranslatorParameters:
        with_native = [[*limbs(n), n % R] for n in (x, *(pow(v, i, Q) for i in range(1, 5)))]
        return cls(with_native[0], with_native[1:], limbs(acc), beta, gamma)


def _equals(u: Sequence[int], row: int) -> int:
    """The multilinear indicator of one row over the variables u."""
    return prod(u_k if row >> k & 1 else 1 - u_k for k, u_k in enumerate(u)) % R


def _interval(u: Sequence[int], first: int, last: int) -> int:
    """The indicator of rows first .. last, summed over aligned blocks."""
    total, row = 0, first
    while row <= last:
        size = 0
        while row % 2 ** (size + 1) == 0 and row + 2 ** (size + 1) - 1 <= last and size < len(u):
            size += 1
        total += _equals(u[size:], row >> size)
        row += 2**size
    return total % R


def indicators(u: Sequence[int]) -> dict[str, int]:
    """The columns of 13.5 from the rows where they are one (the middle column of its table, not the last)."""
    n, mini = 2**17, 2**13
    within = _interval(u[1:], 8 // 2, (mini - 6) // 2)  # pairs of rows 8, 9 .. 2^13 - 6, 2^13 - 5
    return {
        "lagrange_first": _equals(u, 0),
        "lagrange_last": _equals(u, n - 1),
        "lagrange_result_row": _equals(u, 8),
        "lagrange_last_in_minicircuit": _equals(u, mini - 5),
        "lagrange_real_last": _equals(u, n - 65),
        "lagrange_ordered_masking": _interval(u, n - 64, n - 1),
        "lagrange_masking": sum(_interval(u, mini * (j + 1) - 4, mini * (j + 1) - 1) for j in range(16)) % R,
        "lagrange_mini_masking": (_interval(u, 2, 7) + _interval(u, mini - 4, mini - 1)) % R,
        "lagrange_even_in_minicircuit": (1 - u[0]) * within % R,
        "lagrange_odd_in_minicircuit": u[0] * within % R,
    }


def translator_evaluations(minicircuit: Sequence[int], full_size: Sequence[int], u: Sequence[int]) -> dict[str, int]:
    """Every column and shift at the full point."""
    received = dict(zip(TRANSLATOR["minicircuit_evaluations_154"], minicircuit, strict=True))
    blocks = [_equals(u[13:], j) for j in range(16)]
    e = dict(zip(TRANSLATOR["full_circuit_evaluations_21"], full_size, strict=True))
    e |= indicators(u)
    e |= {name: blocks[0] * value % R for name, value in received.items()}
    for name, group in TRANSLATOR["concatenation_groups"].items():
        for suffix in ("", "_shift"):
            e[name + suffix] = sum(blocks[j] * received[wire + suffix] for j, wire in enumerate(group)) % R
    return e


def _non_native(e: Row, p: TranslatorParameters) -> list[int]:
    """Subrelations 78..80 without their selector."""

    def lookup(*names: str) -> list[int]:
        return [e[name] if name else 0 for name in names]

    def four(low: str, high: str) -> list[int]:
        return lookup(low, f"{low}_shift", high, f"{high}_shift")

    acc = [f"accumulators_binary_limbs_{i}" for i in range(4)]
    current = lookup(*acc)
    negative_p = 2**272 - Q
    pairs = [
        (lookup(*(f"{a}_shift" for a in acc)), p.x),
        (four("p_x_low_limbs", "p_x_high_limbs"), p.v[0]),
        (four("p_y_low_limbs", "p_y_high_limbs"), p.v[1]),
        (lookup("z_low_limbs", "z_high_limbs", "", ""), p.v[2]),
        (lookup("z_low_limbs_shift", "z_high_limbs_shift", "", ""), p.v[3]),
        (four("quotient_low_binary_limbs", "quotient_high_binary_limbs"), [*limbs(negative_p), -Q % R]),
    ]
    conv = [sum(left[i] * right[k - i] for left, right in pairs for i in range(k + 1)) for k in range(4)]
    low, high = e["relation_wide_limbs"], e["relation_wide_limbs_shift"]

    def recompose(values: Sequence[int]) -> int:
        return sum(v << 68 * k for k, v in enumerate(values))

    return [
        conv[0] + e["op"] - current[0] + 2**68 * (conv[1] - current[1]) - 2**136 * low,
        low + conv[2] - current[2] + 2**68 * (conv[3] - current[3]) - 2**136 * high,
        sum(recompose(left) * right[4] for left, right in pairs) + e["op"] - recompose(current),
    ]


def translator_subrelations(e: Row, p: TranslatorParameters) -> list[int]:
    """The 154 values, without gate separator."""
    first, last, op = e["lagrange_first"], e["lagrange_last"], e["op"]
    even, odd = e["lagrange_even_in_minicircuit"], e["lagrange_odd_in_minicircuit"]
    last_mini, masking = e["lagrange_last_in_minicircuit"], e["lagrange_masking"] * p.beta + p.gamma
    ordered_masking = e["lagrange_ordered_masking"] * p.beta + p.gamma
    ordered = [e[f"ordered_range_constraints_{i}"] for i in range(5)]
    ordered_next = [e[f"ordered_range_constraints_{i}_shift"] for i in range(5)]
    acc = [e[f"accumulators_binary_limbs_{i}"] for i in range(4)]
    acc_next = [e[f"accumulators_binary_limbs_{i}_shift"] for i in range(4)]

    numerator = prod(e[f"concatenated_range_constraints_{i}"] + masking for i in range(4))
    numerator *= e["ordered_extra_range_constraints_numerator"] + ordered_masking
    denominator = prod(o + ordered_masking for o in ordered)
    values = [(e["z_perm"] + first) * numerator - (e["z_perm_shift"] + last) * denominator]
    values += [last * e["z_perm_shift"], first * e["z_perm"]]

    inside = e["lagrange_real_last"] + e["lagrange_ordered_masking"] - 1
    values += [inside * prod(b - a - j for j in range(4)) for a, b in zip(ordered, ordered_next, strict=True)]
    values += [e["lagrange_real_last"] * (o - 16383) for o in ordered]

    known = (op - 3) * (op - 4) * (op - 8)
    values.append(even * op * known + odd * op)
    values += [even * known * (a - b) for a, b in zip(acc, acc_next, strict=True)]

    values += [odd * (last_mini - 1) * (a - b) for a, b in zip(acc, acc_next, strict=True)]
    values += [last_mini * a for a in acc]
    values += [e["lagrange_result_row"] * (a - expected) for a, expected in zip(acc, p.acc, strict=True)]

    for row in TRANSLATOR["decomposition"]:
        selector = {"even*op": even * op, "even": even}[row["selector"]]
        values.append(selector * sum(int(coefficient) * e[name] for name, coefficient in row["terms"]))

    values += [even * op * form for form in _non_native(e, p)]
    outside = even + odd + e["lagrange_mini_masking"] - 1
    values += [outside * e[wire] for wire in TRANSLATOR["zero_constraint_wires"]]
    values += [first * o for o in ordered]
    return [v % R for v in values]


def translator_batched(values: Sequence[int], alpha: int, separator: int) -> int:
    return separator * sum(w * v for w, v in zip(powers(alpha, 154, R), values, strict=True)) % R


# ---- Names, for messages ----------------------------------------------------------------------------------------------


def eccvm_subrelation_names() -> list[str]:
    return [f"{s['relation']}[{s['index_in_relation']}]:{s['name']}" for s in data("eccvm_data.json")["subrelations"]]


def numbered_names(ranges: Mapping[str, Sequence[int]]) -> list[str]:
    """Names of subrelations from {relation: [first, last]}."""
    return [f"{k}:{name.split()[0]}[{k - first}]" for name, (first, last) in ranges.items() for k in range(first, last + 1)]

"""Writes the cases of csrc/tests/test_relations.cpp: the vectors of docs/spec, and random points with the reference's values.

    python3 tests/reference/relation_cases.py OUTPUT [--random COUNT] [--seed SEED]

One case is `case KIND LABEL` and lines `NAME VALUE...`, values in hexadecimal, up to the next case; `names KIND NAME...` names
the subrelations of that kind. Before it writes a vector the script checks that the reference agrees with it.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import relations as rel

DATA = Path(__file__).parents[1] / "data"
Case = Mapping[str, int | Sequence[int]]


def numbers(values: Iterable[str]) -> list[int]:
    return [int(v, 16) for v in values]


def agree(what: str, computed: object, expected: object) -> None:
    if computed != expected:
        raise ValueError(f"the reference does not reproduce {what}")


def eccvm_case(evaluations: Sequence[int], beta: int, gamma: int, alpha: int, gate: int, u: Sequence[int]) -> Case:
    values = rel.eccvm_subrelations(evaluations, beta, gamma)
    separator = rel.gate_separator(u, gate, rel.Q)
    return {
        "evaluations": evaluations,
        "beta": beta,
        "gamma": gamma,
        "alpha": alpha,
        "gate": gate,
        "u": u,
        "subrelations": values,
        "separator": separator,
        "first_rows": rel.first_rows_indicator(u, rel.Q),
        "batched": rel.eccvm_batched(values, alpha, separator),
    }


def eccvm_vector(flow: str) -> Case:
    vector = rel.data(f"vectors-eccvm-{flow}.json")
    challenges: dict[str, int] = {}
    for event in vector["events"]:
        if event["kind"] == "challenge":
            challenges.setdefault(event["label"], int(event["values"][0], 16))
    sumcheck = vector["sumcheck"]
    agree("the order of the ECCVM columns", list(sumcheck["evaluations"]), rel.ECCVM_NAMES)
    case = eccvm_case(
        numbers(sumcheck["evaluations"].values()),
        challenges["beta"],
        challenges["gamma"],
        challenges["Sumcheck:alpha"],
        challenges["Sumcheck:gate_challenge"],
        [challenges[f"Sumcheck:u_{i}"] for i in range(15)],
    )
    agree("the ECCVM subrelations", case["subrelations"], numbers(sumcheck["subrelation_values"]))
    agree("the ECCVM gate separator", case["separator"], int(sumcheck["gate_separator"], 16))
    agree("the batched ECCVM relation", case["batched"], int(sumcheck["batched_relation"], 16))
    agree("the row-disabling factor", case["first_rows"], (1 - int(sumcheck["row_disabling"], 16)) % rel.Q)
    return case


def joint_case(given: Mapping[str, int], evaluations: Mapping[str, Sequence[int]], u: Sequence[int]) -> Case:
    """`given`: alpha, gate, lambda, e_lib; mega_beta, mega_gamma, delta; x, v, acc, beta, gamma."""
    separator, first_rows = rel.gate_separator(u, given["gate"], rel.R), rel.first_rows_indicator(u, rel.R)
    mega = rel.mega_subrelations(evaluations["mega"], given["mega_beta"], given["mega_gamma"], given["delta"])
    mega_value = rel.mega_batched(mega, given["alpha"], separator, first_rows)
    parameters = rel.TranslatorParameters.derive(*(given[k] for k in ("x", "v", "acc", "beta", "gamma")))
    row = rel.translator_evaluations(evaluations["minicircuit"], evaluations["full_size"], u)
    translator = rel.translator_subrelations(row, parameters)
    translator_value = rel.translator_batched(translator, given["alpha"], separator)
    libra = given["e_lib"] * given["lambda"]
    return {
        **given,
        **evaluations,
        "u": u,
        "separator": separator,
        "first_rows": first_rows,
        "mega_subrelations": mega,
        "mega_value": mega_value,
        "parameters": [*parameters.x, *(limb for v in parameters.v for limb in v), *parameters.acc],
        "minicircuit_full": [row[name] for name in rel.TRANSLATOR["minicircuit_evaluations_154"]],
        "indicators": [row[name] for name in rel.INDICATORS],
        "concatenated": [row[name] for name in rel.TRANSLATOR["concatenated"]],
        "concatenated_shift": [row[f"{name}_shift"] for name in rel.TRANSLATOR["concatenated"]],
        "translator_subrelations": translator,
        "translator_value": translator_value,
        "final_claim": (mega_value + pow(given["alpha"], 44, rel.R) * translator_value + libra) % rel.R,
    }


def joint_part(flow: str) -> list[int]:
    """The 477 words of the last part of a real proof."""
    proof = (DATA / flow / "proof_fields.bin").read_bytes()[-477 * 32 :]
    return [int.from_bytes(proof[i : i + 32], "big") for i in range(0, len(proof), 32)]


def joint_vector(flow: str) -> Case:
    vector = rel.data(f"joint_vectors_{flow}.json")
    proof = joint_part(flow)  # layout: 10.1
    inputs, mega_parameters = vector["inputs"], vector["inputs"]["mega_params"]
    sources = {
        "alpha": vector["alpha"],
        "gate": vector["gate_challenge"],
        "lambda": vector["libra_challenge"],
        "mega_beta": mega_parameters["beta"],
        "mega_gamma": mega_parameters["gamma"],
        "delta": mega_parameters["public_input_delta"],
        "x": inputs["x"],
        "v": inputs["v"],
        "acc": inputs["accumulated_result"],
        "beta": vector["translator_params"]["beta"],
        "gamma": vector["translator_params"]["gamma"],
    }
    evaluations = {"mega": proof[309:354], "minicircuit": proof[131:285], "full_size": proof[354:375]}
    u = numbers(vector["u"])
    given = {name: int(value, 16) for name, value in sources.items()} | {"e_lib": proof[375]}
    case = joint_case(given, evaluations, u)
    row = rel.translator_evaluations(evaluations["minicircuit"], evaluations["full_size"], u)
    for name, value in vector["translator_evaluations"].items():
        agree(f"the evaluation of {name}", row[name], int(value, 16))
    derived = vector["translator_params"]
    agree(
        "parameters", case["parameters"], numbers([*derived["x"], *(limb for v in derived["v"] for limb in v), *derived["acc"]])
    )
    # The vectors hold the MegaZK values with the separator (but for number 23), those of the translator without (14.8).
    mega = rel.mega_subrelations(evaluations["mega"], *(int(m, 16) for m in mega_parameters.values()))
    separator = int(vector["gate_separator"], 16)
    separated = [v if k == 23 else v * separator % rel.R for k, v in enumerate(mega)]
    agree("the MegaZK subrelations", separated, numbers(vector["mega_subrelations"]))
    agree("the translator subrelations", case["translator_subrelations"], numbers(vector["translator_subrelations"]))
    agree("concatenated shifts", case["concatenated_shift"], numbers(vector["concat_shift"]))
    for name, key in (
        ("separator", "gate_separator"),
        ("first_rows", "L"),
        ("mega_value", "mega_value"),
        ("translator_value", "translator_value"),
        ("final_claim", "final_claim"),
    ):
        agree(key, case[name], int(vector[key], 16))
    return case


def edge_heavy(rng: random.Random, modulus: int, count: int) -> list[int]:
    """Elements of which a few are 0, 1 or -1."""
    return [rng.choice([0, 1, modulus - 1]) if rng.random() < 0.05 else rng.randrange(modulus) for _ in range(count)]


def random_eccvm_case(rng: random.Random) -> Case:
    beta, gamma, alpha, gate = (rng.randrange(rel.Q) for _ in range(4))
    return eccvm_case(edge_heavy(rng, rel.Q, 119), beta, gamma, alpha, gate, edge_heavy(rng, rel.Q, 15))


def random_joint_case(rng: random.Random) -> Case:
    names = ("alpha", "gate", "lambda", "e_lib", "mega_beta", "mega_gamma", "delta", "beta", "gamma")
    given = {name: rng.randrange(rel.R) for name in names}
    given |= {name: rng.randrange(rel.Q) for name in ("x", "v", "acc")}
    evaluations = {
        name: edge_heavy(rng, rel.R, count) for name, count in (("mega", 45), ("minicircuit", 154), ("full_size", 21))
    }
    return joint_case(given, evaluations, edge_heavy(rng, rel.R, 17))


def lines(kind: str, label: str, case: Case) -> Iterator[str]:
    yield f"case {kind} {label}"
    for name, value in case.items():
        yield f"{name} {' '.join(f'{v:x}' for v in ([value] if isinstance(value, int) else value))}"


def all_lines(count: int, rng: random.Random) -> Iterator[str]:
    yield " ".join(["names", "eccvm", *rel.eccvm_subrelation_names()])
    yield " ".join(["names", "mega", *rel.numbered_names(rel.data("mega_entities.json")["subrelations"])])
    yield " ".join(["names", "translator", *rel.numbered_names(rel.TRANSLATOR["subrelations"])])
    for flow in ("flow1", "flow4"):
        yield from lines("eccvm", f"vector:{flow}", eccvm_vector(flow))
        yield from lines("joint", f"vector:{flow}", joint_vector(flow))
    for i in range(count):
        yield from lines("eccvm", f"random:{i}", random_eccvm_case(rng))
        yield from lines("joint", f"random:{i}", random_joint_case(rng))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--random", type=int, default=20, metavar="COUNT", help="random points of each kind")
    parser.add_argument("--seed", type=int, default=8, help="any seed must do; a fixed one makes failures reproducible")
    arguments = parser.parse_args()
    arguments.output.write_text("\n".join(all_lines(arguments.random, random.Random(arguments.seed))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

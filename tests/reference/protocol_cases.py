"""Write the vectors of docs/spec about the protocol (chapters 04 to 10, 13, 14) as test cases for csrc/tests/test_protocol.cpp.

python protocol_cases.py OUTPUT

Points are written as two numbers, x and y; challenges and values in the order in which the protocol has them.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
SPECIFICATION = ROOT / "docs" / "spec"
DATA = ROOT / "tests" / "data"


def load(name: str) -> Any:
    return json.loads((SPECIFICATION / name).read_text())


def flat(values: Any) -> Iterator[int]:
    """Every number in nested lists of hexadecimal strings."""
    if isinstance(values, str):
        yield int(values, 16)
    else:
        for value in values:
            yield from flat(value)


def line(name: str, values: Any) -> str:
    return " ".join([name, *(f"{value:x}" for value in flat(values))])


def events_of_kind(events: Iterable[tuple[str, list[Any]]], kind: str) -> list[Any]:
    return [values for event_kind, values in events if event_kind == kind]


def words(path: Path) -> list[str]:
    data = path.read_bytes()
    return [data[i : i + 32].hex() for i in range(0, len(data), 32)]


def proof_lines(flow: str) -> list[str]:
    return [line("fields", words(DATA / flow / "proof_fields.bin")), line("vk", words(DATA / flow / "vk"))]


def front_case(flow: str) -> list[str]:
    vectors = load(f"vectors-front-{flow}.json")
    events = [(kind, values) for _, kind, values in vectors["events"]]
    return [
        f"case front {flow}",
        *proof_lines(flow),
        line("vk_hash", vectors["vk_hash"]),
        line("public_input_delta", vectors["public_input_delta"]),
        line("challenges", events_of_kind(events, "challenge")),
        line("last_hash", vectors["last_hash"]),
        line("pending", vectors["pending_buffer_after_merge"]),
        line("pi_pairing", [vectors["pi_P0"], vectors["pi_P1"]]),
        line("merge_pairing", [vectors["merge_P0"], vectors["merge_P1"]]),
    ]


def eccvm_case(flow: str) -> list[str]:
    vectors = load(f"vectors-eccvm-{flow}.json")
    events = [(event["kind"], event["values"]) for event in vectors["events"]]
    opening, result, ipa = vectors["opening"], vectors["result"], vectors["ipa"]
    samples = ipa["s_vector_samples"]
    return [
        f"case eccvm {flow}",
        *proof_lines(flow),
        line("challenges", events_of_kind(events, "challenge")),
        line("sumcheck_value", vectors["sumcheck"]["final_value"]),
        line("batched_evaluation", opening["batched_evaluation"]),
        line("fold_values", opening["fold_positive_evaluations"]),
        line("column_scalars", opening["column_scalars"]),
        line("constant", opening["constant"]),
        line("c1", opening["commitment_C1"]),
        line("claim_commitment", result["commitment"]),
        line("claim", [result["point"], result["value"]]),
        line("translation", [result["x"], result["v"], result["accumulated_result"]]),
        line("ipa_generator_challenge", ipa["generator_challenge"]),
        line("ipa_challenges", ipa["round_challenges_first_to_last"]),
        line("ipa_b0", ipa["b_0"]),
        line("ipa_a0", ipa["a_0"]),
        line("ipa_g0", ipa["G_0"]),
        line("ipa_sample_indices", [f"{int(index):x}" for index in samples]),
        line("ipa_samples", list(samples.values())),
    ]


def joint_case(flow: str) -> list[str]:
    vectors = load(f"joint_vectors_{flow}.json")
    names = ("alpha", "gate_challenge", "libra_challenge", "rho", "gemini_r", "shplonk_nu", "shplonk_z")
    return [
        f"case joint {flow}",
        *proof_lines(flow),
        line("translator_key", vectors["inputs"]["translator_vk_commitment"]),
        line("inputs", [vectors["inputs"][name] for name in ("x", "v", "accumulated_result")]),
        line("merged_table", vectors["inputs"]["op_queue_commitments"]),
        line("challenges", [vectors[name] for name in names]),
        line("u", vectors["u"]),
        line("sumcheck_value", vectors["final_claim"]),
        line("batched_evaluation", vectors["batched_evaluation"]),
        line("fold_values", vectors["fold_pos"]),
        line("msm_points", vectors["msm_points"]),
        line("msm_scalars", vectors["msm_scalars"]),
        line("pairing", [vectors["P0"], vectors["P1"]]),
    ]


def main() -> None:
    cases = [front_case("flow1")]
    for flow in ("flow1", "flow4"):
        cases += [eccvm_case(flow), joint_case(flow)]
    Path(sys.argv[1]).write_text("\n".join("\n".join(case) for case in cases) + "\n")


if __name__ == "__main__":
    main()

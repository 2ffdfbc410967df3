"""Write the forged proofs of tests/data/forged as test cases for csrc/tests/test_forged.cpp.

python forged_cases.py OUTPUT

A case names its proof, the words of the flat proof and of the key that are changed, and the step that must find it.
"""

import json
import sys
from pathlib import Path

from capi_cases import setup_lines
from protocol_cases import DATA, line, proof_lines, words

PARTS = {"hiding_oink_proof": 48, "merge_proof": 41, "eccvm_proof": 612, "ipa_proof": 64, "joint_proof": 477}
"""Words of each part, without the public inputs."""
STEPS = (
    "reading",  # no step: the proof cannot be read
    "Oink",
    "PI pairing points",
    "databus consistency",
    "Merge reduction",
    "Merge pairing",
    "ECCVM step",
    "batched translator+joint reduction",
    "batched translator+joint pairing",
    "IPA",
    "valid",  # nothing is wrong
)
"""In the order of BBIPC_STEP_... in csrc/include/bbipc_core.h."""
Base = tuple[str, int | None]
"""A flow, and how many public inputs of the user it gets instead of its own."""


def base_lines(base: Base) -> list[str]:
    """The proof that is changed; public inputs of the user are zeros if their number is another."""
    flow, user_inputs = base
    if user_inputs is None:
        return proof_lines(flow)
    fields, key = words(DATA / flow / "proof_fields.bin"), words(DATA / flow / "vk")
    kept = fields[-28 - sum(PARTS.values()) :]
    return [line("fields", [*["0"] * user_inputs, *kept]), line("vk", [key[0], f"{user_inputs + 28:x}", *key[2:]])]


def public_inputs(base: Base) -> int:
    """How many there are."""
    flow, user_inputs = base
    own = (DATA / flow / "proof_fields.bin").stat().st_size // 32 - sum(PARTS.values())
    return own if user_inputs is None else user_inputs + 28


def main() -> None:
    cases = json.loads((DATA / "forged" / "corpus.json").read_text())["cases"]
    bases = list(dict.fromkeys((case["flow"], case["user_inputs"]) for case in cases))
    groups = sorted({case["group"] for case in cases} - {""})
    lines = setup_lines()
    for base in bases:
        lines += [f"case proof {base[0]}", *base_lines(base)]
    for case in cases:
        base = (case["flow"], case["user_inputs"])
        starts, start = {}, 0
        for part, count in PARTS.items():
            starts[part] = start
            start += count + (public_inputs(base) if part == "hiding_oink_proof" else 0)
        changed = case["changes"]
        changes = [(starts[part] + int(i), value) for part in starts for i, value in changed.get(part, {}).items()]
        key_changes = changed.get("key", {})
        lines += [
            "case forged " + f"{case['rule']}, {case['flow']}: {case['name']}".replace(" ", "_"),
            line("flow", [f"{bases.index(base):x}"]),
            line("step", [f"{STEPS.index(case['step']):x}"]),
            line("group", [f"{groups.index(case['group']) + 1 if case['group'] else 0:x}"]),
            line("alone", ["0" if case["proved"] else "1"]),
            line("indices", [f"{index:x}" for index, _ in changes]),
            line("values", [value for _, value in changes]),
            line("key_indices", [f"{int(index):x}" for index in key_changes]),
            line("key_values", list(key_changes.values())),
        ]
    Path(sys.argv[1]).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

"""Write the forged proofs of tests/data/forged as test cases for csrc/tests/test_forged.cpp.

python forged_cases.py OUTPUT

A case names its proof, the words of the flat proof that are changed, and the step that must find it.
"""

import json
import sys
from pathlib import Path

from capi_cases import setup_lines
from protocol_cases import DATA, line, proof_lines

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
)
"""In the order of BBIPC_STEP_... in csrc/include/bbipc_core.h."""


def main() -> None:
    cases = json.loads((DATA / "forged" / "corpus.json").read_text())["cases"]
    flows = sorted({case["flow"] for case in cases})
    groups = sorted({case["group"] for case in cases} - {""})
    lines = setup_lines()
    for flow in flows:
        lines += [f"case proof {flow}", *proof_lines(flow)]
    for case in cases:
        public_inputs = (DATA / case["flow"] / "proof_fields.bin").stat().st_size // 32 - sum(PARTS.values())
        starts, start = {}, 0
        for part, count in PARTS.items():
            starts[part] = start
            start += count + (public_inputs if part == "hiding_oink_proof" else 0)
        changes = [(starts[part] + int(i), value) for part, words in case["changes"].items() for i, value in words.items()]
        lines += [
            "case forged " + f"{case['rule']}, {case['flow']}: {case['name']}".replace(" ", "_"),
            line("flow", [f"{flows.index(case['flow']):x}"]),
            line("step", [f"{STEPS.index(case['step']):x}"]),
            line("group", [f"{groups.index(case['group']) + 1 if case['group'] else 0:x}"]),
            line("indices", [f"{index:x}" for index, _ in changes]),
            line("values", [value for _, value in changes]),
        ]
    Path(sys.argv[1]).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

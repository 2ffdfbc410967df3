"""Write the proofs of tests/data and their trusted setup as test cases for csrc/tests/test_capi.cpp.

python capi_cases.py OUTPUT
"""

import json
import sys
from pathlib import Path

from protocol_cases import DATA, line, proof_lines


def setup_lines() -> list[str]:
    """[x]_2 as four words, and the translator's commitment as two."""
    document = json.loads((DATA / "test_setup.json").read_text())
    g2_x, commitment = document["g2_x_hex_128_bytes_order_xc0_xc1_yc0_yc1"], document["translator_vk_commitment_test"]
    words = [g2_x[start : start + 64] for start in range(0, 256, 64)]
    return ["case setup test", line("g2_x", words), line("translator_key", [commitment["x"], commitment["y"]])]


def main() -> None:
    lines = setup_lines()
    for flow in ("flow1", "flow2"):
        lines += [f"case proof {flow}", *proof_lines(flow)]
    Path(sys.argv[1]).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

"""Write the first corpora of the libFuzzer targets from the proofs of tests/data.

`python fuzz/seeds.py FOLDER` writes FOLDER/fuzz_verify/, FOLDER/fuzz_encodings/, and FOLDER/setup, the setup of the proofs.
"""

import json
import sys
from pathlib import Path

DATA = Path(__file__).parent.parent / "tests" / "data"


def setup() -> bytes:
    """The 192 bytes that fuzz_verify reads: the G2 point, the translator key."""
    document = json.loads((DATA / "test_setup.json").read_text())
    commitment = document["translator_vk_commitment_test"]
    digits = [document["g2_x_hex_128_bytes_order_xc0_xc1_yc0_yc1"], *(commitment[axis][2:].zfill(64) for axis in "xy")]
    return bytes.fromhex("".join(digits))


def main() -> None:
    folder = Path(sys.argv[1])
    for target in ("fuzz_verify", "fuzz_encodings"):
        (folder / target).mkdir(parents=True, exist_ok=True)
    (folder / "setup").write_bytes(setup())
    for flow in sorted(DATA.glob("flow*")):
        key = (flow / "vk").read_bytes()
        (folder / "fuzz_verify" / flow.name).write_bytes(bytes(2) + key + (flow / "proof_fields.bin").read_bytes())
        (folder / "fuzz_encodings" / flow.name).write_bytes((flow / "compressed.bin").read_bytes())
        (folder / "fuzz_encodings" / f"{flow.name}_vk").write_bytes(key)


if __name__ == "__main__":
    main()

"""Write the first corpora of the libFuzzer targets from the proofs of tests/data.

`python fuzz/seeds.py FOLDER` writes a folder in FOLDER for each target, and FOLDER/setup, the setup of the proofs.
"""

import json
import sys
from pathlib import Path

DATA = Path(__file__).parent.parent / "tests" / "data"


def edit(operation: int, count: int, position: int, value: int) -> bytes:
    """An edit as fuzz_edits reads it; `value` fills the last of its 32 bytes."""
    return bytes((operation, count)) + position.to_bytes(2, "little") + value.to_bytes(32, "big")


EDITS = {
    "nothing": [],
    "first_public_input": [edit(0, 0, 0, 7)],
    "commitment_negated": [edit(4, 3, 32, 0)],
    "commitment_infinity": [edit(5, 3, 32, 0)],
    "merge_scalar": [edit(1, 0, 102, 1)],
    "eccvm_point_negated": [edit(4, 1, 121, 0)],
    "eccvm_scalar": [edit(1, 0, 600, 1)],
    "ipa_scalar": [edit(1, 0, 795, 1)],
    "joint_scalar": [edit(1, 0, 1000, 1)],
    "joint_quotient_negated": [edit(4, 3, 1266, 0)],
    "resplit": [edit(6, 1, 0, 1 << 248)],
    "key_word": [edit(8, 0, 0, 1)],
    "twice": [edit(1, 0, 600, 1), edit(1, 0, 600, 2**256 - 1)],
}
"""Edits that reach each of the steps of a verification."""

ONE = b"\xc4\x20" + (1).to_bytes(32, "big")
CHEAP = [
    b"\x91\x92\xa7Blake2s\x81\xa4data\xc4\x03abc",
    b"\x92\x05\x92\xa7Blake2s\x81\xa4data\xc4\x00",
    b"\x91\x92\xadPoseidon2Hash\x81\xa6inputs\x92" + ONE * 2,
    b"\x91\x92\xaaGrumpkinMul\x82\xa5point\x82\xa1x" + ONE + b"\xa1y" + ONE + b"\xa6scalar" + ONE,
    b"\x91\x92\xabBn254FrSqrt\x81\xa5input" + ONE,
]
"""Requests that the core answers by itself."""


def setup() -> bytes:
    """The 192 bytes that fuzz_verify reads: the G2 point, the translator key."""
    document = json.loads((DATA / "test_setup.json").read_text())
    commitment = document["translator_vk_commitment_test"]
    digits = [document["g2_x_hex_128_bytes_order_xc0_xc1_yc0_yc1"], *(commitment[axis][2:].zfill(64) for axis in "xy")]
    return bytes.fromhex("".join(digits))


def main() -> None:
    folder = Path(sys.argv[1])
    for target in ("fuzz_verify", "fuzz_encodings", "fuzz_edits", "fuzz_primitives", "fuzz_wire"):
        (folder / target).mkdir(parents=True, exist_ok=True)
    (folder / "setup").write_bytes(setup())
    for flow in sorted(DATA.glob("flow*")):
        key = (flow / "vk").read_bytes()
        (folder / "fuzz_verify" / flow.name).write_bytes(bytes(2) + key + (flow / "proof_fields.bin").read_bytes())
        (folder / "fuzz_encodings" / flow.name).write_bytes((flow / "compressed.bin").read_bytes())
        (folder / "fuzz_encodings" / f"{flow.name}_vk").write_bytes(key)
    for name, edits in EDITS.items():
        (folder / "fuzz_edits" / name).write_bytes(b"".join(edits))
    for number in range(10):
        (folder / "fuzz_primitives" / f"operation_{number}").write_bytes(bytes((number, *range(1, 200))))
    for number, requests in enumerate((CHEAP, CHEAP * 3, [bytes(8) + payload for payload in CHEAP])):
        frames = b"".join(len(payload).to_bytes(4, "little") + payload for payload in requests)
        (folder / "fuzz_wire" / f"frames_{number}").write_bytes(bytes((7 if number == 2 else 6,)) + frames)
    (folder / "fuzz_wire" / "ring").write_bytes(
        b"\x86" + (b"\0" + (64).to_bytes(8, "little") + bytes(8) + bytes((60, 0)) * 8) * 9
    )
    (folder / "fuzz_wire" / "points").write_bytes(b"\xc0" + (1).to_bytes(32, "big") * 4)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Get the real `bb` 5.0.0 as an oracle, in two flavours: as published, and accepting proofs made under the TEST trusted setup.

    make_test_bb.py DIRECTORY        needs npm and Linux x86-64; about 50 MB

writes into DIRECTORY
    package/          the npm package @aztec/bb.js@5.0.0, unpacked (package/build/amd64-linux/bb is the published binary)
    bb-test           the same binary with the two constants that depend on the trusted setup replaced by those of
                      tests/data/test_setup.json
    crs/              a CRS directory sufficient for verification (bb adds the Grumpkin generators itself at first use)

Run it as `CRS_PATH=DIRECTORY/crs HARDWARE_CONCURRENCY=1 DIRECTORY/bb-test msgpack run`. BB_VERBOSE=1 makes it name each
verification step on stderr.
bb-test is for tests and benchmarks on this machine only: never commit or ship it.
"""

import hashlib
import json
import pathlib
import subprocess
import sys
import tarfile

VERSION = "5.0.0"
SHA256 = "c3a4a1125d99953694ab6a7f09e368db5525c368b372e63c3eb7bda4cc5697d5"
REAL_G2 = bytes.fromhex(
    "0118c4d5b837bcc2bc89b5b398b5974e9f5944073b32078b7e231fec938883b0"
    "260e01b251f6f1c7e7ff4e580791dee8ea51d87a358e038b4efe30fac09383c1"
    "22febda3c0c0632a56475b4214e5615e11e6dd3f96e6cea2854a87d4dacc5e55"
    "04fc6369f7110fe3d25156c1bb9a72859cf2a04641f99ba4ee413c80da6a5fe4"
)
# The compiler stores the last two hex digits of each coordinate string a second time, as an immediate operand.
IMMEDIATES = {"x": 0xA6D675 + 4, "y": 0xA6DA2B + 4}


def replace_once(image: bytearray, old: bytes, new: bytes) -> None:
    if len(old) != len(new) or image.count(old) != 1:
        raise SystemExit("this is not the bb 5.0.0 that the script knows")
    at = image.find(old)
    image[at : at + len(old)] = new


def main() -> None:
    out = pathlib.Path(sys.argv[1]).resolve()
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "package").is_dir():
        name = subprocess.run(
            ["npm", "pack", "--silent", f"@aztec/bb.js@{VERSION}"], cwd=out, check=True, capture_output=True, text=True
        ).stdout.split()[-1]
        with tarfile.open(out / name) as tar:
            # The filter came with Python 3.11.4; the archive is one of npm, whose digest npm has checked.
            tar.extractall(out, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        (out / name).unlink()
    published = out / "package/build/amd64-linux/bb"
    image = bytearray(published.read_bytes())
    if hashlib.sha256(image).hexdigest() != SHA256:
        raise SystemExit("this is not the bb 5.0.0 that the offsets of this script belong to")
    setup = json.loads((pathlib.Path(__file__).parent.parent / "data" / "test_setup.json").read_text())
    g2 = bytes.fromhex(setup["g2_x_hex_128_bytes_order_xc0_xc1_yc0_yc1"])
    replace_once(image, REAL_G2, g2)
    for axis in "xy":
        old = setup["translator_vk_commitment_real"][axis][2:].encode()
        new = setup["translator_vk_commitment_test"][axis][2:].encode()
        replace_once(image, old, new)
        at = IMMEDIATES[axis]
        if image[at : at + 2] != old[-2:]:
            raise SystemExit("this is not the bb 5.0.0 that the script knows")
        image[at : at + 2] = new[-2:]
    target = out / "bb-test"
    target.write_bytes(image)
    target.chmod(0o755)
    published.chmod(0o755)
    crs = out / "crs"
    crs.mkdir(exist_ok=True)
    (crs / "bn254_g1.dat").write_bytes((1).to_bytes(32, "big") + (2).to_bytes(32, "big"))
    (crs / "bn254_g2.dat").write_bytes(g2)
    print(target)


if __name__ == "__main__":
    main()

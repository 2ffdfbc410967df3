"""`bbipc verify`, run as users run it."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bbipc.chonk import VerificationKey
from samples import DATA, FLOW1, FLOW4, FLOWS, Sample, copy_parts, flow1_parts, raw_proof, word

SETUP = str(DATA / "test_setup.json")
VK = str(FLOW1.folder / "vk")
FILES = ("proof_fields.bin", "proof.msgpack", "compressed.bin")
WARNING = "not Aztec's: whoever knows its secret can forge proofs"


def bbipc(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", "from bbipc.__main__ import main; main()", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, env=os.environ | environment)


def valid_line(vk: Path | str) -> str:
    """What is told of a valid proof: the key, which no registry knows, and the setup."""
    hash_ = VerificationKey.from_file(vk).hash.hex()
    return f"valid  key 0x{hash_} (not in the registry)  setup of {SETUP} (NOT Aztec's)\n"


def verify(*arguments: str, stdin: bytes = b"", **environment: str) -> tuple[int, str, str]:
    result = bbipc("verify", *arguments, stdin=stdin, **environment)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


@pytest.mark.parametrize("sample", FLOWS, ids=str)
@pytest.mark.parametrize("file", FILES)
def test_valid(sample: Sample, file: str) -> None:
    code, out, err = verify("--setup", SETUP, str(sample.folder / file), str(sample.folder / "vk"))
    assert (code, out) == (0, valid_line(sample.folder / "vk"))
    assert WARNING in err


@pytest.mark.parametrize("file", FILES)
def test_hex_digits(tmp_path: Path, file: str) -> None:
    proof, key = tmp_path / "proof.hex", tmp_path / "vk.hex"
    proof.write_text("0x" + (FLOW1.folder / file).read_bytes().hex() + "\n")
    key.write_text(FLOW1.vk.hex())
    assert verify("--setup", SETUP, str(proof), str(key))[:2] == (0, valid_line(VK))


def test_invalid_under_the_aztec_setup() -> None:
    code, out, err = verify(str(FLOW1.folder / "proof.msgpack"), VK)
    assert (code, err) == (1, "")
    assert out.startswith("invalid: PI pairing points check failed  key 0x")
    assert out.endswith("  setup Aztec\n")


def test_explanation_of_a_failing_step() -> None:
    code, out, _ = verify("--explain", str(FLOW1.folder / "proof.msgpack"), VK)
    assert code == 1
    assert out.splitlines()[1].startswith("Check 2 of 9, PI pairing points: ")
    assert "another trusted setup" in out


def test_nothing_to_explain_about_a_valid_proof() -> None:
    assert verify("--explain", "--setup", SETUP, str(FLOW1.folder / "proof.msgpack"), VK)[:2] == (0, valid_line(VK))


def test_explanation_of_an_error(tmp_path: Path) -> None:
    code, out, err = verify("--explain", "--setup", SETUP, str(off_curve(tmp_path)), VK)
    assert (code, out) == (2, "")
    assert "merge_proof[0]: point is not on the curve\n" in err
    assert "nothing was decided" in err


def off_curve(folder: Path) -> Path:
    parts = copy_parts(flow1_parts())
    parts["merge_proof"][0] = word(int.from_bytes(parts["merge_proof"][0], "big") ^ 1)
    file = folder / "off_curve"
    file.write_bytes(raw_proof(parts).to_fields())
    return file


def as_json(*arguments: str, stdin: bytes = b"") -> tuple[int, dict[str, Any]]:
    code, out, _ = verify("--json", *arguments, stdin=stdin)
    document: dict[str, Any] = json.loads(out)
    assert out.count("\n") == 1
    return code, document


def test_json_of_a_valid_proof() -> None:
    code, document = as_json("--setup", SETUP, str(FLOW4.folder / "compressed.bin"), str(FLOW4.folder / "vk"))
    assert code == 0
    assert document.pop("milliseconds") > 0
    assert document == {
        "valid": True,
        "outcome": "valid",
        "step": None,
        "meaning": None,
        "reason": None,
        "part": None,
        "position": None,
        "key": {"hash": f"0x{VerificationKey(FLOW4.vk).hash.hex()}", "name": None, "source": str(FLOW4.folder / "vk")},
        "setup": "custom",
        "setup_file": SETUP,
        "encoding": "compressed",
        "hexadecimal": False,
        "layers": [],
        "public_inputs": 532,
    }


def test_json_of_an_invalid_proof() -> None:
    code, document = as_json("-", VK, stdin=FLOW1.msgpack.hex().encode())
    assert code == 1
    assert document["valid"] is False
    assert (document["outcome"], document["step"], document["setup"]) == ("invalid", "PI pairing points", "aztec")
    assert (document["encoding"], document["hexadecimal"], document["public_inputs"]) == ("msgpack", True, 32)
    assert document["meaning"]


def test_json_of_errors(tmp_path: Path) -> None:
    code, document = as_json("--setup", SETUP, str(off_curve(tmp_path)), VK)
    assert code == 2
    assert (document["outcome"], document["valid"], document["part"], document["position"]) == (
        "error",
        False,
        "merge_proof",
        0,
    )
    code, document = as_json(str(tmp_path / "none"), VK)
    assert code == 2
    assert document["outcome"] == "error"
    assert document["reason"] == f"{tmp_path / 'none'}: No such file or directory"
    assert document["encoding"] is None


def test_standard_input() -> None:
    assert verify("--setup", SETUP, "-", VK, stdin=FLOW1.fields)[:2] == (0, valid_line(VK))
    assert verify("--setup", SETUP, str(FLOW1.folder / "proof.msgpack"), "-", stdin=FLOW1.vk)[:2] == (0, valid_line(VK))
    code, _, err = verify("-", "-")
    assert code == 2
    assert "cannot both be standard input" in err


def test_strict(tmp_path: Path) -> None:
    parts = copy_parts(flow1_parts())
    parts["merge_proof"].append(parts["eccvm_proof"].pop(0))
    file = tmp_path / "resplit"
    file.write_bytes(raw_proof(parts).to_msgpack())
    assert verify("--setup", SETUP, str(file), VK)[0] == 0
    assert verify("--setup", SETUP, "--strict", str(file), VK)[0] == 2
    assert verify("--setup", SETUP, "--strict", "--threads", "2", str(FLOW1.folder / "proof.msgpack"), VK)[0] == 0


@pytest.mark.parametrize(
    ("proof", "key", "message"),
    [
        (FLOW1.fields[:-1], FLOW1.vk, "proof: 40767 bytes that are not a proof; with the 32 public inputs of this key"),
        (FLOW1.fields, FLOW4.vk, "a flat proof has 56768 bytes and a compressed one 39328"),
        (FLOW1.vk, FLOW1.fields, "is a verification key: name the proof first, then its key"),
        (b"", FLOW1.vk, "proof: nothing: it is empty"),
        (b"\x80", FLOW1.vk, "proof.hiding_oink_proof: missing"),
        (FLOW1.msgpack + b"\0", FLOW1.vk, "proof: 1 bytes after the msgpack map"),
        (FLOW1.fields, FLOW1.vk[:-1], "3679 bytes that are not a verification key; a key has 3680 bytes"),
        (FLOW1.fields, b"\xff" * 3680, "vk[3]: "),
        (b"\xff" * 32 + FLOW1.fields[32:], FLOW1.vk, "fields[0]: non-canonical field element"),
    ],
)
def test_unreadable(tmp_path: Path, proof: bytes, key: bytes, message: str) -> None:
    (tmp_path / "proof").write_bytes(proof)
    (tmp_path / "vk").write_bytes(key)
    code, out, err = verify(str(tmp_path / "proof"), str(tmp_path / "vk"))
    assert (code, out) == (2, "")
    assert message in err


def test_unusable_setups(tmp_path: Path) -> None:
    proof = str(FLOW1.folder / "proof.msgpack")
    code, _, err = verify("--setup", str(tmp_path / "none"), proof, VK)
    assert code == 2
    assert "No such file or directory" in err
    (tmp_path / "setup").write_text("{}")
    code, _, err = verify("--setup", str(tmp_path / "setup"), proof, VK)
    assert code == 2
    assert "setup: no member" in err
    document = json.loads(Path(SETUP).read_text())
    document["translator_vk_commitment_test"]["y"] = "0x1"
    (tmp_path / "setup").write_text(json.dumps(document))
    code, _, err = verify("--setup", str(tmp_path / "setup"), proof, VK)
    assert code == 2
    assert err.splitlines()[-1].startswith("bbipc: error: setup: ")


def test_the_aztec_setup_by_file_needs_no_warning(tmp_path: Path) -> None:
    document = json.loads(Path(SETUP).read_text())
    document["translator_vk_commitment_test"] = document["translator_vk_commitment_real"]
    document["g2_x_hex_128_bytes_order_xc0_xc1_yc0_yc1"] = (
        "0118c4d5b837bcc2bc89b5b398b5974e9f5944073b32078b7e231fec938883b0260e01b251f6f1c7e7ff4e580791dee8ea51d87a358e038b4efe30fac09383c1"
        "22febda3c0c0632a56475b4214e5615e11e6dd3f96e6cea2854a87d4dacc5e5504fc6369f7110fe3d25156c1bb9a72859cf2a04641f99ba4ee413c80da6a5fe4"
    )
    (tmp_path / "setup").write_text(json.dumps(document))
    assert verify("--setup", str(tmp_path / "setup"), str(FLOW1.folder / "proof.msgpack"), VK)[::2] == (1, "")


def test_input_without_end() -> None:
    code, _, err = verify("/dev/zero", VK)
    assert code == 2
    assert "/dev/zero: more than 64 MiB" in err


@pytest.mark.parametrize("arguments", [[], ["--threads", "0", "a", "b"], ["--nonsense"], ["only-one"]])
def test_wrong_usage(arguments: list[str]) -> None:
    code, out, err = verify(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("bbipc: error: ")
    assert err.endswith("; for usage, see bbipc verify --help\n")
    assert err.count("\n") == 1


def on_a_terminal(**environment: str) -> bytes:
    """What `bbipc verify` of a valid proof writes to a terminal."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "bbipc", "verify", "--setup", SETUP, str(FLOW1.folder / "proof.msgpack"), VK]
    unwanted = {"NO_COLOR", "FORCE_COLOR"}
    clean = {name: value for name, value in os.environ.items() if name not in unwanted}
    subprocess.run(command, stdout=follower, stderr=follower, check=True, cwd="/", env=clean | {"TERM": "xterm"} | environment)
    os.close(follower)
    written = os.read(leader, 10_000)
    os.close(leader)
    return written


def test_colours_are_for_terminals() -> None:
    assert b"\x1b[32mvalid\x1b[0m" in on_a_terminal()
    for plain in (on_a_terminal(NO_COLOR="1"), on_a_terminal(TERM="dumb")):
        assert b"\x1b[" not in plain
        assert b"\nvalid  key 0x" in plain


def test_help() -> None:
    result = bbipc("--help")
    assert result.returncode == 0
    assert b"verify" in result.stdout
    result = bbipc("verify", "--help")
    assert result.returncode == 0
    assert b"Exit status: 0 the proof is valid; 1 it is invalid" in result.stdout
    assert bbipc("nothing").returncode == 2
    assert bbipc("--version").stdout.startswith(b"bbipc ")


def test_output_that_nobody_reads() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "bbipc", "verify", "--setup", SETUP, str(FLOW1.folder / "proof.msgpack"), VK]
    result = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False, cwd="/")
    os.close(writer)
    assert result.returncode == 141
    assert b"Traceback" not in result.stderr


def test_a_defect_is_not_a_verdict(tmp_path: Path) -> None:
    """An unexpected exception must not end with the exit code of an invalid proof."""
    script = "import bbipc.cli.verify as v; v._verify = None; from bbipc.__main__ import main; main()"
    command = [sys.executable, "-c", script, "verify", str(FLOW1.folder / "proof.msgpack"), VK]
    result = subprocess.run(command, capture_output=True, check=False)
    assert result.returncode == 70
    assert b"Traceback" in result.stderr


def test_the_key_of_another_circuit() -> None:
    """The error says which file it is about, and what may be wrong."""
    proof = str(FLOW1.folder / "proof.msgpack")
    code, out, err = verify(proof, "--vk", "aztec:5.2.0/to_public")
    assert (code, out) == (2, "")
    what = "proof has wrong size: expected 4054, got 1274 words; is this the key of another circuit?"
    assert err == f"bbipc: error: {proof}: {what}\n"

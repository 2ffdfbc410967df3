"""`verify-many --against` and `--vk-hash`: a second opinion, and which keys are trusted."""

import json
import shlex
import sys
from pathlib import Path

import pytest

from bbipc.chonk import VerificationKey
from cli.running import SETUP, bbipc
from client.servers import bb_command, needs_bb
from samples import DATA, FLOW1, flow1_parts, raw_proof

HONEST = shlex.join([sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--setup", SETUP])
PROOF = str(DATA / "flow1" / "proof_fields.bin")
VK = str(DATA / "flow1" / "vk")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One valid proof, one invalid one, and one that is not a proof."""
    (tmp_path / "proof_0").write_bytes(Path(PROOF).read_bytes())
    parts = {name: list(words) for name, words in flow1_parts().items()}
    parts["merge_proof"][20:22] = reversed(parts["merge_proof"][20:22])
    (tmp_path / "proof_1").write_bytes(raw_proof(parts).to_fields())
    (tmp_path / "proof_2").write_bytes(b"nothing")
    (tmp_path / "vk").write_bytes((FLOW1.folder / "vk").read_bytes())
    return tmp_path


def liar(tmp_path: Path, *, valid: bool, answers: int = 1000) -> str:
    """A server that finds every proof valid, or none; it ends after so many verdicts."""
    program = tmp_path / "liar.py"
    program.write_text(f"""
import struct, sys, msgpack
left = {answers}
while head := sys.stdin.buffer.read(4):
    unpacker = msgpack.Unpacker()
    unpacker.feed(sys.stdin.buffer.read(struct.unpack("<I", head)[0]))
    [[name, fields]] = unpacker.unpack()
    if name == "Blake2s":  # bytes behind a request do not matter to it: a server that knows no tags
        answer = ["Blake2sResponse", {{"hash": bytes(32)}}]
    elif left:
        left -= 1
        answer = [name + "Response", {{"valid": {valid}}}]
    else:
        sys.exit(7)
    data = msgpack.packb(answer)
    sys.stdout.buffer.write(struct.pack("<I", len(data)) + data)
    sys.stdout.buffer.flush()
""")
    return shlex.join([sys.executable, str(program)])


def verdicts(folder: Path, server: str, code: int) -> list[tuple[str, str | None, bool]]:
    done = bbipc("verify-many", folder, "--setup", SETUP, "--json", "--against", server)
    assert done.code == code, done
    report = json.loads(done.out)
    assert report["disagreements"] == sum(one["disagreement"] for one in report["proofs"])
    return [(one["outcome"], one["second_opinion"], one["disagreement"]) for one in report["proofs"]]


def test_two_that_agree(folder: Path) -> None:
    assert verdicts(folder, HONEST, 1) == [("valid", "valid", False), ("invalid", "invalid", False), ("error", None, False)]


@needs_bb
def test_the_real_bb_agrees(folder: Path) -> None:
    expected = [("valid", "valid", False), ("invalid", "invalid", False), ("error", None, False)]
    assert verdicts(folder, shlex.join(bb_command()), 1) == expected
    done = bbipc("verify-many", PROOF, "--setup", SETUP, "--against", shlex.join(bb_command()))
    assert (done.code, "1 proof: 1 valid, 0 disagreements" in done.out) == (0, True)


def test_a_wrong_setup_is_a_disagreement(folder: Path) -> None:
    assert verdicts(folder, shlex.join([sys.executable, "-P", "-m", "bbipc", "msgpack", "run"]), 3)[0] == (
        "valid",
        "invalid",
        True,
    )


@pytest.mark.parametrize(("says", "disputed"), [(True, [False, True, False]), (False, [True, False, False])])
def test_a_server_that_lies(folder: Path, tmp_path: Path, says: bool, disputed: list[bool]) -> None:
    seen = verdicts(folder, liar(tmp_path, valid=says), 3)
    assert [one for _, _, one in seen] == disputed
    done = bbipc("verify-many", folder, "--setup", SETUP, "--quiet", "--against", liar(tmp_path, valid=says))
    assert done.code == 3
    assert done.out.count("DISAGREEMENT: the other server says") == 1
    assert "1 disagreement\n" in done.out or "1 disagreement (" in done.out


def test_a_server_that_ends_in_between(folder: Path, tmp_path: Path) -> None:
    """What it said counts; that it says no more is told, and is not agreement."""
    (folder / "proof_1").write_bytes(Path(PROOF).read_bytes())
    (folder / "proof_2").unlink()
    done = bbipc("verify-many", folder, "--setup", SETUP, "--against", liar(tmp_path, valid=True, answers=1))
    assert done.code == 69
    assert done.out.count("no second opinion: ") == 1
    assert "status 7" in done.out


def test_a_server_that_does_not_exist() -> None:
    assert bbipc("verify-many", PROOF, "--setup", SETUP, "--against", "/no/such/bb msgpack run").code == 69
    assert bbipc("verify-many", PROOF, "--setup", SETUP, "--against", "'").code == 2


# ---- Keys -----------------------------------------------------------------------------------------------------------

HASH = "0x" + VerificationKey.from_file(VK).hash.hex()
OTHER = "0x" + "ab" * 32


@pytest.mark.parametrize(
    ("pins", "code"),
    [([HASH], 0), ([HASH.upper().replace("X", "x")], 0), ([OTHER, HASH], 0), ([OTHER], 2), (["0x12"], 2), ([HASH[2:]], 2)],
)
def test_only_keys_with_this_hash(pins: list[str], code: int) -> None:
    options = [text for pin in pins for text in ("--vk-hash", pin)]
    for command in (["verify", PROOF, VK], ["verify-many", PROOF], ["verify-many", PROOF, "--vk", VK]):
        done = bbipc(*command, "--setup", SETUP, *options)
        assert done.code == code, done
        if pins == [OTHER]:
            assert f"the key has the hash {HASH}, not {OTHER} as --vk-hash demands" in done.out + done.err


@pytest.mark.parametrize("name", ["to_public", "to_rollup"])
def test_keys_of_the_registry(name: str) -> None:
    done = bbipc("verify-many", PROOF, "--vk", f"aztec:5.2.0/{name}", "--json")
    assert done.code == 2  # a proof for another circuit, with another number of public inputs
    [one] = json.loads(done.out)["proofs"]
    assert one["key"]["source"] == f"aztec:5.2.0/{name}"
    assert f"hiding_kernel_{name}" in one["key"]["name"]


def test_a_key_that_is_not_in_the_registry() -> None:
    done = bbipc("verify", PROOF, "aztec:9.9.9/to_public")
    assert done.code == 2
    assert "9.9.9" in done.err

"""bbipc in bb's words: the same exit status as the real bb, which gets all that bbipc does not do."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bbipc.cli.bb_words import in_words_of_bb, is_for_bb
from cli.running import SETUP, TIMEOUT, bbipc
from client.servers import BB, needs_bb
from samples import DATA, FLOW1, FLOW2, flow1_parts, raw_proof

ROOT = Path(__file__).parents[2]
PROOF, VK = str(DATA / "flow1" / "proof_fields.bin"), str(DATA / "flow1" / "vk")

CASES: dict[str, tuple[list[str], int]] = {
    "valid": (["verify", "-s", "chonk", "-p", PROOF, "-k", VK], 0),
    "long options": (["verify", "--scheme=chonk", "--proof_path", PROOF, f"--vk_path={VK}", "-v"], 0),
    "values that are attached": (["verify", "-schonk", f"-p{PROOF}", f"-k{VK}"], 0),
    "options that do not matter": (
        ["verify", "--disable_zk", "--ipa_accumulation", "-s", "chonk", "-p", PROOF, "-k", VK, "-i", "none"],
        0,
    ),
    "a target": (["verify", "-t", "evm", "-s", "chonk", "-p", PROOF, "-k", VK], 0),
    "default paths": (["verify", "-s", "chonk"], 0),
    "bytes behind the last word": (["verify", "-s", "chonk", "-p", "plus5", "-k", VK], 0),
    "a word too many": (["verify", "-s", "chonk", "-p", "plus32", "-k", VK], 1),
    "a word too few": (["verify", "-s", "chonk", "-p", "short", "-k", VK], 1),
    "another encoding": (["verify", "-s", "chonk", "-p", str(DATA / "flow1" / "proof.msgpack"), "-k", VK], 1),
    "invalid": (["verify", "-s", "chonk", "-p", "invalid", "-k", VK], 1),
    "undecodable": (["verify", "-s", "chonk", "-p", "undecodable", "-k", VK], 1),
    "empty": (["verify", "-s", "chonk", "-p", "empty", "-k", VK], 1),
    "no proof": (["verify", "-s", "chonk", "-p", "nowhere", "-k", VK], 1),
    "a folder": (["verify", "-s", "chonk", "-p", ".", "-k", VK], 1),
    "no key": (["verify", "-s", "chonk", "-p", PROOF, "-k", "nowhere"], 1),
    "not a key": (["verify", "-s", "chonk", "-p", PROOF, "-k", "empty"], 1),
    "a key with a byte too many": (["verify", "-s", "chonk", "-p", PROOF, "-k", "long_vk"], 1),
    "unknown option": (["verify", "-s", "chonk", "--nope", "-p", PROOF, "-k", VK], 109),
    "no abbreviations": (["verify", "-s", "chonk", "--proof_pat", PROOF, "-k", VK], 109),
    "an argument": (["verify", "-s", "chonk", "-p", PROOF, "-k", VK, "more"], 109),
    "options behind --": (["verify", "-s", "chonk", "-p", PROOF, "--", "-k", VK], 109),
    "no value": (["verify", "-s", "chonk", "-k", VK, "-p"], 114),
    "twice": (["verify", "-s", "chonk", "-p", PROOF, "-p", PROOF, "-k", VK], 114),
    "a bad value": (["verify", "-s", "chonk", "-t", "nope", "-p", PROOF, "-k", VK], 105),
    "help": (["verify", "-s", "chonk", "--help"], 0),
    "a folder of proofs": (["batch_verify", "-s", "chonk", "--proofs_dir", "good"], 0),
    "the default folder": (["batch_verify", "-s", "chonk"], 0),
    "a gap ends the list": (["batch_verify", "-s", "chonk", "--proofs_dir", "gap"], 0),
    "one of them invalid": (["batch_verify", "-s", "chonk", "--proofs_dir", "bad"], 1),
    "one of them not a proof": (["batch_verify", "-s", "chonk", "--proofs_dir", "junk"], 1),
    "no proofs": (["batch_verify", "-s", "chonk", "--proofs_dir", "none"], 1),
    "an option of the other": (["batch_verify", "-s", "chonk", "-p", "good"], 109),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("bb")
    proof, key = Path(PROOF).read_bytes(), Path(VK).read_bytes()
    parts = {name: list(words) for name, words in flow1_parts().items()}
    parts["merge_proof"][20:22] = reversed(parts["merge_proof"][20:22])  # two numbers: all can be decoded
    files = {
        "plus5": proof + b"hello",
        "plus32": proof + bytes(32),
        "short": proof[:-32],
        "empty": b"",
        "invalid": raw_proof(parts).to_fields(),
        "undecodable": b"\xff" * len(proof),
        "long_vk": key + b"\n",
        "target/proof": proof,
        "target/vk": key,
    }
    for name in ("good", "proofs", "gap", "bad", "junk"):
        for number, sample in enumerate((FLOW1, FLOW2)):
            files[f"{name}/proof_{number}"] = sample.proof.to_fields()
            files[f"{name}/vk_{number}"] = (sample.folder / "vk").read_bytes()
    files["gap/proof_3"] = files.pop("gap/proof_1")
    files["bad/proof_1"], files["junk/proof_1"] = files["invalid"], b"hello"
    for name, data in files.items():
        path = place / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    (place / "none").mkdir()
    return place


def status(command: Sequence[str | Path], folder: Path, **environment: str) -> int:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT,
        check=False,
    )  # fmt: skip
    assert b"Traceback" not in done.stderr
    return done.returncode


def ours(words: list[str]) -> list[str]:
    """bb under the test setup is another program; bbipc has an option."""
    at = words.index("--") if "--" in words else len(words)
    if words[-1] == "-p":
        at = len(words) - 1
    return [sys.executable, "-P", "-m", "bbipc", *words[:at], "--setup", SETUP, *words[at:]]


@pytest.mark.parametrize("name", CASES)
def test_exit_status(name: str, folder: Path) -> None:
    words, expected = CASES[name]
    assert status(ours(words), folder, BB_PATH="") == expected


@needs_bb
@pytest.mark.parametrize("name", CASES)
def test_exit_status_of_the_real_bb(name: str, folder: Path) -> None:
    words, expected = CASES[name]
    crs = os.environ.get("BBIPC_TEST_BB_CRS")
    assert status([str(BB), *words], folder, **({} if crs is None else {"CRS_PATH": crs})) == expected


def test_the_scheme_of_the_environment(folder: Path) -> None:
    words = ours(["verify", "-p", PROOF, "-k", VK])
    assert status(words, folder, BB_SCHEME="chonk", BB_PATH="") == 0
    assert status(words, folder, BB_PATH="") == 69


def test_what_is_told(folder: Path) -> None:
    done = bbipc("batch_verify", "-s", "chonk", "--proofs_dir", folder / "gap", "--setup", SETUP)
    assert done.out == ""  # as bb
    assert "1 more proof NOT verified: proof_1 or vk_1 is missing" in done.err
    done = bbipc("batch_verify", "-s", "chonk", "--proofs_dir", folder / "bad", "--setup", SETUP)
    assert f"{folder}/bad/proof_1: invalid: " in done.err
    assert "2 proofs: 1 valid" in done.err
    done = bbipc("verify", "-s", "chonk", "-p", PROOF, "-k", VK)
    assert "invalid: PI pairing points check failed" in done.err
    assert done.err.endswith("setup Aztec\n")


def test_a_form_that_bb_does_not_read_is_told(tmp_path: Path) -> None:
    hint = "; bb does not read this form: bbipc verify PROOF VK does"
    key = tmp_path / "vk.hex"
    key.write_text(Path(VK).read_bytes().hex())
    for proof, vk, file in ((DATA / "flow1" / "proof.msgpack", VK, "proof.msgpack"), (PROOF, key, "vk.hex")):
        done = bbipc("verify", "-s", "chonk", "-p", proof, "-k", vk, "--setup", SETUP)
        assert done.code == 1
        told = done.err.splitlines()[-1]
        assert f"{file}: " in told
        assert told.endswith(hint)
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"\xff" * 32 + Path(PROOF).read_bytes()[32:])
    assert hint not in bbipc("verify", "-s", "chonk", "-p", damaged, "-k", VK, "--setup", SETUP).err


def test_whose_words() -> None:
    assert in_words_of_bb(["verify", "proof", "vk", "--threads", "2", "--vk-hash", "0x1", "--explain"]) is None
    assert in_words_of_bb(["verify", "-", "vk"]) is None
    assert in_words_of_bb(["verify", "-h"]) is None
    assert in_words_of_bb(["bb", "--help"]) is None
    assert in_words_of_bb(["bb", "--", "--help"]) == ["--help"]
    for words in (["prove", "-h"], ["verify", "-p", "x"], ["batch_verify"], ["verify", "--scheme=ultra_honk"], ["--version"]):
        assert in_words_of_bb(["bb", "--", *words]) == words
        assert is_for_bb(words)
    assert not is_for_bb(["msgpack", "run", "--input", "x.sock"])
    assert not is_for_bb(["verify", "-vs", "chonk"])


# ---- The real bb ----------------------------------------------------------------------------------------------------


@pytest.fixture
def fake(tmp_path: Path) -> str:
    """A bb that shows what reaches it."""
    path = tmp_path / "a bb"
    path.write_text(
        f"#!{sys.executable}\nimport os, signal, sys\n"
        "print(sys.argv[1:], os.getpid(), signal.getsignal(signal.SIGPIPE) == signal.SIG_DFL, sys.stdin.read(), flush=True)\n"
        "if 'kill' in sys.argv: os.kill(os.getpid(), signal.SIGTERM)\nsys.exit(42)\n"
    )
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("start", [[sys.executable, "-P", "-m", "bbipc"], ["/bin/sh", str(ROOT / "deploy" / "bb")]])
def test_the_real_bb_takes_the_place_of_the_process(start: list[str], fake: str) -> None:
    words = ["prove", "--scheme", "ultra_honk", "-b", "a file", "", "--help"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    process = subprocess.Popen(
        [*start, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | {"BB_PATH": fake, "PATH": path}
    )
    out, _ = process.communicate(b"input", timeout=TIMEOUT)
    assert process.returncode == 42
    signal_default = "False"  # Python ignores SIGPIPE again in the fake, which is a Python program
    assert out.decode() == f"{words} {process.pid} {signal_default} input\n"


def test_broken_pipes_are_as_without_us(tmp_path: Path) -> None:
    shell = tmp_path / "bb"
    shell.write_text("#!/bin/sh\ngrep SigIgn /proc/self/status\n")
    shell.chmod(0o755)
    done = bbipc("gates", BB_PATH=str(shell))
    ignored = int(done.out.split()[1], 16)
    assert not ignored & (1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1)


def test_a_signal_ends_both(fake: str) -> None:
    assert bbipc("prove", "kill", BB_PATH=fake).code == -signal.SIGTERM


def test_the_shim_takes_any_words_of_bb(fake: str, folder: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    shim = ["/bin/sh", str(ROOT / "deploy" / "bb")]
    for words in ([], ["--help"], ["--version"], ["no_such"], ["msgpack", "--help"], ["verify"], ["inspect", "x"]):
        assert status([*shim, *words], folder, PATH=path, BB_PATH=fake) == 42, words
    valid = ["verify", "-s", "chonk", "-p", PROOF, "-k", VK, "--setup", SETUP]
    assert status([*shim, *valid], folder, PATH=path, BB_PATH=fake) == 0
    assert status([*shim, "msgpack", "run"], folder, PATH=path, BB_PATH=fake) == 0
    assert status([*shim, "msgpack", "schema"], folder, PATH=path, BB_PATH=fake) == 0


def test_no_real_bb(tmp_path: Path) -> None:
    done = bbipc("prove", "-b", "x")
    assert (done.code, done.err) == (
        69,
        "bbipc: error: bb prove: bbipc leaves this to bb: name one by the variable BB_PATH\n",
    )
    done = bbipc("prove", BB_PATH=str(tmp_path / "none"))
    assert (done.code, done.err.count("No such file")) == (69, 1)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = bbipc("prove", BB_PATH=str(ROOT / "deploy" / "bb"), PATH=path)
    assert (done.code, "is bbipc itself" in done.err) == (69, True)

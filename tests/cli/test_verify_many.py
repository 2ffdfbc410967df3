"""`bbipc verify-many`."""

import json
import shutil
from pathlib import Path

import pytest

from cli.running import SETUP, bbipc
from samples import CORPUS, FLOW1, FLOW2, flow1_parts, raw_proof


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for sample in CORPUS[:3]:
        shutil.copytree(sample.folder, tmp_path / "good" / sample.folder.name)
    bad = tmp_path / "bad"
    bad.mkdir()
    parts = {name: list(words) for name, words in flow1_parts().items()}
    parts["merge_proof"][20], parts["merge_proof"][21] = parts["merge_proof"][21], parts["merge_proof"][20]
    (bad / "a.proof").write_bytes(raw_proof(parts).to_fields())
    (bad / "proof_of_nothing").write_bytes(b"nothing")
    shutil.copy(FLOW1.folder / "vk", bad / "vk")
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_all_valid(folder: Path) -> None:
    done = bbipc("verify-many", folder / "good", "--setup", SETUP, "--threads", "1")
    assert done.code == 0
    assert done.out.count(": valid\n") == 3
    assert "3 proofs: 3 valid" in done.out
    assert "\x1b[" not in done.out
    quiet = bbipc("verify-many", folder / "good", "--setup", SETUP, "--quiet")
    first, _setup = quiet.out.splitlines()
    assert first.startswith("3 proofs: 3 valid (")


def test_everything_at_once(folder: Path) -> None:
    done = bbipc("verify-many", folder / "good", folder / "bad", folder / "none", "--setup", SETUP, "--json")
    assert done.code == 1
    report = json.loads(done.out)
    assert (report["valid"], report["invalid"], report["unreadable"]) == (3, 1, 2)
    by_name = {Path(item["file"]).name: item for item in report["proofs"]}
    assert by_name["a.proof"]["step"] == "Merge reduction"
    assert by_name["proof_of_nothing"]["outcome"] == "error"
    assert "No such file" in by_name["none"]["reason"]


def test_unreadable_only(folder: Path) -> None:
    done = bbipc("verify-many", folder / "bad" / "proof_of_nothing", "--setup", SETUP)
    assert done.code == 2
    assert "1 proof: 1 unreadable" in done.out


def test_a_file_that_is_not_there_is_named(folder: Path) -> None:
    done = bbipc("verify-many", folder / "nowhere" / "proof")
    assert done.code == 2
    assert f"{folder / 'nowhere' / 'proof'}: No such file or directory" in done.out


def test_an_empty_folder_is_a_mistake(folder: Path) -> None:
    done = bbipc("verify-many", folder / "empty")
    assert done.code == 2
    assert "no file in this folder" in done.err


def test_one_key_for_all() -> None:
    files = [FLOW1.folder / name for name in ("proof.msgpack", "proof_fields.bin", "compressed.bin")]
    assert bbipc("verify-many", *files, "--vk", FLOW1.folder / "vk", "--setup", SETUP).code == 0
    assert bbipc("verify-many", FLOW2.folder / "proof.msgpack", "--vk", FLOW1.folder / "vk").code == 1


def test_the_wrong_setup_makes_every_proof_invalid() -> None:
    done = bbipc("verify-many", FLOW1.folder / "proof.msgpack")
    assert done.code == 1
    assert "PI pairing points" in done.out

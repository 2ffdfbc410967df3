"""`bbipc inspect` of transactions, and of what the registry knows."""

import json
from pathlib import Path

import pytest

from aztec.transactions import AZTEC, e2e
from bbipc.aztec import Tx
from bbipc.aztec.registry import aztec
from bbipc.inspect.protocol import explain
from cli.running import bbipc
from samples import CORPUS, FLOWS


def test_a_transaction() -> None:
    file = AZTEC / "py-5x" / "public.compressed.tx.json"
    found = json.loads(bbipc("inspect", "--json", file).out)
    tx = Tx.from_json(file.read_text())
    assert (found["content"], found["bytes"], found["makes_sense"]) == ("transaction", tx.size, True)
    assert found["facts"]["hash"] == "0x" + tx.hash().hex()
    assert found["facts"]["release"].startswith("5.0.0-5.2.0")
    assert found["facts"]["proof"] == f"compressed, {len(tx.proof.content)} bytes"
    assert len(found["elements"]) == 2784
    first = found["elements"][0]
    assert (first["name"], first["offset"]) == ("constants.anchor_block_header.last_archive.root", 33)
    assert first["value"] == "0x" + tx.to_bytes()[33:65].hex()
    done = bbipc("inspect", "--elements", "-", stdin=e2e("compressed"))
    assert done.code == 0
    assert "release: unknown key tree" in done.out
    assert "[33] constants.anchor_block_header.last_archive.root (field): 0x" in done.out


def test_where_a_transaction_stops_making_sense() -> None:
    done = bbipc("inspect", "--as", "transaction", "-", stdin=e2e("noproof")[:500])
    assert done.code == 2
    assert "the bytes end" in done.err


@pytest.mark.parametrize("circuit", ["rollup", "public"])
def test_keys_of_the_registry_are_named(tmp_path: Path, circuit: str) -> None:
    key = aztec().releases[0].keys[circuit].to_bytes()
    (tmp_path / "vk").write_bytes(key)
    assert f"registry: Aztec 5.0.0-5.2.0, hiding_kernel_to_{circuit}" in bbipc("inspect", tmp_path / "vk").out
    artifact = {"noir_version": "1", "abi": {}, "bytecode": "", "verificationKey": {"bytes": key.hex()}}
    assert f"Aztec 5.0.0-5.2.0, hiding_kernel_to_{circuit}" in bbipc("inspect", "-", stdin=json.dumps(artifact).encode()).out


def test_a_key_of_release_4() -> None:
    done = bbipc("inspect", AZTEC / "py-4x" / "hiding_kernel_to_rollup-4.1.2.vk")
    assert done.code == 0
    assert "release 4.x" in done.out


def test_proofs_and_keys_are_not_taken_for_transactions() -> None:
    for sample in (*FLOWS, *CORPUS):
        for data in (sample.fields, sample.vk):
            assert explain(data) is None
    for flow in FLOWS:
        assert explain(flow.compressed) is explain(flow.msgpack) is None


def test_verify_says_that_a_transaction_is_no_proof() -> None:
    done = bbipc("verify", AZTEC / "py-5x" / "private.compressed.tx.bin", AZTEC / "e2e-test-setup" / "rollup.vk")
    assert done.code == 2
    assert "bbipc verify-tx" in done.err

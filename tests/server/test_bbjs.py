"""The real client: @aztec/bb.js 5.0.0 from npm, unchanged, with this server in place of bb."""

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from samples import CORPUS, FLOW1, FLOWS
from server.live import SETUP

CLIENT = Path(__file__).with_name("bbjs_client.mjs")


@pytest.fixture(scope="session")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("proofs")
    for sample in (*FLOWS, *CORPUS):
        (folder / f"{sample}.proof").write_bytes(sample.proof.to_msgpack())
        (folder / f"{sample}.vk").write_bytes(sample.vk)
    (folder / "flow1.fields").write_bytes(FLOW1.fields)
    return folder


@pytest.fixture(scope="session", params=["pipe", "socket", "shm"])
def seen(request: pytest.FixtureRequest, bbjs: Path, proofs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the client saw. It starts the server itself, with bb's arguments; only the trusted setup is added to them."""
    server = tmp_path_factory.mktemp("bin") / "bb"
    server.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m bbipc "$@" --setup "{SETUP}" 2>/dev/null\n')
    server.chmod(0o755)
    command = ["node", str(CLIENT), str(bbjs), request.param, str(server), str(proofs)]
    result = subprocess.run(command, capture_output=True, check=False, timeout=300)
    # For shared memory bb.js has a thread of its own, which may outlive node's end and crash it. All was seen by then.
    ends = [0, -signal.SIGSEGV] if request.param == "shm" else [0]
    assert result.returncode in ends, result.stderr.decode()
    answers: dict[str, Any] = json.loads(result.stdout.decode().splitlines()[-1])
    return answers


def test_hashes(seen: dict[str, Any]) -> None:
    assert seen["blake2s"] == hashlib.blake2s(b"abc").hexdigest()
    assert seen["poseidon2Hash"] == "038682aa1cb5ae4e0a3f13da432a95c77c5c111f6f030faf9cad641ce1ed7383"
    assert seen["poseidon2Permutation"][0] == "18dfb8dc9b82229cff974efefc8df78b1ce96d9d844236b496785c698bc6732e"


def test_points(seen: dict[str, Any]) -> None:
    assert seen["bn254G1Mul"]["x"] == "030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd3"
    doubled = "06ce1b0827aafa85ddeb49cdaa36306d19a74caa311e13d46d8bc688cdbffffe"
    assert seen["grumpkinMul"]["x"] == doubled
    assert seen["grumpkinAdd"] == seen["grumpkinMul"]
    assert seen["grumpkinBatchMul"] == [seen["grumpkinMul"]] * 2
    assert seen["isSquare"] is False


def test_errors_become_exceptions_of_the_client(seen: dict[str, Any]) -> None:
    assert seen["offCurve"] == {"isApiException": True, "message": "Input point must be on the curve"}
    assert seen["unserved"]["isApiException"]
    assert "--bb PATH" in seen["unserved"]["message"]
    assert seen["shortKey"]["isApiException"]
    assert "verification key has wrong size: expected 3680, got 3679" in seen["shortKey"]["message"]


def test_all_proofs_verify(seen: dict[str, Any]) -> None:
    assert seen["verified"] == {str(sample): True for sample in (*FLOWS, *CORPUS)}
    assert seen["together"] == [True] * 6


def test_compression(seen: dict[str, Any]) -> None:
    assert bytes.fromhex(seen["compressed"]) == FLOW1.compressed
    assert bytes.fromhex(seen["decompressed"]) == FLOW1.fields


def test_a_thousand_calls_at_once_are_answered_in_order(seen: dict[str, Any]) -> None:
    assert seen["pipelined"] == [hashlib.blake2s(f"request {index}".encode()).hexdigest() for index in range(1000)]

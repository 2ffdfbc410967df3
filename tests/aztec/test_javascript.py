"""The official JavaScript classes: @aztec/stdlib from npm, unchanged.

The newest that npm has is a nightly of 4.3.0. Its `data`, logs and calldata are those of release 5, its proofs are not: so the
proofs of release 5 are replaced by one of release 4 for it.
"""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import npm
from aztec.transactions import AZTEC, call, calldata, class_log, synthetic, with_calls, with_class_log
from bbipc.aztec import ProofForm, Tx, TxProof
from bbipc.aztec.forms import FORMS, PUBLIC
from bbipc.aztec.hashes import hash_elements

PEER = Path(__file__).parent / "stdlib_peer.mjs"
PROOF = TxProof(ProofForm.RELEASE_4, bytes(32 * 1935))


def sent() -> list[Tx]:
    files = sorted(AZTEC.glob("*/*.tx.bin"))
    values = calldata(1, 2, 3), calldata(), calldata(4)
    made = [
        with_calls([call(values[0])], [call(values[1])], call(values[2]), public_calldata=values),
        *(with_class_log(form, hash_elements(class_log(1, 2)), 2, class_log(1, 2)) for form in FORMS),
        synthetic(PUBLIC),
    ]
    return [replace(tx, proof=PROOF) for tx in (*(Tx.from_bytes(file.read_bytes()) for file in files), *made)]


@pytest.fixture(scope="module")
def answers() -> list[dict[str, Any]]:
    package = npm.installed("@aztec/stdlib", "4.3.0-nightly.20260417", entry="dest/tx/index.js")
    lines = "".join(f"{tx.to_bytes().hex()}\n" for tx in sent())
    done = subprocess.run(
        ["node", str(PEER), str(package)], input=lines.encode(), capture_output=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def agrees(tx: Tx, answer: dict[str, Any]) -> None:
    assert tx.to_bytes().hex() == answer["bytes"]
    assert tx.public_inputs().hex() == answer["inputs"]
    assert "0x" + tx.hash().hex() == answer["hash"]
    assert [f"0x{value.hex()}" for value in tx.calldata_hashes()] == answer["calldata"]
    assert [f"0x{hash_elements(log).hex()}" for log in tx.contract_class_logs] == answer["logs"]
    assert Tx.from_json(answer["json"] | {"txHash": "0x" + tx.tx_hash.hex()}) == tx
    for name in ("data", "chonkProof", "contractClassLogFields", "publicFunctionCalldata"):
        assert json.loads(tx.to_json())[name] == answer["json"][name]


def test_it_reads_what_we_write(answers: list[dict[str, Any]]) -> None:
    assert len(answers) == len(sent()) + 3
    for tx, answer in zip(sent(), answers, strict=False):
        agrees(tx, answer)
    assert answers[len(sent()) - 4]["calls"] == 3


def test_we_read_what_it_writes(answers: list[dict[str, Any]]) -> None:
    for answer in answers[len(sent()) :]:
        agrees(Tx.from_bytes(bytes.fromhex(answer["bytes"]), strict=True), answer)

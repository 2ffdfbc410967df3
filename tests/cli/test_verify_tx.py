"""`bbipc verify-tx` as a user runs it."""

import base64
import gzip
import json
from pathlib import Path

import pytest

from aztec.transactions import AZTEC, E2E, e2e
from cli.running import SETUP, bbipc

TEST = ("--setup", SETUP, "--registry", str(E2E / "registry-test.json"))
TESTNET = AZTEC / "testnet-5.2.0" / "private-block60620.tx.json"
CHECKS = ["size", "form", "hash", "release", "calldata", "contract class logs", "public inputs", "proof"]


def test_valid_with_the_registry_and_the_setup_of_tests_only() -> None:
    file = E2E / "rollup.compressed.tx.bin"
    done = bbipc("verify-tx", *TEST, "--network", "testnet", file)
    assert done.code == 0
    lines = done.out.splitlines()
    assert [line.split(":")[0].split(None, 1)[1] for line in lines[:-2]] == [*CHECKS[:4], "network", *CHECKS[4:]]
    assert lines[-2] == "valid"
    assert "needs the state of a node" in lines[-1]
    assert "warning: registry of" in done.err
    assert "warning: trusted setup of" in done.err
    for options in ((), TEST[:2], TEST[2:]):
        assert bbipc("verify-tx", *options, file).code == 1
    unknown = bbipc("verify-tx", *TEST[:2], file)
    assert "unknown key tree" in unknown.out
    assert "Incorrect verification keys tree root" in unknown.out


def test_exit_codes_of_several_in_one_call() -> None:
    names = ("compressed", "uncompressed", "noproof", "forged-fee-payer")
    files = [E2E / f"rollup.{name}.tx.bin" for name in names]
    assert bbipc("verify-tx", *TEST, *files[:2]).code == 0
    assert bbipc("verify-tx", *TEST, *files[:3]).code == 3
    assert bbipc("verify-tx", *TEST, *files[:3], AZTEC / "layout-public-5.2.0.txt").code == 2
    done = bbipc("verify-tx", *TEST, "--json", *files, "no such file")
    assert done.code == 1
    found = [json.loads(line) for line in done.out.splitlines()]
    assert [item["valid"] for item in found] == [True, True, None, False, None]
    assert all({"tx_hash", "release", "network", "valid", "checks"} <= set(item) for item in found)
    assert [check["name"] for check in found[0]["checks"]] == CHECKS
    assert found[4]["error"] == "no such file: No such file or directory"


def test_a_transaction_of_the_testnet_has_no_proof() -> None:
    done = bbipc("verify-tx", "--network", "testnet", "--json", TESTNET)
    found = json.loads(done.out)
    assert (done.code, found["valid"], found["release"], found["network"]) == (3, None, "5.0.0-5.2.0", "testnet")
    assert found["tx_hash"] == json.loads(TESTNET.read_text())["txHash"]
    assert bbipc("verify-tx", "--network", "mainnet", TESTNET).code == 1
    assert bbipc("verify-tx", "--network", "nonet", TESTNET).code == 2


@pytest.mark.parametrize("encoding", ["hex", "base64", "json", "answer"])
def test_other_encodings_on_standard_input(encoding: str, setup: object) -> None:
    from bbipc.aztec import Tx  # noqa: PLC0415

    binary = e2e("uncompressed")
    text = Tx.from_bytes(binary).to_json()
    wrapped = {
        "hex": "0x" + binary.hex() + "\n",
        "base64": base64.encodebytes(binary).decode(),
        "json": text,
        "answer": f'{{"jsonrpc": "2.0", "id": 1, "result": {text}}}',
    }
    assert bbipc("verify-tx", *TEST, "-", stdin=wrapped[encoding].encode()).code == 0


BAD = {
    "empty": (b"", "an empty file"),
    "blank": (b" \n", "white space"),
    "html": (b"<!DOCTYPE html><html>502 Bad Gateway</html>", "HTML"),
    "gzip": (gzip.compress(e2e("noproof")), "gzip"),
    "error": (b'{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}', "Method not found"),
    "null": (b'{"jsonrpc":"2.0","id":1,"result":null}', "does not have it"),
    "shape": (b'{"txHash": "0x1", "proof": 3}', "no member 'data'"),
    "list": (b"[1, 2]", "a JSON list"),
    "deep": (b"[" * 100000, "JSON"),
    "number": (b'{"data": ' + b"1" * 5000 + b"}", "JSON"),
    "base64": (b'{"data":"#","chonkProof":"","contractClassLogFields":[],"publicFunctionCalldata":[]}', "data: not base64"),
    "twice": (b'{"data":"","data":""}', "given twice"),
    "truncated": (e2e("noproof")[:-1], "the bytes end"),
    "short": (e2e("noproof")[:100], "the bytes end"),
    "element": (e2e("noproof")[:33] + b"\xff" * 32 + e2e("noproof")[65:], "last_archive.root at byte 33: non-canonical"),
    "key": ((E2E / "rollup.vk").read_bytes(), "verification key"),
    "text": (b"hello", "looks like text"),
}


def test_a_folder_of_bad_files_is_read_to_its_end(tmp_path: Path) -> None:
    for name, (data, _) in BAD.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "zz-good").write_bytes(e2e("uncompressed"))
    done = bbipc("verify-tx", *TEST, tmp_path)
    assert done.code == 2
    lines = [line for line in done.err.splitlines() if "warning: " not in line]
    assert all(line.startswith("bbipc: error: ") for line in lines)
    assert [Path(line.split(": ")[2]).name for line in lines] == sorted(BAD)
    for line, name in zip(lines, sorted(BAD), strict=True):
        assert BAD[name][1] in line
    assert "\nvalid\n" in done.out


def test_a_registry_that_cannot_be_read() -> None:
    for file in ("no such file", SETUP, E2E / "rollup.vk"):
        done = bbipc("verify-tx", "--registry", file, TESTNET)
        assert done.code == 2
        assert "Traceback" not in done.err

"""`bbipc call`."""

import hashlib
import json
from pathlib import Path

import pytest

from cli.running import SETUP, bbipc
from client.servers import BB, needs_bb
from samples import FLOW1

DIGEST = "hex:" + hashlib.blake2s(b"abc").hexdigest()


@pytest.mark.parametrize("data", ["hex:616263", "base64:YWJj"])
def test_bytes(data: str) -> None:
    done = bbipc("call", "Blake2s", json.dumps({"data": data}), "--json")
    assert (done.code, json.loads(done.out)) == (0, {"hash": DIGEST})


def test_fields_and_bytes_from_files_and_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"abc")
    fields = json.dumps({"data": f"@{tmp_path}/data"})
    (tmp_path / "fields.json").write_text(fields)
    for arguments, stdin in ((f"@{tmp_path}/fields.json", b""), ("-", fields.encode())):
        assert json.loads(bbipc("call", "Blake2s", arguments, stdin=stdin).out) == {"hash": DIGEST}


def test_points_and_numbers() -> None:
    point = {"x": 1, "y": "0x2"}
    done = bbipc("call", "Bn254G1Mul", json.dumps({"point": point, "scalar": 1}), "--json")
    assert json.loads(done.out) == {"point": "hex:" + f"{1:064x}{2:064x}"}
    both = bbipc("call", "Poseidon2Hash", json.dumps({"inputs": [1, "0x02"]}))
    bytes_ = bbipc("call", "Poseidon2Hash", json.dumps({"inputs": f"hex:{1:064x}{2:064x}"}))
    assert both.out == bytes_.out != ""


def test_a_real_proof() -> None:
    fields = json.dumps({"proof": f"@{FLOW1.folder}/proof_fields.bin", "vk": f"@{FLOW1.folder}/vk"})
    server = f"bbipc-server msgpack run --setup {SETUP}"
    done = bbipc("call", "ChonkVerifyFromFields", fields, "--json")
    assert json.loads(done.out) == {"valid": False}  # under Aztec's setup
    assert bbipc("call", "ChonkVerifyFromFields", fields, "--server", server).code == 69  # there is no bbipc-server


@pytest.mark.parametrize(
    ("name", "fields", "code", "message"),
    [
        ("Blake2s", "{", 2, "FIELDS is not JSON"),
        ("Blake2s", "[]", 2, "must be a JSON object"),
        ("Blake2s", "{}", 2, "missing data; its fields are: data"),
        ("Blake2s", '{"data": "616263"}', 2, 'expected bytes: "hex:..", "base64:.." or "@FILE"'),
        ("Blake2s", '{"data": "hex:6"}', 2, "data: hex:"),
        ("Blake2s", '{"data": "@/no/such/file"}', 2, "No such file"),
        ("Poseidon2Hash", '{"inputs": [true]}', 2, "inputs[0]: boolean, expected a field element"),
        ("Poseidon2Hash", '{"inputs": [-1]}', 2, "is not a number from 0 to 2^256 - 1"),
        ("SetMsmLegacy", '{"enabled": 1}', 2, "int, expected bool"),
        ("Poseidon2Hash", '{"inputs": ["0x%064x"]}' % (2**256 - 1), 1, "below the modulus"),
        ("ChonkProve", "{}", 1, "--bb PATH"),
        ("NoSuchCommand", '{"a": "hex:00"}', 1, "unknown command 'NoSuchCommand'\n"),
        ("blake2", "{}", 1, "unknown command 'blake2' (did you mean Blake2s?)"),
        ("CancelRequests", "{}", 1, "(did you mean CancelRequest?)"),
    ],
)
def test_mistakes(name: str, fields: str, code: int, message: str) -> None:
    done = bbipc("call", name, fields)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert "Traceback" not in done.err


def test_json_errors_go_to_standard_output() -> None:
    done = bbipc("call", "ChonkProve", "--json")
    assert done.code == 1
    assert "--bb PATH" in json.loads(done.out)["error"]


@pytest.mark.parametrize("server", ["", "/no/such/server", "false", "'"])
def test_servers_that_are_none(server: str) -> None:
    done = bbipc("call", "Blake2s", '{"data": "hex:"}', "--server", server)
    assert done.code == (2 if server == "'" else 69)
    assert done.out == ""
    assert "Traceback" not in done.err


def test_no_socket(tmp_path: Path) -> None:
    done = bbipc("call", "Blake2s", '{"data": "hex:"}', "--socket", tmp_path / "x.sock")
    assert done.code == 69
    assert "cannot connect" in done.err
    assert bbipc("call", "Blake2s", "{}", "--socket", "x", "--server", "y").code == 2


def test_envelope() -> None:
    assert json.loads(bbipc("call", "Blake2s", '{"data": "hex:616263"}', "--envelope").out) == {"hash": DIGEST}


@needs_bb
def test_bb() -> None:
    done = bbipc("call", "Blake2s", '{"data": "hex:616263"}', "--server", f"{BB} msgpack run", "--json")
    assert json.loads(done.out) == {"hash": DIGEST}
    done = bbipc("call", "NoSuchCommand", "--server", f"{BB} msgpack run")
    assert done.code == 69
    assert "bb 5.0.0 does not know 'NoSuchCommand'" in done.err

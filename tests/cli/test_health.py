"""`bbipc doctor` and `bbipc bench`, and the sample that they use."""

import json

import pytest
from click.testing import CliRunner

from bbipc.chonk import Setup, Verifier
from bbipc.cli import doctor, known_proof
from bbipc.cli.exit_codes import INVALID
from cli.running import bbipc


def test_a_healthy_installation() -> None:
    done = bbipc("doctor", "--json")
    assert done.code == 0
    report = json.loads(done.out)
    assert report["healthy"] is True
    names = {"python", "extension", "cpu", "arithmetic", "generators", "setup", "self-check", "bb", "metrics", "options"}
    assert {check["name"] for check in report["checks"]} == names
    assert bbipc("doctor").code == 0


def test_the_sample_is_valid_only_as_it_is_and_under_its_setup() -> None:
    item = known_proof.load()
    assert Verifier(item.setup).verify(item.proof, item.key).valid
    assert not Verifier(item.setup).verify(item.broken(), item.key).valid
    assert not Verifier(Setup.AZTEC).verify(item.proof, item.key).valid


@pytest.mark.parametrize(
    ("name", "value"), [("GENERATORS_SHA256", "00"), ("generators", None), ("Verifier", lambda *arguments: 1 / 0)]
)
def test_an_unhealthy_installation(monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    monkeypatch.setattr(doctor, name, value)
    done = CliRunner().invoke(doctor.command, ["--json"], standalone_mode=False)
    assert done.return_value == INVALID
    report = json.loads(done.output)
    assert not report["healthy"]
    assert "failed" in {check["status"] for check in report["checks"]}


def test_a_bb_is_found() -> None:
    done = bbipc("doctor", "--json", BB_PATH="/bin/echo")
    line = next(check for check in json.loads(done.out)["checks"] if check["name"] == "bb")
    assert line == {"name": "bb", "status": "ok", "detail": "/bin/echo, version --version"} or "version" in line["detail"]


def test_the_options_of_the_environment() -> None:
    def line(text: str) -> dict[str, str]:
        done = bbipc("doctor", "--json", BBIPC_OPTIONS=text)
        return next(check for check in json.loads(done.out)["checks"] if check["name"] == "options")

    assert line("")["status"] == "ok"
    given = line("--threads 2 --log-level 'info'")
    assert given["status"] == "note"
    assert "--threads 2 --log-level info" in given["detail"]
    wrong = line("--threads none")
    assert wrong["status"] == "failed"
    assert "BBIPC_OPTIONS" in wrong["detail"]
    assert "--threads" in wrong["detail"]


def test_bench() -> None:
    done = bbipc("bench", "--seconds", "0", "--threads", "1", "--json")
    assert done.code == 0
    results = json.loads(done.out)["results"]
    assert [line["batch"] for line in results] == [1, 4, 16, 64]
    assert all(line["ms_per_proof"] > 0 for line in results)
    assert "proofs/s" in bbipc("bench", "--seconds", "0", "--threads", "1").out

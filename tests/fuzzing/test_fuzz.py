"""`bbipc fuzz` finds planted faults, makes them small, and saves what `bbipc conform --replay` runs again."""

import sys
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner

from bbipc.cli.conform import command as conform
from bbipc.conform.case import CaseOutcome
from bbipc.conform.judge import Expectation, Turn
from bbipc.conform.runner import run_case
from bbipc.conform.script import Script, ScriptError, case_of
from bbipc.conform.target import Target
from bbipc.fuzzing.campaign import Campaign
from bbipc.fuzzing.sandbox import Sandbox

PLANTED = Path(__file__).parent.parent / "conform" / "planted.py"


def target(fault: str, transport: str = "pipe") -> Target:
    return Target((sys.executable, str(PLANTED), fault), transport, setup="test")


def search(fault: str, others: tuple[str, ...] = (), rounds: float = 20, transport: str = "pipe") -> Campaign:
    async def main() -> Campaign:
        async with trio.open_nursery() as nursery:
            sandboxes = [Sandbox(target(name, transport), 60, nursery) for name in (fault, *others)]
            campaign = Campaign(sandboxes[0], sandboxes[1:], tags=True, seed=4, seconds=3600)
            await campaign.run(lambda _finding: None, rounds=rounds)
        return campaign

    return trio.run(main)


@pytest.mark.parametrize("fault", ["dies-on-garbage", "silent-on-error", "answers-twice", "wrong-id", "error-without-id"])
def test_fault_is_found_and_replays(fault: str, tmp_path: Path) -> None:
    (finding,) = search(fault).findings
    assert len(finding.script.turns) <= 2
    script = Script.load(finding.script.save_in(tmp_path / "new"))
    assert script == finding.script

    async def replay(name: str) -> CaseOutcome:
        return (await run_case(case_of(script, "found"), target(name), tagged=True, timeout=60)).outcome

    assert trio.run(replay, fault) is CaseOutcome.FAIL
    assert trio.run(replay, "none") is CaseOutcome.PASS


def test_a_fault_between_clients_is_found(tmp_path: Path) -> None:
    (finding,) = search("answers-of-another", transport="socket").findings
    assert finding.script.clients > 1
    assert len(finding.script.turns) == finding.script.clients
    script = Script.load(finding.script.save_in(tmp_path))

    async def replay(name: str) -> CaseOutcome:
        return (await run_case(case_of(script, "found"), target(name, "socket"), tagged=True, timeout=60)).outcome

    assert trio.run(replay, "answers-of-another") is CaseOutcome.FAIL
    assert trio.run(replay, "none") is CaseOutcome.PASS


@pytest.mark.parametrize("transport", ["pipe", "socket"])
def test_nothing_is_found_where_nothing_is(transport: str) -> None:
    campaign = search("none", rounds=1, transport=transport)
    assert campaign.examples >= 100
    assert not campaign.findings
    assert campaign.sandbox.starts == 1


def test_a_difference_between_servers_is_found() -> None:
    # Both keep the law; only a comparison tells that one of them does not look at G0.
    campaign = search("none", others=("always-invalid",), rounds=4)
    assert campaign.compared
    (finding,) = campaign.findings
    assert "always-invalid" in finding.expected


def test_replay_by_command_line(tmp_path: Path) -> None:
    file = tmp_path / "garbage.json"
    Script((Turn(b"\xc1", "garbage", Expectation(error=True)),), (2,)).save(file)
    for fault, code in (("none", 0), ("dies-on-garbage", 1)):
        arguments = ["--replay", str(file), "--setup", "test", "--", sys.executable, str(PLANTED), fault]
        result = CliRunner().invoke(conform, arguments, standalone_mode=False)
        assert result.return_value == code, result.output
        assert "replay.garbage" in result.output


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "another"}', '{"format": "bbipc-script-1", "frames": 5}'])
def test_a_file_that_is_no_script(text: str, tmp_path: Path) -> None:
    file = tmp_path / "no.json"
    file.write_text(text)
    with pytest.raises(ScriptError, match=r"no\.json"):
        Script.load(file)

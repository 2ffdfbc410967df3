"""The night: stages share the time, and what any of them finds is the exit status."""

import sys
import time
from pathlib import Path

import night
import pytest
from hypothesis import given
from hypothesis import strategies as st


def script(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def plan(output: Path, minutes: float = 0, seed: int = 5) -> night.Plan:
    return night.Plan(minutes, seed, output)


def test_outcomes(tmp_path: Path) -> None:
    stages = [
        night.Stage("good", script("print('first'); print('last')")),
        night.Stage("bad", script("raise SystemExit('found it')")),
        night.Stage("absent", (), needs="--something"),
    ]
    outcomes = night.night(plan(tmp_path), stages)
    assert [(outcome.name, outcome.status, outcome.last_line) for outcome in outcomes] == [
        ("good", "ok", "last"),
        ("bad", "FOUND", "found it"),
        ("absent", "not run", "needs --something"),
    ]
    assert "first\nlast\n" in (tmp_path / "good.log").read_text()


def test_a_stage_without_end_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(night, "GRACE", 0.2)
    (outcome,) = night.night(plan(tmp_path), [night.Stage("endless", script("import time; time.sleep(1000)"))])
    assert outcome.status == "FOUND"
    assert "no end" in outcome.last_line


def test_repeated_until_something_is_found(tmp_path: Path) -> None:
    stage = night.Stage("seeds", script("raise SystemExit({seed} == 8)"), weight=1, repeated=True)
    (outcome,) = night.night(plan(tmp_path, minutes=60), [stage])
    assert outcome.status == "FOUND"
    assert (tmp_path / "seeds.log").read_text().count("$ ") == 4


@given(st.lists(st.floats(0.5, 5), min_size=1, max_size=6), st.floats(1, 1000))
def test_time_is_shared_by_weight(weights: list[float], minutes: float) -> None:
    given_time: list[float] = []

    def record(stage: night.Stage, seconds: float, _plan: night.Plan) -> night.Outcome:
        given_time.append(seconds)
        clock[0] += seconds
        return night.Outcome(stage.name, "ok", seconds, "")

    clock = [100.0]
    stages = [night.Stage(str(index), ("command",), weight=weight) for index, weight in enumerate(weights)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(night, "run", record)
        patch.setattr(time, "monotonic", lambda: clock[0])
        patch.setattr(Path, "mkdir", lambda *_args, **_named: None)
        night.night(plan(Path("unused"), minutes), stages)
    assert given_time == pytest.approx([60 * minutes * weight / sum(weights) for weight in weights])


def test_every_stage_runs_by_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--minutes", "0.01", "--output", str(tmp_path), "--only", "server-socket", "--only", "differential"]
    assert night.main(arguments) == 0
    output = capsys.readouterr().out
    assert "ok      server-socket" in output
    assert "not run differential" in output
    assert "1 stages" in output
    assert "0 findings" in (tmp_path / "server-socket.log").read_text()


def test_wrong_usage(tmp_path: Path) -> None:
    for option in ("--bb", "--native"):
        with pytest.raises(SystemExit) as ended:
            night.main(["--minutes", "1", option, str(tmp_path)])
        assert ended.value.code == 2

"""`bbipc demo`: all answers are right, plain ones in order; and what it says about other outcomes."""

import json
import sys
from collections.abc import Sequence

import pytest
from click.testing import CliRunner

from bbipc.cli import demo, exit_codes
from bbipc.client import ServerGone
from bbipc.client.session import Request
from cli.running import bbipc

NOTE = "test setup whose secret is known"


def exchange(request_id: int | None, sent: float, position: int) -> demo.Exchange:
    request = Request("Blake2s", {"data": b""}, tagged=request_id is not None)
    request.request_id = request_id
    return demo.Exchange("Blake2s", request, "00", sent, sent + 1, position, "00")


def test_text() -> None:
    done = bbipc("demo")
    assert done.code == exit_codes.SUCCESS
    assert "Plain requests were answered in their order." in done.out
    assert "Every answer is the right one." in done.out
    assert NOTE in done.out
    assert "WARNING" in done.err  # the server's own, about --setup
    assert "\x1b" not in done.out
    assert max(map(len, done.out.splitlines())) <= 128


def test_json() -> None:
    done = bbipc("demo", "--json")
    assert done.code == exit_codes.SUCCESS
    report = json.loads(done.out)
    requests = report["requests"]
    assert report["right"]
    assert report["setup"] == "test"
    assert all(one["answer"] == one["expected"] for one in requests)
    assert {one["answer"] for one in requests} >= {"valid", "invalid"}
    assert sorted(one["position"] for one in requests) == list(range(1, len(requests) + 1))
    assert all(0 <= one["sent_ms"] <= one["answered_ms"] for one in requests)
    plain = [one["position"] for one in requests if one["request_id"] is None]
    assert len(plain) > 1
    assert plain == sorted(plain)


def test_overtaking_is_by_tagged_requests_that_were_sent_later() -> None:
    first, plain, tagged = exchange(None, 0, 2), exchange(None, 1, 3), exchange(7, 2, 1)
    assert demo.overtaken([first, plain, tagged]) == 2
    assert demo.overtaken([exchange(None, 0, 1), exchange(7, 1, 2)]) == 0
    assert demo.overtaken([exchange(7, 0, 1), exchange(None, 1, 2)]) == 0


def test_plain_order_ignores_tagged_requests() -> None:
    assert demo.plain_in_order([exchange(None, 0, 2), exchange(1, 1, 1), exchange(None, 2, 3)])
    assert not demo.plain_in_order([exchange(None, 0, 3), exchange(1, 1, 1), exchange(None, 2, 2)])


def test_a_wrong_answer_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lie(exchanges: Sequence[demo.Exchange]) -> None:
        for position, one in enumerate(exchanges, 1):
            one.position, one.answer = position, "valid"

    monkeypatch.setattr(demo, "_converse", lie)
    result = CliRunner().invoke(demo.command, standalone_mode=False)
    assert result.return_value == exit_codes.INVALID
    assert "NOT every answer is the right one." in result.output
    assert NOTE in result.output


@pytest.mark.parametrize(
    ("error", "message"),
    [(ServerGone("the server ended the connection"), "ended the connection"), (TimeoutError(), "did not answer within")],
)
def test_a_server_that_fails(monkeypatch: pytest.MonkeyPatch, error: Exception, message: str) -> None:
    async def fail(exchanges: Sequence[demo.Exchange]) -> None:
        raise error

    monkeypatch.setattr(demo, "_converse", fail)
    result = CliRunner().invoke(demo.command, standalone_mode=False)
    assert result.return_value == exit_codes.UNAVAILABLE
    assert message in result.output


def test_a_server_that_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_SERVER", ("false",))
    result = CliRunner().invoke(demo.command, standalone_mode=False)
    assert result.return_value == exit_codes.UNAVAILABLE
    assert "the server ended the connection" in result.output  # seen while writing or while reading


def test_help() -> None:
    done = bbipc("demo", "--help")
    assert (done.code, done.err) == (0, "")
    assert "Exit status: 0" in done.out


def test_a_server_that_ends_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import sys; from bbipc.conform.messages import frame, pack;"
        "sys.stdin.buffer.read(4); sys.stdout.buffer.write(frame(pack(['Poseidon2HashResponse', {'hash': bytes(32)}])));"
        "sys.stdout.flush(); sys.exit(3)"
    )
    monkeypatch.setattr(demo, "_SERVER", (sys.executable, "-P", "-c", program))
    result = CliRunner().invoke(demo.command, standalone_mode=False)
    assert result.return_value == exit_codes.UNAVAILABLE
    assert "bbipc: error: the server" in result.output

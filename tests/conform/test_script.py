"""Conversations: what is written is what they say, and files keep them."""

from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import trio
from hypothesis import given

from bbipc.conform.case import CaseOutcome
from bbipc.conform.judge import Expectation, Turn
from bbipc.conform.runner import run_case
from bbipc.conform.script import MAX_CLIENTS, Script, ScriptError, case_of
from bbipc.conform.target import Target
from bbipc.fuzzing.strategies import scripts

conversations = scripts(tags=True, setup="test", clients=MAX_CLIENTS)


@given(conversations)
def test_writes_are_the_streams(script: Script) -> None:
    writes = script.writes()
    assert all(data for _, data in writes)
    for client in range(script.clients):
        assert b"".join(data for writer, data in writes if writer == client) == script.stream(client)
        assert script.stream(client)
    # The order holds as long as a client has something to write; the rest follows client by client.
    left = Counter(writer for writer, _ in writes)
    expected = []
    for client in script.order:
        if left[client]:
            expected.append(client)
            left[client] -= 1
    assert [writer for writer, _ in writes] == expected + sorted(left.elements())


@given(script=conversations)
def test_files_keep_them(script: Script, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert Script.load(script.save_in(tmp_path_factory.mktemp("findings") / "new")) == script


@pytest.mark.parametrize("order", [[1], [-1], ["x"], 5])
def test_an_order_of_nobody(order: object, tmp_path: Path) -> None:
    file = tmp_path / "no.json"
    Script((Turn(b"\xc1", "garbage"),)).save(file)
    file.write_text(file.read_text().replace('"order": []', f'"order": {order}'.replace("'", '"')))
    with pytest.raises(ScriptError, match=r"no\.json"):
        Script.load(file)


def test_several_clients_need_a_socket() -> None:
    turn = Turn(b"\xc1", "garbage", Expectation(error=True))
    case = case_of(Script((turn, replace(turn, client=1))), "two")
    result = trio.run(partial(run_case, case, Target(("unused",)), tagged=True, timeout=1))
    assert result.outcome is CaseOutcome.NOT_APPLICABLE

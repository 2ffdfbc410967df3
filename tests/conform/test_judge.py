"""The judge of conversations accepts every order that the law allows, and nothing else."""

from itertools import permutations
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbipc.conform.case import Broken
from bbipc.conform.judge import Expectation, Judge, Turn
from bbipc.conform.messages import ERROR, Reply, blake2s_response, command, plain, tagged

NOTHING = command("Blake2s", {"data": b""})
REFUSAL = [ERROR, {"message": "in flight"}]
RESPONSES: list[list[Any]] = [blake2s_response(b"1"), blake2s_response(b"2"), ["XResponse", {"valid": True}]]

expectations = st.sampled_from(
    [
        Expectation(),
        Expectation(error=True),
        Expectation(outcomes=("valid", "invalid")),
        *(Expectation(response=msgpack.packb(response)) for response in RESPONSES[:2]),
    ]
)
responses = st.sampled_from([*RESPONSES, REFUSAL])


def reply(response: list[Any], request_id: int | None) -> Reply:
    return Reply(msgpack.packb(response if request_id is None else [request_id, response]))


def turn(expect: Expectation, request_id: int | None) -> Turn:
    return Turn(plain(NOTHING) if request_id is None else tagged(request_id, NOTHING), "", expect)


def accepts(turns: list[Turn], replies: list[Reply]) -> bool:
    judge = Judge(tuple(turns))
    try:
        for item in replies:
            judge.take(item)
    except Broken:
        return False
    return not judge.owed


def meets(expect: Expectation, response: list[Any], *, may_be_refused: bool) -> bool:
    try:
        expect.check(reply(response, None), "")
    except Broken:
        return may_be_refused and response == REFUSAL
    return True


@given(st.lists(st.tuples(expectations, responses), min_size=1, max_size=5), st.data())
def test_one_id_many_times(pairs: list[tuple[Expectation, list[Any]]], data: st.DataObject) -> None:
    wanted = [expect for expect, _ in pairs]
    came = data.draw(st.permutations([response for _, response in pairs]))
    # The definition, by trying all assignments: each request has a response of its own that it expects, or was refused.
    allowed = any(
        all(
            meets(expect, response, may_be_refused=index > 0)
            for index, (expect, response) in enumerate(zip(wanted, order, strict=True))
        )
        for order in permutations(came)
    )
    assert accepts([turn(expect, 7) for expect in wanted], [reply(response, 7) for response in came]) is allowed


def test_a_response_may_have_to_give_way() -> None:
    # The hash fits both requests; that it belongs to the second is seen only when the other response comes.
    turns = [turn(Expectation(), 1), turn(Expectation(response=msgpack.packb(RESPONSES[0])), 1)]
    assert accepts(turns, [reply(RESPONSES[0], 1), reply(RESPONSES[2], 1)])
    assert not accepts(turns, [reply(RESPONSES[2], 1), reply(RESPONSES[2], 1)])


@given(st.lists(st.tuples(st.none() | st.integers(1, 3), st.integers(0, 2)), max_size=8), st.data())
def test_plain_in_order_tagged_in_any(requests: list[tuple[int | None, int]], data: st.DataObject) -> None:
    turns = [turn(Expectation(response=msgpack.packb(RESPONSES[which])), request_id) for request_id, which in requests]
    replies = [reply(RESPONSES[which], request_id) for request_id, which in requests]
    came = data.draw(st.permutations(replies))
    in_order = [item for item in came if item.request_id is None] == [item for item in replies if item.request_id is None]
    assert accepts(turns, list(came)) is in_order


@pytest.mark.parametrize("request_id", [None, 1])
def test_none_missing_none_too_many(request_id: int | None) -> None:
    turns, replies = [turn(Expectation(), request_id)] * 2, [reply(RESPONSES[0], request_id)] * 3
    assert [accepts(turns, replies[:count]) for count in range(4)] == [False, False, True, False]
    assert not accepts(turns, [*replies[:1], reply(RESPONSES[0], 2)])
    assert not accepts(turns, [*replies[:1], Reply(b"\xc1")])

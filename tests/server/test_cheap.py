"""The core's answers to cheap requests against those of the server's rules, for every frame that Hypothesis can think of."""

from collections.abc import Collection
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bbipc.chonk.cheap import COMMANDS, Answerer
from bbipc.chonk.core import arithmetic_paths
from bbipc.chonk.setup import Setup
from bbipc.chonk.shared import default_core
from bbipc.chonk.verifier import Verifier
from server.cheap_requests import KNOWN, by_the_rules, pack, payloads
from server.live import frame


def check(
    payloads: list[bytes],
    answerer: Answerer,
    *,
    envelope: bool = False,
    plain: bool = True,
    in_flight: Collection[int] = (),
    max_work: int = 10**9,
) -> int:
    """Compare the answers to all payloads; how many the core gave. None of them may differ, and it stops at what it may not
    answer; what it answers beyond that is a subset that the caller judges."""
    data = b"".join(map(frame, payloads))
    position = given_answers = 0
    ends = {}
    for index, payload in enumerate(payloads):
        ends[position] = index
        position += 4 + len(payload)
    ends[position] = len(payloads)
    start = 0
    while start < len(data):
        result = answerer.answer(data, start, plain=plain, in_flight=in_flight, max_work=max_work)
        first = ends[start]
        if result is None:
            start += 4 + len(payloads[first])
            continue
        start += result.consumed
        answered = payloads[first : ends[start]]
        expected = [by_the_rules(payload, envelope=envelope, plain=plain, in_flight=in_flight) for payload in answered]
        assert None not in expected
        assert result.frames == b"".join(encoded for _, encoded in expected)
        names = [name for name, _ in expected]
        assert dict(result.commands) == {name: names.count(name) for name in names}
        assert result.work >= len(names)
        given_answers += len(names)
    return given_answers


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    envelope=st.booleans(),
    plain=st.booleans(),
    in_flight=st.sets(st.sampled_from([1, 127, 255, 2**63, 2**64 - 1]), max_size=3),
    max_work=st.sampled_from([1, 50, 100_000]),
)
def test_every_answer_is_that_of_the_rules(
    data: st.DataObject, envelope: bool, plain: bool, in_flight: set[int], max_work: int
) -> None:
    frames = data.draw(st.lists(payloads(envelope), max_size=12))
    answerer = Answerer(default_core(), COMMANDS, envelope=envelope)
    check(frames, answerer, envelope=envelope, plain=plain, in_flight=in_flight, max_work=max_work)


@settings(max_examples=200, deadline=None)
@given(payload=st.binary(max_size=200), envelope=st.booleans())
@example(payload=b"", envelope=False)
@example(payload=b"\x91\x92\xa7Blake2s\x81\xa4data\xc6\xff\xff\xff\xff", envelope=False)
def test_any_bytes(payload: bytes, envelope: bool) -> None:
    check([payload], Answerer(default_core(), COMMANDS, envelope=envelope), envelope=envelope)


@pytest.mark.parametrize("path", arithmetic_paths())
def test_all_that_succeeds_is_answered(path: str) -> None:
    """Each kind of request, in bb.js's form and in the shortest; hashes of many lengths side by side."""
    requests = [b"\x91" + pack(request, wide) for request in KNOWN for wide in (False, True)]
    rules = [by_the_rules(payload, envelope=False, plain=True, in_flight=set()) for payload in requests]
    answerer = Answerer(Verifier(Setup.AZTEC, path)._core, COMMANDS)
    assert check(requests, answerer) == sum(rule is not None for rule in rules)
    assert {rule[0] for rule in rules if rule is not None} == set(COMMANDS)


def test_many_hashes_at_once() -> None:
    random = Random(4)
    requests = [
        b"\x91"
        + pack(
            ["Poseidon2Hash", {"inputs": [random.randbytes(31).rjust(32, b"\0") for _ in range(random.randrange(9))]}], False
        )
        for _ in range(700)
    ]
    requests.insert(333, b"\x91" + pack(["Blake2s", {"data": b"abc"}], True))
    assert check(requests, Answerer(default_core(), COMMANDS)) == 701


def test_bounds() -> None:
    """A call ends at its bound on work, at the commands that it was not given, and before a frame that is not complete."""
    one = frame(b"\x91" + pack(["GrumpkinReduce512", {"input": bytes(64)}], False))
    answered = Answerer(default_core(), COMMANDS).answer(one * 50, max_work=10)
    assert answered is not None
    assert answered.consumed == 10 * len(one)
    assert answered.more
    assert Answerer(default_core(), ["Blake2s"]).answer(one) is None
    answered = Answerer(default_core(), COMMANDS).answer(one * 2 + one[:-1])
    assert answered is not None
    assert answered.consumed == 2 * len(one)
    assert not answered.more
    assert all(Answerer(default_core(), COMMANDS).answer(one[:size]) is None for size in range(len(one)))


def test_the_output_is_bounded() -> None:
    one = frame(b"\x91" + pack(["Blake2s", {"data": b""}], False))
    answerer = Answerer(default_core(), COMMANDS)
    answered = answerer.answer(one * 5000, max_work=10**9)
    assert answered is not None
    assert len(answered.frames) <= 64 * 1024
    assert answered.more

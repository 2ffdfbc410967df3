"""Responses in their order, against a model that keeps everything."""

import tracemalloc
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bbipc.server.replies import LONG, SLOT_BYTES, Place, Replies, too_long
from bbipc.wire.dialect import Tag, encode_response, error_response
from bbipc.wire.frame import Frame, FrameReader, encode_frame

LIMIT = 200
TAGS = st.none() | st.builds(Tag, st.integers(0, 5), st.booleans())
RESPONSES = st.binary(max_size=30) | st.integers(LIMIT - 12, LIMIT + 2).map(bytes)


class Request:
    """As the model sees it: `response` is the frame, once it is there."""

    def __init__(self, tag: Tag | None) -> None:
        self.tag = tag
        self.place = Place(tag)
        self.answer: bytes | None = None

    def frame(self) -> bytes:
        assert self.answer is not None
        frame = encode_response(self.answer, self.tag)
        if len(frame) - 4 > LIMIT:
            frame = encode_response(error_response(too_long(len(frame) - 4, LIMIT)), self.tag)
        return frame


class RepliesMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.replies: Replies[Place] = Replies(LIMIT)
        self.plain: list[Request] = []  # all of them, in order
        self.gone = 0  # of these, how many are ready
        self.owed: list[Request] = []
        self.expected = bytearray()  # everything that was ever ready
        self.read = bytearray()
        self.requests = 0

    def ready(self) -> None:
        while self.gone < len(self.plain) and self.plain[self.gone].answer is not None:
            self.expected += self.plain[self.gone].frame()
            self.gone += 1

    def arrive(self, tag: Tag | None) -> Request:
        self.requests += 1
        request = Request(tag)
        if tag is None:
            self.plain.append(request)
        return request

    @rule(tag=TAGS)
    def comes_and_takes_its_time(self, tag: Tag | None) -> None:
        if tag is not None and tag.request_id in self.replies.in_flight:
            return
        request = self.arrive(tag)
        self.owed.append(request)
        self.replies.owe(request.place)

    @rule(tag=TAGS, response=RESPONSES)
    def comes_and_is_answered(self, tag: Tag | None, response: bytes) -> None:
        request = self.arrive(tag)
        request.answer = response
        self.replies.answer(tag, response)
        if tag is not None:
            self.expected += request.frame()
        self.ready()

    @precondition(lambda self: self.owed)
    @rule(data=st.data(), response=RESPONSES)
    def is_done(self, data: st.DataObject, response: bytes) -> None:
        request = self.owed.pop(data.draw(st.integers(0, len(self.owed) - 1)))
        request.answer = response
        self.replies.pay(request.place, response)
        if request.tag is not None:
            self.expected += request.frame()
        self.ready()

    @rule(payloads=st.lists(st.binary(max_size=9), max_size=3))
    def the_core_answers(self, payloads: list[bytes]) -> None:
        if self.replies.plain_must_wait:
            return
        frames = b"".join(map(encode_frame, payloads))
        self.requests += len(payloads)
        self.replies.add(frames)
        self.expected += frames

    @rule(data=st.data())
    def some_is_sent(self, data: st.DataObject) -> None:
        size = data.draw(st.integers(0, len(self.replies.outgoing)))
        self.read += self.replies.outgoing[:size]
        self.replies.sent(size)

    @invariant()
    def what_goes_out_is_right(self) -> None:
        assert self.read + self.replies.outgoing == self.expected

    @invariant()
    def everything_is_counted(self) -> None:
        slots = self.plain[self.gone :]
        blocked = [request.answer for request in slots if request.answer is not None]
        assert self.replies.held == len(self.replies.outgoing) + sum(SLOT_BYTES + len(answer) for answer in blocked)
        assert self.replies.plain_must_wait == bool(slots)
        tagged = {request.tag.request_id: request.place for request in self.owed if request.tag is not None}
        assert self.replies.in_flight == tagged
        assert self.replies.unanswered == len(tagged) + len(slots)

    def teardown(self) -> None:
        """One response for each request, and nothing is left."""
        for request in self.owed:
            request.answer = b"late"
            self.replies.pay(request.place, b"late")
        self.replies.sent(len(outgoing := bytes(self.replies.outgoing)))
        events: list[Any] = list(FrameReader().feed(bytes(self.read) + outgoing))
        assert all(isinstance(event, Frame) for event in events)
        assert len(events) == self.requests
        assert (self.replies.held, self.replies.unanswered) == (0, 0)


TestReplies = RepliesMachine.TestCase


@given(st.lists(st.tuples(TAGS, st.integers(0, 40)), max_size=12), st.lists(st.integers(0, 30), max_size=40))
def test_long_responses_are_copied_in_pieces(answers: list[tuple[Tag | None, int]], sizes: list[int]) -> None:
    long = 8
    replies: Replies[Place] = Replies(long=long)
    expected, read, copied, times = bytearray(), bytearray(), 0, iter(sizes)
    for number, (tag, length) in enumerate(answers):
        before = len(replies.outgoing)
        replies.answer(tag, bytes([number]) * length)
        expected += encode_response(bytes([number]) * length, tag)
        copied = max(copied, len(replies.outgoing) - before)
        size = min(next(times, 0), len(replies.outgoing))
        read += replies.outgoing[:size]
        replies.sent(size)
        assert len(expected) - len(read) <= replies.held
        assert bool(replies.outgoing) == (len(read) < len(expected))
    while replies.outgoing:
        before = replies.held
        size = min(next(times, 5) or 1, len(replies.outgoing))
        read += replies.outgoing[:size]
        replies.sent(size)
        assert replies.held <= before + long
    assert read == expected
    assert replies.held == 0
    assert copied <= 2 * long + len(encode_response(b"", Tag(5, envelope=True)))


def test_a_long_response_is_held_once() -> None:
    replies: Replies[Place] = Replies()
    response = bytes(20 * LONG)
    tracemalloc.start()
    try:
        replies.answer(Tag(7), response)
        replies.answer(None, b"after it")
        while len(replies.outgoing) > 100:
            replies.sent(len(replies.outgoing) - 1)
            replies.sent(1)
        assert tracemalloc.get_traced_memory()[1] < 3 * LONG
    finally:
        tracemalloc.stop()
    assert replies.outgoing == encode_frame(b"after it")
    assert replies.held == len(replies.outgoing)

"""The session as a machine without I/O: whatever happens in whatever order, each request gets its own answer, once."""

import struct
from collections.abc import Callable

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bbipc.client import Dialect, ProtocolViolation, ServerGone
from bbipc.client.session import Request, Session
from bbipc.wire.errors import EncodeError

DIGEST_BYTES = 32
REQUESTS = st.lists(st.booleans(), min_size=1, max_size=4)
"""Which requests wait: tagged ones and others."""


def framed(payload: bytes) -> bytes:
    return struct.pack("<I", len(payload)) + payload


def payload_of(frame: bytes) -> bytes:
    assert struct.unpack_from("<I", frame)[0] == len(frame) - 4
    return frame[4:]


def response(dialect: Dialect, request_id: int | None, content: object) -> bytes:
    packed: bytes = msgpack.packb(content)
    if dialect is Dialect.ENVELOPE:
        return struct.pack("<Q", request_id) + packed
    return packed if request_id is None else b"\x92" + msgpack.packb(request_id) + packed


class Conversation(RuleBasedStateMachine):
    """A client and a server that keeps to the rules. Each request carries a number, and its answer carries it back."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.numbers: dict[Request, int] = {}
        self.at_server: list[tuple[int | None, str, int]] = []  # id, command, number
        self.undelivered = b""
        self.expected: dict[int, Request] = {}  # those whose answers the client shall be given

    @initialize(dialect=st.sampled_from(Dialect))
    def choose(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.session = Session(dialect, 1 << 16)

    @rule(tagged=st.booleans())
    def start(self, tagged: bool) -> None:
        self.count += 1
        request = Request("Blake2s", {"data": struct.pack("<I", self.count)}, tagged=tagged)
        self.numbers[request] = self.count
        self.expected[self.count] = request
        self._send(request)

    def _send(self, request: Request) -> None:
        payload = payload_of(self.session.start(request))
        request_id = None
        if self.dialect is Dialect.ENVELOPE:
            request_id, payload = struct.unpack_from("<Q", payload)[0], payload[8:]
            parts = msgpack.unpackb(payload)
        else:
            parts = msgpack.unpackb(payload)
            if len(parts) == 2:
                request_id, command = parts
                parts = [command]
        assert (request_id is not None) == (
            self.dialect is Dialect.ENVELOPE or (self.dialect is Dialect.TAGGED and request.tagged)
        )
        assert request_id == request.request_id
        assert request_id not in [other for other, _, _ in self.at_server if other is not None], "an id is used once"
        ((name, fields),) = parts
        number = struct.unpack("<I", fields["data"])[0] if name == "Blake2s" else 0
        self.at_server.append((request_id, name, number))

    @rule()
    def wrong_fields_start_nothing(self) -> None:
        before = self.session.waiting
        with pytest.raises(EncodeError):
            self.session.start(Request("Blake2s", {"nonsense": 1}, tagged=True))
        assert self.session.waiting == before

    @precondition(lambda self: self.expected)
    @rule(data=st.data())
    def abandon(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.expected)))
        request = self.expected.pop(number)
        cancel = self.session.abandon(request)
        waits = request in self.session.waiting
        assert (cancel is not None) == (self.dialect is Dialect.TAGGED and request.request_id is not None and waits)
        if cancel is not None:
            self._send(cancel)

    @precondition(lambda self: self.at_server)
    @rule(data=st.data(), fails=st.booleans())
    def answer(self, data: st.DataObject, fails: bool) -> None:
        """Any one with an id, or the oldest without."""
        plain = next((index for index, (request_id, _, _) in enumerate(self.at_server) if request_id is None), None)
        choices = [index for index, (request_id, _, _) in enumerate(self.at_server) if request_id is not None or index == plain]
        request_id, name, number = self.at_server.pop(data.draw(st.sampled_from(choices)))
        if fails:
            content: object = ["ErrorResponse", {"message": str(number)}]
        elif name == "Blake2s":
            content = ["Blake2sResponse", {"hash": number.to_bytes(DIGEST_BYTES, "big")}]
        else:
            content = [f"{name}Response", {}]
        self.undelivered += framed(response(self.dialect, request_id, content))

    @precondition(lambda self: self.undelivered)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        """Bytes arrive in pieces of any size."""
        size = data.draw(st.integers(1, len(self.undelivered)))
        piece, self.undelivered = self.undelivered[:size], self.undelivered[size:]
        for request, answer in self.session.receive(piece):
            number = self.numbers[request]
            assert self.expected.pop(number) is request, "answered once, and only if somebody waits"
            got = answer.fields["message"] if answer.name == "ErrorResponse" else int.from_bytes(answer.fields["hash"], "big")
            assert int(got) == number, "its own answer"

    @invariant()
    def whoever_waits_is_known(self) -> None:
        if hasattr(self, "session"):
            assert {request for request in self.session.waiting if not request.abandoned} == set(self.expected.values())

    def teardown(self) -> None:
        """In the end everything is delivered, and the connection ends between two frames."""
        if not hasattr(self, "session"):
            return
        while self.at_server:
            request_id, name, number = self.at_server.pop(0)
            content = {"hash": number.to_bytes(DIGEST_BYTES, "big")} if name == "Blake2s" else {}
            self.undelivered += framed(response(self.dialect, request_id, [f"{name}Response", content]))
        for request, answer in self.session.receive(self.undelivered):
            got = answer.fields["message"] if answer.name == "ErrorResponse" else int.from_bytes(answer.fields["hash"], "big")
            assert int(got) == self.numbers[request]
            del self.expected[self.numbers[request]]
        assert not self.expected
        assert not self.session.waiting
        assert isinstance(self.session.end(), ServerGone)


TestConversation = Conversation.TestCase


@given(st.sampled_from(Dialect), REQUESTS, st.binary(max_size=64))
def test_whatever_a_server_sends_is_an_answer_to_a_request_or_a_violation(
    dialect: Dialect, requests: list[bool], sent: bytes
) -> None:
    _feed(dialect, requests, lambda _: sent)


@given(
    st.sampled_from(Dialect),
    st.lists(st.booleans(), min_size=1, max_size=4),
    st.integers(0, 80),
    st.integers(0, 255),
    st.data(),
)
def test_a_response_with_one_changed_byte(
    dialect: Dialect, requests: list[bool], position: int, value: int, data: st.DataObject
) -> None:
    def changed(waiting: list[Request]) -> bytes:
        request = data.draw(st.sampled_from(waiting))
        good = bytearray(framed(response(dialect, request.request_id, ["Blake2sResponse", {"hash": bytes(DIGEST_BYTES)}])))
        good[position % len(good)] = value
        return bytes(good)

    _feed(dialect, requests, changed)


def _feed(dialect: Dialect, requests: list[bool], make: Callable[[list[Request]], bytes]) -> None:
    """Nothing but a violation is raised, and nobody is answered twice or without having asked."""
    session = Session(dialect, 1 << 16)
    started = [Request("Blake2s", {"data": b""}, tagged=tagged) for tagged in requests]
    for request in started:
        session.start(request)
    waiting = set(started)
    try:
        for request, answer in session.receive(make(started)):
            waiting.remove(request)
            assert answer.name in ("Blake2sResponse", "ErrorResponse")
    except ProtocolViolation:
        return
    assert set(session.waiting) == waiting

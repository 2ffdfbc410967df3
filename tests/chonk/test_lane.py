"""The core's lanes, one call at a time: what is answered, and what is left to others."""

import errno
import os
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbipc.chonk.cheap import COMMANDS
from bbipc.chonk.lane import Lane, Left
from bbipc.chonk.shared import default_core
from server.cheap_requests import by_the_rules, payloads
from server.live import BLAKE2S, BLAKE2S_RESPONSE, frame, plain

REQUEST, RESPONSE = frame(BLAKE2S), frame(BLAKE2S_RESPONSE)
PING = frame(plain("Stats"))


@pytest.fixture
def lane() -> Lane:
    return Lane(default_core(), COMMANDS)


Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """The server's socket and the client's."""
    server, client = socket.socketpair()
    with server, client:
        yield server, client


def serve(lane: Lane, server: socket.socket, *, envelope: bool = False) -> Left:
    """Until what is there already has been looked at: nothing more comes."""
    return lane.serve(server.fileno(), server.fileno(), envelope=envelope, idle=1, longest=1000)


def received(client: socket.socket) -> bytes:
    try:
        return client.recv(1 << 20, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return b""


def test_a_request_is_answered(lane: Lane, ends: Ends) -> None:
    server, client = ends
    client.sendall(REQUEST)
    assert serve(lane, server) == Left(1, len(REQUEST), len(RESPONSE), b"", b"", 0)
    assert received(client) == RESPONSE
    assert lane.take_counts() == [("Blake2s", 1)]
    assert lane.take_counts() == []


@pytest.mark.parametrize("behind", [REQUEST, REQUEST[:3], REQUEST[:-1], PING])
def test_who_does_not_wait_for_the_response_leaves_the_lane(lane: Lane, ends: Ends, behind: bytes) -> None:
    server, client = ends
    client.sendall(REQUEST + behind)
    assert serve(lane, server) == Left(1, len(REQUEST), len(RESPONSE), behind, b"", 0)
    assert received(client) == RESPONSE


@pytest.mark.parametrize(
    "other",
    [
        *(REQUEST[:size] for size in (1, 3, 4, 5, len(REQUEST) - 1)),
        PING,
        PING + REQUEST,
        frame(b""),
        frame(BLAKE2S + b"\0"),
        frame(plain("Blake2s", data=bytes(4096))),
        frame(plain("Blake2s", data=bytes(10_000)))[:8192],
        b"\xff" * 8192,
    ],
)
def test_what_is_not_answered_is_handed_back_whole(lane: Lane, ends: Ends, other: bytes) -> None:
    server, client = ends
    client.sendall(other)
    assert serve(lane, server) == Left(0, 0, 0, other, b"", 0)
    assert received(client) == b""


def test_what_comes_behind_a_long_frame_stays_where_it_is(lane: Lane, ends: Ends) -> None:
    server, client = ends
    data = frame(plain("Blake2s", data=bytes(20_000)))
    client.sendall(data)
    left = serve(lane, server)
    assert left.rest + received(server) == data


def test_the_end_of_the_input(lane: Lane, ends: Ends) -> None:
    server, client = ends
    client.sendall(REQUEST[:7])
    client.shutdown(socket.SHUT_WR)
    assert serve(lane, server) == Left(0, 0, 0, REQUEST[:7], b"", 0)


def test_a_client_that_is_gone(lane: Lane, ends: Ends) -> None:
    server, client = ends
    client.sendall(REQUEST)
    client.close()
    assert serve(lane, server) == Left(1, len(REQUEST), 0, b"", RESPONSE, 0)


def test_an_error_of_reading(lane: Lane) -> None:
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123 - its descriptor is wanted
        left = lane.serve(nothing.fileno(), nothing.fileno(), envelope=False, idle=1, longest=1000)
    assert left == Left(0, 0, 0, b"", b"", errno.EBADF)


def test_a_response_without_room_is_handed_back(lane: Lane) -> None:
    requests, to_server = os.pipe2(os.O_NONBLOCK)
    from_server, responses = os.pipe2(os.O_NONBLOCK)
    filled = 0
    while True:
        try:
            filled += os.write(responses, bytes(1 << 16))
        except BlockingIOError:
            break
    os.write(to_server, REQUEST)
    left = lane.serve(requests, responses, envelope=False, idle=1, longest=1000)
    assert left == Left(1, len(REQUEST), 0, b"", RESPONSE, 0)
    assert len(os.read(from_server, 1 << 20)) == filled
    os.write(to_server, REQUEST)
    assert lane.serve(requests, responses, envelope=False, idle=1, longest=1000).unsent == b""
    assert os.read(from_server, 1 << 20) == RESPONSE
    for descriptor in (requests, to_server, from_server, responses):
        os.close(descriptor)


def test_an_interrupt_lasts_until_it_is_taken_back(lane: Lane, ends: Ends) -> None:
    server, client = ends
    client.sendall(REQUEST)
    lane.interrupt(on=True)
    lane.interrupt(on=True)
    for _ in range(2):
        assert lane.serve(server.fileno(), server.fileno(), envelope=False, idle=60_000, longest=60_000).requests == 0
    lane.interrupt(on=False)
    lane.interrupt(on=False)
    assert serve(lane, server).requests == 1


def test_a_lane_ends_at_its_time(lane: Lane, ends: Ends) -> None:
    server, _ = ends
    assert lane.serve(server.fileno(), server.fileno(), envelope=False, idle=60_000, longest=1).requests == 0


@settings(max_examples=150, deadline=None)
@given(data=st.data(), envelope=st.booleans(), cut=st.integers(0, 50))
def test_any_frames(data: st.DataObject, envelope: bool, cut: int) -> None:
    """One after the other as long as they are answered, some in two pieces: the answers are those of the rules, and what is not
    answered is handed back."""
    lane = Lane(default_core(), COMMANDS)
    frames = data.draw(st.lists(payloads(envelope), max_size=6))
    server, client = socket.socketpair()
    with server, client:
        while frames:
            payload = frames.pop(0)
            expected = by_the_rules(payload, envelope=envelope, plain=True, in_flight=())
            pieces = frame(payload)
            if cut < len(pieces):
                client.sendall(pieces[:cut])
                left = serve(lane, server, envelope=envelope)
                assert left == Left(0, 0, 0, pieces[:cut], b"", 0)
                client.sendall(left.rest + pieces[cut:])
            else:
                client.sendall(pieces)
            left = serve(lane, server, envelope=envelope)
            if left.requests == 0:  # an error, or one of those that the core leaves to the rules
                assert left == Left(0, 0, 0, pieces, b"", 0)
                break
            assert expected is not None
            name, response = expected
            assert left == Left(1, len(pieces), len(response), b"", b"", 0)
            assert received(client) == response
            assert lane.take_counts() == [(name, 1)]

"""Clients in step: a lane answers what the server without lanes answers, and whatever ends it loses nothing."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbipc.server.commands.table import commands
from bbipc.server.lane import IN_STEP, MAX_LANES
from server.cheap_requests import payloads
from server.live import (
    BLAKE2S,
    BLAKE2S_RESPONSE,
    SHUTDOWN,
    SHUTDOWN_RESPONSE,
    TIMEOUT,
    VALID,
    Peer,
    Server,
    SocketPeer,
    frame,
    plain,
    serving,
    tagged,
    watched,
)
from server.recorded_proofs import VERIFY_FLOW1

Start = Callable[..., Any]
ALWAYS = {"BBIPC_LANES": "always"}


def lanes(server: Server) -> int:
    """How many lanes the server has made so far: each has an eventfd."""
    made = 0
    for file in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            made += str(file.readlink()) == "anon_inode:[eventfd]"
    return made


def in_step(peer: Peer, count: int) -> None:
    for _ in range(count):
        peer.is_served()


def counted(peer: Peer, name: str = "Blake2s") -> int:
    peer.request(plain("Stats"))
    response = peer.receive()
    assert response is not None
    commands = msgpack.unpackb(response)[1]["commands"]
    return sum(command["answered"] for command in commands if command["name"] == name)


@pytest.fixture(scope="module", params=[True, False], ids=["envelope", "plain"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[bool, list[Server]]]:
    """Two servers that differ in their lanes only."""
    options = ["--envelope", "always" if request.param else "never"]
    folders = [tmp_path_factory.mktemp("server") for _ in range(2)]
    with (
        serving(folders[0], *options, on_socket=True, patience=None, environment={"BBIPC_LANES": "never"}) as without,
        serving(folders[1], *options, on_socket=True, patience=None, environment=ALWAYS) as forced,
    ):
        yield request.param, [without, forced]
        assert lanes(without) == 0
        assert lanes(forced) >= 1
        for server in (without, forced):  # how many errors a line tells of depends on when they came
            assert "Traceback" not in server.log()


def takes_a_worker(payload: bytes) -> bool:
    """Whether it may be answered later than what comes behind it: by whom, and whether in time, depends on the machine."""
    return any(name.encode() in payload for name, command in commands().items() if not getattr(command, "cheap", False))


def in_order(responses: list[bytes], *, envelope: bool) -> tuple[list[bytes], list[bytes]]:
    """What came in the order of its requests, and what came when it was ready, sorted: those with an id."""
    tagged = [response for response in responses if envelope or isinstance(msgpack.unpackb(response)[0], int)]
    return [response for response in responses if response not in tagged], sorted(tagged)


def conversation(server: Server, steps: list[tuple[bytes, list[int], bool]], end: bytes) -> list[bytes]:
    """All responses to frames that are sent in pieces; behind some, all responses are awaited. `end`: the beginning of a last
    frame, behind which the input ends."""
    assert server.path is not None
    peer = SocketPeer(server.path)
    responses, awaited = [], 0

    def receive() -> None:
        response = peer.receive()
        assert response is not None
        responses.append(response)

    with watched(server.process):
        for payload, cuts, wait in steps:
            data, position = frame(payload), 0
            for cut in [*sorted(min(cut, len(data)) for cut in cuts), len(data)]:
                peer.send(data[position:cut])
                position = cut
            awaited += 1
            while (wait or takes_a_worker(payload)) and awaited:
                receive()
                awaited -= 1
        peer.send(end)
        peer.end_input()
        while (response := peer.receive()) is not None:
            responses.append(response)
    peer.close()
    return responses


@settings(max_examples=60, deadline=None)
@given(data=st.data(), end=st.sampled_from([b"", frame(BLAKE2S)[:3], frame(BLAKE2S)[:10]]))
def test_same_bytes_with_and_without(both: tuple[bool, list[Server]], data: st.DataObject, end: bytes) -> None:
    """Any frames, in any pieces, in step or not."""
    envelope, servers = both
    varying = (b"Stats", b"GrumpkinGetRandomFr", b"Shutdown", b"deadline_ms")
    frames = payloads(envelope).filter(lambda payload: not any(name in payload for name in varying))
    step = st.tuples(frames, st.lists(st.integers(0, 60), max_size=2), st.booleans())
    steps = data.draw(st.lists(step, max_size=20))
    expected, seen = (conversation(server, steps, end) for server in servers)
    assert in_order(seen, envelope=envelope) == in_order(expected, envelope=envelope)
    assert len(seen) == len(steps)


def test_who_is_in_step_gets_a_lane(start: Start) -> None:
    with start() as server:
        peer = server.connect()
        in_step(peer, IN_STEP - 1)
        assert lanes(server) == 0
        in_step(peer, 200)
        assert lanes(server) == 1
        for payload, response in ((VERIFY_FLOW1, VALID), (BLAKE2S, BLAKE2S_RESPONSE)):
            peer.request(payload)
            assert peer.receive() == response
        in_step(peer, 200)
        assert lanes(server) == 1  # the same one
        assert counted(peer) == IN_STEP - 1 + 401


def test_header_and_payload_one_by_one(start: Start) -> None:
    """As bb.js writes them."""
    with start() as server:
        peer = server.connect()
        data = frame(BLAKE2S)
        for _ in range(100):
            peer.send(data[:4])
            peer.send(data[4:])
            assert peer.receive() == BLAKE2S_RESPONSE
        assert lanes(server) == 1


def test_other_requests_in_a_lane(start: Start) -> None:
    """Tagged ones, errors, several at once, and what takes its time: in order, each answered once."""
    with start(environment=ALWAYS) as server:
        peer = server.connect()
        for _ in range(20):
            in_step(peer, 3)
            assert peer.call(tagged(7, "Blake2s", data=b"abc"))[0] == 7
            assert peer.call(b"\x91\x92\xa7Blake2s\x80")[0] == "ErrorResponse"
            peer.request(BLAKE2S, BLAKE2S)
            assert [peer.receive(), peer.receive()] == [BLAKE2S_RESPONSE] * 2
        peer.request(BLAKE2S, VERIFY_FLOW1, BLAKE2S)
        assert [peer.receive() for _ in range(3)] == [BLAKE2S_RESPONSE, VALID, BLAKE2S_RESPONSE]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_server_in_a_lane(start: Start, number: int) -> None:
    with start(environment=ALWAYS) as server:
        peer = server.connect()
        in_step(peer, 10)
        server.process.send_signal(number)
        assert server.wait() == 0
        assert peer.receive() is None


def test_a_signal_while_requests_come(start: Start) -> None:
    """Each request that was taken is answered; the others were not taken."""
    with start(environment=ALWAYS) as server:
        peer = server.connect()
        in_step(peer, 10)
        threading.Timer(0.01, server.process.terminate).start()
        try:
            while peer.call(BLAKE2S):
                pass
        except (AssertionError, OSError):
            pass  # at its end
        assert server.wait() == 0


@pytest.mark.parametrize("size", [0, 3, 10])
def test_the_end_of_the_input_in_a_lane(start: Start, size: int) -> None:
    with start(environment=ALWAYS) as server:
        peer = server.connect()
        in_step(peer, 10)
        peer.send(frame(BLAKE2S)[:size])
        peer.end_input()
        assert peer.receive() is None
        if server.path is None:
            assert server.wait() == (1 if size else 0)
            assert ("input ended inside" in server.log()) == bool(size)


def test_half_a_frame_then_silence(start: Start) -> None:
    """The lane ends; whoever waits for the rest holds no thread, and the rest may come at any time."""
    with start(environment=ALWAYS) as server:
        peer = server.connect()
        data = frame(BLAKE2S)
        for cut in range(1, len(data)):
            in_step(peer, 1)
            peer.send(data[:cut])
            wait_for_the_end_of_lanes(server)
            peer.send(data[cut:])
            assert peer.receive() == BLAKE2S_RESPONSE


def wait_for_the_end_of_lanes(server: Server) -> None:
    """Until no thread waits in ppoll, which is what lanes do."""
    tasks = Path(f"/proc/{server.process.pid}/task")
    while any((task / "wchan").read_text() == "do_sys_poll" for task in tasks.iterdir()):
        os.sched_yield()


def test_a_client_that_vanishes_in_a_lane(tmp_path: Path) -> None:
    with serving(tmp_path, on_socket=True, environment=ALWAYS) as server:
        for _ in range(3 * MAX_LANES):
            peer = server.connect()
            in_step(peer, 5)
            peer.send(frame(BLAKE2S))
            peer.close()
        other = server.connect()
        in_step(other, 5)
        server.process.terminate()
        assert server.wait() == 0


def test_shutdown_by_another_client_while_lanes_are_open(tmp_path: Path) -> None:
    with serving(tmp_path, on_socket=True, environment=ALWAYS) as server:
        peers = [server.connect() for _ in range(2 * MAX_LANES)]
        for peer in peers:
            in_step(peer, 5)
        last = server.connect()
        last.request(SHUTDOWN)
        assert last.receive() == SHUTDOWN_RESPONSE
        assert [peer.receive() for peer in peers] == [None] * len(peers)
        assert server.wait() == 0


def test_more_clients_than_lanes(tmp_path: Path) -> None:
    """All are served, and what each was answered is counted as soon as it knows."""
    with serving(tmp_path, on_socket=True) as server:
        peers = [server.connect() for _ in range(3 * MAX_LANES)]
        observer = server.connect()
        for round_ in range(1, 101):
            for peer in peers:
                peer.request(BLAKE2S)
            for peer in peers:
                assert peer.receive() == BLAKE2S_RESPONSE
            if round_ % 10 == 0:
                assert counted(observer) == round_ * len(peers)
        assert 1 <= lanes(server) <= MAX_LANES


def test_a_verification_beside_lanes(tmp_path: Path) -> None:
    with serving(tmp_path, on_socket=True) as server:
        stop = threading.Event()

        def work(peer: Peer) -> None:
            while not stop.is_set():
                peer.is_served()

        threads = [threading.Thread(target=work, args=(server.connect(),)) for _ in range(MAX_LANES)]
        for thread in threads:
            thread.start()
        try:
            other = server.connect()
            for _ in range(3):
                other.request(VERIFY_FLOW1)
                assert other.receive() == VALID
        finally:
            stop.set()
            for thread in threads:
                thread.join(TIMEOUT)


def test_flags_of_shared_descriptions_stay(tmp_path: Path) -> None:
    """Both ends of a socket that others have, too: asked for each call not to wait."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bbipc", "msgpack", "run"],
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ALWAYS},
        )
        with watched(process):
            peer = Peer(ours.fileno(), ours.fileno())
            in_step(peer, 50)
            assert theirs.getblocking()
            assert os.get_blocking(theirs.fileno())
            ours.shutdown(socket.SHUT_WR)
            assert process.wait() == 0

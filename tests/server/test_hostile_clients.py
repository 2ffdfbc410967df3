"""What one client cannot do to the others: kinds of faults, each with its steps, bytes or a clock of the test counted."""

import fcntl
import gc
import logging
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgpack
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from bbipc.server import deadlines, descriptors, door, memory, scheduler, streams
from bbipc.server.batch_service import BatchService
from bbipc.server.budget import ALWAYS_GRANTED, MUCH, PATIENCE, Budget, Limits
from bbipc.server.commands.table import commands
from bbipc.server.config import MIB
from bbipc.server.connection import BRIEF_BYTES, MAX_WAITING, READER_PATIENCE, REQUEST_BYTES, Connection, End
from bbipc.server.deadlines import FEW, HEAPS, Deadlines
from bbipc.server.decoding import DECODING, LONG_BYTES, DecodingThreads, _Place
from bbipc.server.fair import FairQueue
from bbipc.server.jobs import Computation, ServiceCall, Verification
from bbipc.server.logs import BURST, PERIOD, Handler
from bbipc.server.scheduler import Scheduler
from bbipc.server.steps import Steps, advance, finish
from bbipc.server.streams import FdStream
from bbipc.server.transport import Listener
from bbipc.server.turns import MAX_TURN, PLACES, REQUESTS, ROUND, Crowd, Crowds, Turn, Turns
from bbipc.wire.dialect import INLINE_ITEMS
from bbipc.wire.frame import encode_frame
from samples import FLOW1
from server.live import BLAKE2S, BLAKE2S_RESPONSE, SETUP, SocketPeer, plain, serving
from server.recorded_proofs import VERIFY_FLOW1
from server.scripted import (
    HASH,
    HASHED,
    NO_PROOF,
    ScriptedBackend,
    ScriptedStream,
    is_error,
    pass_time,
    scripted_server,
    verdict_response,
    verification,
)

EMPTY = ["ChonkBatchVerify", {"proofs": [NO_PROOF], "vks": [b"valid"]}]


def tiny(number: int) -> bytes:
    return encode_frame(msgpack.packb([number, EMPTY]))


# ---- An unexpected exception ends the process -------------------------------------------------------------------------


async def test_a_defect_costs_the_request_that_provokes_it(mock_clock: MockClock) -> None:
    async with scripted_server() as server:
        client, other = server.connect(), server.connect()
        blake = commands()["Blake2s"]
        failing = type(blake)("Blake2s", fail, blake.encode, cheap=True)  # type: ignore[call-arg, arg-type, union-attr]
        server.services.commands["Blake2s"], original = failing, server.services.commands["Blake2s"]
        try:
            await client.send([7, HASH], [HASH])
        finally:
            server.services.commands["Blake2s"] = original
        tagged, untagged = client.responses()
        assert tagged[0] == 7
        assert is_error(tagged[1], "internal error")
        assert is_error(untagged, "internal error")
        await client.send([HASH])
        await other.send([HASH])
        assert client.responses() == other.responses() == [HASHED]


def fail(*_: Any) -> Any:
    raise MemoryError("scripted")


async def test_a_defect_in_a_connection_ends_that_connection(mock_clock: MockClock) -> None:
    async with scripted_server() as server:
        client, other = server.connect(), server.connect()
        await client.send([1, verification("valid 1")])
        client.stream.send_nowait = fail  # type: ignore[method-assign]
        await server.workers.release_all()
        assert client.ended is End.DEFECT
        await other.send([HASH])
        assert other.responses() == [HASHED]
        assert server.budget.used == 0


async def test_a_frame_that_cannot_be_decoded_for_want_of_memory(mock_clock: MockClock) -> None:
    async with scripted_server() as server:
        server.services = server.services._replace(decode=fail)
        client = server.connect()
        await client.send([9, ["Blake2s", {"data": bytes(BRIEF_BYTES)}]])
        ((request_id, response),) = client.responses()
        assert request_id == 9
        assert is_error(response, "internal error")
        await client.send([HASH])
        assert client.responses() == [HASHED]


async def test_a_batch_that_cannot_be_begun_is_answered(mock_clock: MockClock) -> None:
    class Broken(ScriptedBackend):
        def new_cancel(self) -> Any:
            raise OSError(24, "Too many open files")

    async with scripted_server() as server:
        client = server.connect()
        server.scheduler._backend = Broken()
        server.workers.automatic = True
        await client.send([1, verification("valid 1")], [2, verification("valid 2")])
        assert all(is_error(response, "internal error") for _, response in client.responses())
        server.scheduler._backend = server.backend
        await client.send([3, verification("valid 3")])
        assert client.responses() == [[3, verdict_response("valid 3")]]
        assert server.scheduler.idle


def test_descriptors_run_out(tmp_path: Path) -> None:
    """All that there are are held by one client: it gets what there is, and who comes later is told. The verifier is loaded."""
    limit = 120
    with serving(tmp_path, on_socket=True) as server:
        first = server.connect()
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
        held = []
        refused = b""
        while not refused:
            peer = SocketPeer(str(server.path))
            held.append(peer)
            peer.request(BLAKE2S)
            answer = peer.receive()
            assert answer is not None
            refused = answer if answer != BLAKE2S_RESPONSE else b""
        assert len(held) > 50
        assert is_error(msgpack.unpackb(refused), "too many connections")
        for payload in (
            VERIFY_FLOW1,
            plain("Poseidon2Hash", inputs=[bytes(32)]),
            plain("Bn254G1FromCompressed", compressed=bytes(32)),
        ):
            first.request(payload)
            assert first.receive() is not None
        name, fields = first.call(plain("Stats"))
        assert name == "StatsResponse", fields
        for peer in held:
            peer.close()
        while True:
            peer = SocketPeer(str(server.path))
            answer = peer.call(BLAKE2S)
            peer.close()
            if answer[0] != "ErrorResponse":
                break
        assert "Traceback" not in server.log()


async def test_the_limit_of_connections() -> None:
    class Listener:
        def __init__(self) -> None:
            self.count = 0
            self.theirs: list[socket.socket] = []

        async def accept(self) -> socket.socket:
            await trio.lowlevel.checkpoint()
            self.count += 1
            if self.count > 30:
                await trio.sleep_forever()
            ours, theirs = socket.socketpair()
            self.theirs.append(theirs)
            return ours

    listener, crowded, loaded, served = Listener(), trio.Event(), trio.Event(), []
    entrance = door.Door(listener, 20, envelope=False, crowded=crowded, loaded=loaded)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(entrance.admit, served.append)
        await wait_all_tasks_blocked()
        assert len(served) == door.CONNECTIONS_WHILE_LOADING
        assert crowded.is_set()
        loaded.set()
        await wait_all_tasks_blocked()
        assert len(served) == 20
        assert entrance.refused == 10
        assert b"too many connections: 20 are open" in listener.theirs[-1].recv(1000)
        nursery.cancel_scope.cancel()
    entrance.close()
    for end in (*served, *listener.theirs):
        end.close()


class AlwaysThere:
    """Connections that wait already, so that none has to be waited for."""

    def __init__(self, count: int) -> None:
        self.count, self.theirs = count, list[socket.socket]()

    async def accept(self) -> socket.socket:
        if len(self.theirs) == self.count:
            await trio.sleep_forever()
        ours, theirs = socket.socketpair()
        self.theirs.append(theirs)
        return ours


@pytest.mark.parametrize("limit", [1000, 20])
async def test_who_connects_in_crowds_has_turns(limit: int) -> None:
    """Beside many open connections, the others have a turn after each that is accepted, or refused."""
    count, served, accepted = 200, list[socket.socket](), list[int]()
    listener, loaded = AlwaysThere(count), trio.Event()
    loaded.set()
    entrance = door.Door(listener, limit, envelope=False, crowded=trio.Event(), loaded=loaded)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(entrance.admit, served.append)
        while len(listener.theirs) < count:
            accepted.append(len(listener.theirs))
            await trio.lowlevel.checkpoint()
        await wait_all_tasks_blocked()
        assert len(served) == min(count, limit)
        assert entrance.refused == count - len(served)
        nursery.cancel_scope.cancel()
    few = door.CONNECTIONS_WHILE_LOADING
    assert max(after - before for before, after in pairwise(accepted)) <= few + 2
    assert all(after - before <= 2 for before, after in pairwise(accepted) if before > few)  # Trio takes tasks in any order
    entrance.close()
    for end in (*served, *listener.theirs):
        end.close()


# ---- Quadratic work ---------------------------------------------------------------------------------------------------


class Counted:
    """Counts comparisons."""

    compared = 0
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return self is other


def test_nothing_is_searched_for() -> None:
    queue: FairQueue[str, Counted] = FairQueue()
    items = [Counted() for _ in range(2000)]
    for item in items:
        queue.push("client", item)
    Counted.compared = 0
    for item in (*items[1::2], *reversed(items[::2])):
        assert queue.remove("client", item)
    assert not queue
    assert Counted.compared <= len(items)


async def test_calls_of_the_batch_service_are_not_searched_for() -> None:
    service = BatchService(Scheduler(ScriptedBackend(), 1), Budget(Limits()))
    service._current = ServiceCall(None, "x", {}, print)  # so that the others wait
    calls = [ServiceCall(index % 2, "ChonkBatchVerifierStop", {}, print) for index in range(1000)]
    for call in calls:
        service.submit(call)
    assert all(service.cancel(call) for call in reversed(calls[:500]))
    service.drop(0)
    service.drop(1)
    assert not service._calls
    assert not service._calls_of


async def test_deadlines_that_are_cancelled_are_forgotten_bit_by_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    count, sizes = 1000 * HEAPS, list[int]()
    monkeypatch.setattr(deadlines.heapq, "heapify", lambda entries: sizes.append(len(entries)))
    waiting = Deadlines()
    alarms = [waiting.add(1000 + number % 7, lambda: None) for number in range(count)]
    for alarm in alarms:
        alarm.cancel()
    assert max(sizes) <= count // HEAPS
    assert len(waiting) <= 2 * FEW


async def test_deadlines_ring_in_their_order(autojump_clock: MockClock) -> None:
    rung = list[int]()
    waiting = Deadlines()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(waiting.run)
        for number in range(3 * HEAPS):
            when = (7 * number) % (3 * HEAPS)
            waiting.add(1000.0 + when, partial(rung.append, when))
        await trio.sleep(2000)
        assert rung == list(range(3 * HEAPS))
        waiting.add(3000.0, partial(rung.append, -2))
        waiting.add(2500.0, partial(rung.append, -1)).cancel()
        waiting.add(2400.0, partial(rung.append, -3))
        await trio.sleep(2000)
        assert rung[-2:] == [-3, -2]
        assert len(waiting) == 0
        nursery.cancel_scope.cancel()


async def test_many_deadlines_at_once_leave_turns_to_others(autojump_clock: MockClock) -> None:
    deadlines, rung, turns = Deadlines(), [], 0
    for number in range(10_000):
        deadlines.add(1.0, lambda: rung.append(None))
        if number % 100 == 0:
            deadlines.add(1.0, fail)  # which hurts no other
    async with trio.open_nursery() as nursery:
        nursery.start_soon(deadlines.run)
        await trio.sleep(1)
        while len(rung) < 10_000:
            turns += 1
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    assert turns >= 100


# ---- Decoding, memory -------------------------------------------------------------------------------------------------


async def test_large_frames_are_decoded_in_workers(mock_clock: MockClock) -> None:
    async with scripted_server() as server:
        calls = 0
        server.workers.automatic = True
        decode = server.services.decode

        async def count(function: Callable[[], Any], size: int, client: Any, /) -> Any:
            nonlocal calls
            calls += 1
            return await decode(function, size, client)

        server.services = server.services._replace(decode=count)
        client = server.connect()
        await client.send([["Blake2s", {"data": bytes(BRIEF_BYTES)}]])  # too long
        await client.send([["Blake2s", {"data": b"abc", "x": [0] * 5000}]])  # too much that nobody asked for
        assert calls == 2
        await client.send([["ChonkBatchVerify", {"proofs": [NO_PROOF] * (INLINE_ITEMS + 1), "vks": []}]])  # too many items
        await client.send([["ChonkBatchVerify", {"proofs": [NO_PROOF], "vks": [b""] * INLINE_ITEMS}]])
        assert calls == 4
        await client.send([HASH], [["Blake2s", {"data": bytes(BRIEF_BYTES - 100)}]], [verification("valid 1")])
        await client.send([["ChonkBatchVerify", {"proofs": [NO_PROOF], "vks": [b"valid"] * (INLINE_ITEMS - 1)}]])
        assert calls == 4
        assert len(client.responses()) == 8


async def test_waiting_requests_are_charged_what_they_take_and_bounded(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client = server.connect()
        await client.send([1, verification("valid 1")])
        for start in range(2, 12_000, 1000):
            await client.send_bytes(b"".join(tiny(number) for number in range(start, start + 1000)))
        waiting = server.scheduler.waiting + server.scheduler.running
        assert waiting == MAX_WAITING
        assert server.budget.used >= waiting * REQUEST_BYTES
        server.workers.automatic = True
        await server.workers.release_all()
        assert len(client.responses()) == 12_001
        assert server.budget.used == 0


async def test_answers_behind_a_plain_request_are_bounded_and_charged(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client = server.connect()
        await client.send([verification("valid 1")])
        await client.send_bytes(encode_frame(msgpack.packb([HASH])) * 20_000)
        assert server.budget.used >= 200 * (MAX_WAITING - 1)
        assert client.connection._replies.unanswered == MAX_WAITING
        await server.workers.release_all()
        assert client.responses() == [verdict_response("valid 1"), *[HASHED] * 20_000]


# ---- The log ----------------------------------------------------------------------------------------------------------


def record(text: str, *arguments: Any) -> logging.LogRecord:
    return logging.LogRecord("bbipc.test", logging.WARNING, "", 0, text, arguments, None)


@pytest.mark.parametrize("anew", [True, False])
def test_a_log_that_nobody_reads_makes_nobody_wait(anew: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not anew:
        monkeypatch.setattr("bbipc.server.logs.open_anew", lambda *_: None)
    reader, writer = os.pipe()
    flags = fcntl.fcntl(writer, fcntl.F_GETFL)
    handler = Handler(writer)
    for number in range(1000):
        handler.handle(record(f"kind {number} " + "x" * 1000))
    assert handler.counters.dropped > 900
    written = 1000 - handler.counters.dropped
    data = b""
    while data.count(b"\n") < written:
        data += os.read(reader, 1 << 20)
    handler.handle(record("again"))
    assert b"again (" in os.read(reader, 1 << 20)
    assert fcntl.fcntl(writer, fcntl.F_GETFL) == flags
    os.close(reader)
    handler.handle(record("nobody is there"))  # and it is no error
    os.close(writer)


def test_what_clients_cause_is_not_said_for_ever(tmp_path: Path) -> None:
    now = 0.0
    with (tmp_path / "log").open("wb") as file:
        handler = Handler(file.fileno(), clock=lambda: now)
        for number in range(1000):
            handler.handle(record("client %d: something", number))
        assert handler.counters.left_out == 1000 - BURST
        now = PERIOD
        handler.handle(record("client %d: something", 1000))
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == BURST + 1
    assert lines[-1].endswith(f"({1000 - BURST} more of this kind were left out)")


def fill(descriptor: int) -> None:
    os.set_blocking(descriptor, False)
    with suppress(BlockingIOError):
        while True:
            os.write(descriptor, bytes(4096))
    os.set_blocking(descriptor, True)


def test_connections_that_break_while_nobody_reads_the_log(tmp_path: Path) -> None:
    """Standard error is a full pipe: everybody is served, SIGTERM ends the server, and what was not said is counted."""
    reader, writer = os.pipe()
    path = tmp_path / "server.sock"
    command = [sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--setup", SETUP, "--input", str(path)]
    process = subprocess.Popen([*command, "--log-level", "debug"], stdin=subprocess.DEVNULL, stderr=writer)
    try:
        while not path.exists():
            assert process.poll() is None
        fill(writer)
        peer = SocketPeer(str(path))
        for _ in range(300):
            broken = SocketPeer(str(path))
            broken.send(b"\x05")
            broken.close()
            peer.is_served()
        assert peer.call(plain("Stats"))[1]["log"]["dropped"] > 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        peer.close()
    finally:
        process.kill()
        process.wait()
        os.close(reader)
        os.close(writer)


# ---- Turns ------------------------------------------------------------------------------------------------------------


async def test_turns_are_measured_in_time() -> None:
    now = 0.0
    turns = Turns(clock=lambda: now)
    turn = Turn(turns)
    await turn.begin()
    assert [turn.is_over() for _ in range(REQUESTS)] == [False] * (REQUESTS - 1) + [True]
    await turn.begin()
    now += MAX_TURN
    assert turn.is_over()
    turns.waiting = 99
    await turn.begin()
    now += ROUND / 100
    assert turn.is_over()


class Dripping(ScriptedStream):
    """Whose client sends the bytes of one frame as fast as they are received. `clock` counts the pieces."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces, self.now = pieces, 0.0

    def clock(self) -> float:
        return self.now

    def receive_nowait(self) -> bytes | None:
        if not self.pieces:
            return super().receive_nowait()
        self.pieces -= 1
        self.now += MAX_TURN / 10
        return b"\0\0"


@pytest.mark.parametrize("discarded", [False, True])
async def test_who_never_lets_us_wait_has_turns_too(*, discarded: bool, mock_clock: MockClock) -> None:
    """Bytes that end no frame take time as well."""
    pieces, others = 1000, 0
    async with scripted_server() as server, trio.open_nursery() as nursery:
        stream = Dripping(pieces)
        server.services.turns.clock = stream.clock
        connection = Connection(server.services, stream, "dripping")
        list(connection._frames.feed(struct.pack("<I", 60 * MIB)))
        if discarded:
            connection._frames.discard()
        nursery.start_soon(connection.run)
        while stream.pieces:
            await trio.lowlevel.checkpoint()
            others += 1
        nursery.cancel_scope.cancel()
    assert others >= pieces // 12  # a turn is over after ten pieces


async def test_one_process_has_few_turns_in_a_round(mock_clock: MockClock) -> None:
    turns, crowds = Turns(), Crowds()
    seen = Counter[int]()

    async def work(number: int, crowd: Crowd) -> None:
        turn = Turn(turns, crowd)
        await turn.begin()
        while True:
            seen[number] += 1
            await turn.end()

    with ExitStack() as members:
        hostile = [members.enter_context(crowds.member(1)) for _ in range(300)]
        other = Turn(turns, members.enter_context(crowds.member(2)))
        async with trio.open_nursery() as nursery:
            for number, crowd in enumerate(hostile):
                nursery.start_soon(work, number, crowd)
            await wait_for_turns(other, 1)
            for _ in range(200):
                before = seen.total()
                await wait_for_turns(other, 1)
                assert seen.total() - before <= 2 * PLACES
            assert len(seen) == len(hostile)
            assert max(seen.values()) - min(seen.values()) <= 1  # all of them in turn
            nursery.cancel_scope.cancel()
    assert crowds._of == {}


async def wait_for_turns(turn: Turn, count: int) -> None:
    await turn.begin()
    for _ in range(count):
        await turn.end()
    turn.leave()


@pytest.mark.parametrize("name", ["never reads", "waits for a worker", "has enough", "left", "silent"])
async def test_no_connection_keeps_a_place_while_it_waits(name: str, mock_clock: MockClock) -> None:
    async with scripted_server(limits=Limits(connection=ALWAYS_GRANTED)) as server:
        server.crowd = Crowd()
        server.crowd.connections = 10 * PLACES
        for _ in range(2 * PLACES):
            client = server.connect()
            if name == "never reads":
                client.stream.room = 10
                await client.send(*[[HASH]] * 3)
                await client.end()
            elif name == "waits for a worker":
                await client.send([verification("valid")])
            elif name == "has enough":
                await client.send(*[[number, EMPTY] for number in range(1, MAX_WAITING + 10)])
            elif name == "left":
                await client.send_bytes(encode_frame(b"\x91")[:3])
                client.stream.break_()
                await wait_all_tasks_blocked()
            else:
                await client.send([HASH])
        other = server.connect()
        await other.send([HASH])
        assert other.responses() == [HASHED]
        assert server.crowd.places.borrowed_tokens == 0


# ---- Long computations ------------------------------------------------------------------------------------------------

HUGE: dict[str, list[Any]] = {
    "Poseidon2Hash": ["Poseidon2Hash", {"inputs": [bytes(32)] * 5000}],
    "Blake2s": ["Blake2s", {"data": bytes(5 << 20)}],
    "Blake2sToField": ["Blake2sToField", {"data": bytes(5 << 20)}],
    "GrumpkinBatchMul": [
        "GrumpkinBatchMul",
        {"points": [{"x": b"\xff" * 32, "y": b"\xff" * 32}] * 1200, "scalar": bytes(31) + b"\x02"},
    ],
    "SrsInitGrumpkinSrs": ["SrsInitGrumpkinSrs", {"points_buf": b"\xff" * 64 * 140_000, "num_points": 140_000}],
    "ChonkBatchVerifierStart": [
        "ChonkBatchVerifierStart",
        {"vks": [FLOW1.vk] * 20, "num_cores": 1, "batch_size": 1, "fifo_path": ""},
    ],
}


@pytest.mark.parametrize("name", HUGE)
async def test_a_long_computation_is_done_in_steps(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mock_clock: MockClock
) -> None:
    """A verification that comes later, and another client's computation, are answered before it has ended."""
    monkeypatch.setattr(scheduler, "SLICE", 0.0)
    command = HUGE[name]
    if "fifo_path" in command[1]:
        os.mkfifo(tmp_path / "fifo")
        command = [name, {**command[1], "fifo_path": str(tmp_path / "fifo")}]
    async with scripted_server(threads=1) as server:
        hostile, honest, third = (server.connect() for _ in range(3))
        await hostile.send([command], [command])
        assert len(server.workers.waiting) == 1
        await honest.send([verification("valid 1")])
        await third.send([["Blake2s", {"data": bytes(5000)}]])
        for _ in range(5):
            await server.workers.release()
        assert honest.responses() == [verdict_response("valid 1")]
        assert [response[0] for response in third.responses()] == ["Blake2sResponse"]
        assert hostile.responses() == []
        assert server.scheduler.running == 1
        await server.workers.release_all()
        assert hostile.responses()[0][0] == f"{name}Response"
        assert server.scheduler.idle


def test_steps_are_bounded_by_time() -> None:
    now, done = 0.0, 0

    def work() -> Steps[str]:
        nonlocal now, done
        for _ in range(10):
            now += 1
            done += 1
            yield
        return "result"

    steps = work()
    assert advance(steps, 3, lambda: now) is None
    assert done == 3
    assert advance(steps, 0, lambda: now) is None
    assert done == 4
    assert advance(steps, 100, lambda: now) == "result"
    assert finish(work()) == "result"


async def test_nothing_is_left_of_what_a_dead_client_waited_for(mock_clock: MockClock) -> None:
    """No cycle: the memory of its requests, plain and tagged, is free at once, and a long one that runs ends with its step."""
    gc.collect()
    gc.disable()
    try:
        async with scripted_server(threads=1) as server:
            client = server.connect()
            huge = HUGE["Poseidon2Hash"]
            await client.send([huge], [1, huge], [huge], [verification("valid 1")])
            client.stream.break_()
            await wait_all_tasks_blocked()
            assert client.ended is End.LOST
            await server.workers.release()
            assert not server.workers.waiting
            assert server.scheduler.idle
            assert server.budget.used == 0
            assert [item for item in gc.get_objects() if isinstance(item, Computation | Verification)] == []
    finally:
        gc.enable()


async def test_a_frame_that_is_decoded_for_nobody_is_accounted_for() -> None:
    budget = Budget(Limits())
    decode, started, goes_on = DecodingThreads(budget), threading.Event(), threading.Event()

    def take_long() -> None:
        started.set()
        goes_on.wait()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(decode, take_long, LONG_BYTES + 1, "client")
        while not started.is_set():
            await trio.sleep(0.001)
        nursery.start_soon(decode, take_long, LONG_BYTES + 1, "client")  # waits for that thread
        assert await decode(lambda: "short", LONG_BYTES, "client") == "short"
        while budget.used != 2 * DECODING * (LONG_BYTES + 1):
            await trio.sleep(0)
        nursery.cancel_scope.cancel()
    assert budget.used == DECODING * (LONG_BYTES + 1)
    goes_on.set()
    while budget.used:
        await trio.sleep(0.001)


async def test_clients_have_turns_where_frames_are_decoded() -> None:
    """A client with many connections, each with a large frame, does not keep the threads that decode from others."""
    decode, done = DecodingThreads(Budget(Limits())), list[str]()
    started, goes_on = threading.Event(), threading.Event()

    def first() -> None:
        started.set()
        goes_on.wait()

    async def client(name: str, function: Callable[[], None]) -> None:
        await decode(function, LONG_BYTES, name)
        done.append(name)

    async with trio.open_nursery() as nursery:
        leaving = trio.CancelScope()

        async def leave() -> None:
            with leaving:
                await client("leaving", first)

        nursery.start_soon(client, "many", first)
        while not started.is_set():
            await trio.sleep(0)
        for name in [*["many"] * 20, "one", "leaving"]:
            nursery.start_soon(*((leave,) if name == "leaving" else (client, name, lambda: None)))
            await wait_all_tasks_blocked()
        leaving.cancel()
        await wait_all_tasks_blocked()
        goes_on.set()
    assert sorted(done) == ["many"] * 21 + ["one"]
    assert done.index("one") == 2


async def test_a_place_to_decode_is_passed_on_by_who_leaves() -> None:
    place, scope, others = _Place(), trio.CancelScope(), list[str]()
    await place.take("first")

    async def leave() -> None:
        with scope:
            await place.take("leaves")
            others.append("leaves")

    async def take() -> None:
        await place.take("takes")
        others.append("takes")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(leave)
        await wait_all_tasks_blocked()
        nursery.start_soon(take)
        await wait_all_tasks_blocked()
        scope.cancel()
        place.give_back()  # to the one that leaves at this moment
    assert others == ["takes"]


class Memory:
    """Of a process whose freed memory is given back by nobody else: bytes, how often somebody looked, what was too much."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.resident, self.looks, self.given = 100 * MIB, 0, list[int]()
        self.idle = True
        self.budget = Budget(Limits())
        monkeypatch.setattr(memory, "resident", self._look)
        monkeypatch.setattr(memory, "give_back", self._give_back)
        monkeypatch.setattr(trio.to_thread, "run_sync", self._in_the_place_of_a_thread)

    def _look(self) -> int:
        self.looks += 1
        return self.resident

    def _give_back(self) -> None:
        self.given.append(self.resident)
        self.resident = 100 * MIB

    async def run(self) -> None:
        await memory.give_back_now_and_then(self.budget, lambda: self.idle)

    async def hold_and_release(self, size: int, kept: int = 0) -> None:
        self.budget.change(size)
        self.budget.change(kept - size)
        await wait_all_tasks_blocked()

    async def _in_the_place_of_a_thread(self, function: Callable[[], None], **_options: Any) -> None:
        await trio.lowlevel.checkpoint()
        function()

    async def pause(self) -> None:
        """Until it has been judged."""
        looks = self.looks
        await pass_time(memory.PAUSE)
        assert self.looks > looks


async def test_freed_memory_is_given_back_when_all_is_quiet(mock_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    process = Memory(monkeypatch)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(process.run)
        await pass_time(1000)
        assert process.looks == 1  # a server at rest sleeps
        await process.hold_and_release(1000)
        await process.pause()
        assert process.given == []  # memory has not grown
        process.resident = 104 * MIB
        await process.hold_and_release(1000)
        await process.pause()
        assert process.given == [104 * MIB]
        process.resident, process.idle = 110 * MIB, False
        await process.hold_and_release(1000)
        await process.pause()
        assert len(process.given) == 1  # somebody works
        process.idle = True
        await process.hold_and_release(1000)
        await process.hold_and_release(memory.LITTLE)  # while it waits
        await process.pause()
        assert len(process.given) == 1
        await process.pause()  # nothing has happened since
        assert process.given[1:] == [110 * MIB]
        nursery.cancel_scope.cancel()


async def test_the_server_goes_on_if_there_is_no_thread_to_give_memory_back(
    mock_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Memory(monkeypatch)

    async def fail(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(trio.to_thread, "run_sync", fail)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(process.run)
            await wait_all_tasks_blocked()
            for _ in range(2):
                process.resident += 10 * memory.WORTH
                await process.hold_and_release(1000)
                await process.pause()
            nursery.cancel_scope.cancel()
    assert process.given == []


async def test_a_connection_without_a_thread_to_accept_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(trio.to_thread, "run_sync", fail)
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as client:
        listening.bind("")  # any name
        listening.listen()
        client.connect(listening.getsockname())
        with pytest.raises(OSError, match="new thread") as caught:
            await Listener(listening, shared=True).accept()
    assert caught.value.errno in door._SHORTAGES


@pytest.mark.parametrize(
    ("collections", "held", "looks"),
    [
        (memory.COLLECTIONS - 1, 0, False),
        (memory.COLLECTIONS, 0, True),
        (memory.COLLECTIONS, memory.FEW_REQUESTS, False),
        (memory.MOST_COLLECTIONS, memory.FEW_REQUESTS, True),
    ],
)
async def test_all_garbage_is_looked_for_while_requests_hold_little(
    *, collections: int, held: int, looks: bool, mock_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, looked = Memory(monkeypatch), list[bool]()
    monkeypatch.setattr(gc, "get_count", lambda: (0, 0, collections))
    monkeypatch.setattr(gc, "collect", lambda: looked.append(True))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(process.run)
        await wait_all_tasks_blocked()
        await process.hold_and_release(held + 1000, kept=held)
        await process.pause()
        nursery.cancel_scope.cancel()
    assert looked == [True] * looks


async def test_much_freed_memory_is_given_back_in_any_case(mock_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    process = Memory(monkeypatch)
    process.resident, process.idle = 200 * MIB, False
    async with trio.open_nursery() as nursery:
        nursery.start_soon(process.run)
        await wait_all_tasks_blocked()
        await process.hold_and_release(MUCH, kept=2 * memory.LITTLE)
        await process.pause()
        assert process.given == []
        await process.hold_and_release(MUCH)
        await process.pause()
        assert process.given == [200 * MIB]
        nursery.cancel_scope.cancel()


async def test_memory_that_has_grown_a_lot_is_given_back_while_others_work(
    mock_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Memory(monkeypatch)
    process.idle = False
    async with trio.open_nursery() as nursery:
        nursery.start_soon(process.run)
        await wait_all_tasks_blocked()

        async def judged(resident: int, kept: int = 0) -> int:
            """How often memory has been given back when this much is resident, and requests hold `kept`."""
            process.resident = resident
            await process.hold_and_release(kept + 1000, kept=kept)
            await process.pause()
            process.budget.change(-kept)
            return len(process.given)

        more = 100 * MIB + memory.WORTH_WHEN_BUSY
        assert await judged(more - 1) == 0
        assert await judged(more, kept=MIB) == 0  # which explains a part
        assert await judged(more) == 1
        assert await judged(more) == 1  # this soon
        await pass_time(memory.SELDOM)
        assert await judged(more) == 2
        await pass_time(memory.SELDOM)
        held = MUCH // 2  # when less is given up, nothing is given back for that
        explained = int(memory.EXPLAINED * held)
        assert await judged(more + explained - 1, kept=held) == 2
        assert await judged(more + explained, kept=held) == 3
        nursery.cancel_scope.cancel()


def test_little_address_space(tmp_path: Path) -> None:
    """A real process that gets no more memory answers, and lives; what it cannot do costs that request alone."""
    with serving(tmp_path, on_socket=True) as server:
        peer, hostile = server.connect(), server.connect()
        peer.request(VERIFY_FLOW1)
        assert peer.receive() is not None
        size = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.prlimit(server.process.pid, resource.RLIMIT_AS, (size + (24 << 20),) * 2)
        for _ in range(3):
            name, fields = hostile.call(plain("Blake2s", data=bytes(40 << 20)))
            assert name == "ErrorResponse", fields
            peer.is_served()
        hostile.is_served()
        assert server.process.poll() is None


# ---- A place held without progress ------------------------------------------------------------------------------------


LARGE = encode_frame(msgpack.packb([["Blake2s", {"data": bytes(2 * ALWAYS_GRANTED)}]]))


async def test_frames_without_progress_yield_when_room_is_short(mock_clock: MockClock) -> None:
    async with scripted_server(limits=Limits(total=4 * ALWAYS_GRANTED)) as server:
        server.workers.automatic = True
        stalled, dripping, honest = (server.connect() for _ in range(3))
        announced = b"\x00\x00\x80\x00"  # 8 MiB
        await stalled.send_bytes(announced + bytes(2 * ALWAYS_GRANTED))
        await dripping.send_bytes(announced + bytes(2 * ALWAYS_GRANTED - 70_000))
        await honest.send_bytes(LARGE)
        assert honest.responses() == []  # it waits for those with places
        for _ in range(2):
            await dripping.send_bytes(b"\x00")
            await pass_time(PATIENCE)
        assert [response[0] for response in honest.responses()] == ["Blake2sResponse"]
        await stalled.send_bytes(bytes(0x800000 - 2 * ALWAYS_GRANTED))
        (refused,) = stalled.responses()
        assert is_error(refused, "no room for a frame")
        await stalled.send([HASH])
        assert stalled.responses() == [HASHED]


def test_no_place_is_held_for_ever(tmp_path: Path) -> None:
    """A real process: two clients leave frames unfinished near the limit of all; a third one's large frame is taken."""
    with serving(tmp_path, "--max-total-bytes", str(8 * MIB), "--max-frame-bytes", str(8 * MIB), on_socket=True) as server:
        for _ in range(2):
            server.connect().send(struct.pack("<I", 7 * MIB) + bytes(4 * MIB - 100_000))
        honest = server.connect()
        honest.send(LARGE)
        response = msgpack.unpackb(honest.receive() or b"")
        assert response[0] == "Blake2sResponse", response


async def test_a_frame_that_makes_progress_keeps_its_place(mock_clock: MockClock) -> None:
    async with scripted_server(limits=Limits(total=4 * ALWAYS_GRANTED)) as server:
        server.workers.automatic = True
        slow, other = server.connect(), server.connect()
        frame = encode_frame(msgpack.packb([["Blake2s", {"data": bytes(4 * ALWAYS_GRANTED)}]]))
        position = 3 * ALWAYS_GRANTED + ALWAYS_GRANTED // 2
        await slow.send_bytes(frame[:position])
        await other.send_bytes(LARGE[:ALWAYS_GRANTED])
        for _ in range(4):
            await slow.send_bytes(frame[position : position + 100_000])
            position += 100_000
            await pass_time(PATIENCE)
        await other.send_bytes(LARGE[ALWAYS_GRANTED:])
        await slow.send_bytes(frame[position:])
        await pass_time(0)
        assert [response[0] for response in slow.responses()] == ["Blake2sResponse"]


async def test_who_does_not_read_leaves_when_room_is_short(mock_clock: MockClock) -> None:
    async with scripted_server(limits=Limits(total=4 * ALWAYS_GRANTED)) as server:
        server.workers.automatic = True
        deaf, honest = server.connect(), server.connect()
        deaf.stream.room = 0
        deaf.connection._replies.answer(None, bytes(4 * ALWAYS_GRANTED))
        deaf.connection._flush()
        await wait_all_tasks_blocked()
        await honest.send_bytes(LARGE)
        for _ in range(READER_PATIENCE + 2):
            if deaf.ended is not None:
                break
            assert honest.responses() == []
            await pass_time(PATIENCE)
        assert deaf.ended is End.LOST
        assert [response[0] for response in honest.responses()] == ["Blake2sResponse"]


# ---- Answers lost at the end ------------------------------------------------------------------------------------------


async def test_what_arrived_before_the_end_is_answered(mock_clock: MockClock) -> None:
    """Also what nobody had looked at yet, and what the system had."""
    async with scripted_server() as server:
        client, busy = server.connect(), server.connect()
        await busy.send([verification("valid 1")])
        await client.send([HASH])
        client.stream.feed(encode_frame(msgpack.packb([HASH])) * 5000)
        busy.stream.feed(encode_frame(msgpack.packb([HASH])) * 10)
        server.stop()  # before any of it was received
        await server.workers.release_all()
        await wait_all_tasks_blocked()
        assert client.responses() == [HASHED] * 5001
        assert busy.responses() == [verdict_response("valid 1"), *[HASHED] * 10]
        assert client.ended is busy.ended is End.STOPPED


@pytest.mark.parametrize("on_socket", [True, False])
def test_sigterm_answers_what_the_client_has_sent(*, on_socket: bool, tmp_path: Path) -> None:
    dear = plain("Poseidon2Hash", inputs=[bytes(32)] * 5)
    with serving(tmp_path, on_socket=on_socket) as server:
        peer = server.connect()
        peer.is_served()
        server.process.send_signal(signal.SIGSTOP)  # so that all of it has arrived, and none has been looked at
        count = 64 * 1024 // (len(dear) + 4) - 1  # more than are looked at in a turn
        peer.request(*[dear] * count)
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGCONT)
        answers = 0
        while peer.receive() is not None:
            answers += 1
        assert answers == count
        assert server.wait() == 0


# ---- Others' hands on shared descriptions -----------------------------------------------------------------------------


def test_flags_of_shared_descriptions_are_left_alone(tmp_path: Path) -> None:
    requests, to_server = os.pipe()
    from_server, responses = os.pipe()
    command = [sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--setup", SETUP]
    before = [fcntl.fcntl(descriptor, fcntl.F_GETFL) for descriptor in (requests, responses)]
    process = subprocess.Popen(command, stdin=requests, stdout=responses)
    try:
        for _ in range(3):
            os.write(to_server, encode_frame(BLAKE2S))
            assert os.read(from_server, 1000) == encode_frame(BLAKE2S_RESPONSE)
            assert [fcntl.fcntl(descriptor, fcntl.F_GETFL) for descriptor in (requests, responses)] == before
            os.set_blocking(requests, False)  # and others may do with them what they like
            os.set_blocking(requests, True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    assert [fcntl.fcntl(descriptor, fcntl.F_GETFL) for descriptor in (requests, responses)] == before
    for descriptor in (requests, to_server, from_server, responses):
        os.close(descriptor)


@pytest.mark.parametrize("kind", ["pipe", "socket", "threads"])
def test_streams_of_all_kinds(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes arrive in order and complete, whoever is slow; a blocking description makes nobody wait."""
    if kind == "threads":
        monkeypatch.setattr(streams, "open_anew", lambda *_: None)
    if kind == "socket":
        ours, theirs = socket.socketpair()
        ends = [ours.detach()] * 2, [theirs.detach()] * 2
    else:
        (input_, writes), (reads, output) = os.pipe(), os.pipe()
        ends = [input_, output], [reads, writes]

    sent = bytes(range(256)) * 4000

    def read() -> bytes:
        result = b""
        while len(result) < len(sent):
            result += os.read(ends[1][0], 10_000)
        return result

    def write() -> None:
        position = 0
        while position < len(sent):
            position += os.write(ends[1][1], sent[position : position + 7777])

    async def main() -> None:
        stream = FdStream(*ends[0])
        assert stream.receive_nowait() is None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(echo, stream)
            nursery.start_soon(trio.to_thread.run_sync, write)
            assert await trio.to_thread.run_sync(read) == sent
            # No thread is left behind: it would read what the next test has at the same number.
            for descriptor in {*ends[1]}:
                os.close(descriptor)
        stream.close()

    flags = [fcntl.fcntl(descriptor, fcntl.F_GETFL) for descriptor in ends[0]]
    trio.run(main)
    assert [fcntl.fcntl(descriptor, fcntl.F_GETFL) for descriptor in ends[0]] == flags
    for descriptor in {*ends[0]}:
        os.close(descriptor)


async def echo(stream: FdStream) -> None:
    while True:
        while (chunk := stream.receive_nowait()) is None:
            await stream.wait_readable()
        if not chunk:
            return
        await streams.send_all(stream, chunk)


# ---- Standard descriptors that are closed, or take nothing ------------------------------------------------------------


@pytest.mark.parametrize(
    ("redirection", "code"),
    [("2>&-", 0), ("2>/dev/full", 0), (">&-", 1), ("<&-", 1), (">&- 2>&-", 1)],
)
def test_closed_standard_descriptors(redirection: str, code: int, tmp_path: Path) -> None:
    command = f"{sys.executable} -P -m bbipc msgpack run --setup {SETUP} {redirection}"
    process = subprocess.run(
        ["sh", "-c", command], input=encode_frame(BLAKE2S) * ("<" not in redirection), capture_output=True, check=False
    )
    assert process.returncode == code
    assert process.stdout == (encode_frame(BLAKE2S_RESPONSE) if code == 0 else b"")
    assert b"Traceback" not in process.stderr
    if "2>" not in redirection and code:
        assert b"is closed" in process.stderr


def test_gaps_are_filled() -> None:
    script = (
        "import os; from bbipc.server.descriptors import close_gaps\n"
        "os.close(0); os.close(2); gaps = close_gaps(); assert gaps == {0, 2}\n"
        "os.fstat(0); os.fstat(2); assert close_gaps() == set()"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
    assert descriptors.never_waits(os.open(os.devnull, os.O_RDONLY))


def test_a_start_with_warnings_while_standard_error_is_full(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    fill(writer)
    command = [sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--setup", SETUP]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=writer)
    try:
        assert process.communicate(encode_frame(BLAKE2S), timeout=60)[0] == encode_frame(BLAKE2S_RESPONSE)
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("redirection", ["", "2>&-"])
def test_verdicts_without_standard_error_and_with_names_that_are_not_text(redirection: str, tmp_path: Path) -> None:
    proof, key = (Path(os.fsdecode(os.fsencode(tmp_path) + name)) for name in (b"/proof_\xff", b"/vk"))
    proof.write_bytes(FLOW1.compressed)
    key.write_bytes(FLOW1.vk)
    script = f'{sys.executable} -P -m bbipc verify-many --setup {SETUP} "$1" {redirection}'
    process = subprocess.run(["sh", "-c", script, "sh", proof], capture_output=True, check=False)
    assert process.returncode == 0, process.stderr
    assert b"valid" in process.stdout


def test_ctrl_c_during_the_start_is_quiet() -> None:
    script = "import signal, os, sys; from bbipc.cli import msgpack; from bbipc.__main__ import main\n"
    script += "msgpack.available_threads = lambda: os.kill(os.getpid(), signal.SIGINT)\n"
    script += "sys.argv[1:] = ['msgpack', 'run']\nmain()"
    process = subprocess.run([sys.executable, "-c", script], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert process.returncode == 130
    assert process.stderr == b"bbipc: error: interrupted\n"

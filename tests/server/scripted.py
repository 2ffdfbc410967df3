"""A connection under control: its bytes, its workers and its verifier do what a test says, when it says so."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgpack
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from bbipc.chonk import Outcome, Verdict
from bbipc.server.backend import Task
from bbipc.server.batch_service import BatchService
from bbipc.server.budget import Budget
from bbipc.server.commands.table import commands, decoders
from bbipc.server.config import Limits
from bbipc.server.connection import Connection, End, Services
from bbipc.server.deadlines import Deadlines
from bbipc.server.logs import LogCounters
from bbipc.server.scheduler import Scheduler
from bbipc.server.stats import Reporter, Statistics
from bbipc.server.streams import Descriptors
from bbipc.server.turns import Crowd, Turns
from bbipc.wire.frame import Frame, FrameReader, encode_frame
from server.live import BLAKE2S_RESPONSE

HASH = ["Blake2s", {"data": b"abc"}]
HASHED = msgpack.unpackb(BLAKE2S_RESPONSE)
NO_PROOF: dict[str, list[bytes]] = {
    part: [] for part in ("hiding_oink_proof", "merge_proof", "eccvm_proof", "ipa_proof", "joint_proof")
}


def verification(key: str) -> list[Any]:
    """The Command of a verification whose outcome is told by its key: "valid 1", "invalid 2", "error 3", "boom 4"."""
    return ["ChonkVerify", {"proof": NO_PROOF, "vk": key.encode()}]


def verdict_response(key: str) -> list[Any]:
    kind = key.split(maxsplit=1)[0]
    if kind == "error":
        return ["ErrorResponse", {"message": f"scripted: {key}"}]
    if kind == "boom":
        return ["ErrorResponse", {"message": "internal error, see the server's log"}]
    return ["ChonkVerifyResponse", {"valid": kind == "valid"}]


def is_error(response: Any, *words: str) -> bool:
    """Whether a decoded response is an error whose message has these words in it."""
    return response[0] == "ErrorResponse" and all(word in response[1]["message"] for word in words)


async def pass_time(seconds: float) -> None:
    """Let the clock jump, and everything happen that it lets happen."""
    clock = trio.lowlevel.current_clock()
    assert isinstance(clock, MockClock)
    clock.jump(seconds)
    await wait_all_tasks_blocked()


class Flag:
    def __init__(self) -> None:
        self.was_set = False

    def set(self) -> None:
        self.was_set = True


class LoadedBackend:
    """What all backends of tests have in common: nothing has to be loaded."""

    def load(self) -> None:
        pass

    def load_rest(self) -> None:
        pass

    def new_cancel(self) -> Flag:
        return Flag()


class ScriptedBackend(LoadedBackend):
    """Gives the verdict that the key of a task asks for, and notes what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[str], int]] = []  # (verify or check, keys, threads)
        self.decided: list[str] = []

    def arithmetic(self) -> str:
        return "scripted"

    def verify(self, task: Task, *, threads: int, cancel: Any) -> Verdict:
        self.calls.append(("verify", [task.key.decode()], threads))
        return self._verdict(task, cancel)

    def reduce(self, tasks: Sequence[Task], *, cancels: Sequence[Any]) -> Sequence[Any]:
        assert len(tasks) == len(cancels)
        return tasks

    def check(self, claims: Sequence[Any], *, threads: int, cancels: Sequence[Any]) -> list[Verdict]:
        self.calls.append(("check", [task.key.decode() for task in claims], threads))
        if any(task.key.startswith(b"boom") for task in claims):
            raise RuntimeError("scripted")
        return [self._verdict(task, cancel) for task, cancel in zip(claims, cancels, strict=True)]

    def _verdict(self, task: Task, cancel: Flag) -> Verdict:
        key = task.key.decode()
        if cancel.was_set:
            return Verdict(Outcome.CANCELLED)
        self.decided.append(key)
        kind = key.split()[0]
        if kind == "boom":
            raise RuntimeError("scripted")
        if kind == "valid":
            return Verdict(Outcome.VALID)
        return Verdict(Outcome.INVALID, step="IPA") if kind == "invalid" else Verdict(Outcome.ERROR, reason=f"scripted: {key}")


class Workers:
    """Worker threads that are none: each call waits until the test lets it go on."""

    def __init__(self) -> None:
        self.waiting: list[trio.Event] = []
        self.most = 0
        self.automatic = False

    async def __call__(self, function: Callable[[], Any], /) -> Any:
        if not self.automatic:
            event = trio.Event()
            self.waiting.append(event)
            self.most = max(self.most, len(self.waiting))
            try:
                await event.wait()
            finally:
                if event in self.waiting:
                    self.waiting.remove(event)
        return function()

    async def release(self, index: int = 0) -> None:
        """Let one call go on, and wait for everything that follows from it."""
        self.waiting.pop(index).set()
        await wait_all_tasks_blocked()

    async def release_all(self) -> None:
        while self.waiting:
            await self.release()


async def run_here(function: Callable[[], Any], _size: int, _client: object, /) -> Any:
    """In the place of a thread."""
    await trio.lowlevel.checkpoint()
    return function()


class ScriptedStream:
    """The server's side of a connection. `room`: bytes that the client will take before it stops reading; None: any number."""

    def __init__(self, descriptors: Descriptors | None = None) -> None:
        self._input = bytearray()
        self._input_ended = False
        self._arrived = trio.Event()
        self._drained = trio.Event()
        self.room: int | None = None
        self.sent = bytearray()
        self.broken = False
        self.descriptors = descriptors

    # The server's side.

    def receive_nowait(self) -> bytes | None:
        self._check()
        if not self._input and not self._input_ended:
            return None
        data = bytes(self._input[: 64 * 1024])
        del self._input[: len(data)]
        return data

    async def wait_readable(self) -> None:
        await trio.lowlevel.checkpoint()
        while not self._input and not self._input_ended and not self.broken:
            self._arrived = trio.Event()
            await self._arrived.wait()

    def send_nowait(self, data: bytes | bytearray) -> int:
        self._check()
        size = len(data) if self.room is None else min(self.room, len(data))
        if self.room is not None:
            self.room -= size
        self.sent += data[:size]
        return size

    def peer_is_gone(self) -> bool:
        return self.broken

    async def wait_writable(self) -> None:
        self._drained = trio.Event()
        await self._drained.wait()

    def _check(self) -> None:
        if self.broken:
            raise trio.BrokenResourceError

    # The client's side.

    def feed(self, data: bytes) -> None:
        self._input += data
        self._arrived.set()

    def end(self) -> None:
        self._input_ended = True
        self._arrived.set()

    def take(self, size: int | None) -> None:
        """Read `size` more bytes, or from now on everything."""
        self.room = None if size is None else (self.room or 0) + size
        self._drained.set()

    def break_(self) -> None:
        self.broken = True
        self._arrived.set()
        self._drained.set()


class ScriptedClient:
    """A client in step with the server: after each of its actions the server has done all it can."""

    def __init__(self, connection: Connection, stream: ScriptedStream) -> None:
        self.connection, self.stream = connection, stream
        self.ended: End | None = None
        self._frames = FrameReader()
        self._read = 0

    async def send(self, *messages: Any) -> None:
        """Send msgpack values, or bytes as they are, each in a frame."""
        payloads = [message if isinstance(message, bytes) else msgpack.packb(message) for message in messages]
        await self.send_bytes(b"".join(map(encode_frame, payloads)))

    async def send_bytes(self, data: bytes) -> None:
        self.stream.feed(data)
        await wait_all_tasks_blocked()

    async def end(self) -> None:
        self.stream.end()
        await wait_all_tasks_blocked()

    def responses(self) -> list[Any]:
        """What has come since the last call."""
        new = bytes(self.stream.sent[self._read :])
        self._read = len(self.stream.sent)
        events = list(self._frames.feed(new))
        assert all(isinstance(event, Frame) for event in events)
        return [msgpack.unpackb(event.payload) for event in events if isinstance(event, Frame)]


class ScriptedServer:
    """What connections share, with a script in place of threads and verifier."""

    def __init__(self, nursery: trio.Nursery, threads: int, limits: Limits, max_batch_tasks: int, envelope: bool) -> None:
        self._nursery = nursery
        self.backend = ScriptedBackend()
        self.workers = Workers()
        self.budget = Budget(limits)
        self.scheduler = Scheduler(self.backend, threads, self.budget.wake, max_batch_tasks, self.workers)
        self.clients: list[ScriptedClient] = []
        self.batch_service = BatchService(self.scheduler, self.budget)
        self.deadlines = Deadlines()
        self.statistics = Statistics()
        self.services = Services(
            scheduler=self.scheduler,
            budget=self.budget,
            commands=commands(),
            decoders=decoders(),
            envelope=envelope,
            upstream=None,
            batch_service=self.batch_service,
            deadlines=self.deadlines,
            reporter=Reporter(
                self.statistics,
                self.scheduler,
                self.budget,
                self.batch_service,
                None,
                self.backend.arithmetic,
                trio.current_time(),
                LogCounters(),
            ),
            shut_down=self.stop,
            decode=run_here,
            turns=Turns(),
        )
        self.crowd: Crowd | None = None  # of the next connections
        nursery.start_soon(self.scheduler.run)
        nursery.start_soon(self.batch_service.run)
        nursery.start_soon(self.deadlines.run)

    def stop(self) -> None:
        for client in self.clients:
            client.connection.stop_reading()

    def connect(self, descriptors: Descriptors | None = None) -> ScriptedClient:
        stream = ScriptedStream(descriptors)
        client = ScriptedClient(Connection(self.services, stream, f"client {len(self.clients)}", crowd=self.crowd), stream)
        self.clients.append(client)

        async def run() -> None:
            client.ended = await client.connection.run()

        self._nursery.start_soon(run)
        return client


@asynccontextmanager
async def scripted_server(
    threads: int = 2, limits: Limits | None = None, max_batch_tasks: int = 64, envelope: bool = False
) -> AsyncIterator[ScriptedServer]:
    """A server without I/O; at the end every task must have come to rest without an error."""
    async with trio.open_nursery() as nursery:
        yield ScriptedServer(nursery, threads, limits or Limits(), max_batch_tasks, envelope)
        nursery.cancel_scope.cancel()

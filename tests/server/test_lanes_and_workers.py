"""Lanes take no processor that the scheduler's workers need: counted, with threads, lanes and verifier of a script."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import trio

from bbipc.chonk.lane import Lane, Left
from bbipc.server.cheap import CheapAnswers
from bbipc.server.commands.kinds import INLINE_BYTES
from bbipc.server.commands.table import commands
from bbipc.server.lane import IN_STEP, Lanes
from bbipc.server.streams import Descriptors
from server.live import BLAKE2S, BLAKE2S_RESPONSE
from server.scripted import ScriptedClient, ScriptedServer, Workers, scripted_server, verdict_response, verification

LONG_HASH = ["Blake2s", {"data": bytes(2 * INLINE_BYTES)}]


class ScriptedLane:
    """Stays in serve() until it is interrupted, and leaves all requests to the ordinary way."""

    def __init__(self) -> None:
        self._interrupted = False
        self.changed = trio.Event()

    def interrupt(self, *, on: bool) -> None:
        self._interrupted = on
        if on:
            self.changed.set()

    async def until_interrupted(self) -> None:
        while not self._interrupted:
            self.changed = trio.Event()
            await self.changed.wait()

    def serve(self, *_: Any, **__: Any) -> Left:
        return Left(requests=IN_STEP, received=0, sent=0, rest=b"", unsent=b"", error=0)

    def take_counts(self) -> list[tuple[str, int]]:
        return []


class ScriptedLanes(Lanes):
    """Lanes that need no threads, and know how many of them serve."""

    serving = 0

    def _new(self) -> Lane:
        return cast(Lane, ScriptedLane())

    async def run(self, serve: Callable[[], Left]) -> Left:
        lane = cast(Any, serve).func.__self__
        self.serving += 1
        with trio.CancelScope(shield=True):
            await lane.until_interrupted()
        self.serving -= 1
        return serve()


class Clients:
    """Some that are in step, and one that sends what workers do."""

    def __init__(self, server: ScriptedServer, processors: int, in_step: int) -> None:
        cheap = CheapAnswers(commands())
        self.lanes = ScriptedLanes(cheap, server.statistics, server.scheduler, processors)
        server.services = server.services._replace(cheap=cheap, lanes=self.lanes)
        self.workers: Workers = server.workers
        self.in_step = [server.connect(Descriptors(-1, -1)) for _ in range(in_step)]
        self.other: ScriptedClient = server.connect()

    async def lanes_in_use(self) -> int:
        """After all in step have sent as many requests as make a lane worth while, one after the other."""
        for client in self.in_step:
            for _ in range(IN_STEP):
                await client.send(BLAKE2S)
        return self.lanes.serving


@asynccontextmanager
async def clients(threads: int, processors: int, in_step: int = 3) -> AsyncIterator[Clients]:
    async with scripted_server(threads) as server:
        yield Clients(server, processors, in_step)


async def test_no_lane_is_opened_while_a_verification_runs() -> None:
    async with clients(threads=2, processors=2) as these:
        await these.other.send([verification("valid 1")])
        assert await these.lanes_in_use() == 0
        assert [len(client.responses()) for client in these.in_step] == [IN_STEP] * 3  # the ordinary way
        await these.workers.release_all()
        assert these.other.responses() == [verdict_response("valid 1")]
        assert await these.lanes_in_use() == 2


async def test_lanes_end_when_a_verification_comes_and_come_back() -> None:
    async with clients(threads=2, processors=2) as these:
        for number in range(3):
            assert await these.lanes_in_use() == 2
            await these.other.send([verification(f"valid {number}")])
            assert these.lanes.serving == 0
            assert await these.lanes_in_use() == 0
            await these.workers.release_all()
            assert these.other.responses() == [verdict_response(f"valid {number}")]


async def test_none_between_the_batches_of_a_flood() -> None:
    async with clients(threads=2, processors=2) as these:
        assert await these.lanes_in_use() == 2
        await these.other.send(*([verification(f"valid {number}")] for number in range(160)))
        calls = 0
        while these.workers.waiting:
            assert await these.lanes_in_use() == 0
            await these.workers.release()
            calls += 1
        assert calls >= 3
        assert len(these.other.responses()) == 160
        assert await these.lanes_in_use() == 2


@pytest.mark.parametrize(
    ("threads", "processors", "while_it_runs"), [(1, 1, 0), (1, 2, 1), (2, 4, 2), (4, 4, 0), (4, 2, 0), (1, 8, 3)]
)
async def test_processors_that_a_verification_leaves(threads: int, processors: int, while_it_runs: int) -> None:
    async with clients(threads, processors) as these:
        idle = min(processors, 3)
        assert await these.lanes_in_use() == idle
        await these.other.send([verification("valid 1")])
        assert these.lanes.serving == min(idle, while_it_runs)
        assert await these.lanes_in_use() == while_it_runs
        await these.workers.release_all()
        assert await these.lanes_in_use() == idle


async def test_computations_take_one_each() -> None:
    async with clients(threads=4, processors=4, in_step=4) as these:
        assert await these.lanes_in_use() == 4
        for left in (3, 2, 1, 0, 0):
            await these.other.send([LONG_HASH])
            assert these.lanes.serving == left
            assert await these.lanes_in_use() == left
        await these.workers.release_all()
        assert await these.lanes_in_use() == 4


async def test_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BBIPC_LANES", "never")
    async with clients(threads=2, processors=2) as these:
        assert await these.lanes_in_use() == 0
        await these.other.send([verification("valid 1")])
        await these.workers.release_all()
        assert await these.lanes_in_use() == 0


async def test_clients_whose_lanes_ended_are_answered_as_others() -> None:
    async with clients(threads=1, processors=1, in_step=1) as these:
        (client,) = these.in_step
        assert await these.lanes_in_use() == 1
        client.responses()
        await these.other.send([verification("valid 1")])
        await client.send(BLAKE2S)
        assert client.stream.sent.endswith(BLAKE2S_RESPONSE)
        assert len(client.responses()) == 1
        await these.workers.release_all()

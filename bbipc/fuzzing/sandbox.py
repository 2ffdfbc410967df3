"""A server that is kept between examples, and started again after each failure."""

from dataclasses import dataclass, field

import trio

from bbipc.conform.case import Broken, broken
from bbipc.conform.judge import Turn
from bbipc.conform.messages import Reply, verdict_of
from bbipc.conform.peer import Peer, Record
from bbipc.conform.script import MAX_CLIENTS, Script, play
from bbipc.conform.target import Server, Target, new_shm_name, scratch_directory, start

__all__ = ["Sandbox"]


@dataclass(eq=False)
class _Running:
    """A server that runs in a task of its own, so that it can outlive the conversation that started it."""

    server: Server
    peers: list[Peer] = field(default_factory=list)
    stop: trio.Event = field(default_factory=trio.Event)
    stopped: trio.Event = field(default_factory=trio.Event)


class Sandbox:
    """One server and as many connections to it as needed, for as many conversations as it survives.

    Args:
        target: the server.
        timeout: seconds that one conversation may take.
        nursery: where the task of the server lives.
    """

    def __init__(self, target: Target, timeout: float, nursery: trio.Nursery) -> None:
        self.target = target
        self.starts = 0
        self._timeout = timeout
        self._nursery = nursery
        self._running: _Running | None = None

    async def _connections(self, count: int) -> list[Peer]:
        if self._running is None:
            self._running = await self._nursery.start(self._serve)
            self.starts += 1
        peers = self._running.peers
        while len(peers) < count:
            peers.append(await self._running.server.connect(f"client {len(peers)}"))
        return peers

    async def _serve(self, task_status: trio.TaskStatus[_Running]) -> None:
        # The record is bounded and thrown away: a failure is replayed with one of its own.
        async with scratch_directory() as directory:
            transport = self.target.transport
            path, more = (directory / "s.sock", ("--max-clients", str(MAX_CLIENTS))) if transport == "socket" else (None, ())
            shm_name = new_shm_name() if transport == "shm" else None
            async with start(self.target, Record(), *more, socket_path=path, shm_name=shm_name) as server:
                running = _Running(server)
                task_status.started(running)
                await running.stop.wait()
        running.stopped.set()

    async def close(self) -> None:
        """End the server."""
        running, self._running = self._running, None
        if running is not None:
            running.stop.set()
            await running.stopped.wait()

    async def play(self, script: Script) -> list[Reply]:
        """Have a conversation; Broken if the law was not kept, and then the server is a new one next time."""
        try:
            with trio.fail_after(self._timeout):
                return await play(script, await self._connections(script.clients))
        except trio.TooSlowError:
            await self.close()
            broken("all responses", f"nothing more for {self._timeout:g} s")
        except Broken:
            await self.close()
            raise

    async def outcome(self, turn: Turn) -> str:
        """The outcome class of one request; a server that dies has the class "error"."""
        try:
            with trio.fail_after(self._timeout):
                replies = await play(Script((Turn(turn.payload, turn.note),)), await self._connections(1))
            return verdict_of(replies[0])
        except trio.TooSlowError:
            await self.close()
            return "no response"
        except Broken:
            await self.close()
            return "error"

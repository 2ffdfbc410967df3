"""What a case works with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bbipc.conform.peer import Peer, Record
from bbipc.conform.target import Server, Target, new_shm_name, start

__all__ = ["Lab"]


@dataclass(frozen=True, slots=True)
class Lab:
    """Everything that one case may use.

    Attributes:
        target: the server under test.
        record: the record of the case.
        directory: a directory for its files.
    """

    target: Target
    record: Record
    directory: Path

    @asynccontextmanager
    async def server(self, *arguments: str) -> AsyncIterator[Server]:
        """A server on the transport of the target."""
        socket_path = self.directory / "s.sock" if self.target.transport == "socket" else None
        shm_name = new_shm_name() if self.target.transport == "shm" else None
        async with start(self.target, self.record, *arguments, socket_path=socket_path, shm_name=shm_name) as server:
            yield server

    @asynccontextmanager
    async def peer(self) -> AsyncIterator[Peer]:
        """A server and one connection to it."""
        async with self.server() as server:
            yield await server.connect()

    def expected(self, verdict: str) -> tuple[str, ...]:
        """Which outcomes stand for `verdict`, which is right under the test setup, under the setup of the target.

        Under another setup every bundled proof fails the first pairing check, unless an error is found before it.
        """
        if self.target.setup == "test":
            return (verdict,)
        return ("invalid",) if verdict == "valid" else ("invalid", "error")

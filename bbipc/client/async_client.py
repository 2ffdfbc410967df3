"""The client for programs with an event loop: Trio, or asyncio."""

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from os import PathLike
from typing import TYPE_CHECKING

import anyio
from anyio.abc import ByteStream
from anyio.lowlevel import checkpoint

from bbipc.chonk import ChonkProof, VerificationKey
from bbipc.client.connected import Connected, Pair
from bbipc.client.connection import Connection, connect
from bbipc.client.messages import Answer, fields_of
from bbipc.client.probe import Dialect
from bbipc.client.session import Request
from bbipc.client.verification import (
    IN_FLIGHT,
    RemoteTxVerdict,
    RemoteVerdict,
    checked_in_flight,
    tx_request,
    tx_verdict_of,
    verdict_of,
    verification_request,
)
from bbipc.wire.frame import DEFAULT_MAX_FRAME_BYTES
from bbipc.wire.values import Fields

if TYPE_CHECKING:
    import trio

__all__ = ["Client", "open_client"]


class _Pending:
    """A request that was made, and the task that waits for it."""

    __slots__ = ("_connection", "_done", "_result", "request")

    def __init__(self, connection: Connection, request: Request) -> None:
        self.request = request
        self._connection = connection
        self._done = anyio.Event()
        self._result: Answer | Exception | None = None
        connection.submit(request, self._settle)

    def _settle(self, result: Answer | Exception) -> None:
        self._result = result
        self._done.set()

    async def wait(self) -> Answer:
        """The answer. If the wait is cancelled, so is the request."""
        try:
            await self._done.wait()
        finally:
            self.abandon()
        assert self._result is not None
        if isinstance(self._result, Exception):
            raise self._result
        return self._result

    def abandon(self) -> None:
        """Nobody waits any more. Nothing happens if there is a result."""
        self._connection.abandon(self.request)


class Client(Connected):
    """One connection to a server, made by `open_client`. Any number of tasks may use it at the same time.

    A request that cannot be answered any more fails with the error that tells why; no request waits for a connection that is
    lost. For a server that does not answer at all use the timeouts of the event loop (`trio.fail_after`, `asyncio.timeout`,
    `anyio.fail_after`).

    Cancelling a call leaves the connection in order. A request that was not sent yet is not sent. Otherwise the response to it
    is dropped; and if it is a tagged one, the server is asked to stop working on it.

    All methods raise `ServerGone`, `ProtocolViolation` or `ClientClosed` when there will be no response.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def call(self, command: str, /, **fields: object) -> Fields:
        """Perform a plain request and return the fields of its response.

        Plain requests of a connection are answered in the order in which they were made.

        Raises:
            ServerError: the server answered with an ErrorResponse.
            EncodeError: the fields are not those of the command; nothing was sent.
        """
        return fields_of(command, await self._perform(Request(command, fields, tagged=False)))

    async def call_tagged(self, command: str, /, **fields: object) -> Fields:
        """As `call`, but the response may overtake those to other requests (see `supports_tagged`)."""
        return fields_of(command, await self._perform(Request(command, fields, tagged=True)))

    async def verify(self, proof: ChonkProof, key: bytes | VerificationKey) -> RemoteVerdict:
        """The server's verdict on a proof; may be called for many proofs at the same time.

        Whatever is wrong with the content of proof or key is a verdict.

        Raises:
            TypeError: an argument is of another type.
        """
        return verdict_of(await self._perform(verification_request(proof, key)))

    async def verify_tx(self, tx: bytes, *, network: str | None = None) -> RemoteTxVerdict:
        """The server's verdict on an Aztec transaction in its binary form, under the registry and the setup of the server.

        Whatever is wrong with the transaction is a verdict; so is a server that does not know the command.

        Args:
            tx: the transaction.
            network: the network that it must be for; None: any that the server takes.

        Raises:
            TypeError: an argument is of another type.
        """
        return tx_verdict_of(await self._perform(tx_request(tx, network)))

    def verify_many(self, pairs: Iterable[Pair] | AsyncIterable[Pair], in_flight: int = IN_FLIGHT) -> "Verdicts":
        """The server's verdicts on many proofs, in their order, as they become known: `async for verdict in ...`.

        Proofs are taken from `pairs` only as verdicts are asked for; up to `in_flight` of them are with the server at once. A
        program that leaves the loop early can cancel the rest: `async with contextlib.aclosing(client.verify_many(...))`.

        Raises:
            ValueError: `in_flight` is less than 1.
        """
        return Verdicts(self._connection, pairs, checked_in_flight(in_flight))

    async def _perform(self, request: Request) -> Answer:
        # What is cancelled already is not even begun.
        await checkpoint()
        return await _Pending(self._connection, request).wait()


class Verdicts(AsyncIterator[RemoteVerdict]):
    """The verdicts of `Client.verify_many`."""

    def __init__(self, connection: Connection, pairs: Iterable[Pair] | AsyncIterable[Pair], in_flight: int) -> None:
        self._connection = connection
        self._pairs = aiter(pairs) if isinstance(pairs, AsyncIterable) else iter(pairs)
        self._in_flight = in_flight
        self._all_started = False
        self._started: deque[_Pending] = deque()

    async def __anext__(self) -> RemoteVerdict:
        try:
            await self._start_more()
            if not self._started:
                raise StopAsyncIteration
            return verdict_of(await self._started.popleft().wait())
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Cancel what has no verdict yet; there will be no more."""
        self._all_started = True
        while self._started:
            self._started.popleft().abandon()

    async def _start_more(self) -> None:
        while not self._all_started and len(self._started) < self._in_flight:
            try:
                proof, key = await anext(self._pairs) if isinstance(self._pairs, AsyncIterator) else next(self._pairs)
            except (StopIteration, StopAsyncIteration):
                self._all_started = True
            else:
                self._started.append(_Pending(self._connection, verification_request(proof, key)))


@asynccontextmanager
async def open_client(
    *,
    command: Sequence[str | PathLike[str]] | None = None,
    socket: str | PathLike[str] | None = None,
    shm: str | None = None,
    stream: "ByteStream | trio.abc.Stream | None" = None,
    dialect: Dialect | None = None,
    max_frame_bytes: int = DEFAULT_MAX_FRAME_BYTES,
) -> AsyncIterator[Client]:
    """Connect to a server, for the time of an `async with` block, which one task enters and leaves.

    Args:
        command: start this server and talk to it over pipes; it ends with the block.
        socket: or connect to this Unix socket.
        shm: or attach to the shared memory of this name, as its only client (`bbipc msgpack run --input NAME.shm`).
        stream: or use this stream, of anyio or of Trio; it is closed with the block.
        dialect: what the server speaks. None: plain or tagged, whichever it turns out to be (`bbipc.client.probe` says how);
            a plain one is reported to the log `bbipc.client`.
        max_frame_bytes: the longest response that is accepted.

    Raises:
        ServerUnreachable: there is no such server.
        ServerGone, ProtocolViolation: the server did not answer the probe as a server does.
        ValueError: not exactly one of command, socket, shm and stream was given.
    """
    ways = connect(command=command, socket=socket, shm=shm, stream=stream, dialect=dialect, max_frame_bytes=max_frame_bytes)
    async with ways as connection:
        yield Client(connection)

"""The client for programs that know no event loop. It may be shared between threads.

    with open_client(command=["bbipc", "msgpack", "run"]) as client:
        digest = client.call("Blake2s", data=b"abc")["hash"]
        for verdict in client.verify_many(pairs):   # many at once, if the server can do that
            ...

It is the connection of `bbipc.client`, run by an event loop in a thread of its own.
"""

import contextlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING

from bbipc.chonk import ChonkProof, VerificationKey
from bbipc.client.connected import Connected, Pair
from bbipc.client.errors import ClientClosed
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
    import asyncio

    from bbipc.client.connection import Connection

__all__ = ["Client", "open_client"]


class Client(Connected):
    """One connection to a server, made by `open_client`. Any number of threads may use it at the same time.

    A thread that is interrupted while it waits (Ctrl-C) leaves the connection in order: its request is cancelled.

    Attributes:
        timeout: seconds that a response may take; None: as long as it takes. It may be changed.

    All methods raise `ServerGone`, `ProtocolViolation` or `ClientClosed` when there will be no response.
    """

    def __init__(self, connection: "Connection", loop: "asyncio.AbstractEventLoop", timeout: float | None) -> None:
        self.timeout = timeout
        self._connection = connection
        self._loop = loop
        # Adding, discarding and copying are each one step for other threads, as sets of plain objects are.
        self._waiting: set[_Pending] = set()
        self._closed = False

    def call(self, command: str, /, **fields: object) -> Fields:
        """Perform a plain request and return the fields of its response.

        Plain requests of a connection are answered in the order in which they were made.

        Raises:
            ServerError: the server answered with an ErrorResponse.
            EncodeError: the fields are not those of the command; nothing was sent.
            TimeoutError: no response in time. The connection stays in order: the response is dropped when it comes.
        """
        return fields_of(command, self._start(Request(command, fields, tagged=False)).wait())

    def call_tagged(self, command: str, /, **fields: object) -> Fields:
        """As `call`, but the response may overtake those to requests of other threads (see `supports_tagged`).

        Raises:
            TimeoutError: no response in time. The server is asked to stop working on it, if it can be asked.
        """
        return fields_of(command, self._start(Request(command, fields, tagged=True)).wait())

    def verify(self, proof: ChonkProof, key: bytes | VerificationKey) -> RemoteVerdict:
        """The server's verdict on a proof. Whatever is wrong with the content of proof or key is a verdict.

        Raises:
            TimeoutError: no verdict in time. The server is asked to stop working on it, if it can be asked.
            TypeError: an argument is of another type.
        """
        return verdict_of(self._start(verification_request(proof, key)).wait())

    def verify_tx(self, tx: bytes, *, network: str | None = None) -> RemoteTxVerdict:
        """The server's verdict on an Aztec transaction in its binary form, under the registry and the setup of the server.

        Whatever is wrong with the transaction is a verdict; so is a server that does not know the command.

        Args:
            tx: the transaction.
            network: the network that it must be for; None: any that the server takes.

        Raises:
            TimeoutError: no verdict in time.
            TypeError: an argument is of another type.
        """
        return tx_verdict_of(self._start(tx_request(tx, network)).wait())

    def verify_many(self, pairs: Iterable[Pair], in_flight: int = IN_FLIGHT) -> Iterator[RemoteVerdict]:
        """The server's verdicts on many proofs, in their order, as they become known.

        Proofs are taken from `pairs` only as verdicts are asked for; up to `in_flight` of them are with the server at once.
        Leaving the loop early cancels the rest.

        Raises:
            TimeoutError: no verdict on the next proof in time.
            ValueError: `in_flight` is less than 1.
        """
        return self._verify_many(iter(pairs), checked_in_flight(in_flight))

    def _verify_many(self, pairs: Iterator[Pair], in_flight: int) -> Iterator[RemoteVerdict]:
        started: deque[_Pending] = deque()
        try:
            for proof, key in pairs:
                started.append(self._start(verification_request(proof, key)))
                if len(started) == in_flight:
                    yield verdict_of(started.popleft().wait())
            while started:
                yield verdict_of(started.popleft().wait())
        finally:
            for pending in started:
                pending.abandon()

    def _start(self, request: Request) -> "_Pending":
        pending = _Pending(self, request)
        self._waiting.add(pending)
        try:
            self._loop.call_soon_threadsafe(self._connection.submit, request, pending.settle)
        except RuntimeError:  # the loop has ended
            pending.settle(ClientClosed("the client was closed"))
        if self._closed:
            self._settle_all()
        return pending

    def _cancel(self, request: Request) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it all requests
            self._loop.call_soon_threadsafe(self._connection.abandon, request)

    def _settle_all(self) -> None:
        """Once the loop has ended: it may have left something undone that was handed over at the last moment."""
        self._closed = True
        for pending in self._waiting.copy():
            pending.settle(ClientClosed("the client was closed"))


class _Pending:
    """A request that was made, and the thread that waits for it."""

    __slots__ = ("_client", "_result", "request")

    def __init__(self, client: Client, request: Request) -> None:
        self.request = request
        self._client = client
        self._result: Future[Answer | Exception] = Future()

    def settle(self, result: Answer | Exception) -> None:
        """Give the result; only the first one counts."""
        self._client._waiting.discard(self)
        with contextlib.suppress(InvalidStateError):
            self._result.set_result(result)

    def wait(self) -> Answer:
        """The answer. If the wait is interrupted or takes too long, the request is cancelled."""
        try:
            result = self._result.result(self._client.timeout)
        except TimeoutError:
            self.abandon()
            raise TimeoutError(f"{self._client.server} did not answer in time") from None
        except BaseException:
            self.abandon()
            raise
        if isinstance(result, Exception):
            raise result
        return result

    def abandon(self) -> None:
        """Nobody waits any more. Nothing happens if there is a result."""
        self._client._waiting.discard(self)
        self._client._cancel(self.request)


@contextmanager
def open_client(
    *,
    command: Sequence[str | PathLike[str]] | None = None,
    socket: str | PathLike[str] | None = None,
    shm: str | None = None,
    dialect: Dialect | None = None,
    timeout: float | None = None,
    max_frame_bytes: int = DEFAULT_MAX_FRAME_BYTES,
) -> Iterator[Client]:
    """Connect to a server, for the time of a `with` block.

    Args:
        command: start this server and talk to it over pipes; it ends with the block.
        socket: or connect to this Unix socket.
        shm: or attach to the shared memory of this name, as its only client (`bbipc msgpack run --input NAME.shm`).
        dialect: what the server speaks; None: find out, see `bbipc.client.probe`.
        timeout: seconds that a response may take; None: as long as it takes.
        max_frame_bytes: the longest response that is accepted.

    Raises:
        ServerUnreachable: there is no such server.
        ServerGone, ProtocolViolation: the server did not answer the probe as a server does.
        ValueError: not exactly one of command, socket and shm was given.
    """
    import asyncio  # noqa: PLC0415 - an event loop is loaded when one is needed

    from anyio.from_thread import start_blocking_portal  # noqa: PLC0415

    from bbipc.client.connection import connect  # noqa: PLC0415

    if sum(way is not None for way in (command, socket, shm)) != 1:
        raise ValueError("give exactly one of command, socket and shm")
    client: Client | None = None
    try:
        with start_blocking_portal("asyncio", name="bbipc client") as portal:
            loop = portal.call(asyncio.get_running_loop)
            opening = connect(command=command, socket=socket, shm=shm, dialect=dialect, max_frame_bytes=max_frame_bytes)
            with portal.wrap_async_context_manager(opening) as connection:
                client = Client(connection, loop, timeout)
                yield client
    finally:
        if client is not None:
            client._settle_all()

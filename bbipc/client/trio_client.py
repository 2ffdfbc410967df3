"""The client for Trio."""

import copy
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from os import PathLike
from typing import Final

import trio

from bbipc.chonk import ChonkProof, VerificationKey
from bbipc.client import verification
from bbipc.client.errors import ClientClosed, ClientError, ProtocolViolation, ServerError, ServerGone
from bbipc.client.messages import ERROR_RESPONSE, Answer
from bbipc.client.probe import PATIENCE, Dialect, Probe
from bbipc.client.session import Request, Session
from bbipc.client.transport import Transport, connected, given, spawned
from bbipc.client.verification import RemoteVerdict
from bbipc.wire.errors import EncodeError
from bbipc.wire.frame import DEFAULT_MAX_FRAME_BYTES, Frame, FrameReader
from bbipc.wire.values import Fields

__all__ = ["Client", "open_client"]

_CHUNK: Final = 65536

log = logging.getLogger("bbipc.client")


class _Pending:
    """A request and the task that waits for it."""

    __slots__ = ("_done", "_result", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self._done = trio.Event()
        self._result: Answer | Exception | None = None

    def settle(self, result: Answer | Exception) -> None:
        """Give the result; only the first one counts."""
        if self._result is None:
            self._result = result
            self._done.set()

    async def wait(self) -> Answer:
        await self._done.wait()
        assert self._result is not None
        if isinstance(self._result, Exception):
            # Several tasks may get the same error; each needs its own traceback.
            raise copy.copy(self._result)
        return self._result


class Client:
    """One connection to a server, made by `open_client`. Any number of tasks may use it at the same time.

    A request that cannot be answered any more fails with the error that tells why; no request waits for a connection that is
    lost. For a server that does not answer at all use the timeouts of Trio (`trio.fail_after`).

    Cancelling a call leaves the connection in order. The response to it is dropped; and if the call is a tagged one that was
    sent already, the server is asked to stop working on it.
    """

    def __init__(self, transport: Transport, dialect: Dialect, max_frame_bytes: int, nursery: trio.Nursery) -> None:
        self._transport = transport
        self._session = Session(dialect, max_frame_bytes)
        self._nursery = nursery
        self._pending: dict[Request, _Pending] = {}
        self._failure: ClientError | None = None
        # No buffer: a request is either still with its task, which may be cancelled without a trace, or with the writer.
        self._outgoing, self._to_write = trio.open_memory_channel[Request](0)

    @property
    def dialect(self) -> Dialect:
        """What is spoken on this connection."""
        return self._session.dialect

    @property
    def supports_tagged(self) -> bool:
        """Whether responses come in the order in which they are ready. If not, `call_tagged` is the same as `call`."""
        return self.dialect is not Dialect.PLAIN

    @property
    def server(self) -> str:
        """The server's command or socket, for messages."""
        return self._transport.name

    async def call(self, command: str, /, **fields: object) -> Fields:
        """Perform a plain request and return the fields of its response.

        Plain requests of a connection are answered in the order in which they were made.

        Raises:
            ServerError: the server answered with an ErrorResponse.
            EncodeError: the fields are not those of the command; nothing was sent.
            ServerGone, ProtocolViolation, ClientClosed: there will be no response.
        """
        return _fields(command, await self._perform(Request(command, fields, tagged=False)))

    async def call_tagged(self, command: str, /, **fields: object) -> Fields:
        """As `call`, but the response may overtake those to other requests (see `supports_tagged`)."""
        return _fields(command, await self._perform(Request(command, fields, tagged=True)))

    async def verify(self, proof: ChonkProof, key: bytes | VerificationKey) -> RemoteVerdict:
        """The server's verdict on a proof; may be called for many proofs at the same time.

        Whatever is wrong with proof or key is a verdict. Exceptions are as for `call`, except `ServerError`.
        """
        fields = verification.verification_fields(proof, key)
        return verification.verdict_of(await self._perform(Request(verification.COMMAND, fields, tagged=True)))

    async def _perform(self, request: Request) -> Answer:
        if self._failure is not None:
            await trio.lowlevel.checkpoint()
            raise copy.copy(self._failure)
        pending = self._pending[request] = _Pending(request)
        try:
            await self._hand_over(request)
            return await pending.wait()
        except trio.Cancelled:
            self._abandon(request)
            raise
        finally:
            self._pending.pop(request, None)

    async def _hand_over(self, request: Request) -> None:
        try:
            await self._outgoing.send(request)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            assert self._failure is not None, "the channel is closed with a reason"
            raise copy.copy(self._failure) from None

    def _abandon(self, request: Request) -> None:
        cancel = self._session.abandon(request)
        if cancel is not None and self._failure is None:
            self._nursery.start_soon(self._send_cancel, cancel)

    async def _send_cancel(self, cancel: Request) -> None:
        try:
            await self._hand_over(cancel)
        except ClientError:
            log.debug("%s was not cancelled: the connection is lost", cancel)

    # ---- Background tasks; they end with the nursery of open_client ----

    async def write(self) -> None:
        """Send what is handed over, until the connection is lost."""
        try:
            async for request in self._to_write:
                await self._write_one(request)
        except trio.ClosedResourceError:
            log.debug("no more requests for %s", self.server)

    async def _write_one(self, request: Request) -> None:
        try:
            frame = self._session.start(request)
        except EncodeError as error:
            self._settle(request, error)
            return
        try:
            await self._transport.stream.send_all(frame)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            # What the server answered before it stopped reading can still be read; but not an answer to this one.
            gone = ServerGone("the server does not read requests any more")
            self._settle(request, gone)
            self._refuse(gone)

    async def read(self) -> None:
        """Receive responses until the connection is lost."""
        self.fail(await self._read_until_lost())

    async def _read_until_lost(self) -> ClientError:
        stream = self._transport.stream
        try:
            while data := await stream.receive_some(_CHUNK):
                for request, answer in self._session.receive(bytes(data)):
                    self._settle(request, answer)
        except ProtocolViolation as violation:
            return violation
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            log.debug("the connection to %s broke", self.server)
        error = self._session.end()
        return type(error)(f"{error}{await self._transport.why_ended()}")

    def _settle(self, request: Request, result: Answer | Exception) -> None:
        pending = self._pending.get(request)
        if pending is not None:
            pending.settle(result)

    def _refuse(self, error: ClientError) -> None:
        """Let no more requests in."""
        if self._failure is None:
            self._failure = error
        self._to_write.close()

    def fail(self, error: ClientError) -> None:
        """Let every request that waits, and every later one, fail with `error`."""
        self._refuse(error)
        for pending in self._pending.values():
            pending.settle(error)


def _fields(command: str, answer: Answer) -> Fields:
    if answer.name == ERROR_RESPONSE:
        raise ServerError(command, answer.fields["message"])
    return answer.fields


@asynccontextmanager
async def open_client(
    *,
    command: Sequence[str | PathLike[str]] | None = None,
    socket: str | PathLike[str] | None = None,
    stream: trio.abc.Stream | None = None,
    dialect: Dialect | None = None,
    max_frame_bytes: int = DEFAULT_MAX_FRAME_BYTES,
) -> AsyncIterator[Client]:
    """Connect to a server, for the time of an `async with` block.

    Args:
        command: start this server and talk to it over pipes; it ends with the block.
        socket: or connect to this Unix socket.
        stream: or use this stream.
        dialect: what the server speaks. None: plain or tagged, whichever it turns out to be (`bbipc.client.probe` says how);
            a plain one is reported to the log `bbipc.client`.
        max_frame_bytes: the longest response that is accepted.

    Raises:
        ServerUnreachable: there is no such server.
        ServerGone, ProtocolViolation: the server did not answer the probe as a server does.
        ValueError: not exactly one of command, socket and stream was given.
    """
    async with _transport(command, socket, stream) as transport:
        found = dialect or await _probe(transport, max_frame_bytes)
        if found is Dialect.PLAIN and dialect is None:
            log.warning("%s does not know tagged requests: it will answer one request after the other", transport.name)
        error: Exception | None = None
        async with trio.open_nursery() as nursery:
            client = Client(transport, found, max_frame_bytes, nursery)
            nursery.start_soon(client.write)
            nursery.start_soon(client.read)
            try:
                yield client
            except Exception as raised:  # raised below, where the nursery does not wrap it in a group
                error = raised
            finally:
                client.fail(ClientClosed("the client was closed"))
                nursery.cancel_scope.cancel()
        if error is not None:
            raise error


def _transport(
    command: Sequence[str | PathLike[str]] | None, socket: str | PathLike[str] | None, stream: trio.abc.Stream | None
) -> AbstractAsyncContextManager[Transport]:
    if command is not None and socket is None and stream is None:
        return spawned(command)
    if socket is not None and command is None and stream is None:
        return connected(socket)
    if stream is not None and command is None and socket is None:
        return given(stream)
    raise ValueError("give exactly one of command, socket and stream")


async def _probe(transport: Transport, max_frame_bytes: int) -> Dialect:
    probe, reader = Probe(), FrameReader(max_frame_bytes)
    step: bytes | Dialect = probe.first()
    with trio.move_on_after(PATIENCE):
        while not isinstance(step, Dialect):
            step = probe.feed(await _exchange(transport, reader, step))
        return step
    raise ServerGone(f"{transport.name} did not answer within {PATIENCE:.0f} s")


async def _exchange(transport: Transport, reader: FrameReader, frame: bytes) -> bytes:
    try:
        await transport.stream.send_all(frame)
        while data := await transport.stream.receive_some(_CHUNK):
            events = list(reader.feed(bytes(data)))
            if not events:
                continue
            if len(events) == 1 and isinstance(events[0], Frame):
                return events[0].payload
            raise ProtocolViolation(f"the server sent more than one response to its first request: {len(events)} frames")
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        log.debug("the connection to %s broke during the probe", transport.name)
    raise ServerGone(f"the server ended the connection before it answered{await transport.why_ended()}")

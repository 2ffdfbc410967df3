"""A connection with its two tasks, the writer and the reader: what the async client and the blocking one have in common.

Requests come in, and results go out, by plain calls in the thread of the event loop. So a request costs no task of its own, and
it does not matter who waits for it: a task of Trio or asyncio, or another thread.
"""

import copy
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from os import PathLike
from typing import TYPE_CHECKING, Final

import anyio
from anyio.abc import ByteStream

from bbipc.client.errors import ClientClosed, ClientError, ProtocolViolation, ServerGone
from bbipc.client.messages import Answer
from bbipc.client.probe import PATIENCE, Dialect, Probe
from bbipc.client.session import Request, Session
from bbipc.client.transport import CHUNK, Transport, connected, given, spawned
from bbipc.wire.errors import EncodeError
from bbipc.wire.frame import DEFAULT_MAX_FRAME_BYTES, Frame, FrameReader

if TYPE_CHECKING:
    import trio

__all__ = ["Connection", "Settle", "connect"]

Settle = Callable[[Answer | Exception], None]
"""Gets the result of a request. Several requests may get copies of the same error: each needs its own traceback."""

_LAST_WORDS_PATIENCE: Final = 1.0
"""Seconds that a server which reads no more gets to end the connection, so that the error can tell how it ended."""

log = logging.getLogger("bbipc.client")


class Connection:
    """Sends requests and settles them, each exactly once unless it was abandoned. For the thread of the event loop only."""

    def __init__(self, transport: Transport, session: Session) -> None:
        self._transport = transport
        self._session = session
        self._settle: dict[Request, Settle] = {}
        self._unsent: OrderedDict[Request, None] = OrderedDict()
        # What the writer sends now: requests that were started, whose frames the server may not have whole.
        self._sending: list[Request] = []
        self._rest = b""
        self._work = anyio.Event()
        self._ended = anyio.Event()
        self._failure: ClientError | None = None

    @property
    def dialect(self) -> Dialect:
        """What is spoken on this connection."""
        return self._session.dialect

    @property
    def server(self) -> str:
        """The server's command or socket, for messages."""
        return self._transport.name

    def submit(self, request: Request, settle: Settle) -> None:
        """Send `request` when its turn comes, and give its answer, or the reason why there is none, to `settle`."""
        if self._failure is not None:
            settle(copy.copy(self._failure))
            return
        self._settle[request] = settle
        self._unsent[request] = None
        if len(self._settle) > 1 or not self._send_at_once():
            self._work.set()

    def abandon(self, request: Request) -> None:
        """Nobody waits for `request` any more: it is not sent, or its response is dropped. If it is a tagged one that was sent
        already, the server is asked to stop working on it. Nothing happens if it is settled."""
        if self._settle.pop(request, None) is None:
            return
        if request in self._unsent:
            del self._unsent[request]
            return
        cancel = self._session.abandon(request)
        if cancel is not None and self._failure is None:
            self._unsent[cancel] = None
            self._work.set()

    def _send_at_once(self) -> bool:
        """Send without the writer, if that is possible without waiting: waking it costs more than all the rest. It is not done
        while other requests are under way, since the writer sends many in one piece."""
        if self._sending or self._transport.send_now is None:
            return False
        self._take_next_frames()
        self._rest = self._rest[self._transport.send_now(self._rest) :]
        if self._rest:
            return False
        self._sending = []
        return True

    def _settle_one(self, request: Request, result: Answer | Exception) -> None:
        settle = self._settle.pop(request, None)
        if settle is not None:
            settle(result)

    def _fail(self, error: ClientError) -> None:
        self._failure = self._failure or error
        self._unsent.clear()
        waiting, self._settle = self._settle, {}
        for settle in waiting.values():
            settle(copy.copy(error))

    def close(self) -> None:
        """Let every request that waits, and every later one, fail with `ClientClosed`."""
        self._fail(ClientClosed("the client was closed"))

    # ---- Tasks for the time of the connection ----

    async def write(self) -> None:
        """Send requests, until they cannot be sent any more."""
        while True:
            if not self._sending:
                self._take_next_frames()
            if not self._sending:
                self._work = anyio.Event()
                await self._work.wait()
                continue
            frames, self._rest = self._rest, b""
            try:
                await self._transport.stream.send(frames)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                await self._refuse()
                return
            self._sending = []

    def _take_next_frames(self) -> None:
        """Start those that wait, about as many as a pipe holds."""
        frames: list[bytes] = []
        size = 0
        while self._unsent and size < CHUNK:
            request, _ = self._unsent.popitem(last=False)
            try:
                frame = self._session.start(request)
            except EncodeError as error:
                self._settle_one(request, error)
                continue
            self._sending.append(request)
            frames.append(frame)
            size += len(frame)
        self._rest = b"".join(frames)

    async def _refuse(self) -> None:
        """Requests cannot be sent any more: those with answers on their way can still be answered, but no others."""
        with anyio.move_on_after(_LAST_WORDS_PATIENCE):
            await self._ended.wait()
        gone = self._failure = self._failure or ServerGone("the server does not read requests any more")
        unsent, self._unsent = self._unsent, OrderedDict()
        for request in (*self._sending, *unsent):
            self._settle_one(request, copy.copy(gone))
            request.abandoned = True

    async def read(self) -> None:
        """Receive responses, until the connection is lost."""
        self._fail(await self._read_until_lost())
        self._ended.set()

    async def _read_until_lost(self) -> ClientError:
        try:
            while True:
                data = await self._transport.stream.receive(CHUNK)
                for request, answer in self._session.receive(data):
                    self._settle_one(request, answer)
        except ProtocolViolation as violation:
            return violation
        except anyio.EndOfStream:
            log.debug("%s ended the connection", self.server)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            log.debug("the connection to %s broke", self.server)
        error = self._session.end()
        return type(error)(f"{error}{await self._transport.why_ended()}")


@asynccontextmanager
async def connect(
    *,
    command: Sequence[str | PathLike[str]] | None = None,
    socket: str | PathLike[str] | None = None,
    shm: str | None = None,
    stream: "ByteStream | trio.abc.Stream | None" = None,
    dialect: Dialect | None = None,
    max_frame_bytes: int = DEFAULT_MAX_FRAME_BYTES,
) -> AsyncIterator[Connection]:
    """A connection whose tasks run for the time of the block. Arguments and errors are those of `bbipc.client.open_client`."""
    async with _transport(command, socket, shm, stream) as transport:
        found = dialect or await _probe(transport, max_frame_bytes)
        if found is Dialect.PLAIN and dialect is None:
            log.warning("%s does not know tagged requests: it will answer one request after the other", transport.name)
        error: BaseException | None = None
        connection = Connection(transport, Session(found, max_frame_bytes, transport.max_request))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(connection.write)
            tasks.start_soon(connection.read)
            try:
                yield connection
            except anyio.get_cancelled_exc_class():
                raise
            except BaseException as raised:  # raised below, where the task group does not wrap it
                error = raised
            finally:
                connection.close()
                tasks.cancel_scope.cancel()
        if error is not None:
            raise error


def _transport(
    command: Sequence[str | PathLike[str]] | None,
    socket: str | PathLike[str] | None,
    shm: str | None,
    stream: "ByteStream | trio.abc.Stream | None",
) -> AbstractAsyncContextManager[Transport]:
    ways = [
        None if command is None else lambda: spawned(command),
        None if socket is None else lambda: connected(socket),
        None if shm is None else lambda: _attached(shm),
        None if stream is None else lambda: given(stream),
    ]
    chosen = [way for way in ways if way is not None]
    if len(chosen) != 1:
        raise ValueError("give exactly one of command, socket, shm and stream")
    return chosen[0]()


def _attached(name: str) -> AbstractAsyncContextManager[Transport]:
    from bbipc.client.shm import attached  # noqa: PLC0415 - it loads the core, which other clients do not need

    return attached(name)


async def _probe(transport: Transport, max_frame_bytes: int) -> Dialect:
    probe, reader = Probe(), FrameReader(max_frame_bytes)
    step: bytes | Dialect = probe.first()
    with anyio.move_on_after(PATIENCE):
        while not isinstance(step, Dialect):
            step = probe.feed(await _exchange(transport, reader, step))
        return step
    raise ServerGone(f"{transport.name} did not answer within {PATIENCE:.0f} s")


async def _exchange(transport: Transport, reader: FrameReader, frame: bytes) -> bytes:
    try:
        await transport.stream.send(frame)
        while True:
            events = list(reader.feed(await transport.stream.receive(CHUNK)))
            if not events:
                continue
            if len(events) == 1 and isinstance(events[0], Frame):
                return events[0].payload
            if len(events) == 1:
                raise ProtocolViolation(f"the first response of the server is too long to be read: {events[0]}")
            raise ProtocolViolation(f"the server sent more than one response to its first request: {len(events)} frames")
    except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        log.debug("the connection to %s broke during the probe", transport.name)
    raise ServerGone(f"the server ended the connection before it answered{await transport.why_ended()}")

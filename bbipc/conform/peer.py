"""One connection to a server: what is sent, what comes, and a record of both."""

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import trio

from bbipc.conform.case import Event, NotApplicable, broken
from bbipc.conform.messages import FrameCutter, Reply, blake2s_request, blake2s_response, shorten
from bbipc.conform.rings import RingOutput

__all__ = ["MAX_RECORDED", "Peer", "Record"]

MAX_RECORDED: Final = 400
"""Events of a case that are recorded; a case that floods a server sends and receives many more."""

_CHUNK: Final = 1 << 16


class Record:
    """The events of a case, bounded."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.omitted = 0

    def add(self, who: str, what: str, text: str = "", data: bytes = b"") -> None:
        """Append an event, unless there are too many already."""
        if len(self.events) < MAX_RECORDED:
            self.events.append(Event(who, what, shorten(text, 600), data[:512]))
        else:
            self.omitted += 1

    def finished(self) -> tuple[Event, ...]:
        """The events, and how many were left out."""
        if not self.omitted:
            return tuple(self.events)
        return (*self.events, Event("harness", "left out", f"{self.omitted} more events"))


class Peer:
    """A connection. Responses are read from the start, so that a server never waits for us, unless `read_later`.

    Args:
        name: its name in the record.
        output: where requests go.
        input_: where responses come from.
        record: where to write down what happens.
        why_ended: says what became of the server, once its output ended.
    """

    def __init__(
        self,
        name: str,
        output: trio.abc.SendStream,
        input_: trio.abc.ReceiveStream,
        record: Record,
        why_ended: Callable[[], Awaitable[str]],
    ) -> None:
        self.name = name
        self.received = 0
        self._output = output
        self._input = input_
        self._record = record
        self._why_ended = why_ended
        self._cutter = FrameCutter()
        self._send_replies, self._replies = trio.open_memory_channel[Reply](math.inf)
        self._may_read = trio.Event()
        self._hash_number = 0

    # ---- What the target does ----------------------------------------------------------------------------------------

    def start_reading(self) -> None:
        """Begin to read responses."""
        self._may_read.set()

    async def read(self) -> None:
        """Read responses until the server's output ends."""
        await self._may_read.wait()
        async with self._send_replies:
            try:
                while data := await self._input.receive_some(_CHUNK):
                    for payload in self._cutter.feed(bytes(data)):
                        self._receive(Reply(payload))
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self._record.add(self.name, "connection lost")
            self._record.add(self.name, "end of output", data=self._cutter.rest)

    def _receive(self, reply: Reply) -> None:
        self.received += 1
        self._record.add(self.name, "received", str(reply), reply.payload)
        self._send_replies.send_nowait(reply)

    # ---- What cases do -----------------------------------------------------------------------------------------------

    async def send(self, data: bytes, text: str = "") -> bool:
        """Send bytes; False if the server does not take them any more."""
        self._record.add(self.name, "sent", text or f"{len(data)} bytes", data)
        try:
            await self._output.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._record.add(self.name, "not taken", "the server closed its input")
            return False
        return True

    async def receive(self, what: str = "a response") -> Reply:
        """The next response; Broken if there is none any more."""
        async for reply in self._replies:
            return reply
        broken(what, f"nothing: {await self._why_ended()}")

    async def close_sending(self) -> None:
        """Tell the server that no more requests come."""
        if isinstance(self._output, RingOutput):
            raise NotApplicable("shared memory has no end of input")
        self._record.add(self.name, "end of input")
        if isinstance(self._output, trio.SocketStream):
            try:
                await self._output.send_eof()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self._record.add(self.name, "connection lost")
        else:
            await self._output.aclose()

    async def drain(self) -> list[Reply]:
        """All responses until the end of output, which must come at the border of a frame."""
        replies = [reply async for reply in self._replies]
        self._check_rest()
        return replies

    async def expect_end(self, what: str = "the end of output") -> None:
        """Nothing may come any more but the end of output."""
        async for reply in self._replies:
            broken(what, reply)
        self._check_rest()

    def _check_rest(self) -> None:
        if self._cutter.rest:
            broken("whole frames on the server's output", f"{len(self._cutter.rest)} bytes of an unfinished frame at its end")

    async def vanish(self) -> None:
        """Close the connection without reading what comes."""
        self._record.add(self.name, "vanished")
        await self._output.aclose()
        await self._input.aclose()

    async def finish(self) -> None:
        """End the input; nothing may come that was not asked for. Shared memory has no end: one more answer shows it there."""
        if isinstance(self._output, RingOutput):
            await self.check_alive()
            return
        await self.close_sending()
        await self.expect_end("no response beyond one for each request")

    # ---- Small conversations -----------------------------------------------------------------------------------------

    def next_probe(self) -> bytes:
        """Data that no other hash request of this connection has."""
        self._hash_number += 1
        return f"probe {self._hash_number} of {self.name}".encode()

    async def expect(self, response: Sequence[object], request_id: int | None = None, what: str = "") -> Reply:
        """The next response must be this one, with this id."""
        reply = await self.receive(what or f"{response[0]}")
        if reply.response != list(response) or reply.request_id != request_id:
            wanted = shorten(f"{response[0]} {response[1]}")
            broken(what or (wanted if request_id is None else f"[{request_id}] {wanted}"), reply)
        return reply

    async def expect_error(self, request_id: int | None = None, what: str = "an ErrorResponse") -> Reply:
        """The next response must be an ErrorResponse, with this id."""
        reply = await self.receive(what)
        if not reply.is_error or reply.request_id != request_id:
            broken(what if request_id is None else f"{what} with id {request_id}", reply)
        return reply

    async def check_alive(self) -> None:
        """A hash is asked for and must be the next response."""
        data = self.next_probe()
        await self.send(blake2s_request(data), f"Blake2s {data!r}, to see whether the server goes on")
        await self.expect(blake2s_response(data), what="the answer to the request that was sent last")

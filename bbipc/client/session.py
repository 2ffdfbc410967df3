"""One connection as seen by a client, without I/O: which response belongs to which request."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from bbipc.client.errors import ProtocolViolation, ServerGone
from bbipc.client.messages import ERROR_RESPONSE, Answer, parse_answer, request_frame, response_name
from bbipc.client.probe import Dialect
from bbipc.wire.errors import DecodeError, EncodeError
from bbipc.wire.frame import DEFAULT_MAX_FRAME_BYTES, HEADER_BYTES, Frame, FrameReader, Oversized
from bbipc.wire.values import Fields

__all__ = ["Request", "Session"]

CANCEL: Final = "CancelRequest"


class Request:
    """A request on its way; compared by identity.

    Attributes:
        command: the name of the command.
        tagged: whether it is matched by its id; else it has a place in the FIFO of the connection.
        request_id: its id once it was sent; None for plain requests.
        abandoned: nobody waits for the response, which will be dropped.
    """

    __slots__ = ("_fields", "abandoned", "command", "request_id", "tagged")

    def __init__(self, command: str, fields: Fields, *, tagged: bool) -> None:
        self.command = command
        self.tagged = tagged
        self.request_id: int | None = None
        self.abandoned = False
        self._fields: Fields | None = fields

    def take_fields(self) -> Fields:
        """The fields, once: a request that was sent need not keep them."""
        fields, self._fields = self._fields, None
        assert fields is not None, "a request is sent once"
        return fields

    def __repr__(self) -> str:
        return self.command if self.request_id is None else f"{self.command} with id {self.request_id}"


class Session:
    """Matches responses with requests: plain ones in their order, tagged ones by id.

    Requests must be written to the connection in the order in which `start` made their frames.

    Args:
        dialect: what the server understands. `PLAIN` makes every request a plain one; `ENVELOPE` gives every request an id.
        max_frame_bytes: the longest response that is accepted.
        max_request: the longest request that can be sent; None: there is no limit.
    """

    def __init__(
        self, dialect: Dialect, max_frame_bytes: int = DEFAULT_MAX_FRAME_BYTES, max_request: int | None = None
    ) -> None:
        self.dialect = dialect
        self._max_request = max_request
        self._reader = FrameReader(max_frame_bytes)
        self._plain: deque[Request] = deque()
        self._tagged: dict[int, Request] = {}
        self._next_id = 1

    @property
    def waiting(self) -> list[Request]:
        """The requests without a response, abandoned ones included."""
        return [*self._plain, *self._tagged.values()]

    def start(self, request: Request) -> bytes:
        """The frame of `request`, whose response is expected from now on.

        Raises:
            EncodeError: the fields are not those of the command, or too long for the server; nothing was started.
        """
        envelope = self.dialect is Dialect.ENVELOPE
        tagged = envelope or (request.tagged and self.dialect is Dialect.TAGGED)
        request_id = self._next_id if tagged else None
        frame = request_frame(request.command, request.take_fields(), request_id, envelope=envelope)
        size = len(frame) - HEADER_BYTES
        if self._max_request is not None and size > self._max_request:
            raise EncodeError(
                f"{request.command}: the request has {size} bytes, and the ring of the server takes {self._max_request}: "
                "start it with a larger --request-ring-size"
            )
        if request_id is None:
            self._plain.append(request)
        else:
            self._next_id += 1
            self._tagged[request_id] = request
        request.request_id = request_id
        return frame

    def abandon(self, request: Request) -> Request | None:
        """Drop the response to `request` when it comes. Returns a request that asks the server not to work on it any more, to
        be sent like any other (its response is dropped, too); None if that cannot be asked for."""
        request.abandoned = True
        if self.dialect is not Dialect.TAGGED or request.request_id not in self._tagged:
            return None
        cancel = Request(CANCEL, {"request_id": request.request_id}, tagged=True)
        cancel.abandoned = True
        return cancel

    def receive(self, data: bytes) -> Iterator[tuple[Request, Answer]]:
        """The requests that `data` answers, with their responses; abandoned ones are left out.

        The iterator must be exhausted before the next call.

        Raises:
            ProtocolViolation: `data` holds something that is no response to any of the requests that wait.
        """
        for event in self._reader.feed(data):
            if isinstance(event, Oversized):
                raise ProtocolViolation(f"the server announced a response too long to be read: {event}")
            assert isinstance(event, Frame), "nothing is discarded here"
            request, answer = self._match(event.payload)
            if not request.abandoned:
                yield request, answer

    def end(self) -> ServerGone | ProtocolViolation:
        """The error for the requests that wait when the server has ended the connection."""
        truncated = self._reader.end()
        if truncated is not None:
            return ProtocolViolation(f"the server ended the connection inside a response: {truncated}")
        return ServerGone("the server ended the connection")

    def _match(self, payload: bytes) -> tuple[Request, Answer]:
        try:
            answer = parse_answer(payload, envelope=self.dialect is Dialect.ENVELOPE)
        except DecodeError as error:
            size = len(payload)
            raise ProtocolViolation(f"the server sent a frame of {size} bytes that is not a response: {error}") from None
        request = self._take(answer)
        if answer.name not in (ERROR_RESPONSE, response_name(request.command)):
            raise ProtocolViolation(f"the server answered {request!r} with {answer.name}")
        return request, answer

    def _take(self, answer: Answer) -> Request:
        if answer.request_id is not None:
            request = self._tagged.pop(answer.request_id, None)
            if request is None:
                raise ProtocolViolation(f"the server sent {_shown(answer)} with id {answer.request_id}, which no request has")
            return request
        if not self._plain:
            raise ProtocolViolation(f"the server sent {_shown(answer)} without an id while no plain request waits")
        return self._plain.popleft()


def _shown(answer: Answer) -> str:
    return f"{answer.name} ({answer.fields['message']})" if answer.name == ERROR_RESPONSE else answer.name

"""The responses of one connection, without I/O: which frames they are, and in which order these go out.

Each request has a :class:`Place`. A response to a tagged request is ready at once. One to a plain request waits until those
to all plain requests before it are there. So neither kind ever waits for the other.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, TypeVar

from bbipc.wire.dialect import Tag, error_response, response_head
from bbipc.wire.frame import HEADER_BYTES

SLOT_BYTES: Final = 256
"""Bytes that a response takes beside itself while it waits for those before it."""
LONG: Final = 1024 * 1024
"""Bytes of a response that is not copied at once, but in pieces of this size: 100 MiB would take a tenth of a second."""


class Place:
    """Where the response to a request belongs; `tag` is None for a plain one. Compared by identity."""

    __slots__ = ("_response", "tag")

    def __init__(self, tag: Tag | None) -> None:
        self.tag = tag
        self._response: bytes | None = None  # while it waits for others


AnyPlace = TypeVar("AnyPlace", bound=Place)


class Replies(Generic[AnyPlace]):
    """Gives each request exactly one response.

    Args:
        max_response: bytes of the longest response that can be sent; a longer one becomes an error. None: there is no limit.

    Attributes:
        in_flight: the places of tagged requests that wait for their responses, by id.
        outgoing: the beginning of the frames that are ready to be sent; empty if there are none.
        held: bytes of all responses here, and what they take beside.
    """

    def __init__(self, max_response: int | None = None, *, long: int = LONG) -> None:
        self.in_flight: dict[int, AnyPlace] = {}
        self.outgoing = bytearray()
        self.held = 0
        self._max_response = max_response
        self._long = long
        self._later: deque[bytes | bytearray] = deque()  # behind `outgoing`: long responses, and frames between them
        self._copied = 0  # bytes of the first of these that `outgoing` has
        self._slots: deque[Place] = deque()  # of plain requests, from the first one without a response

    @property
    def plain_must_wait(self) -> bool:
        """Whether a response to a plain request would have to wait for others now."""
        return bool(self._slots)

    @property
    def unanswered(self) -> int:
        """Requests without a response so far; those behind the first plain one among them are all counted."""
        return len(self.in_flight) + len(self._slots)

    def owe(self, place: AnyPlace) -> None:
        """A request came whose response takes its time: pay() gives it. Its id is not in flight."""
        if place.tag is None:
            self._slots.append(place)
        else:
            self.in_flight[place.tag.request_id] = place

    def pay(self, place: AnyPlace, response: bytes) -> None:
        """The response to a request that was owed one; once for each."""
        if place.tag is not None:
            del self.in_flight[place.tag.request_id]
            self._emit(response, place.tag)
        else:
            self._wait(place, response)
            self._emit_waiting()

    def answer(self, tag: Tag | None, response: bytes) -> None:
        """The response to a request that comes now."""
        if tag is None and self._slots:
            place = Place(None)
            self._slots.append(place)
            self._wait(place, response)
        else:
            self._emit(response, tag)

    def add(self, frames: bytes) -> None:
        """Responses to requests that come now, as frames. There is none to a plain request among them if that must wait."""
        if not self._later:
            self.outgoing += frames
        elif isinstance(between := self._later[-1], bytearray):
            between += frames
        else:
            self._later.append(bytearray(frames))
        self.held += len(frames)

    def sent(self, size: int) -> None:
        """So many bytes at the beginning of `outgoing` were sent."""
        del self.outgoing[:size]
        self.held -= size
        if self._later and not self.outgoing:
            self._copy_some()

    def _copy_some(self) -> None:
        """Copy the next piece of what comes later. A long response counts as a whole until all of it is copied."""
        first = self._later[0]
        piece = memoryview(first)[self._copied : self._copied + self._long]
        self.outgoing += piece
        self.held += len(piece)
        self._copied += len(piece)
        piece.release()
        if self._copied == len(first):
            self._later.popleft()
            self._copied = 0
            self.held -= len(first)

    def _wait(self, place: Place, response: bytes) -> None:
        place._response = response
        self.held += SLOT_BYTES + len(response)

    def _emit_waiting(self) -> None:
        slots = self._slots
        while slots and (response := slots[0]._response) is not None:
            slots.popleft()._response = None
            self.held -= SLOT_BYTES + len(response)
            self._emit(response, None)

    def _emit(self, response: bytes, tag: Tag | None) -> None:
        head = response_head(len(response), tag)
        length = len(head) - HEADER_BYTES + len(response)
        if self._max_response is not None and length > self._max_response:
            response = error_response(too_long(length, self._max_response))
            head = response_head(len(response), tag)
        if self._max_response is not None or len(response) <= self._long:
            self.add(head + response)
            return
        self.add(head)
        self._later.append(response)
        self.held += len(response)
        if len(self._later) == 1:
            self._copy_some()


def too_long(length: int, limit: int) -> str:
    """What answers a request whose response does not fit into the ring."""
    return f"the response has {length} bytes, and the ring takes {limit}: start the server with a larger --response-ring-size"

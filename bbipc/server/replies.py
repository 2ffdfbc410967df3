"""The responses of one connection, without I/O: which frames they are, and in which order these go out.

Each request has a :class:`Place`. A response to a tagged request is ready at once. One to a plain request waits until those
to all plain requests before it are there. So neither kind ever waits for the other.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, TypeVar

from bbipc.wire.dialect import Tag, encode_response, error_response
from bbipc.wire.frame import HEADER_BYTES

SLOT_BYTES: Final = 256
"""Bytes that a response takes beside itself while it waits for those before it."""


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
        outgoing: frames that are ready to be sent.
        held: bytes of all responses here, and what they take beside.
    """

    def __init__(self, max_response: int | None = None) -> None:
        self.in_flight: dict[int, AnyPlace] = {}
        self.outgoing = bytearray()
        self.held = 0
        self._max_response = max_response
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
        self.outgoing += frames
        self.held += len(frames)

    def sent(self, size: int) -> None:
        """So many bytes at the beginning of `outgoing` were sent."""
        del self.outgoing[:size]
        self.held -= size

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
        frame = encode_response(response, tag)
        if self._max_response is not None and len(frame) - HEADER_BYTES > self._max_response:
            frame = encode_response(error_response(too_long(len(frame) - HEADER_BYTES, self._max_response)), tag)
        self.add(frame)


def too_long(length: int, limit: int) -> str:
    """What answers a request whose response does not fit into the ring."""
    return f"the response has {length} bytes, and the ring takes {limit}: start the server with a larger --response-ring-size"

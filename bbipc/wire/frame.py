"""Length-prefixed frames: ``[4-byte little-endian length n][n bytes]``, without I/O.

Bytes go into a :class:`FrameReader`, events come out. What it holds is bounded by the bytes it was given, never by a
length that the other side merely announced.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from typing import NamedTuple

HEADER_BYTES = 4
DEFAULT_MAX_FRAME_BYTES = 64 * 1024 * 1024

_read_length = struct.Struct("<I").unpack_from
_pack_length = struct.Struct("<I").pack


class Frame(NamedTuple):
    """A complete frame; ``payload`` does not include the length."""

    payload: bytes


class Oversized(NamedTuple):
    """A frame longer than the limit was announced. The stream cannot be resynchronised: nothing follows this event."""

    announced: int
    limit: int

    def __str__(self) -> str:
        return f"frame of {self.announced} bytes announced, the limit is {self.limit}"


class Discarded(NamedTuple):
    """The frame given up by :meth:`FrameReader.discard`, or for want of memory, has passed; the next frame follows."""

    length: int


class Truncated(NamedTuple):
    """The stream ended inside a frame. ``expected`` counts the length prefix, and is None when that itself was cut."""

    received: int
    expected: int | None

    def __str__(self) -> str:
        if self.expected is None:
            return f"input ended inside the length of a frame: {self.received} bytes of {HEADER_BYTES}"
        return f"input ended inside a frame: {self.received} bytes of {self.expected}"


class Skimmed(NamedTuple):
    """Complete frames that whoever feeds the reader took for himself."""

    size: int


Event = Frame | Oversized | Discarded | Skimmed
Skim = Callable[[bytes, int], int]
"""Takes complete frames from the beginning of data[start:]; how many bytes."""


def encode_head(length: int) -> bytes:
    """What comes before a payload of so many bytes."""
    return _pack_length(length)


def encode_frame(payload: bytes) -> bytes:
    """`payload` with its length in front."""
    return encode_head(len(payload)) + payload


class FrameReader:
    """Cuts a stream of bytes into frames, however the stream was cut into chunks.

    States: between frames (``_head`` holds 0-3 bytes of a length), inside a body (``_missing`` > 0 bytes to come,
    ``_body`` those that came), or ended (after an :class:`Oversized`).
    """

    def __init__(self, max_frame_bytes: int = DEFAULT_MAX_FRAME_BYTES) -> None:
        self.max_frame_bytes = max_frame_bytes
        self._head = b""
        self._length = 0
        self._missing = 0
        # One buffer, so that it takes what came, however small the pieces; and one that gives its bytes away, because a copy of
        # a large frame takes tens of milliseconds.
        self._body = BytesIO()
        self._discarding = False
        self._ended = False

    @property
    def held(self) -> int:
        """Bytes of an unfinished body kept in memory."""
        return 0 if self._discarding else self._length - self._missing

    @property
    def is_between_frames(self) -> bool:
        """Whether the next byte is the first of a frame."""
        return not (self._head or self._missing or self._ended)

    def feed(self, data: bytes, skim: Skim | None = None) -> Iterator[Event]:
        """The events that `data` completes, lazily: bytes behind an event are looked at when the next one is asked for.

        `skim` is called wherever a frame begins in `data`, and what it takes is reported as :class:`Skimmed`. The iterator
        must be exhausted before the next call.
        """
        position, end = 0, len(data)
        while position < end and not self._ended:
            if self._missing:
                position = self._continue_body(data, position)
                if not self._missing:
                    yield self._finish_body()
                continue
            if skim is not None and not self._head and (skimmed := skim(data, position)):
                position += skimmed
                yield Skimmed(skimmed)
                continue
            if self._head:
                wanted = HEADER_BYTES - len(self._head)
                self._head += data[position : position + wanted]
                position += wanted
                if len(self._head) < HEADER_BYTES:
                    return
                length = _read_length(self._head)[0]
                self._head = b""
            elif end - position < HEADER_BYTES:
                self._head = data[position:]
                return
            else:
                length = _read_length(data, position)[0]
                position += HEADER_BYTES
            if length > self.max_frame_bytes:
                self._ended = True
                yield Oversized(length, self.max_frame_bytes)
            elif position + length <= end:
                yield Frame(data[position : position + length])
                position += length
            else:
                self._length = self._missing = length

    def discard(self) -> None:
        """Give up the body now being received: forget its bytes, drop those to come, then report :class:`Discarded`."""
        if self._missing:
            self._body = BytesIO()
            self._discarding = True

    def end(self) -> Truncated | None:
        """Tell that the stream ended; None if it ended between two frames."""
        if self._ended:
            return None
        if self._head:
            return Truncated(len(self._head), None)
        if self._missing:
            return Truncated(HEADER_BYTES + self._length - self._missing, HEADER_BYTES + self._length)
        return None

    def _continue_body(self, data: bytes, position: int) -> int:
        end = min(position + self._missing, len(data))
        if not self._discarding:
            try:
                self._body.write(memoryview(data)[position:end])
            except MemoryError:
                self.discard()
        self._missing -= end - position
        return end

    def _finish_body(self) -> Event:
        length, self._length = self._length, 0
        if not self._discarding:
            body, self._body = self._body, BytesIO()
            with suppress(MemoryError):
                return Frame(body.getvalue())
        self._discarding = False
        return Discarded(length)

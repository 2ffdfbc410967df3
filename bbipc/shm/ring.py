"""One ring: messages from one process to another, in memory that both may write to."""

from __future__ import annotations

import os
from enum import IntEnum
from typing import Any, Final

from bbipc._core import ffi, lib

CONTROL_BYTES: Final = 256
MAX_CAPACITY: Final = 1 << 31
_MESSAGE_BYTES: Final = 232
_CHUNK: Final = 64 * 1024


class Status(IntEnum):
    """What came of an operation (BBIPC_RING_... of the C ABI)."""

    OK = lib.BBIPC_OK
    NOTHING = lib.BBIPC_RING_NOTHING
    NO_SPACE = lib.BBIPC_RING_NO_SPACE
    TOO_LONG = lib.BBIPC_RING_TOO_LONG
    BROKEN = lib.BBIPC_RING_BROKEN
    INTERRUPTED = lib.BBIPC_RING_INTERRUPTED


class RingBroken(Exception):  # noqa: N818 - the state of a ring
    """What the other side wrote into the memory cannot be, so that nothing can be read or written any more."""


class Ring:
    """A ring that this process has mapped, as its producer or as its consumer.

    One thread at a time may take and wait for messages, and one may wait for room; any may put.
    """

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self._chunk = ffi.new("uint8_t[]", _CHUNK)
        self._size = ffi.new("uint64_t *")
        self._written = ffi.new("uint64_t *")

    @classmethod
    def create(cls, file: int, capacity: int) -> Ring:
        """A ring in the new file `file`, whose size is CONTROL_BYTES + `capacity`; raises OSError."""
        message = ffi.new("char[]", _MESSAGE_BYTES)
        handle = lib.bbipc_ring_new(file, capacity, message)
        if handle == ffi.NULL:
            raise OSError(ffi.string(message).decode())
        return cls(ffi.gc(handle, lib.bbipc_ring_free))

    @classmethod
    def open(cls, file: int) -> Ring | None:
        """The ring that another process has made in `file`, or None if that has not been published yet; raises OSError."""
        message = ffi.new("char[]", _MESSAGE_BYTES)
        handle = lib.bbipc_ring_open(file, os.fstat(file).st_size, message)
        if handle != ffi.NULL:
            return cls(ffi.gc(handle, lib.bbipc_ring_free))
        reason = ffi.string(message).decode()
        if reason:
            raise OSError(reason)
        return None

    def publish(self) -> None:
        """Let the other side in."""
        lib.bbipc_ring_publish(self.handle)

    def close(self) -> None:
        """Give the memory back. Nothing else may be called afterwards, and no call may be under way."""
        ffi.release(self.handle)

    @property
    def max_message(self) -> int:
        """The longest message, in bytes without its length."""
        size: int = lib.bbipc_ring_max_message(self.handle)
        return size

    def take(self) -> bytes:
        """Messages that are there, each with its length in front: some, not necessarily all; none: nothing is there.

        Raises:
            RingBroken: it is.
        """
        status = lib.bbipc_ring_take(self.handle, self._chunk, _CHUNK, self._size)
        if status == Status.NO_SPACE:
            size = self._size[0]
            large = ffi.new("uint8_t[]", size)
            status = lib.bbipc_ring_take(self.handle, large, size, self._size)
            if status == Status.OK:
                return bytes(ffi.buffer(large, self._size[0]))
        if status == Status.OK:
            return bytes(ffi.buffer(self._chunk, self._size[0]))
        if status == Status.NOTHING:
            return b""
        raise self.broken()

    def put(self, frames: bytes | bytearray | memoryview) -> int:
        """Write messages, each with its length in front, as long as there is room; how many bytes of `frames`
        were written, a whole number of messages.

        Raises:
            RingBroken: it is.
            ValueError: the first message is longer than `max_message`.
        """
        status = lib.bbipc_ring_put(self.handle, ffi.from_buffer(frames), len(frames), self._written)
        written: int = self._written[0]
        if status == Status.BROKEN:
            raise self.broken()
        if status == Status.TOO_LONG and not written:
            raise ValueError(f"a message of more than {self.max_message} bytes")
        return written

    def wait_for_data(self, milliseconds: int) -> None:
        """Sleep until there is something to take, the time is over, or interrupt() was called. Blocks the thread."""
        lib.bbipc_ring_wait_for_data(self.handle, milliseconds)

    def wait_for_room(self, length: int, milliseconds: int) -> None:
        """Sleep until there is room for a message of `length` bytes, the time is over, or interrupt() was called."""
        lib.bbipc_ring_wait_for_room(self.handle, length, milliseconds)

    def interrupt(self, *, on: bool) -> None:
        """End the sleep of another thread, and every further one until it is called with `on` False."""
        lib.bbipc_ring_interrupt(self.handle, on)

    def broken(self) -> RingBroken:
        """Why the ring cannot be used."""
        fault = lib.bbipc_ring_fault(self.handle)
        return RingBroken("not in use" if fault == ffi.NULL else ffi.string(fault).decode())

"""Cheap requests of one connection, answered by the core without a visit to Python for each (`bbipc_lane_serve`)."""

from collections.abc import Collection
from typing import NamedTuple

from bbipc._core import ffi, lib
from bbipc.chonk.cheap import COMMANDS, answer_rules
from bbipc.chonk.core import Core

__all__ = ["Lane", "Left"]


class Left(NamedTuple):
    """What has come to pass.

    Attributes:
        requests: how many were answered.
        received: bytes of these requests.
        sent: bytes of their responses.
        rest: bytes that were received, but not answered: frames, the last of which may be cut.
        unsent: the end of the last response, if it could not be sent at once.
        error: errno of reading; 0: none.
    """

    requests: int
    received: int
    sent: int
    rest: bytes
    unsent: bytes
    error: int


class Lane:
    """Serves one connection at a time. Raises OSError if the system has no descriptor for it.

    Args:
        core: the core; the setup does not matter.
        commands: those of :data:`~bbipc.chonk.cheap.COMMANDS` that may be answered.
    """

    def __init__(self, core: Core, commands: Collection[str]) -> None:
        lane = lib.bbipc_lane_new()
        if not lane:
            raise OSError("no descriptor for another lane")
        self._lane = ffi.gc(lane, lib.bbipc_lane_free)
        self._core = core
        self._left = ffi.new("bbipc_lane_left *")
        self._counts = ffi.new("uint64_t[]", len(COMMANDS))
        self._rules = answer_rules(commands)
        self._rules.plain = True

    def serve(self, receive: int, send: int, *, envelope: bool, idle: int, longest: int) -> Left:
        """Answer requests until one comes that is not to be answered here, a second one before the first is answered, or
        interrupt() is called. Blocks the thread, without Python's lock. Not for two threads at a time.

        Args:
            receive: the descriptor of a connection of which nothing is in flight: a socket, or one that does not block.
            send: where its responses go to; as well.
            envelope: whether all requests come in envelopes.
            idle: milliseconds without a request after which it ends.
            longest: milliseconds after which it ends in any case.
        """
        left = self._left
        self._rules.envelope = envelope
        lib.bbipc_lane_serve(self._lane, self._core.handle, self._rules, receive, send, idle, longest, left)
        rest, unsent = bytes(ffi.buffer(left.rest, left.rest_size)), bytes(ffi.buffer(left.unsent, left.unsent_size))
        return Left(left.requests, left.received, left.sent, rest, unsent, left.error)

    def interrupt(self, *, on: bool) -> None:
        """End serve(), also one that begins later; or no longer do so. For any thread."""
        lib.bbipc_lane_interrupt(self._lane, on)

    def take_counts(self) -> list[tuple[str, int]]:
        """The commands that were answered since the last call, and how many of each; also while a thread is in serve()."""
        lib.bbipc_lane_take_counts(self._lane, self._counts)
        return [(COMMANDS[index], count) for index, count in enumerate(ffi.unpack(self._counts, len(COMMANDS))) if count]

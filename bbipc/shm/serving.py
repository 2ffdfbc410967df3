"""Answers to cheap requests of a ring, made by the core without a visit to Python for each (`bbipc_ring_serve`)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from bbipc._core import ffi, lib
from bbipc.chonk.cheap import COMMANDS, answer_rules
from bbipc.chonk.core import Core
from bbipc.shm.files import Rings
from bbipc.shm.ring import Status

_ROOM: Final = 64 * 1024
_ANY_WORK: Final = 2**63


class Answered(NamedTuple):
    """What has come to pass.

    Attributes:
        frame: the request that was taken but not answered, with its length in front; or nothing.
        commands: the commands that were answered, and how many of each.
    """

    frame: bytes
    commands: list[tuple[str, int]]


class RingServer:
    """Answers requests of a pair of rings; not to be used by two threads at a time.

    Args:
        rings: requests are taken from one, responses put into the other.
        core: the core; the setup does not matter.
        commands: those of :data:`~bbipc.chonk.cheap.COMMANDS` that may be answered.
        envelope: whether all requests come in envelopes.
    """

    def __init__(self, rings: Rings, core: Core, commands: Collection[str], *, envelope: bool) -> None:
        self._rings = rings
        self._core = core
        self._out = ffi.new("uint8_t[]", _ROOM)
        self._size = ffi.new("uint64_t *")
        self._answered = ffi.new("bbipc_answered *")
        self._rules = answer_rules(commands, envelope=envelope)
        self._rules.max_work = _ANY_WORK

    def serve(self, *, plain: bool, in_flight: Collection[int], milliseconds: int) -> Answered:
        """Answer requests and sleep between them, until one comes that is not to be answered here, the time is over, or the
        ring of the requests is interrupted. Blocks the thread.

        Args:
            plain: whether plain requests may be answered: no earlier one waits for its response.
            in_flight: ids of requests that wait for their responses; each request is compared with all of them.
            milliseconds: how long this takes at most; a tenth of a second from the first answer on.

        A broken ring is met again by whoever uses it next.
        """
        rules, answered = self._rules, self._answered
        ids = ffi.new("uint64_t[]", list(in_flight)) if in_flight else ffi.NULL
        rules.in_flight, rules.in_flight_count = ids, len(in_flight)
        rules.plain = plain
        requests, responses = self._rings.requests.handle, self._rings.responses.handle
        status = lib.bbipc_ring_serve(
            requests, responses, self._core.handle, rules, milliseconds, self._out, _ROOM, self._size, answered
        )
        frame = bytes(ffi.buffer(self._out, self._size[0])) if status == Status.OK else b""
        counts = [(COMMANDS[index], count) for index, count in enumerate(ffi.unpack(answered.answered, len(COMMANDS))) if count]
        return Answered(frame, counts)

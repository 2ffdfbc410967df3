"""Answers to the wire's cheap requests, made by the core without a visit to Python (`bbipc_answer_frames`)."""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from bbipc._core import ffi, lib
from bbipc.chonk.core import Core

__all__ = ["COMMANDS", "MAX_PAYLOAD", "Answered", "Answerer", "answer_rules"]

COMMANDS: Final = (
    "Poseidon2Hash",
    "Poseidon2Permutation",
    "Blake2s",
    "Blake2sToField",
    "GrumpkinMul",
    "GrumpkinAdd",
    "GrumpkinReduce512",
    "Bn254FrSqrt",
    "Bn254FqSqrt",
    "Bn254G1Mul",
    "Bn254G1IsOnCurve",
    "Bn254G1FromCompressed",
    "SetMsmLegacy",
)
"""The commands, in the order of BBIPC_CHEAP_..."""
MAX_PAYLOAD: Final = 4096
"""Bytes of the longest request that is answered."""
_OUTPUT: Final = 64 * 1024


def answer_rules(commands: Collection[str], *, envelope: bool = False) -> Any:
    """What may be answered, a `bbipc_answer_rules *`: requests for these of :data:`COMMANDS`, in envelopes or not."""
    rules = ffi.new("bbipc_answer_rules *")
    rules.commands = sum(1 << index for index, name in enumerate(COMMANDS) if name in commands)
    rules.envelope = envelope
    rules.max_payload = MAX_PAYLOAD
    return rules


class Answered(NamedTuple):
    """What a run of frames has come to.

    Attributes:
        consumed: bytes of the frames that are answered.
        frames: the responses, framed.
        commands: the commands that were answered, and how many of each.
        work: what it took, in microseconds of a machine of average speed.
        more: whether the next frame might be answered as well by another call: only the bounds ended this one.
    """

    consumed: int
    frames: bytes
    commands: list[tuple[str, int]]
    work: int
    more: bool


class Answerer:
    """Answers requests; not to be used by two threads at a time.

    Args:
        core: the core; the setup does not matter.
        commands: those of :data:`COMMANDS` that may be answered.
        envelope: whether all requests come in envelopes.
    """

    __slots__ = ("_answered", "_core", "_out", "_rules")

    def __init__(self, core: Core, commands: Collection[str], *, envelope: bool = False) -> None:
        self._core = core
        self._out = ffi.new("uint8_t[]", _OUTPUT)
        self._answered = ffi.new("bbipc_answered *")
        self._rules = answer_rules(commands, envelope=envelope)

    def answer(
        self, data: bytes, start: int = 0, *, plain: bool = True, in_flight: Collection[int] = (), max_work: int = 1000
    ) -> Answered | None:
        """Answer the requests at the beginning of `data[start:]`; None if the first is not to be answered here.

        Args:
            data: frames; the last one may be cut.
            start: where they begin; the end of a frame.
            plain: whether plain requests may be answered: no earlier one waits for its response.
            in_flight: ids of requests that wait for their responses; each request is compared with all of them.
            max_work: about how many microseconds this takes at most, but for the last request.
        """
        rules, answered = self._rules, self._answered
        ids = ffi.new("uint64_t[]", list(in_flight)) if in_flight else ffi.NULL
        rules.in_flight, rules.in_flight_count = ids, len(in_flight)
        rules.plain, rules.max_work = plain, max(max_work, 1)
        frames = ffi.from_buffer("uint8_t[]", data)
        lib.bbipc_answer_frames(self._core.handle, rules, frames + start, len(data) - start, self._out, _OUTPUT, answered)
        consumed = answered.consumed
        if not consumed:
            return None
        commands = [
            (COMMANDS[index], count) for index, count in enumerate(ffi.unpack(answered.answered, len(COMMANDS))) if count
        ]
        more = answered.stopped in (lib.BBIPC_STOPPED_OUTPUT, lib.BBIPC_STOPPED_WORK)
        return Answered(consumed, bytes(ffi.buffer(self._out, answered.produced)), commands, answered.work, more)

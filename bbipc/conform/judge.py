"""What must answer the frames of one connection, and whether it did."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import msgpack

from bbipc.conform.case import Broken, broken
from bbipc.conform.messages import MALFORMED, Reply, read_id, shorten, verdict_of

__all__ = ["Expectation", "Judge", "Turn"]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must answer a frame; nothing set: any response that is well-formed.

    Attributes:
        error: an ErrorResponse.
        response: exactly this `Response`, as msgpack.
        outcomes: one of these outcomes of a verification.
    """

    error: bool = False
    response: bytes | None = None
    outcomes: tuple[str, ...] = ()

    def check(self, reply: Reply, what: str) -> None:
        """Raise Broken unless `reply` is as expected, and a response at all."""
        if reply.name == MALFORMED:
            broken(f"a response for {what}", reply)
        if self.error and not reply.is_error:
            broken(f"an ErrorResponse for {what}", reply)
        if self.response is not None and reply.response != msgpack.unpackb(self.response):
            broken(f"{shorten(str(msgpack.unpackb(self.response)))} for {what}", reply)
        if self.outcomes and verdict_of(reply) not in self.outcomes:
            broken(f"{' or '.join(self.outcomes)} for {what}", f"{verdict_of(reply)}: {reply}")

    def to_json(self) -> dict[str, Any]:
        """For a file."""
        found: dict[str, Any] = {"error": True} if self.error else {}
        if self.response is not None:
            found["response"] = self.response.hex()
        if self.outcomes:
            found["outcomes"] = list(self.outcomes)
        return found

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Expectation":
        """The reverse."""
        response = value.get("response")
        return cls(
            bool(value.get("error", False)),
            None if response is None else bytes.fromhex(response),
            tuple(map(str, value.get("outcomes", ()))),
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """One frame, what must answer it, and the number of the client that sends it."""

    payload: bytes
    note: str
    expect: Expectation = field(default_factory=Expectation)
    client: int = 0


class _Conversation:
    """The requests of one id, and how its responses can belong to them.

    Which of several requests with the same id were in flight together depends on how fast each was answered, and so does
    the order of their responses. The law is kept if some assignment gives each request a response of its own: the one that
    it expects, or an ErrorResponse, because an id already in flight is refused. The first request cannot be refused so.
    """

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self._replies: list[Reply] = []
        self._reply_of: dict[int, int] = {}  # number of a turn: number of its reply

    def take(self, reply: Reply) -> None:
        """Find a request for one more response; the responses before may have to take others."""
        if len(self._replies) == len(self.turns):
            broken(f"no (further) response with id {reply.request_id}", reply)
        self._replies.append(reply)
        if self._assign(len(self._replies) - 1, set()):
            return
        if len(self.turns) == 1:
            self.turns[0].expect.check(reply, f"id {reply.request_id}")
        broken(f"an answer to one of the {len(self.turns)} requests with id {reply.request_id}", reply)

    def _assign(self, number: int, tried: set[int]) -> bool:
        """Give a response to a request, and move the responses that are in its way (an augmenting path)."""
        for index in range(len(self.turns)):
            if index in tried or not self._fits(index, self._replies[number]):
                continue
            tried.add(index)
            if index not in self._reply_of or self._assign(self._reply_of[index], tried):
                self._reply_of[index] = number
                return True
        return False

    def _fits(self, index: int, reply: Reply) -> bool:
        if index and reply.is_error:
            return True
        try:
            self.turns[index].expect.check(reply, "")
        except Broken:
            return False
        return True


class Judge:
    """Which responses are still owed."""

    def __init__(self, turns: tuple[Turn, ...]) -> None:
        self.owed = len(turns)
        self._plain: list[Turn] = []
        self._tagged: defaultdict[int, _Conversation] = defaultdict(_Conversation)
        for turn in turns:
            request_id = read_id(turn.payload)
            (self._plain if request_id is None else self._tagged[request_id].turns).append(turn)

    def take(self, reply: Reply) -> None:
        """Hold a response against what is owed."""
        if reply.request_id is not None:
            self._tagged[reply.request_id].take(reply)
        elif self._plain:
            turn = self._plain.pop(0)
            turn.expect.check(reply, f"the plain request in turn, {turn.note}")
        else:
            broken("no further plain response", reply)
        self.owed -= 1

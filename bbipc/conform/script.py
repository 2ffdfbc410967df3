"""Conversations that can be saved and replayed: frames, how they are cut into writes, and what must come back.

A file is one JSON object::

    {"format": "bbipc-script-1", "rule": "...", "origin": "...", "setup": "test",
     "frames": [{"payload": "hex", "note": "...", "expect": {"response": "hex"}}, ...], "cuts": [3, 17, ...]}

`expect` is `{}` (any response), `{"error": true}`, `{"response": "hex of the Response"}` or
`{"outcomes": ["invalid", "error"]}`.
`cuts` are positions in the stream of all frames, lengths included, at which one write ends and the next begins.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgpack

from bbipc.conform.case import Broken, Case, broken
from bbipc.conform.lab import Lab
from bbipc.conform.messages import Reply, blake2s_request, blake2s_response, frame, read_id, shorten, verdict_of
from bbipc.conform.peer import Peer

__all__ = ["Expectation", "Script", "ScriptError", "Turn", "case_of", "play"]

FORMAT: Final = "bbipc-script-1"


class ScriptError(ValueError):
    """A file that is no script."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must answer a frame; nothing set: any response.

    Attributes:
        error: an ErrorResponse.
        response: exactly this `Response`, as msgpack.
        outcomes: one of these outcomes of a verification.
    """

    error: bool = False
    response: bytes | None = None
    outcomes: tuple[str, ...] = ()

    def check(self, reply: Reply, what: str) -> None:
        """Raise Broken unless `reply` is as expected."""
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
    """One frame and what must answer it."""

    payload: bytes
    note: str
    expect: Expectation = field(default_factory=Expectation)


@dataclass(frozen=True, slots=True)
class Script:
    """A conversation on one connection.

    Attributes:
        turns: the frames in order.
        cuts: where writes end.
        rule: the rule that a failure breaks.
        origin: how it was found.
        setup: the setup for which the outcomes are right.
    """

    turns: tuple[Turn, ...]
    cuts: tuple[int, ...] = ()
    rule: str = "Each complete request frame gets exactly one response, in its place."
    origin: str = ""
    setup: str = "test"

    @property
    def stream(self) -> bytes:
        """All frames."""
        return b"".join(frame(turn.payload) for turn in self.turns)

    def writes(self) -> list[bytes]:
        """The stream, cut."""
        stream = self.stream
        borders = [0, *sorted({cut for cut in self.cuts if 0 < cut < len(stream)}), len(stream)]
        return [stream[start:end] for start, end in pairwise(borders)]

    def save(self, path: Path) -> None:
        """Write it to a file."""
        frames = [{"payload": turn.payload.hex(), "note": turn.note, "expect": turn.expect.to_json()} for turn in self.turns]
        value = {
            "format": FORMAT,
            "rule": self.rule,
            "origin": self.origin,
            "setup": self.setup,
            "frames": frames,
            "cuts": list(self.cuts),
        }
        path.write_text(json.dumps(value, indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Script":
        """Read it from a file.

        Raises:
            ScriptError: the file holds no script.
            OSError: the file cannot be read.
        """
        try:
            value = json.loads(path.read_text())
            if value["format"] != FORMAT:
                raise ScriptError(f"{path}: format {value['format']!r}, expected {FORMAT!r}")
            turns = tuple(
                Turn(bytes.fromhex(item["payload"]), str(item["note"]), Expectation.from_json(item["expect"]))
                for item in value["frames"]
            )
            return cls(turns, tuple(map(int, value["cuts"])), str(value["rule"]), str(value["origin"]), str(value["setup"]))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, ScriptError):
                raise
            raise ScriptError(f"{path}: no script: {error!r}") from None


class _Judge:
    """Which responses are still owed."""

    def __init__(self, turns: tuple[Turn, ...]) -> None:
        self.plain: list[Turn] = []
        self.tagged: dict[int, list[Turn]] = {}
        for turn in turns:
            request_id = read_id(turn.payload)
            if request_id is None:
                self.plain.append(turn)
            else:
                self.tagged.setdefault(request_id, []).append(turn)
        self.repeated = {request_id for request_id, turns_ in self.tagged.items() if len(turns_) > 1}

    @property
    def owed(self) -> int:
        return len(self.plain) + sum(map(len, self.tagged.values()))

    def take(self, reply: Reply) -> None:
        """Hold a response against what is owed."""
        if reply.request_id is None:
            if not self.plain:
                broken("no further plain response", reply)
            turn = self.plain.pop(0)
            turn.expect.check(reply, f"the plain request in turn, {turn.note}")
            return
        turns = self.tagged.get(reply.request_id)
        if not turns:
            broken(f"no (further) response with id {reply.request_id}", reply)
        if reply.request_id not in self.repeated:
            turns.pop().expect.check(reply, f"id {reply.request_id}")
            return
        # The same id several times: which of them were in flight together depends on how fast each was answered.
        for index, turn in enumerate(turns):
            try:
                turn.expect.check(reply, "")
            except Broken:
                continue
            del turns[index]
            return
        if not reply.is_error:
            broken(f"an answer to one of the requests with id {reply.request_id}, or an ErrorResponse", reply)
        turns.pop()


async def play(script: Script, peer: Peer) -> list[Reply]:
    """Have the conversation, and hold it against the law; Broken if it is not kept. The replies in the order they came."""
    notes = Counter(turn.note for turn in script.turns)
    summary = shorten(", ".join(f"{count} x {note}" if count > 1 else note for note, count in notes.items()))
    for write in script.writes():
        await peer.send(write, f"part of: {summary}" if script.cuts else summary)
    data = peer.next_probe()
    await peer.send(blake2s_request(data), f"Blake2s {data!r}, to see whether the server goes on")
    probe = Turn(blake2s_request(data)[4:], "the probe", Expectation(response=msgpack.packb(blake2s_response(data))))
    judge = _Judge((*script.turns, probe))
    replies = []
    while judge.owed:
        replies.append(await peer.receive(f"{judge.owed} more responses"))
        judge.take(replies[-1])
    return replies[:-1] if replies[-1].response == blake2s_response(data) else replies


def case_of(script: Script, name: str) -> Case:
    """The case that replays a script."""

    async def run(lab: Lab) -> None:
        async with lab.peer() as peer:
            await play(script, peer)
            await peer.finish()

    return Case(f"replay.{name}", script.rule, script.origin or "a saved script", run)

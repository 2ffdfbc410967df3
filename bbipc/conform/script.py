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
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgpack

from bbipc.conform.case import Case
from bbipc.conform.judge import Expectation, Judge, Turn
from bbipc.conform.lab import Lab
from bbipc.conform.messages import Reply, blake2s_request, blake2s_response, frame, shorten
from bbipc.conform.peer import Peer

__all__ = ["Script", "ScriptError", "case_of", "play"]

FORMAT: Final = "bbipc-script-1"


class ScriptError(ValueError):
    """A file that is no script."""


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

    def save_in(self, directory: Path) -> Path:
        """Write it into a directory, which is made if it is not there, under a name that its frames decide."""
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"finding-{sha256(self.stream).hexdigest()[:12]}.json"
        self.save(path)
        return path

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


async def play(script: Script, peer: Peer) -> list[Reply]:
    """Have the conversation, and hold it against the law; Broken if it is not kept. The replies in the order they came."""
    notes = Counter(turn.note for turn in script.turns)
    summary = shorten(", ".join(f"{count} x {note}" if count > 1 else note for note, count in notes.items()))
    for write in script.writes():
        await peer.send(write, f"part of: {summary}" if script.cuts else summary)
    data = peer.next_probe()
    await peer.send(blake2s_request(data), f"Blake2s {data!r}, to see whether the server goes on")
    probe = Turn(blake2s_request(data)[4:], "the probe", Expectation(response=msgpack.packb(blake2s_response(data))))
    judge = Judge((*script.turns, probe))
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

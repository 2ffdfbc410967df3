"""Conversations that can be saved and replayed: frames, how they are cut into writes, and what must come back.

A file is one JSON object::

    {"format": "bbipc-script-1", "rule": "...", "origin": "...", "setup": "test",
     "frames": [{"payload": "hex", "note": "...", "expect": {"response": "hex"}}, ...], "cuts": [3, 17, ...]}

`expect` is `{}` (any response), `{"error": true}`, `{"response": "hex of the Response"}` or
`{"outcomes": ["invalid", "error"]}`.
`cuts` are positions in the stream of all frames of a client, lengths included, at which one write ends and the next begins.
With `"client": 1` and so on in frames several clients take part; `"order": [0, 1, ...]` then tells whose next write comes when.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgpack

from bbipc.conform.case import TRANSPORTS, Case
from bbipc.conform.judge import Expectation, Judge, Turn
from bbipc.conform.lab import Lab
from bbipc.conform.messages import Reply, blake2s_request, blake2s_response, frame, shorten
from bbipc.conform.peer import Peer

__all__ = ["MAX_CLIENTS", "Script", "ScriptError", "case_of", "play"]

FORMAT: Final = "bbipc-script-1"
MAX_CLIENTS: Final = 4


class ScriptError(ValueError):
    """A file that is no script."""


@dataclass(frozen=True, slots=True)
class Script:
    """A conversation on one connection, or several at the same time.

    Attributes:
        turns: the frames in order.
        cuts: where writes end.
        order: whose next write comes when; what is left is written client by client.
        rule: the rule that a failure breaks.
        origin: how it was found.
        setup: the setup for which the outcomes are right.
    """

    turns: tuple[Turn, ...]
    cuts: tuple[int, ...] = ()
    rule: str = "Each complete request frame gets exactly one response, in its place."
    origin: str = ""
    setup: str = "test"
    order: tuple[int, ...] = ()

    @property
    def clients(self) -> int:
        """How many connections it needs."""
        return 1 + max((turn.client for turn in self.turns), default=0)

    def stream(self, client: int) -> bytes:
        """All frames of a client."""
        return b"".join(frame(turn.payload) for turn in self.turns if turn.client == client)

    def writes(self) -> list[tuple[int, bytes]]:
        """The streams, cut, in the order in which they are written, with the client of each."""
        waiting = [list(self._cut(self.stream(client))) for client in range(self.clients)]
        rest = [client for client, writes in enumerate(waiting) for _ in writes]
        return [(client, waiting[client].pop(0)) for client in (*self.order, *rest) if waiting[client]]

    def _cut(self, stream: bytes) -> Iterator[bytes]:
        borders = [0, *sorted({cut for cut in self.cuts if 0 < cut < len(stream)}), len(stream)]
        return (stream[start:end] for start, end in pairwise(borders) if end > start)

    def save(self, path: Path) -> None:
        """Write it to a file."""
        frames = [
            {"payload": turn.payload.hex(), "note": turn.note, "expect": turn.expect.to_json(), "client": turn.client}
            for turn in self.turns
        ]
        value = {
            "format": FORMAT,
            "rule": self.rule,
            "origin": self.origin,
            "setup": self.setup,
            "frames": frames,
            "cuts": list(self.cuts),
            "order": list(self.order),
        }
        path.write_text(json.dumps(value, indent=1) + "\n")

    def save_in(self, directory: Path) -> Path:
        """Write it into a directory, which is made if it is not there, under a name that its frames decide."""
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"finding-{sha256(self.stream(0)).hexdigest()[:12]}.json"
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
                Turn(
                    bytes.fromhex(item["payload"]),
                    str(item["note"]),
                    Expectation.from_json(item["expect"]),
                    _count(item.get("client", 0)),
                )
                for item in value["frames"]
            )
            script = cls(
                turns,
                tuple(map(int, value["cuts"])),
                rule=str(value["rule"]),
                origin=str(value["origin"]),
                setup=str(value["setup"]),
                order=tuple(map(_count, value.get("order", ()))),
            )
            if any(client >= script.clients for client in script.order):
                raise ScriptError(f"{path}: the order names a client that sends nothing")
            return script
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, ScriptError):
                raise
            raise ScriptError(f"{path}: not a script: {error!r}") from None


def _count(value: Any) -> int:
    number = int(value)
    if not 0 <= number < MAX_CLIENTS:
        raise ValueError(f"client {number}")
    return number


async def play(script: Script, peers: Sequence[Peer]) -> list[Reply]:
    """Have the conversation, and hold it against the law; Broken if it is not kept.

    Args:
        script: the conversation.
        peers: a connection for each client.

    Returns:
        The replies to the first client in the order they came.
    """
    notes = Counter(turn.note for turn in script.turns)
    summary = shorten(", ".join(f"{count} x {note}" if count > 1 else note for note, count in notes.items()))
    for client, write in script.writes():
        await peers[client].send(write, f"part of: {summary}" if script.cuts else summary)
    judged = [await _finish(peer, script, client) for client, peer in enumerate(peers[: script.clients])]
    return judged[0]


async def _finish(peer: Peer, script: Script, client: int) -> list[Reply]:
    """Take all responses of a client; the last request that it makes shows that the server goes on."""
    data = peer.next_probe()
    await peer.send(blake2s_request(data), f"Blake2s {data!r}, to see whether the server goes on")
    probe = Turn(blake2s_request(data)[4:], "the probe", Expectation(response=msgpack.packb(blake2s_response(data))))
    judge = Judge((*(turn for turn in script.turns if turn.client == client), probe))
    replies = []
    while judge.owed:
        replies.append(await peer.receive(f"{judge.owed} more responses"))
        judge.take(replies[-1])
    return replies[:-1] if replies[-1].response == blake2s_response(data) else replies


def case_of(script: Script, name: str) -> Case:
    """The case that replays a script."""

    async def run(lab: Lab) -> None:
        more = ("--max-clients", str(MAX_CLIENTS)) if script.clients > 1 else ()
        async with lab.server(*more) as server:
            peers = [await server.connect(f"client {client}") for client in range(script.clients)]
            await play(script, peers)
            for peer in peers:
                await peer.finish()

    transports = frozenset({"socket"} if script.clients > 1 else TRANSPORTS)
    return Case(f"replay.{name}", script.rule, script.origin or "a saved script", run, transports=transports)

"""Requests that the core may answer by itself, and what the server's rules answer to them."""

from collections.abc import Collection
from random import Random

import msgpack
from hypothesis import strategies as st

from bbipc.chonk.cheap import COMMANDS, MAX_PAYLOAD
from bbipc.server.commands.kinds import Computed
from bbipc.server.commands.table import commands, decoders
from bbipc.wire.dialect import Malformed, Request, Unserved, encode_response, parse_request
from server.command_requests import compressed_points, fields, hashes, points

KNOWN = [
    *hashes(Random(1)),
    *fields(Random(2)),
    *points(Random(3)),
    *compressed_points(Random(4)),
    *(("SetMsmLegacy", {"enabled": value}) for value in (True, False)),
]
OTHERS = [
    ("Shutdown", {}),
    ("Stats", {}),
    ("GrumpkinGetRandomFr", {"dummy": 0}),
    ("NoSuchCommand", {}),
    ("CircuitProve", {"a": [1, {"b": None}]}),
]


def by_the_rules(payload: bytes, *, envelope: bool, plain: bool, in_flight: Collection[int]) -> tuple[str, bytes] | None:
    """The command and the response frame that Python gives, if it is one that the core may give."""
    parsed = parse_request(payload, decoders(), envelope=envelope)
    if isinstance(parsed, Unserved | Malformed):
        return None
    assert isinstance(parsed, Request)
    command = commands()[parsed.name]
    if not isinstance(command, Computed) or parsed.name not in COMMANDS or len(payload) > MAX_PAYLOAD:
        return None
    if (not plain) if parsed.tag is None else parsed.tag.request_id in in_flight:
        return None
    response = command.answer(parsed.fields)
    return None if response.startswith(b"\x92\xadErrorResponse") else (parsed.name, encode_response(response, parsed.tag))


def ids(envelope: bool) -> st.SearchStrategy[int]:
    edges = [1, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63, 2**64 - 1]
    return st.sampled_from(edges) | st.integers(0 if envelope else 1, 2**64 - 1)


WIDE_MAP = {count: b"\xde" + count.to_bytes(2, "big") for count in range(16)}


def pack(value: object, wide: bool) -> bytes:
    """msgpack, the maps in the form that msgpackr gives them if `wide`."""
    if isinstance(value, dict):
        head = WIDE_MAP[len(value)] if wide else bytes((0x80 | len(value),))
        return head + b"".join(pack(part, wide) for item in value.items() for part in item)
    if isinstance(value, list | tuple):
        return msgpack.Packer().pack_array_header(len(value)) + b"".join(pack(part, wide) for part in value)
    return msgpack.packb(value)


@st.composite
def payloads(draw: st.DrawFn, envelope: bool) -> bytes:
    name, arguments = draw(st.sampled_from(KNOWN) | st.sampled_from(KNOWN) | st.sampled_from(OTHERS))
    arguments = dict(draw(st.permutations(list(arguments.items()))))
    if draw(st.integers(0, 9)) == 0:
        arguments[draw(st.sampled_from(["deadline_ms", "other", "x"]))] = draw(st.sampled_from([1, None, "a", [1, 2]]))
    command = pack([name, arguments], draw(st.booleans()))
    if envelope:
        payload = draw(ids(True)).to_bytes(8, "little") + b"\x91" + command
    elif draw(st.booleans()):
        payload = b"\x91" + command
    else:
        payload = b"\x92" + msgpack.packb(draw(ids(False) | st.just(0))) + command
    if draw(st.integers(0, 4)) == 0:  # one byte other than it was, or a piece missing or repeated
        index = draw(st.integers(0, len(payload) - 1))
        kind = draw(st.integers(0, 2))
        if kind == 0:
            payload = payload[:index] + bytes((draw(st.integers(0, 255)),)) + payload[index + 1 :]
        elif kind == 1:
            payload = payload[:index] + payload[draw(st.integers(index, len(payload))) :]
        else:
            payload = payload[:index] + payload[max(0, index - draw(st.integers(1, 8))) :]
    return payload

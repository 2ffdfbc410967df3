"""Frames of the wire: which dialect, which command, which fields, and where they stop making sense."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgpack

from bbipc.client.messages import parse_answer
from bbipc.wire.dialect import Decoders, Malformed, Request, Tag, Unserved, parse_request
from bbipc.wire.errors import DecodeError
from bbipc.wire.frame import HEADER_BYTES
from bbipc.wire.schema import published

__all__ = ["MessageReport", "StreamReport", "message", "stream"]


@dataclass(frozen=True, slots=True)
class MessageReport:
    """One request or response.

    Attributes:
        offset: where its frame starts in the file; None if it came without a frame.
        size: bytes of the payload.
        direction: `request`, `response`, or `unknown` for what is neither.
        dialect: `plain`, `tagged` or `envelope`.
        request_id: None for plain ones.
        name: of the command or response; None if it cannot be read.
        fields: their values by name; empty if they cannot be read.
        problem: why it is no message; None if it is one.
    """

    offset: int | None
    size: int
    direction: str
    dialect: str
    request_id: int | None = None
    name: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class StreamReport:
    """A sequence of frames; `problem` says why it ends where it ends, None if it ends between two frames."""

    messages: tuple[MessageReport, ...]
    problem: str | None


def stream(data: bytes, *, envelope: bool = False) -> StreamReport:
    """Everything in a file of frames."""
    messages: list[MessageReport] = []
    position = 0
    while position < len(data):
        body = position + HEADER_BYTES
        if body > len(data):
            rest = len(data) - position
            return StreamReport(tuple(messages), f"byte {position}: {rest} bytes, a frame starts with {HEADER_BYTES} of length")
        end = body + int.from_bytes(data[position:body], "little")
        if end > len(data):
            missing = f"byte {position}: a frame of {end - body} bytes is announced, {len(data) - body} are there"
            return StreamReport(tuple(messages), missing)
        messages.append(message(data[body:end], offset=position, envelope=envelope))
        position = end
    return StreamReport(tuple(messages), None)


def message(payload: bytes, *, offset: int | None = None, envelope: bool = False) -> MessageReport:
    """One payload, as a request if it can be one, else as a response."""
    parsed = parse_request(payload, _decoders(), envelope=envelope)
    dialect = _dialect(parsed.tag, envelope=envelope)
    request_id = None if parsed.tag is None else parsed.tag.request_id
    if isinstance(parsed, Request):
        return MessageReport(offset, len(payload), "request", dialect, request_id, parsed.name, parsed.fields)
    if isinstance(parsed, Unserved) and not parsed.name.endswith("Response"):
        fields = dict(_arguments(parsed))
        return MessageReport(offset, len(payload), "request", dialect, request_id, parsed.name, fields)
    try:
        answer = parse_answer(payload, envelope=envelope)
        if not answer.name.endswith("Response"):
            raise DecodeError(f"{answer.name!r} is not the name of a response")
    except DecodeError as error:
        return _neither(payload, offset, parsed, str(error), dialect)
    dialect = "envelope" if envelope else "plain" if answer.request_id is None else "tagged"
    return MessageReport(offset, len(payload), "response", dialect, answer.request_id, answer.name, answer.fields)


def _neither(payload: bytes, offset: int | None, parsed: Malformed | Unserved, as_response: str, dialect: str) -> MessageReport:
    as_request = parsed.message if isinstance(parsed, Malformed) else f"no command is called {parsed.name}"
    problem = f"as a request: {as_request}; as a response: {as_response}"
    request_id = None if parsed.tag is None else parsed.tag.request_id
    return MessageReport(offset, len(payload), "unknown", dialect, request_id, problem=problem)


def _dialect(tag: Tag | None, *, envelope: bool) -> str:
    return "envelope" if envelope else "plain" if tag is None else "tagged"


def _decoders() -> Decoders:
    schema = published()
    return {name.encode(): (name, schema.command(name)) for name in schema.command_names}


def _arguments(parsed: Unserved) -> Iterator[tuple[str, Any]]:
    """The fields of a command that is not in the schema (which was checked to be well formed)."""
    try:
        fields = msgpack.unpackb(parsed.command)[1]
    except ValueError:
        return
    yield from ((str(name), value) for name, value in fields.items())

"""Requests and responses as bytes, for commands of the published schema and for all others.

Commands of the published schema are encoded and decoded by their types. Any other command (an extension of a server) is
packed as it is: its fields must be what msgpack can hold, and its response is what msgpack makes of it.
"""

from typing import Any, Final, NamedTuple

import msgpack

from bbipc.client.errors import ServerError
from bbipc.wire import cursor
from bbipc.wire.dialect import encode_command, encode_request
from bbipc.wire.errors import DecodeError, EncodeError
from bbipc.wire.schema import published
from bbipc.wire.values import Fields

__all__ = ["ERROR_RESPONSE", "Answer", "fields_of", "parse_answer", "request_frame", "response_name"]

ERROR_RESPONSE: Final = "ErrorResponse"
_OTHER_NAMES: Final = {"CircuitStats": "CircuitInfoResponse"}
_ENVELOPE_BYTES: Final = 8


class Answer(NamedTuple):
    """A response as it came. `request_id` is None if it has none, which is how plain requests are answered."""

    request_id: int | None
    name: str
    fields: Fields


def response_name(command: str) -> str:
    """The name of the response to `command`."""
    return _OTHER_NAMES.get(command, f"{command}Response")


def request_frame(command: str, fields: Fields, request_id: int | None, *, envelope: bool = False) -> bytes:
    """The frame of a request.

    Raises:
        EncodeError: the fields are not those of the command.
    """
    if published().knows(command):
        return encode_request(command, fields, request_id, envelope=envelope)
    try:
        packed: bytes = msgpack.packb([command, fields])
    except (TypeError, ValueError, OverflowError) as error:
        raise EncodeError(f"{command}: {error}") from None
    return encode_command(packed, request_id, envelope=envelope)


def fields_of(command: str, answer: Answer) -> Fields:
    """The fields of the answer to `command`.

    Raises:
        ServerError: the answer is an ErrorResponse.
    """
    if answer.name == ERROR_RESPONSE:
        raise ServerError(command, answer.fields["message"])
    return answer.fields


def parse_answer(payload: bytes, *, envelope: bool = False) -> Answer:
    """The response in a frame.

    Raises:
        DecodeError: it is none, or one whose fields are not those of the published schema.
    """
    request_id, position = _request_id(payload, envelope=envelope)
    count, position = cursor.array_header(payload, position)
    if count != 2:
        raise DecodeError(f"array of {count} elements, expected [name, map]")
    raw_name, position = cursor.text(payload, position)
    name = raw_name.decode(errors="replace")
    try:
        type_ = published().response(name)
    except KeyError:
        return Answer(request_id, name, _unpack_map(payload[position:]))
    fields, end = type_.decode(payload, position, cursor.Allowance())
    if end != len(payload):
        raise DecodeError(f"{len(payload) - end} bytes after the response")
    return Answer(request_id, name, fields)


def _request_id(payload: bytes, *, envelope: bool) -> tuple[int | None, int]:
    """The id of a response and where its `[name, map]` starts."""
    if envelope:
        if len(payload) < _ENVELOPE_BYTES:
            raise DecodeError(f"{len(payload)} bytes, expected an id of {_ENVELOPE_BYTES} bytes and a response")
        return int.from_bytes(payload[:_ENVELOPE_BYTES], "little"), _ENVELOPE_BYTES
    count, position = cursor.array_header(payload, 0)
    if count == 2 and cursor.kind_at(payload, position) == "int":
        return cursor.unsigned(payload, position)
    return None, 0


def _unpack_map(data: bytes) -> dict[str, Any]:
    try:
        value = msgpack.unpackb(data)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"fields that are not one msgpack map: {error or type(error).__name__}") from None
    if not isinstance(value, dict):
        raise DecodeError(f"{type(value).__name__} for the fields, expected map")
    return value

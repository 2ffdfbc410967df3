"""Which dialect a request frame speaks, and what it asks for.

==========  ===========================================  ==============================  =================
dialect     request payload                              response payload                order
==========  ===========================================  ==============================  =================
plain       ``[Command]``                                ``Response``                    FIFO
tagged      ``[request_id, Command]``                    ``[request_id, Response]``      completion
envelope    8-byte LE id, then a plain payload           the same id, then ``Response``  completion
==========  ===========================================  ==============================  =================

``Command`` is ``[name, map]``, ``Response`` is ``[name + "Response", map]`` or ``["ErrorResponse", {"message": str}]``.

Plain and tagged are told apart by the outermost msgpack value alone: an array of one element is plain; an array of two
whose first element is a non-negative integer, in whatever format, is tagged. No frame is both, whatever its elements
hold. The envelope cannot be told apart that way (an id may begin with any byte, so also with those of a plain request);
it is therefore never guessed but chosen for a whole server, and then every frame is one. A frame of the envelope dialect
too short for an id is answered with id 0, which is the only one left for it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgpack

from bbipc.wire import cursor
from bbipc.wire.cursor import Allowance, AllowanceSpentError
from bbipc.wire.errors import DecodeError, EncodeError
from bbipc.wire.frame import encode_frame, encode_head
from bbipc.wire.probe import PROBE
from bbipc.wire.schema import extended, published
from bbipc.wire.values import Decoder, Fields, Type

MAX_REQUEST_ID: Final = 2**64 - 1
MAX_FORWARDED_VALUES: Final = 1 << 20
"""Values allowed in the arguments of a published command that is checked for being well formed but not decoded."""
INLINE_VALUES: Final = 1 << 10
"""Values that :func:`parse_briefly` steps over in one frame."""
INLINE_ITEMS: Final = 128
"""Items of lists that it decodes in one frame; one may be a structure, which takes some ten microseconds."""
MAX_NAME: Final = 256
"""Bytes of a command's name that are looked at: no command has so long a name."""
MAX_MESSAGE: Final = 4096
"""Characters of an error message that are sent."""

_envelope_id: Final = struct.Struct("<Q")
_pack: Final[Callable[[Any], bytes]] = msgpack.Packer(autoreset=True).pack


class Tag(NamedTuple):
    """What a response carries so that its request is recognised."""

    request_id: int
    envelope: bool = False


class Request(NamedTuple):
    """A well-formed request. `tag` None: a plain one."""

    tag: Tag | None
    name: str
    fields: Fields


class Unserved(NamedTuple):
    """A well-formed request for a command without a decoder. `command` is its ``Command``, as it came."""

    tag: Tag | None
    name: str
    command: bytes


class Malformed(NamedTuple):
    """Anything else. `tag` is there if the id was readable. `probe`: it is the probe of our own clients, sent on purpose."""

    tag: Tag | None
    message: str
    probe: bool = False


Parsed = Request | Unserved | Malformed
Decoders = Mapping[bytes, tuple[str, Decoder]]


_EXPECTED: Final = "expected [Command] or [request_id, Command], where Command = [name, map]"


def parse_briefly(payload: bytes, decoders: Decoders, *, envelope: bool = False) -> Parsed | None:
    """As parse_request(), but None if it would have to step over more than :data:`INLINE_VALUES` values that nobody asked for,
    or if lists have more than :data:`INLINE_ITEMS` items: of a payload of some 64 KiB, it takes a millisecond or two."""
    allowance, forwarded = Allowance(INLINE_VALUES, INLINE_ITEMS), Allowance(INLINE_VALUES, INLINE_ITEMS)
    return _parse(payload, decoders, allowance, forwarded, envelope=envelope)


def parse_request(payload: bytes, decoders: Decoders, *, envelope: bool = False) -> Parsed:
    """What the frame `payload` asks for; `decoders` maps command names to the types of their fields. Never raises."""
    parsed = _parse(payload, decoders, Allowance(), Allowance(MAX_FORWARDED_VALUES), envelope=envelope)
    if parsed is None:
        tag = read_tag(payload, envelope=envelope)
        return Malformed(tag, "too many values in fields that are not part of the command")
    return parsed


def read_tag(payload: bytes, *, envelope: bool = False) -> Tag | None:
    """The tag of what may be a request, if there is one that can be read."""
    try:
        if envelope:
            return _read_envelope(payload)[0]
        count, position = _outer_header(payload, 0)
        return _read_tag(payload, position)[0] if count > 1 else None
    except DecodeError:
        return None


def _parse(payload: bytes, decoders: Decoders, allowance: Allowance, forwarded: Allowance, *, envelope: bool) -> Parsed | None:
    """None if the allowance does not suffice; `forwarded`: that for published commands without a decoder."""
    tag: Tag | None = None
    try:
        if envelope:
            tag, position = _read_envelope(payload)
            count, position = _outer_header(payload, position)
            if count != 1:
                raise DecodeError(f"array of {count} elements, expected [Command] after the id of the envelope")
        else:
            count, position = _outer_header(payload, 0)
            if count == 2:
                tag, position = _read_tag(payload, position)
            elif count != 1:
                tag = read_tag(payload)  # whoever wrote it waits for an answer to it
                raise DecodeError(f"array of {count} elements, {_EXPECTED}")
        return _parse_command(payload, position, tag, decoders, allowance, forwarded)
    except AllowanceSpentError:
        return None
    except DecodeError as error:
        return Malformed(tag, str(error), payload == PROBE)


def _read_envelope(payload: bytes) -> tuple[Tag, int]:
    if len(payload) < _envelope_id.size:
        return Tag(0, envelope=True), len(payload)
    return Tag(_envelope_id.unpack_from(payload)[0], envelope=True), _envelope_id.size


def _outer_header(payload: bytes, position: int) -> tuple[int, int]:
    try:
        return cursor.array_header(payload, position)
    except DecodeError as error:
        kind = cursor.kind_at(payload, position)
        raise DecodeError(str(error) if kind == "array" else f"{kind}, {_EXPECTED}") from None


def _read_tag(payload: bytes, position: int) -> tuple[Tag | None, int]:
    """The id of a tagged request; 0 means "no id"."""
    try:
        request_id, position = cursor.integral(payload, position)
    except DecodeError as error:
        kind = cursor.kind_at(payload, position)
        reason = str(error) if kind in ("nothing", "float", "int") else f"{kind}, expected an unsigned int of 1 .. 2^64-1"
        raise DecodeError(f"request_id: {reason}") from None
    return (Tag(request_id) if request_id else None), position


def _parse_command(
    payload: bytes, start: int, tag: Tag | None, decoders: Decoders, allowance: Allowance, forwarded: Allowance
) -> Request | Unserved:
    count, position = _command_header(payload, start)
    if count != 2:
        raise DecodeError(f"command: array of {count} elements, expected [name, map]")
    try:
        raw_name, position = cursor.text(payload, position)
    except DecodeError as error:
        error.within("command name")
        raise
    if len(raw_name) > MAX_NAME:
        raw_name = raw_name[:MAX_NAME]  # to decode, or to compare, all of it might take long
    known = decoders.get(raw_name)
    if known is None:
        published_name = published().knows(raw_name.decode(errors="replace"))
        return _unserved(payload, start, position, tag, raw_name, forwarded if published_name else allowance)
    name, decoder = known
    fields, position = decoder.decode(payload, position, allowance)
    _check_end(payload, position)
    return Request(tag, name, fields)


def _command_header(payload: bytes, position: int) -> tuple[int, int]:
    try:
        return cursor.array_header(payload, position)
    except DecodeError as error:
        error.within("command")
        raise


def _unserved(payload: bytes, start: int, position: int, tag: Tag | None, raw_name: bytes, allowance: Allowance) -> Unserved:
    if cursor.kind_at(payload, position) not in ("map", "nothing"):
        raise DecodeError(f"command: {cursor.kind_at(payload, position)} for the arguments, expected map")
    _check_end(payload, cursor.skip(payload, position, allowance))
    return Unserved(tag, raw_name.decode(errors="replace"), payload[start:])


def _check_end(payload: bytes, position: int) -> None:
    if position != len(payload):
        raise DecodeError(f"{len(payload) - position} bytes after the request, expected exactly one msgpack object in a frame")


# ---- Encoding -------------------------------------------------------------------------------------------------------


def encode_request(name: str, fields: Fields, request_id: int | None = None, *, envelope: bool = False) -> bytes:
    """The frame of a request for command `name` of bb or bbipc: plain without an id, else tagged, or in an envelope."""
    return encode_command(_command(name, extended().command(name), fields), request_id, envelope=envelope)


def encode_command(command: bytes, request_id: int | None = None, *, envelope: bool = False) -> bytes:
    """As encode_request(), for a ``Command`` that is already encoded."""
    if request_id is None:
        return encode_frame(b"\x91" + command)
    if not 1 - envelope <= request_id <= MAX_REQUEST_ID:
        raise EncodeError(f"request_id {request_id}, expected {1 - envelope} .. 2^64-1")
    if envelope:
        return encode_frame(_envelope_id.pack(request_id) + b"\x91" + command)
    return encode_frame(b"\x92" + _pack(request_id) + command)


def encode_response(response: bytes, tag: Tag | None = None) -> bytes:
    """The frame that carries `response` to the request with `tag`."""
    return response_head(len(response), tag) + response


def response_head(length: int, tag: Tag | None = None) -> bytes:
    """What comes in that frame before a ``Response`` of so many bytes."""
    if tag is None:
        return encode_head(length)
    head = _envelope_id.pack(tag.request_id) if tag.envelope else b"\x92" + _pack(tag.request_id)
    return encode_head(len(head) + length) + head


def response_encoder(name: str, type_: Type) -> Callable[[Fields], bytes]:
    """A function that encodes the fields of response `name` as a ``Response``."""
    head = b"\x92" + _pack(name)
    encode = type_.encode
    return lambda fields: head + encode(fields)


class ErrorResponse(bytes):
    """A ``Response`` that reports an error: who passes it on need not look into it."""

    __slots__ = ()


def error_response(message: str) -> ErrorResponse:
    """The ``Response`` that reports an error."""
    if len(message) > MAX_MESSAGE:
        message = message[: MAX_MESSAGE - 3] + "..."
    return ErrorResponse(b"\x92\xadErrorResponse\x81\xa7message" + _pack(message))


def _command(name: str, type_: Type, fields: Fields) -> bytes:
    return b"\x92" + _pack(name) + type_.encode(fields)

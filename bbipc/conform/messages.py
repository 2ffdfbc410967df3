"""Requests and responses as bytes, by means of the msgpack library alone."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2s
from typing import Any, Final

import msgpack

__all__ = [
    "ERROR",
    "MALFORMED",
    "FrameCutter",
    "Reply",
    "blake2s_request",
    "blake2s_response",
    "call",
    "command",
    "frame",
    "pack",
    "plain",
    "read_id",
    "shorten",
    "tagged",
    "verdict_of",
]

ERROR: Final = "ErrorResponse"
MALFORMED: Final = "(malformed)"


def frame(payload: bytes) -> bytes:
    """`payload` behind its length."""
    return struct.pack("<I", len(payload)) + payload


def pack(value: Any) -> bytes:
    """`value` as msgpack."""
    packed: bytes = msgpack.packb(value)
    return packed


def command(name: str, fields: Any) -> bytes:
    """A `Command`: the name and its fields."""
    return pack([name, fields])


def plain(encoded: bytes) -> bytes:
    """The payload of a plain request with an encoded `Command`."""
    return b"\x91" + encoded


def tagged(request_id: int, encoded: bytes) -> bytes:
    """The payload of a tagged request with an encoded `Command`."""
    return b"\x92" + pack(request_id) + encoded


def call(name: str, fields: Any, request_id: int | None = None) -> bytes:
    """The frame of a request."""
    encoded = command(name, fields)
    return frame(plain(encoded) if request_id is None else tagged(request_id, encoded))


def blake2s_request(data: bytes, request_id: int | None = None) -> bytes:
    """The frame of the cheapest request whose answer tells which request it answers."""
    return call("Blake2s", {"data": data}, request_id)


def blake2s_response(data: bytes) -> list[Any]:
    """What a server must answer to `blake2s_request`."""
    return ["Blake2sResponse", {"hash": blake2s(data).digest()}]


@dataclass(frozen=True, slots=True)
class Reply:
    """One response frame.

    Attributes:
        payload: its bytes, without the length.
        request_id: the id, if it is a tagged response; else None.
        name: the name of the response, or `MALFORMED`.
        fields: its map; what else came if it is malformed.
    """

    payload: bytes
    request_id: int | None = field(init=False, default=None)
    name: str = field(init=False, default=MALFORMED)
    fields: Any = field(init=False, default=None)

    def __post_init__(self) -> None:
        try:
            value = msgpack.unpackb(self.payload, strict_map_key=False)
        except (ValueError, msgpack.UnpackException) as error:
            object.__setattr__(self, "fields", f"not msgpack: {error}")
            return
        request_id = None
        if isinstance(value, list) and len(value) == 2 and type(value[0]) is int:
            request_id, value = value
        match value:
            case [str(name), dict(fields)] if name.endswith("Response"):
                object.__setattr__(self, "request_id", request_id)
                object.__setattr__(self, "name", name)
                object.__setattr__(self, "fields", fields)
            case _:
                object.__setattr__(self, "fields", value)

    @property
    def is_error(self) -> bool:
        """Whether it is an ErrorResponse with a message."""
        return self.name == ERROR and isinstance(self.fields.get("message"), str)

    @property
    def message(self) -> str:
        """The message of an ErrorResponse, else nothing."""
        return str(self.fields["message"]) if self.is_error else ""

    @property
    def response(self) -> list[Any]:
        """Name and fields."""
        return [self.name, self.fields]

    def __str__(self) -> str:
        text = shorten(f"{self.name} {_shown(self.fields)}")
        return text if self.request_id is None else f"[{self.request_id}] {text}"


def _shown(value: Any) -> str:
    """A value for people: as Python writes it, but bytes as hex digits."""
    match value:
        case dict():
            return f"{{{', '.join(f'{_shown(key)}: {_shown(item)}' for key, item in value.items())}}}"
        case list():
            return f"[{', '.join(map(_shown, value))}]"
        case bytes():
            return f"0x{value.hex()}"
    return repr(value)


def verdict_of(reply: Reply) -> str:
    """The class of an answer: "valid", "invalid", "error", or "other" for an answer without a verdict."""
    if reply.is_error:
        return "error"
    if reply.name != MALFORMED and isinstance(reply.fields.get("valid"), bool):
        return "valid" if reply.fields["valid"] else "invalid"
    return "other"


def shorten(text: str, limit: int = 300) -> str:
    """`text`, with its middle left out if it is long."""
    return text if len(text) <= limit else f"{text[: limit * 2 // 3]} ... {text[-limit // 4 :]}"


class FrameCutter:
    """Cuts a stream of responses into payloads."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that `data` completes."""
        self._buffer += data
        payloads = []
        start = 0
        while len(self._buffer) - start >= 4:
            (length,) = struct.unpack_from("<I", self._buffer, start)
            if len(self._buffer) - start < 4 + length:
                break
            payloads.append(bytes(self._buffer[start + 4 : start + 4 + length]))
            start += 4 + length
        del self._buffer[:start]
        return payloads

    @property
    def rest(self) -> bytes:
        """Bytes that are not yet a frame."""
        return bytes(self._buffer)


_NUMBERS: Final[Mapping[int, str]] = {
    0xCC: ">B",
    0xCD: ">H",
    0xCE: ">I",
    0xCF: ">Q",
    0xD0: ">b",
    0xD1: ">h",
    0xD2: ">i",
    0xD3: ">q",
    0xCA: ">f",
    0xCB: ">d",
}
"""Numbers in msgpack: their first byte, and what follows."""
_MAX_FLOAT: Final = float(1 << 53)


def read_id(payload: bytes) -> int | None:
    """The id with which a request must be answered; None if it is answered as plain.

    An array of two or more elements whose first is a number from 1 to 2^64-1 (an integral float: to 2^53) is answered with that
    id, whatever follows (docs/protocol.md section 2).
    """
    rest = _behind_array_of_more_than_one(payload)
    if not rest:
        return None
    kind, number = rest[0], rest[1:]
    if kind < 0x80:
        return kind or None
    layout = _NUMBERS.get(kind)
    if layout is None or len(number) < struct.calcsize(layout):
        return None
    (value,) = struct.unpack_from(layout, number)
    if isinstance(value, float) and (not value.is_integer() or value > _MAX_FLOAT):
        return None
    return int(value) if value >= 1 else None


def _behind_array_of_more_than_one(payload: bytes) -> bytes:
    """What follows the header of an array of two or more elements; nothing if `payload` does not begin with one."""
    for width in (0, 2, 4):
        head, rest = payload[: 1 + width], payload[1 + width :]
        if len(head) != 1 + width or not (0x90 <= head[0] < 0xA0 if width == 0 else head[0] == (0xDC if width == 2 else 0xDD)):
            continue
        count = head[0] & 0x0F if width == 0 else int.from_bytes(head[1:], "big")
        return rest if count > 1 else b""
    return b""


def as_fields(parts: Mapping[str, Sequence[bytes]], key: bytes) -> dict[str, Any]:
    """The fields of a ChonkVerify."""
    return {"proof": {name: list(words) for name, words in parts.items()}, "vk": key}

"""Strict msgpack, read one header at a time.

Every function takes the payload and a position and returns what it read and the position behind it. Nothing is
allocated from an announced size: a value is cut out of bytes that are present, and a collection is read element by
element. All raise :class:`DecodeError`.

A general msgpack library is not used for requests: it would build whatever objects the peer describes before anyone
could refuse them, and it resolves repeated keys silently.
"""

from __future__ import annotations

import struct
from typing import Final

from bbipc.wire.errors import DecodeError

MAX_DEPTH: Final = 32
"""Nesting allowed in ignored values. The schema itself needs 5."""

MAX_IGNORED_VALUES: Final = 1 << 16
"""Values allowed in one frame, all together, in fields that are not part of the schema."""
MAX_INTEGRAL_FLOAT: Final = 2**53
"""The largest float below which every integer is one, too."""
_FLOATS: Final = {0xCA: struct.Struct(">f"), 0xCB: struct.Struct(">d")}
_RECORD: Final = b"\xd4\x72"  # where msgpackr defines the keys of a record

_TRUNCATED: Final = "the msgpack object ends early: the frame is too short for what its headers announce"

# tag -> (name of its kind, bytes of its size or value)
_FIXED: Final = {
    0xC0: ("nil", 0),
    0xC2: ("bool", 0),
    0xC3: ("bool", 0),
    0xCA: ("float", 4),
    0xCB: ("float", 8),
    0xCC: ("int", 1),
    0xCD: ("int", 2),
    0xCE: ("int", 4),
    0xCF: ("int", 8),
    0xD0: ("int", 1),
    0xD1: ("int", 2),
    0xD2: ("int", 4),
    0xD3: ("int", 8),
    0xD4: ("ext", 2),
    0xD5: ("ext", 3),
    0xD6: ("ext", 5),
    0xD7: ("ext", 9),
    0xD8: ("ext", 17),
}
# tag -> (name of its kind, bytes of its length, bytes that the length does not count)
_SIZED: Final = {
    0xC4: ("bin", 1, 0),
    0xC5: ("bin", 2, 0),
    0xC6: ("bin", 4, 0),
    0xC7: ("ext", 1, 1),
    0xC8: ("ext", 2, 1),
    0xC9: ("ext", 4, 1),
    0xD9: ("str", 1, 0),
    0xDA: ("str", 2, 0),
    0xDB: ("str", 4, 0),
}
_COUNTED: Final = {0xDC: ("array", 2), 0xDD: ("array", 4), 0xDE: ("map", 2), 0xDF: ("map", 4)}


class Allowance:
    """What may still be done for one frame, so that the time for it is bounded before any is spent, whatever fields and
    structures it is spread over.

    Attributes:
        values: how many values may be stepped over, for which nobody has asked.
        items: how many items lists may have. By default as many as a frame has room for.
    """

    __slots__ = ("items", "values")

    def __init__(self, values: int = MAX_IGNORED_VALUES, items: int = 1 << 32) -> None:
        self.values, self.items = values, items

    def take_items(self, count: int) -> None:
        """There comes a list with so many items. Raises AllowanceSpentError."""
        self.items -= count
        if self.items < 0:
            raise AllowanceSpentError("too many items in lists")


class AllowanceSpentError(DecodeError):
    """There are more values to be ignored, or more items, than is allowed."""


def truncated() -> DecodeError:
    """The error of a value whose end is missing."""
    return DecodeError(_TRUNCATED)


def kind_at(data: bytes, position: int) -> str:
    """The kind of the value at `position`, for error messages: "array", "str", "int" ..."""
    if position >= len(data):
        return "nothing"
    tag = data[position]
    if tag <= 0x7F or tag >= 0xE0:
        return "int"
    if tag <= 0x8F:
        return "map"
    if tag <= 0x9F:
        return "array"
    if tag <= 0xBF:
        return "str"
    if data.startswith(_RECORD, position):
        return "record of msgpackr (its option useRecords: false makes it a map)"
    known = _FIXED.get(tag) or _SIZED.get(tag) or _COUNTED.get(tag)
    return known[0] if known else "the invalid byte 0xc1"


def _unexpected(data: bytes, position: int, expected: str) -> DecodeError:
    if position >= len(data):
        return truncated()
    return DecodeError(f"{kind_at(data, position)}, expected {expected}")


def _number(data: bytes, position: int, size: int) -> int:
    piece = data[position : position + size]
    if len(piece) != size:
        raise truncated()
    return int.from_bytes(piece, "big")


def array_header(data: bytes, position: int) -> tuple[int, int]:
    """The number of elements of the array at `position`, and the position of the first one."""
    tag = data[position] if position < len(data) else 0xC1
    if 0x90 <= tag <= 0x9F:
        return tag & 0x0F, position + 1
    if tag == 0xDC:
        return _number(data, position + 1, 2), position + 3
    if tag == 0xDD:
        return _number(data, position + 1, 4), position + 5
    raise _unexpected(data, position, "array")


def map_header(data: bytes, position: int) -> tuple[int, int]:
    """The number of entries of the map at `position`, and the position of the first key."""
    tag = data[position] if position < len(data) else 0xC1
    if 0x80 <= tag <= 0x8F:
        return tag & 0x0F, position + 1
    if tag == 0xDE:
        return _number(data, position + 1, 2), position + 3
    if tag == 0xDF:
        return _number(data, position + 1, 4), position + 5
    raise _unexpected(data, position, "map")


def text(data: bytes, position: int) -> tuple[bytes, int]:
    """The bytes of the str at `position`, not decoded."""
    tag = data[position] if position < len(data) else 0xC1
    if 0xA0 <= tag <= 0xBF:
        start = position + 1
        end = start + (tag & 0x1F)
    elif 0xD9 <= tag <= 0xDB:
        width = 1 << (tag - 0xD9)
        start = position + 1 + width
        end = start + _number(data, position + 1, width)
    else:
        raise _unexpected(data, position, "str")
    if end > len(data):
        raise truncated()
    return data[start:end], end


def binary_span(data: bytes, position: int) -> tuple[int, int]:
    """Where the content of the bin or, as from encoders older than bin, the str at `position` starts and ends."""
    tag = data[position] if position < len(data) else 0xC1
    if 0xC4 <= tag <= 0xC6:
        width = 1 << (tag - 0xC4)
    elif 0xD9 <= tag <= 0xDB:
        width = 1 << (tag - 0xD9)
    elif 0xA0 <= tag <= 0xBF:
        width = 0
    else:
        raise _unexpected(data, position, "bin")
    start = position + 1 + width
    end = start + (_number(data, position + 1, width) if width else tag & 0x1F)
    if end > len(data):
        raise truncated()
    return start, end


def unsigned(data: bytes, position: int) -> tuple[int, int]:
    """The integer at `position`, in a format of any width, signed or not; a negative one is refused."""
    tag = data[position] if position < len(data) else 0xC1
    if tag <= 0x7F:
        return tag, position + 1
    if 0xCC <= tag <= 0xD3:
        width = 1 << (tag & 3)
        value = _number(data, position + 1, width)
        if tag <= 0xCF or not value >> (8 * width - 1):
            return value, position + 1 + width
    elif tag < 0xE0:
        raise _unexpected(data, position, "unsigned int")
    raise DecodeError("a negative int, expected unsigned int")


def integral(data: bytes, position: int) -> tuple[int, int]:
    """As unsigned(), and what stands for an integer where all numbers are floats: one that is integral and at most 2^53."""
    tag = data[position] if position < len(data) else 0xC1
    if tag not in _FLOATS:
        return unsigned(data, position)
    format_ = _FLOATS[tag]
    end = position + 1 + format_.size
    if end > len(data):
        raise truncated()
    value: float = format_.unpack_from(data, position + 1)[0]
    if not (0 <= value <= MAX_INTEGRAL_FLOAT and value.is_integer()):
        raise DecodeError(f"the float {value:g}, expected an integer of 0 .. 2^53")
    return int(value), end


def boolean(data: bytes, position: int) -> tuple[bool, int]:
    """The bool at `position`."""
    tag = data[position] if position < len(data) else 0xC1
    if tag in (0xC2, 0xC3):
        return tag == 0xC3, position + 1
    raise _unexpected(data, position, "bool")


def skip(data: bytes, position: int, allowance: Allowance) -> int:
    """The position behind the value at `position`, which may be anything well formed.

    The values it is made of are taken from `allowance`, because this is the only place where time is spent on what nobody
    asked for; :data:`MAX_DEPTH` bounds its nesting.
    """
    left = allowance.values
    open_collections: list[int] = []  # values still to come in each enclosing collection
    while True:
        if left <= 0:
            allowance.values = 0
            raise AllowanceSpentError("too many values in fields that are not part of the command")
        left -= 1
        children, position = _step_over(data, position)
        if position > len(data):
            raise truncated()
        if children:
            if len(open_collections) == MAX_DEPTH:
                raise DecodeError(f"nested deeper than {MAX_DEPTH}")
            open_collections.append(children)
            continue
        while open_collections:
            open_collections[-1] -= 1
            if open_collections[-1]:
                break
            open_collections.pop()
        else:
            allowance.values = left
            return position


def _step_over(data: bytes, position: int) -> tuple[int, int]:
    """The number of values directly inside the value at `position`, and the position behind its header or, if it has
    none inside, behind itself (which may be behind the end of `data`)."""
    if position >= len(data):
        raise truncated()
    tag = data[position]
    position += 1
    if tag <= 0x7F or tag >= 0xE0:
        return 0, position
    if tag <= 0x8F:
        return 2 * (tag & 0x0F), position
    if tag <= 0x9F:
        return tag & 0x0F, position
    if tag <= 0xBF:
        return 0, position + (tag & 0x1F)
    if tag in _FIXED:
        return 0, position + _FIXED[tag][1]
    if tag in _SIZED:
        _, width, uncounted = _SIZED[tag]
        return 0, position + width + uncounted + _number(data, position, width)
    if tag in _COUNTED:
        kind, width = _COUNTED[tag]
        return _number(data, position, width) * (2 if kind == "map" else 1), position + width
    raise DecodeError("the invalid byte 0xc1")

"""Decoders and encoders of the types that occur in the published schema. Their Python values:

================================  ==========================================================================
schema                            Python
================================  ==========================================================================
field element (``fr``, ``fq``..)  bytes: 32, big-endian, below the modulus
vector or array of elements       bytes: 32 for each element
``field2`` (two elements of Fq)   bytes: 64, c0 | c1
vector or array of bytes          bytes
point structures                  bytes: x | y; all bytes 0xff is the point at infinity, as on the wire
other structures                  dict of field name -> value
other vectors                     list
``bool``, ``unsigned ..``         bool, int
``string``                        str
================================  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgpack

from bbipc.wire import cursor
from bbipc.wire.cursor import Allowance
from bbipc.wire.errors import DecodeError, EncodeError

Value = Any
"""A value of one of the types in the table above; its type is guaranteed by the decoder, not by the type checker."""

Fields = dict[str, Value]

FR_MODULUS: Final = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
FQ_MODULUS: Final = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
MODULI: Final[Mapping[str, int]] = {
    "fr": FR_MODULUS,
    "fq": FQ_MODULUS,
    "secp256k1_fq": 2**256 - 2**32 - 977,
    "secp256k1_fr": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    "secp256r1_fq": 2**256 - 2**224 + 2**192 + 2**96 - 1,
    "secp256r1_fr": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "uint256_t": 2**256,
}

WORD: Final = 32
MAX_ITEMS: Final = 1 << 16
"""Elements allowed in a vector that becomes a Python list."""
MAX_TEXT: Final = 1 << 16
"""Bytes allowed in a string: names and paths. To decode one, or to show it, takes Python's lock as long as it is."""
BLOCK: Final = 1 << 13
"""Field elements that are decoded at once: other threads get their turn in between."""
MAX_ENTRIES: Final = 256
"""Entries allowed in a map: far more than any structure has, few enough to look at."""

_BIN_WORD: Final = b"\xc4\x20"
_pack: Final[Callable[[Any], bytes]] = msgpack.Packer(autoreset=True).pack


class Decoder(Protocol):
    """What reads one type of value."""

    def decode(self, data: bytes, position: int, allowance: Allowance, /) -> tuple[Value, int]:
        """The value at `position` and the position behind it; raises DecodeError. `allowance`: that of the whole frame."""


class Type(Decoder, Protocol):
    """One type of the schema."""

    def encode(self, value: Value) -> bytes:
        """`value` in msgpack; raises EncodeError if it does not have this type."""

    def describe(self, defined: set[str], /) -> Any:
        """This type in the notation of the published schema; names in `defined` are not spelled out again."""


def _array_head(count: int) -> bytes:
    if count < 16:
        return bytes((0x90 | count,))
    return b"\xdc" + count.to_bytes(2, "big") if count < 65536 else b"\xdd" + count.to_bytes(4, "big")


def _map_head(count: int) -> bytes:
    return bytes((0x80 | count,)) if count < 16 else b"\xde" + count.to_bytes(2, "big")


def _bin_head(length: int) -> bytes:
    if length < 256:
        return bytes((0xC4, length))
    return b"\xc5" + length.to_bytes(2, "big") if length < 65536 else b"\xc6" + length.to_bytes(4, "big")


def _as_bytes(value: Value, length: int | None = None) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise EncodeError(f"{type(value).__name__}, expected bytes")
    if length is not None and len(value) != length:
        raise EncodeError(f"{len(value)} bytes, expected {length}")
    return bytes(value)


class _Bool:
    def decode(self, data: bytes, position: int, _allowance: Allowance) -> tuple[bool, int]:
        return cursor.boolean(data, position)

    def encode(self, value: Value) -> bytes:
        if not isinstance(value, bool):
            raise EncodeError(f"{type(value).__name__}, expected bool")
        return b"\xc3" if value else b"\xc2"

    def describe(self, _defined: set[str], /) -> Any:
        return "bool"


class _Unsigned:
    """``unsigned char``, ``unsigned int``, ``unsigned long``: 8, 32 and 64 bits."""

    def __init__(self, name: str, bits: int) -> None:
        self.name, self.limit = name, 1 << bits

    def decode(self, data: bytes, position: int, _allowance: Allowance) -> tuple[int, int]:
        value, end = cursor.unsigned(data, position)
        if value >= self.limit:
            raise DecodeError(f"{value}, expected an {self.name} below {self.limit}")
        return value, end

    def encode(self, value: Value) -> bytes:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < self.limit:
            raise EncodeError(f"{value!r}, expected an {self.name} below {self.limit}")
        return _pack(value)

    def describe(self, _defined: set[str], /) -> Any:
        return self.name


class _String:
    def decode(self, data: bytes, position: int, _allowance: Allowance) -> tuple[str, int]:
        raw, end = cursor.text(data, position)
        if len(raw) > MAX_TEXT:
            raise DecodeError(f"str of {len(raw)} bytes, at most {MAX_TEXT} are allowed")
        try:
            return raw.decode(), end
        except UnicodeDecodeError:
            raise DecodeError("str that is not UTF-8") from None

    def encode(self, value: Value) -> bytes:
        if not isinstance(value, str):
            raise EncodeError(f"{type(value).__name__}, expected str")
        return _pack(value)

    def describe(self, _defined: set[str], /) -> Any:
        return "string"


class _Bytes:
    """A vector of bytes, or an array of exactly `length` bytes."""

    def __init__(self, length: int | None = None) -> None:
        self.length = length

    def decode(self, data: bytes, position: int, _allowance: Allowance) -> tuple[bytes, int]:
        start, end = cursor.binary_span(data, position)
        if self.length is not None and end - start != self.length:
            raise DecodeError(f"{end - start} bytes, expected {self.length}")
        return data[start:end], end

    def encode(self, value: Value) -> bytes:
        raw = _as_bytes(value, self.length)
        return _bin_head(len(raw)) + raw

    def describe(self, _defined: set[str], /) -> Any:
        return ["vector", ["unsigned char"]] if self.length is None else ["array", ["unsigned char", self.length]]


class _Element:
    """A field element."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.modulus = MODULI[name]
        self._bound = self.modulus.to_bytes(WORD, "big") if self.modulus < 2**256 else None

    def decode(self, data: bytes, position: int, _allowance: Allowance) -> tuple[bytes, int]:
        word, end = self.decode_any(data, position)
        if self._bound is not None and word >= self._bound:
            raise self.not_canonical(word)
        return word, end

    def decode_any(self, data: bytes, position: int) -> tuple[bytes, int]:
        """As decode(), without the comparison with the modulus."""
        end = position + 2 + WORD
        if data[position : position + 2] == _BIN_WORD and end <= len(data):
            return data[position + 2 : end], end
        start, end = cursor.binary_span(data, position)
        if end - start != WORD:
            raise DecodeError(f"{end - start} bytes, expected {WORD}")
        return data[start:end], end

    def find_not_canonical(self, words: bytes) -> int | None:
        """The index of the first 32-byte word of `words` that is not below the modulus."""
        bound = self._bound
        if bound is None:
            return None
        top = bound[0]
        for index, first in enumerate(words[::WORD]):
            if first >= top and words[index * WORD : (index + 1) * WORD] >= bound:
                return index
        return None

    def not_canonical(self, word: bytes) -> DecodeError:
        return DecodeError(f"0x{word.hex()}, expected a value below the modulus of {self.name}, 0x{self.modulus:x}")

    def encode(self, value: Value) -> bytes:
        return _BIN_WORD + _as_bytes(value, WORD)

    def describe(self, _defined: set[str], /) -> Any:
        return ["alias", [self.name, "bin32"]]


class _Elements:
    """A vector, or an array of exactly `count`, field elements: 32 bytes each, one after the other."""

    def __init__(self, element: _Element, count: int | None = None) -> None:
        self.element, self.count = element, count

    def decode(self, data: bytes, position: int, _allowance: Allowance) -> tuple[bytes, int]:
        count, position = cursor.array_header(data, position)
        if self.count is not None and count != self.count:
            raise DecodeError(f"{count} elements, expected {self.count}")
        if count <= BLOCK:
            words, position = self._decode_block(data, position, 0, count)
            return words, position
        blocks = []
        for first in range(0, count, BLOCK):
            block, position = self._decode_block(data, position, first, min(BLOCK, count - first))
            blocks.append(block)
        return b"".join(blocks), position

    def _decode_block(self, data: bytes, position: int, first: int, count: int) -> tuple[bytes, int]:
        """`count` elements; `first` is the index of the first one."""
        stride = len(_BIN_WORD) + WORD
        end = position + count * stride
        # Nearly always every element has the shortest header: then the headers stand at regular distances.
        heads = data[position:end:stride], data[position + 1 : end : stride]
        if end <= len(data) and heads == (b"\xc4" * count, b"\x20" * count):
            packed = bytearray(data[position:end])
            del packed[::stride]
            del packed[:: stride - 1]
            words = bytes(packed)
        else:
            words, end = self._decode_one_by_one(data, position, first, count)
        index = self.element.find_not_canonical(words)
        if index is not None:
            error = self.element.not_canonical(words[index * WORD : (index + 1) * WORD])
            error.within(f"[{first + index}]")
            raise error
        return words, end

    def _decode_one_by_one(self, data: bytes, position: int, first: int, count: int) -> tuple[bytes, int]:
        words = bytearray()
        for index in range(first, first + count):
            try:
                word, position = self.element.decode_any(data, position)
            except DecodeError as error:
                error.within(f"[{index}]")
                raise
            words += word
        return bytes(words), position

    def encode(self, value: Value) -> bytes:
        words = _as_bytes(value, None if self.count is None else WORD * self.count)
        if len(words) % WORD:
            raise EncodeError(f"{len(words)} bytes, expected a multiple of {WORD}")
        pieces = [_array_head(len(words) // WORD)]
        for start in range(0, len(words), WORD):
            pieces += (_BIN_WORD, words[start : start + WORD])
        return b"".join(pieces)

    def describe(self, defined: set[str], /) -> Any:
        inner = self.element.describe(defined)
        return ["vector", [inner]] if self.count is None else ["array", [inner, self.count]]


class _Field2(_Elements):
    """An element of the quadratic extension of Fq, on the wire an array of two elements."""

    def __init__(self) -> None:
        super().__init__(_Element("fq"), 2)

    def describe(self, _defined: set[str], /) -> Any:
        return "field2"


class _Vector:
    """A vector whose elements become the items of a list."""

    def __init__(self, item: Type) -> None:
        self.item = item

    def decode(self, data: bytes, position: int, allowance: Allowance) -> tuple[list[Value], int]:
        count, position = cursor.array_header(data, position)
        if count > MAX_ITEMS:
            raise DecodeError(f"{count} elements, at most {MAX_ITEMS} are allowed")
        allowance.take_items(count)
        items = []
        for index in range(count):
            try:
                item, position = self.item.decode(data, position, allowance)
            except DecodeError as error:
                error.within(f"[{index}]")
                raise
            items.append(item)
        return items, position

    def encode(self, value: Value) -> bytes:
        if not isinstance(value, list | tuple):
            raise EncodeError(f"{type(value).__name__}, expected list")
        return _array_head(len(value)) + b"".join([self.item.encode(item) for item in value])

    def describe(self, defined: set[str], /) -> Any:
        return ["vector", [self.item.describe(defined)]]


KnownKeys = Mapping[bytes, tuple[str, Decoder]]
_NO_KEYS: Final[KnownKeys] = {}


def _decode_map(
    data: bytes, position: int, allowance: Allowance, name: str, known: KnownKeys, optional: KnownKeys = _NO_KEYS
) -> tuple[Fields, int]:
    """A map with the keys of `known`, and perhaps those of `optional`. Keys come in any order; unknown keys are ignored, as bb
    does; a repeated key is an error, because two parsers that resolve it differently would disagree about what was verified."""
    count, position = cursor.map_header(data, position)
    if count > MAX_ENTRIES:
        raise DecodeError(f"map of {count} entries, at most {MAX_ENTRIES} are allowed")
    fields: Fields = {}
    ignored: set[bytes] = set()
    missing = len(known)
    for _ in range(count):
        raw, position = cursor.text(data, position)
        if raw in known:
            key, type_ = known[raw]
            missing -= 1
        elif raw in optional:
            key, type_ = optional[raw]
        else:
            position = _ignore(data, position, allowance, raw, ignored)
            continue
        if key in fields:
            raise DecodeError(f"repeated key {key!r}")
        try:
            fields[key], position = type_.decode(data, position, allowance)
        except DecodeError as error:
            error.within(key)
            raise
    if missing:
        absent = next(key for key, _ in known.values() if key not in fields)
        raise DecodeError(f"missing field {absent!r} of {name}")
    return fields, position


def _ignore(data: bytes, position: int, allowance: Allowance, raw: bytes, ignored: set[bytes]) -> int:
    shown = raw[:64].decode(errors="replace")
    if raw in ignored:
        raise DecodeError(f"repeated key {shown!r}")
    ignored.add(raw)
    try:
        return cursor.skip(data, position, allowance)
    except DecodeError as error:
        error.within(shown)
        raise


class Structure:
    """A map with given keys; its value is a dict."""

    def __init__(self, name: str, types: Mapping[str, Type]) -> None:
        self.name = name
        self.types = dict(types)
        self._known: KnownKeys = {key.encode(): (key, type_) for key, type_ in types.items()}
        self._head = _map_head(len(types))
        self._keys = {key: _pack(key) for key in types}

    def decode(self, data: bytes, position: int, allowance: Allowance) -> tuple[Value, int]:
        """A dict with a value for every field of the structure."""
        return _decode_map(data, position, allowance, self.name, self._known)

    def with_optional(self, types: Mapping[str, Type]) -> Decoder:
        """A decoder for maps that may have these fields, too; its dict has them only if the map had them."""
        return _WithOptional(self.name, self._known, {key.encode(): (key, type_) for key, type_ in types.items()})

    def encode(self, value: Value) -> bytes:
        """`value` must have exactly the fields of the structure."""
        if not isinstance(value, Mapping) or value.keys() != self.types.keys():
            raise EncodeError(f"expected a {self.name} with the fields: {', '.join(self.types)}")
        pieces = [self._head]
        for key, type_ in self.types.items():
            pieces += (self._keys[key], type_.encode(value[key]))
        return b"".join(pieces)

    def describe(self, defined: set[str], /) -> Any:
        """Spelled out where it occurs first, then only named."""
        if self.name in defined:
            return self.name
        defined.add(self.name)
        return {"__typename": self.name} | {key: type_.describe(defined) for key, type_ in self.types.items()}


class _WithOptional:
    def __init__(self, name: str, known: KnownKeys, optional: KnownKeys) -> None:
        self.name = name
        self._known, self._optional = known, optional

    def decode(self, data: bytes, position: int, allowance: Allowance) -> tuple[Fields, int]:
        return _decode_map(data, position, allowance, self.name, self._known, self._optional)


class _Coordinate:
    """A coordinate not yet compared with the modulus: whether it must be canonical depends on the other coordinate."""

    def __init__(self, type_: Type) -> None:
        if isinstance(type_, _Elements):
            self.array, self.element = True, type_.element
        elif isinstance(type_, _Element):
            self.array, self.element = False, type_
        else:
            raise TypeError("a coordinate is a field element or a field2")
        self.width = 2 * WORD if self.array else WORD
        self._words = _Elements(_Element("uint256_t"), 2)

    def decode(self, data: bytes, position: int, allowance: Allowance) -> tuple[bytes, int]:
        return self._words.decode(data, position, allowance) if self.array else self.element.decode_any(data, position)

    def check_canonical(self, words: bytes) -> None:
        index = self.element.find_not_canonical(words)
        if index is not None:
            error = self.element.not_canonical(words[index * WORD : (index + 1) * WORD])
            if self.array:
                error.within(f"[{index}]")
            raise error


class _Point(Structure):
    """A structure of coordinates x and y; its value is x | y. Coordinates must be canonical, except that all bytes 0xff
    stand for the point at infinity."""

    def __init__(self, name: str, types: Mapping[str, Type]) -> None:
        super().__init__(name, types)
        self._coordinate = _Coordinate(self.types["x"])
        self._raw: KnownKeys = {b"x": ("x", self._coordinate), b"y": ("y", self._coordinate)}
        self._infinity = b"\xff" * (2 * self._coordinate.width)

    def decode(self, data: bytes, position: int, allowance: Allowance) -> tuple[bytes, int]:
        raw, position = _decode_map(data, position, allowance, self.name, self._raw)
        point: bytes = raw["x"] + raw["y"]
        if point != self._infinity:
            for key in "xy":
                try:
                    self._coordinate.check_canonical(raw[key])
                except DecodeError as error:
                    error.within(key)
                    raise
        return point, position

    def encode(self, value: Value) -> bytes:
        width = self._coordinate.width
        point = _as_bytes(value, 2 * width)
        return super().encode({"x": point[:width], "y": point[width:]})


SIMPLE: Final[Mapping[str, Type]] = {
    "bool": _Bool(),
    "string": _String(),
    "field2": _Field2(),
    "unsigned char": _Unsigned("unsigned char", 8),
    "unsigned int": _Unsigned("unsigned int", 32),
    "unsigned long": _Unsigned("unsigned long", 64),
}
"""The types that the schema calls by a name and does not define."""


def element(name: str) -> Type:
    """An element of the field `name`, a key of :data:`MODULI`."""
    return _Element(name)


def byte_string(length: int | None = None) -> Type:
    """A vector of bytes, or an array of exactly `length` bytes."""
    return _Bytes(length)


def vector(item: Type, count: int | None = None) -> Type:
    """A vector of `item`; an array of exactly `count` is possible for field elements."""
    if isinstance(item, _Element):
        return _Elements(item, count)
    if count is not None:
        raise TypeError("arrays hold field elements or bytes")
    return _Vector(item)


def structure(name: str, types: Mapping[str, Type]) -> Structure:
    """A structure; one called "...Point" has the value described for points."""
    return (_Point if name.endswith("Point") else Structure)(name, types)

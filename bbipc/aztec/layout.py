"""What a record of the protocol is made of: reading, writing and listing its leaves (chapter 15 section 1).

A record is a frozen dataclass. The annotation of each member is `Annotated[<Python type>, <kind>]`, or another record; so the
declaration of the class is the table that everything here walks over.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, Any, TypeAlias, TypeVar, dataclass_transform, get_args, get_origin

from bbipc.aztec.errors import TxFormatError
from bbipc.chonk.words import FR_MODULUS, WORD

__all__ = [
    "U32",
    "U64",
    "U128",
    "Array",
    "Bool",
    "EthAddress",
    "Field",
    "Kind",
    "Leaf",
    "Place",
    "leaves",
    "members",
    "read",
    "record",
    "size",
    "write",
]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value without parts: big-endian, and one field element among the public inputs.

    Attributes:
        name: `field`, `eth_address`, `u32`, `u64`, `u128` or `bool`.
        size: its bytes in a transaction.
        python: the type of its value. Numbers are of type int, field elements and addresses are bytes.
    """

    name: str
    size: int
    python: type


@dataclass(frozen=True, slots=True)
class Array:
    """So many values of one kind: a tuple."""

    of: Any  # Kind, but a TypeAlias cannot name itself
    count: int


FIELD = Leaf("field", WORD, bytes)

Field: TypeAlias = Annotated[bytes, FIELD]
"""An element of Fr, or an Aztec address: 32 bytes, canonical."""
EthAddress: TypeAlias = Annotated[bytes, Leaf("eth_address", 20, bytes)]
U32: TypeAlias = Annotated[int, Leaf("u32", 4, int)]
U64: TypeAlias = Annotated[int, Leaf("u64", 8, int)]
U128: TypeAlias = Annotated[int, Leaf("u128", 16, int)]
Bool: TypeAlias = Annotated[bool, Leaf("bool", 1, bool)]

Kind: TypeAlias = Leaf | Array | type
"""A leaf, an array, or the class of a record."""

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True)
def record(cls: type[_T]) -> type[_T]:
    """The decorator of a record."""
    return dataclass(frozen=True, slots=True)(cls)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a leaf is.

    Attributes:
        path: its name, for example `end.private_logs[3].length`.
        leaf: what it is.
        offset: index of its first byte, counted from the start of the record.
    """

    path: str
    leaf: Leaf
    offset: int


def members(kind: type) -> tuple[tuple[str, Kind], ...]:
    """The members of a record, in the order of its declaration: that of its bytes and of its public inputs."""
    return _members(kind)


def _list_members(kind: Any) -> tuple[tuple[str, Kind], ...]:
    return tuple((member.name, _kind(member.type)) for member in fields(kind))


def _kind(annotation: Any) -> Kind:
    if get_origin(annotation) is Annotated:
        kind: Kind = get_args(annotation)[1]
        return kind
    assert isinstance(annotation, type), annotation
    return annotation


def size(kind: Kind) -> int:
    """How many bytes a value of `kind` takes."""
    return _size(kind)


def _measure(kind: Kind) -> int:
    if isinstance(kind, Leaf):
        return kind.size
    if isinstance(kind, Array):
        return kind.count * size(kind.of)
    return sum(size(member) for _, member in members(kind))


# mypy takes no class of records for hashable, so their caches are typed by hand.
_size: Callable[[Any], int] = cache(_measure)
_members: Callable[[Any], tuple[tuple[str, Kind], ...]] = cache(_list_members)


def leaves(kind: Kind, path: str = "", offset: int = 0) -> Iterator[Place]:
    """All leaves of `kind`, in order."""
    if isinstance(kind, Leaf):
        yield Place(path, kind, offset)
    elif isinstance(kind, Array):
        for index in range(kind.count):
            yield from leaves(kind.of, f"{path}[{index}]", offset + index * size(kind.of))
    else:
        for name, member in members(kind):
            yield from leaves(member, f"{path}.{name}" if path else name, offset)
            offset += size(member)


def read(kind: Kind, data: bytes, offset: int = 0) -> Any:
    """The value of `kind` whose bytes start at `offset`. They must be there; elements are not checked to be canonical."""
    if isinstance(kind, Leaf):
        return _read_leaf(kind, data[offset : offset + kind.size])
    if isinstance(kind, Array):
        step = size(kind.of)
        return tuple(read(kind.of, data, offset + index * step) for index in range(kind.count))
    values = []
    for _, member in members(kind):
        values.append(read(member, data, offset))
        offset += size(member)
    return kind(*values)


def _read_leaf(leaf: Leaf, data: bytes) -> bytes | int:
    if leaf.python is bytes:
        return data
    number = int.from_bytes(data, "big")
    return bool(number) if leaf.python is bool else number


def write(kind: Kind, value: Any, path: str = "") -> bytes:
    """The bytes of a value.

    Raises:
        TxFormatError: a value is of a wrong type, size or count, out of range, or not canonical.
    """
    if isinstance(kind, Leaf):
        return _write_leaf(kind, value, path)
    if isinstance(kind, Array):
        if not isinstance(value, tuple | list) or len(value) != kind.count:
            found = f"{len(value)} values" if isinstance(value, tuple | list) else type(value).__name__
            raise TxFormatError.at(path, None, f"{found}, expected a tuple of {kind.count}")
        return b"".join([write(kind.of, item, f"{path}[{index}]") for index, item in enumerate(value)])
    if type(value) is not kind:
        raise TxFormatError.at(path, None, f"{type(value).__name__}, expected {kind.__name__}")
    return b"".join([write(member, getattr(value, name), f"{path}.{name}" if path else name) for name, member in members(kind)])


def _write_leaf(leaf: Leaf, value: Any, path: str) -> bytes:
    found = type(value)
    if found is not leaf.python:
        raise TxFormatError.at(path, None, f"{found.__name__}, expected {leaf.python.__name__}")
    return _written_bytes(leaf, value, path) if leaf.python is bytes else _written_number(leaf, value, path)


def _written_number(leaf: Leaf, number: int, path: str) -> bytes:
    if not 0 <= number < 1 << (8 * leaf.size):
        raise TxFormatError.at(path, None, f"{number} is not a {leaf.name}")
    return number.to_bytes(leaf.size, "big")


def _written_bytes(leaf: Leaf, data: bytes, path: str) -> bytes:
    if len(data) != leaf.size:
        raise TxFormatError.at(path, None, f"{len(data)} bytes, expected {leaf.size}")
    if leaf is FIELD and int.from_bytes(data, "big") >= FR_MODULUS:
        raise TxFormatError.at(path, None, "non-canonical field element: value >= the modulus of Fr")
    return data

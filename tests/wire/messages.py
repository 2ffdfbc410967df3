"""Strategies for msgpack values and for what may come over the wire."""

import struct
from typing import Any

import msgpack
from hypothesis import strategies as st

from bbipc.wire.schema import published

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=40),
    st.binary(max_size=80),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.one_of(st.text(max_size=10), st.integers(-5, 300)), inner, max_size=5)
    ),
    max_leaves=20,
)
request_ids = st.one_of(st.integers(1, 300), st.sampled_from([2**16, 2**32, 2**63, 2**64 - 1]), st.integers(1, 2**64 - 1))
names = st.one_of(st.sampled_from(published().command_names), st.text(max_size=20))
commands = st.tuples(names, st.dictionaries(st.text(max_size=10), values, max_size=4)).map(list)


def pack(value: Any) -> bytes:
    packed: bytes = msgpack.packb(value)
    return packed


@st.composite
def wide_ids(draw: st.DrawFn) -> tuple[int, bytes]:
    """An id and one of its encodings: unsigned, signed, or a float."""
    request_id = draw(request_ids)
    widths = [(tag, size) for tag, size in ((0xCC, 1), (0xCD, 2), (0xCE, 4), (0xCF, 8)) if request_id < 256**size]
    encodings = [bytes([tag]) + request_id.to_bytes(size, "big") for tag, size in widths]
    encodings += [
        bytes([tag + 4]) + number
        for (tag, size), number in ((pair, request_id.to_bytes(pair[1], "big")) for pair in widths)
        if not number[0] & 0x80
    ]
    encodings += [struct.pack(">Bd", 0xCB, request_id)] if request_id <= 2**53 else []
    encodings += [struct.pack(">Bf", 0xCA, request_id)] if request_id <= 2**24 else []
    if request_id < 128:
        encodings.append(bytes([request_id]))
    return request_id, draw(st.sampled_from(encodings))


def array_heads(count: int) -> st.SearchStrategy[bytes]:
    """The three encodings of the header of an array of `count`, which is below 16."""
    return st.sampled_from([bytes([0x90 | count]), b"\xdc" + count.to_bytes(2, "big"), b"\xdd" + count.to_bytes(4, "big")])


@st.composite
def mutated(draw: st.DrawFn, original: st.SearchStrategy[bytes]) -> bytes:
    """A payload with some bytes changed, cut, inserted or repeated."""
    data = bytearray(draw(original))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 3)):
            case 0 if at < len(data):
                data[at] = draw(st.integers(0, 255))
            case 1:
                del data[at : at + draw(st.integers(1, 8))]
            case 2:
                data[at:at] = draw(st.binary(min_size=1, max_size=8))
            case _:
                data[at:at] = data[at : at + 8]
    return bytes(data)

"""The judge reads ids by code of its own, and the same as the server."""

from hypothesis import example, given
from hypothesis import strategies as st

from bbipc.conform.messages import read_id
from bbipc.wire.dialect import read_tag

HEADS = [
    b"",
    b"\x90",
    b"\x91",
    b"\x92",
    b"\x93",
    b"\x9f",
    b"\xdc\x00\x01",
    b"\xdc\x00\x02",
    b"\xdd\x00\x00\x00\x05",
    b"\xdd\x00\x00",
]
FIRST = st.sampled_from([0x00, 0x01, 0x7F, 0x80, 0xC0, *range(0xCA, 0xD4), 0xE0, 0xFF]).map(lambda byte: bytes((byte,)))


@given(st.sampled_from(HEADS), st.just(b"") | FIRST, st.binary(max_size=9))
@example(b"\x93", b"\xcb", b"\x43\x40" + bytes(6))  # 2^53
@example(b"\x93", b"\xcb", b"\x43\x40" + bytes(5) + b"\x01")
@example(b"\x92", b"\xcb", b"\x7f\xf8" + bytes(6))
@example(b"\x92", b"\xcf", b"\xff" * 8)
@example(b"\x92", b"\xd3", b"\xff" * 8)
def test_the_judge_and_the_server_read_the_same_ids(head: bytes, first: bytes, rest: bytes) -> None:
    payload = head + first + rest
    tag = read_tag(payload)
    assert read_id(payload) == (None if tag is None else tag.request_id)

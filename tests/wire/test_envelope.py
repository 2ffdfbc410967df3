"""The dialect of a connection is found out from its first frame, whatever the ids are."""

import msgpack
from hypothesis import given, settings
from hypothesis import strategies as st

from bbipc.wire.envelope import MIN_NAME, is_envelope
from bbipc.wire.schema import extended

NAMES = st.sampled_from(extended().command_names)
COMMANDS = st.builds(lambda name: msgpack.packb([name, {}]), NAMES)
BEGINNINGS = st.sampled_from(
    [
        b"",
        b"\x91",
        b"\x92",
        b"\x91\x92",
        b"\x92\x01\x92",
        b"\x91\x92\xa5Stats",
        b"\x91\x92\xa7Blake2s"[:8],
        b"\x92\xcb",
        b"\x92\xcf",
        b"\x92\xa7",
        b"\x92\xc4\x06",
        b"\x92\xc7\x05",
        b"\x92\xd9\x06",
        b"\x92\x91\xa6",
        b"\x92\x91\x91\x91",
        b"\x92\xce\0\0\0\0\x92",
        b"\x92\xcd\0\0\x92",
        b"\x92\x01",
    ]
)
IDS = st.builds(lambda start, rest: (start + rest)[:8], BEGINNINGS, st.binary(min_size=8, max_size=8))


@settings(max_examples=1000)
@given(request_id=IDS, command=COMMANDS)
def test_an_envelope_is_recognised_whatever_its_id(request_id: bytes, command: bytes) -> None:
    assert is_envelope(request_id + b"\x91" + command)


@given(command=COMMANDS, request_id=st.integers(1, 2**64 - 1))
def test_plain_and_tagged_requests_are_none(command: bytes, request_id: int) -> None:
    assert not is_envelope(b"\x91" + command)
    assert not is_envelope(b"\x92" + msgpack.packb(request_id) + command)


@given(data=st.binary(max_size=64))
def test_what_is_neither_is_taken_for_plain(data: bytes) -> None:
    assert not is_envelope(data) or data[8:9] in (b"\x91", b"\xdc", b"\xdd")


def test_names_are_long_enough_and_ascii() -> None:
    assert all(len(name) >= MIN_NAME and name.isascii() for name in extended().command_names)

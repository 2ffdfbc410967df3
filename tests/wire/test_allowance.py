"""The work for what nobody asked for is bounded for a whole frame: counted in values stepped over, and in bytes kept."""

import struct
import tracemalloc
from io import BytesIO
from typing import Any

import msgpack
import pytest

from bbipc.server.commands.table import decoders
from bbipc.server.config import MIB
from bbipc.wire import cursor
from bbipc.wire.cursor import MAX_IGNORED_VALUES
from bbipc.wire.dialect import INLINE_ITEMS, MAX_NAME, Malformed, Request, Tag, Unserved, parse_briefly, parse_request
from bbipc.wire.frame import Discarded, Frame, FrameReader, encode_frame

HASH = {"data": b"abc"}
WIDE = [0] * (MAX_IGNORED_VALUES - 2)
PROOF: dict[str, Any] = {part: [] for part in ("hiding_oink_proof", "merge_proof", "eccvm_proof", "ipa_proof", "joint_proof")}


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One item for each value that is stepped over."""
    counted: list[int] = []
    step_over = cursor._step_over

    def count(data: bytes, position: int) -> tuple[int, int]:
        counted.append(position)
        return step_over(data, position)

    monkeypatch.setattr(cursor, "_step_over", count)
    return counted


def wide_fields(count: int) -> dict[str, Any]:
    return {f"x{index}": WIDE for index in range(count)}


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["Blake2s", wide_fields(255) | HASH], id="in one map"),
        pytest.param(
            ["ChonkBatchVerify", {"vks": [], "proofs": [PROOF | wide_fields(4) for _ in range(200)]}], id="in inner maps"
        ),
        pytest.param(["NoSuchCommand", {"x": [0] * 1_000_000}], id="of an unknown command"),
    ],
)
def test_one_allowance_for_a_frame(steps: list[int], command: list[Any]) -> None:
    parsed = parse_request(msgpack.packb([7, command]), decoders())
    assert isinstance(parsed, Malformed)
    assert parsed.tag == Tag(7)
    assert "too many values" in parsed.message
    assert len(steps) <= MAX_IGNORED_VALUES


def test_what_the_allowance_suffices_for_is_accepted(steps: list[int]) -> None:
    payload = msgpack.packb([7, ["Blake2s", {"x": WIDE} | HASH]])
    assert parse_request(payload, decoders()) == Request(Tag(7), "Blake2s", HASH)
    del steps[:]
    assert parse_briefly(payload, decoders()) is None
    assert len(steps) <= 1024
    assert parse_briefly(msgpack.packb([["Blake2s", {"x": [0] * 1000} | HASH]]), decoders()) == Request(None, "Blake2s", HASH)


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("parse", [parse_briefly, parse_request])
def test_a_command_is_a_name_and_a_map(parse: Any, count: int) -> None:
    parsed = parse(msgpack.packb([7, ["Blake2s", HASH, {}][:count]]), decoders())
    assert isinstance(parsed, Malformed)
    assert parsed.tag == Tag(7)
    assert f"command: array of {count} elements, expected [name, map]" in parsed.message


def test_small_pieces_of_a_frame_take_one_buffer() -> None:
    payload = bytes(range(256)) * 1000
    reader = FrameReader()
    stream = encode_frame(payload)
    tracemalloc.start()
    try:
        for start in range(0, len(stream) - 2, 2):
            assert not list(reader.feed(stream[start : start + 2]))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reader.held == len(payload) - 2
    assert taken < 1.25 * reader.held + 4096
    (frame,) = reader.feed(stream[-2:])
    assert frame == (payload,)
    assert reader.held == 0


def test_a_large_frame_is_not_copied_when_it_is_complete() -> None:
    """A copy would keep everybody waiting for tens of milliseconds, and take as much memory again."""
    size, piece = 8 * MIB, bytes(65536)
    reader = FrameReader()
    tracemalloc.start()
    try:
        assert not list(reader.feed(struct.pack("<I", size)))
        for _ in range(size // len(piece) - 1):
            assert not list(reader.feed(piece))
        tracemalloc.reset_peak()
        (frame,) = reader.feed(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(frame, Frame)
    assert len(frame.payload) == size
    assert peak < size + size // 4


def test_no_memory_for_a_frame_costs_only_that_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(BytesIO):
        def write(self, _: Any) -> int:
            raise MemoryError

    reader = FrameReader()
    list(reader.feed(encode_frame(b"x" * 100)[:50]))
    reader._body = Full()
    assert list(reader.feed(b"x" * 54 + encode_frame(b"next"))) == [Discarded(100), (b"next",)]


@pytest.mark.parametrize(
    ("proofs", "keys"), [(INLINE_ITEMS + 1, 0), (0, INLINE_ITEMS + 1), (INLINE_ITEMS // 2, INLINE_ITEMS // 2 + 1)]
)
def test_items_of_lists_are_counted_for_a_whole_frame(proofs: int, keys: int) -> None:
    """A key takes two bytes, so that a short frame may have very many."""
    payload = msgpack.packb([7, ["ChonkBatchVerify", {"proofs": [PROOF] * proofs, "vks": [b""] * keys}]])
    assert parse_briefly(payload, decoders()) is None
    assert isinstance(parse_request(payload, decoders()), Request)
    fewer = msgpack.packb(
        [7, ["ChonkBatchVerify", {"proofs": [PROOF] * (proofs - (proofs > 0)), "vks": [b""] * (keys - (keys > 0))}]]
    )
    assert isinstance(parse_briefly(fewer, decoders()), Request)


def test_only_the_beginning_of_a_long_name_is_looked_at() -> None:
    for length in (MAX_NAME - 1, MAX_NAME, MAX_NAME + 1, 8 * MIB):
        payload = msgpack.packb([7, ["Blake2s" + "x" * (length - 7), HASH]])
        parsed = parse_request(payload, decoders())
        assert isinstance(parsed, Unserved)
        assert parsed.tag == Tag(7)
        assert len(parsed.name) == min(length, MAX_NAME)

"""Frames out of a stream of bytes."""

import tracemalloc

import pytest

from bbipc.wire.frame import Discarded, Event, Frame, FrameReader, Oversized, Truncated, encode_frame


def feed_all(reader: FrameReader, data: bytes, step: int) -> list[Event]:
    return [event for start in range(0, len(data), step) for event in reader.feed(data[start : start + step])]


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 1000])
def test_any_chunks_give_the_same_frames(step: int) -> None:
    payloads = [b"", b"a", b"bc" * 50, b"", bytes(range(256))]
    reader = FrameReader()
    assert feed_all(reader, b"".join(map(encode_frame, payloads)), step) == [Frame(payload) for payload in payloads]
    assert reader.end() is None
    assert reader.held == 0


@pytest.mark.parametrize("step", [1, 4, 100])
def test_a_length_over_the_limit_ends_the_stream(step: int) -> None:
    reader = FrameReader(max_frame_bytes=10)
    data = encode_frame(b"x" * 10) + encode_frame(b"y" * 11) + encode_frame(b"z")
    assert feed_all(reader, data, step) == [Frame(b"x" * 10), Oversized(11, 10)]
    assert reader.end() is None


@pytest.mark.parametrize(
    ("cut", "truncated"), [(1, Truncated(1, None)), (3, Truncated(3, None)), (4, Truncated(4, 9)), (8, Truncated(8, 9))]
)
def test_the_end_inside_a_frame(cut: int, truncated: Truncated) -> None:
    reader = FrameReader()
    assert list(reader.feed(encode_frame(b"first") + encode_frame(b"12345")[:cut])) == [Frame(b"first")]
    assert reader.end() == truncated


@pytest.mark.parametrize("step", [1, 3, 100])
def test_a_discarded_frame_costs_nothing_and_loses_nothing_else(step: int) -> None:
    reader = FrameReader()
    assert list(reader.feed(encode_frame(b"x" * 100)[:30])) == []
    assert reader.held == 26
    reader.discard()
    assert reader.held == 0
    rest = encode_frame(b"x" * 100)[30:] + encode_frame(b"next")
    assert feed_all(reader, rest, step) == [Discarded(100), Frame(b"next")]


def test_discard_between_frames_does_nothing() -> None:
    reader = FrameReader()
    reader.discard()
    assert list(reader.feed(encode_frame(b"a"))) == [Frame(b"a")]


def test_memory_follows_the_bytes_received() -> None:
    reader = FrameReader(max_frame_bytes=2**32 - 1)
    tracemalloc.start()
    try:
        assert list(reader.feed(b"\xff\xff\xff\xff" + b"abc")) == []
        assert reader.held == 3
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()


def test_events_are_lazy() -> None:
    reader = FrameReader()
    events = reader.feed(encode_frame(b"a") + encode_frame(b"b"))
    assert next(events) == Frame(b"a")
    assert next(events) == Frame(b"b")
    assert next(events, None) is None


def test_messages() -> None:
    assert str(Oversized(11, 10)) == "frame of 11 bytes announced, the limit is 10"
    assert str(Truncated(2, None)) == "input ended inside the length of a frame: 2 bytes of 4"
    assert str(Truncated(6, 9)) == "input ended inside a frame: 6 bytes of 9"

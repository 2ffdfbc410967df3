"""The codec: any chunks, any payloads."""

from itertools import pairwise

import msgpack
from hypothesis import example, given
from hypothesis import strategies as st

from bbipc.client.messages import parse_answer
from bbipc.server.commands.table import commands as served
from bbipc.server.commands.table import decoders
from bbipc.wire.dialect import (
    Malformed,
    Request,
    Tag,
    Unserved,
    encode_request,
    encode_response,
    error_response,
    parse_request,
)
from bbipc.wire.errors import DecodeError
from bbipc.wire.frame import Discarded, Event, Frame, FrameReader, Oversized, encode_frame
from bbipc.wire.schema import extended
from bbipc.wire.values import MODULI
from wire.messages import array_heads, commands, mutated, names, pack, request_ids, values, wide_ids

DECODERS = decoders()


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    borders = sorted({0, len(data), *(at % (len(data) + 1) for at in cuts)})
    return [data[start:end] for start, end in pairwise(borders)] or [b""]


@given(st.lists(st.binary(max_size=200), max_size=10), st.lists(st.integers(0, 3000)))
def test_frames_survive_any_chunks(payloads: list[bytes], cuts: list[int]) -> None:
    reader = FrameReader()
    stream = b"".join(map(encode_frame, payloads))
    events = [event for chunk in cut(stream, cuts) for event in reader.feed(chunk)]
    assert events == [Frame(payload) for payload in payloads]
    assert reader.held == 0
    assert reader.end() is None


@given(st.binary(max_size=300), st.lists(st.integers(0, 300)), st.integers(0, 100))
def test_any_bytes_mean_the_same_in_any_chunks(stream: bytes, cuts: list[int], limit: int) -> None:
    def read(chunks: list[bytes]) -> tuple[list[Event], object]:
        reader = FrameReader(limit)
        events = [event for chunk in chunks for event in reader.feed(chunk)]
        assert reader.held <= len(stream)
        return events, reader.end()

    whole, pieces = read([stream]), read(cut(stream, cuts))
    assert whole == pieces
    assert all(isinstance(event, Frame) for event in whole[0][:-1])  # nothing follows an Oversized
    if whole[0] and isinstance(whole[0][-1], Oversized):
        assert whole[1] is None


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=8), st.integers(0, 400))
def test_a_frame_that_is_given_up_loses_nothing_else(payloads: list[bytes], at: int) -> None:
    stream = b"".join(map(encode_frame, payloads))
    at %= len(stream)
    reader = FrameReader()
    events = list(reader.feed(stream[:at]))
    inside = reader.held > 0 or (reader.end() is not None and reader.end().expected is not None)  # type: ignore[union-attr]
    reader.discard()
    assert reader.held == 0
    before = len(events)
    events += reader.feed(stream[at:])
    expected: list[Event] = [Frame(payload) for payload in payloads]
    if inside:
        expected[before] = Discarded(len(payloads[before]))
    assert events == expected


@given(array_heads(1), commands)
def test_well_formed_plain_frames_are_recognised(head: bytes, command: list[object]) -> None:
    parsed = parse_request(head + pack(command), {})
    assert isinstance(parsed, Unserved)
    assert parsed.tag is None
    assert parsed.name == command[0]
    assert parsed.command == pack(command)


@given(array_heads(2), wide_ids(), commands)
def test_well_formed_tagged_frames_are_recognised(head: bytes, request_id: tuple[int, bytes], command: list[object]) -> None:
    number, encoding = request_id
    parsed = parse_request(head + encoding + pack(command), {})
    assert isinstance(parsed, Unserved)
    assert parsed.tag == Tag(number)
    assert parsed.name == command[0]
    assert parsed.command == pack(command)


ZEROS = [b"\0", *(bytes((tag,)) + bytes(1 << (tag & 3)) for tag in range(0xCC, 0xD4)), b"\xca" + bytes(4), b"\xcb" + bytes(8)]


@given(array_heads(2), st.sampled_from(ZEROS), commands)
def test_id_zero_is_no_id(head: bytes, zero: bytes, command: list[object]) -> None:
    parsed = parse_request(head + zero + pack(command), {})
    assert isinstance(parsed, Unserved)
    assert parsed.tag is None


@given(values)
@example([])
@example([5])
@example([["Blake2s", {}], 5])
@example([True, ["Blake2s", {}]])
@example([-1, ["Blake2s", {}]])
@example([1.0, ["Blake2s", {}]])
@example(["1", ["Blake2s", {}]])
@example([1, ["Blake2s", {}], 2])
def test_every_other_value_is_one_error(value: object) -> None:
    parsed = parse_request(pack(value), DECODERS)
    if isinstance(parsed, Malformed):
        number = value[0] if isinstance(value, list) and len(value) >= 2 else None
        readable = type(number) is int and number > 0
        readable |= isinstance(number, float) and number.is_integer() and 1 <= number <= 2**53
        assert (parsed.tag is not None) == readable
        assert parsed.message
    else:  # then it has the shape of a request
        assert isinstance(value, list)
        assert len(value) == 1 or type(value[0]) in (int, float)
        assert isinstance(value[-1], list)
        assert isinstance(value[-1][0], str)


@given(st.binary(max_size=100))
def test_any_bytes_give_exactly_one_result(payload: bytes) -> None:
    for envelope in (False, True):
        parsed = parse_request(payload, DECODERS, envelope=envelope)
        if not isinstance(parsed, Malformed):
            # What is accepted is exactly one msgpack object (behind its envelope).
            msgpack.unpackb(payload[8 * envelope :], raw=True, strict_map_key=False)


def typed(name: str) -> st.SearchStrategy[bytes]:
    """Well-formed requests for a command that is served, with values of the right types as far as the schema can say."""
    spelled = extended().describe((name,))["commands"][1][0][1]
    return of_type(spelled, {}).map(lambda fields: pack([[name, fields]]))


def of_type(spelling: object, known: dict[str, object]) -> st.SearchStrategy[object]:
    if isinstance(spelling, dict):
        known[spelling["__typename"]] = spelling
        return st.fixed_dictionaries({key: of_type(value, known) for key, value in spelling.items() if key != "__typename"})
    if isinstance(spelling, list):
        kind, arguments = spelling
        if kind == "alias":
            return st.integers(0, MODULI[arguments[0]] - 1).map(lambda number: number.to_bytes(32, "big"))
        if arguments[0] == "unsigned char":
            size = arguments[1] if kind == "array" else None
            return st.binary(min_size=size or 0, max_size=size or 40)
        item = of_type(arguments[0], known)
        return st.lists(item, min_size=arguments[1] if kind == "array" else 0, max_size=arguments[1] if kind == "array" else 4)
    simple = {
        "bool": st.booleans(),
        "string": st.text(max_size=20),
        "field2": of_type(["array", [["alias", ["fq", "bin32"]], 2]], known),
        "unsigned char": st.integers(0, 255),
        "unsigned int": st.integers(0, 2**32 - 1),
        "unsigned long": st.integers(0, 2**64 - 1),
    }
    return simple[str(spelling)] if spelling in simple else of_type(known[str(spelling)], known)


served_requests = st.sampled_from(sorted(served())).flatmap(typed)


@given(served_requests)
def test_typed_requests_are_decoded_and_encoded_again(payload: bytes) -> None:
    parsed = parse_request(payload, DECODERS)
    assert isinstance(parsed, Request)
    assert parse_request(encode_request(parsed.name, parsed.fields)[4:], DECODERS) == parsed


@given(mutated(served_requests))
def test_mutated_requests_are_errors_or_say_the_same_to_msgpack(payload: bytes) -> None:
    """What our reader accepts, a general msgpack reader understands alike: there is no second meaning."""
    parsed = parse_request(payload, DECODERS)
    if not isinstance(parsed, Request):
        return
    outer = msgpack.unpackb(payload, raw=True, strict_map_key=False)
    command = outer[-1]
    assert command[0].decode() == parsed.name
    for key, value in parsed.fields.items():
        assert key.encode() in command[1]
        seen = command[1][key.encode()]
        if isinstance(seen, bytes) and isinstance(value, bytes):
            assert seen == value
        elif isinstance(seen, list) and isinstance(value, bytes):
            assert b"".join(seen) == value


@given(request_ids, st.text(max_size=6000))
def test_error_responses_round_trip(request_id: int, message: str) -> None:
    sent = encode_response(error_response(message), Tag(request_id))
    response = parse_answer(sent[4:])
    assert response.request_id == request_id
    assert response.name == "ErrorResponse"
    assert response.fields["message"] == message or len(message) > 4096
    assert len(response.fields["message"]) <= 4096
    enveloped = encode_response(error_response(message), Tag(request_id, envelope=True))
    assert parse_answer(enveloped[4:], envelope=True) == response
    assert parse_answer(error_response(message)).request_id is None


@given(st.one_of(st.binary(max_size=60), values.map(pack)))
def test_responses_of_a_malicious_server_are_errors(payload: bytes) -> None:
    try:
        response = parse_answer(payload)
    except DecodeError as error:
        assert str(error)  # noqa: PT017 - most examples raise, some do not
    else:
        assert isinstance(response.fields, dict)


@given(names, st.integers(0, 2**64 - 1))
def test_envelopes(name: str, request_id: int) -> None:
    payload = request_id.to_bytes(8, "little") + pack([[name, {}]])
    parsed = parse_request(payload, {}, envelope=True)
    assert isinstance(parsed, Unserved)
    assert parsed.tag == Tag(request_id, envelope=True)
    assert parsed.name == name

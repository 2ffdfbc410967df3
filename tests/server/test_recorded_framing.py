"""What was recorded from bb, frame by frame: here every complete frame gets exactly one response, and what bb answers is
answered alike."""

import struct

import msgpack
import pytest

from recorded import recordings
from server.live import Peer, frame, is_error, plain, tagged

FRAMING = recordings("framing")
SHAPES = recordings("msgpack_shape")
SOCKET = recordings("socket")

# These end the input, or the server: they have tests of their own in test_life_cycle.py.
OWN_TESTS = {
    "big_endian_length", "eof_at_once", "eof_in_body", "eof_in_length", "huge_length", "length_2GiB", "length_80000000",
    "shutdown", "shutdown_no_close", "shutdown_then_request",
}  # fmt: skip
# Where the answer deliberately differs from bb's: exactly one msgpack object in a frame.
STRICTER = {"trailing_bytes", "two_objects_in_frame"}


def frames_of(case: dict) -> list[bytes]:
    """The payloads that a recorded case sends. (deep_nesting was cut in the recording and is rebuilt from its note.)"""
    if case["name"] == "deep_nesting":
        return [b"\x91" * 100_000 + b"\xc0"]
    stream = b"".join(bytes.fromhex(chunk) for chunk in case["stdin_hex"])
    payloads = []
    while stream:
        (length,) = struct.unpack_from("<I", stream)
        payloads.append(stream[4 : 4 + length])
        stream = stream[4 + length :]
    return payloads


@pytest.mark.parametrize("name", [name for name in FRAMING if name not in OWN_TESTS])
def test_each_frame_gets_one_response(peer: Peer, name: str) -> None:
    case = FRAMING[name]
    payloads = frames_of(case)
    peer.send(b"".join(map(frame, payloads)))
    responses = [peer.receive() for _ in payloads]
    peer.is_served()
    recorded = [bytes.fromhex(entry["hex"])[4:] for entry in case["stdout_frames"]]
    if name in STRICTER:
        assert is_error(responses[0])
        assert responses[1:] == recorded[1:]
    elif name == "array_size_2_other":  # [5, Command]: a tagged request
        assert msgpack.unpackb(responses[0])[0] == 5
        assert responses[0][2:].startswith(b"\x92\xafBlake2sResponse")
    elif recorded:
        assert responses == recorded
    else:
        assert all(is_error(response) for response in responses)


@pytest.mark.parametrize("name", [name for name in SOCKET if name.startswith("bad_")])
def test_malformed_requests_recorded_on_a_socket(peer: Peer, name: str) -> None:
    event = SOCKET[name]["events"][0]
    peer.send(bytes.fromhex(event["hex"]))
    response = peer.receive()
    peer.is_served()
    if name == "bad_request_id_first":
        assert msgpack.unpackb(response)[0] == 5
    else:
        assert is_error(response)


def test_zero_length_frame_between_good_ones(peer: Peer) -> None:
    peer.request(plain("Blake2s", data=b"abc"), b"", plain("Blake2s", data=b"abc"))
    first, second, third = peer.receive(), peer.receive(), peer.receive()
    assert first == third
    assert is_error(second)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (plain("Blake2s"), "missing field 'data' of Blake2s"),
        (plain("Blake2s", data=[1, 2]), "data: array, expected bin"),
        (plain("Poseidon2Hash", inputs=[bytes(32), bytes(33)]), "inputs[1]: 33 bytes, expected 32"),
        (plain("Poseidon2Permutation", inputs=[bytes(32)] * 3), "inputs: 3 elements, expected 4"),
        (plain("GrumpkinReduce512", input=bytes(63)), "input: 63 bytes, expected 64"),
        (plain("GrumpkinGetRandomFr", dummy=256), "dummy: 256, expected an unsigned char below 256"),
        (plain("SetMsmLegacy", enabled=1), "enabled: int, expected bool"),
        (b"\x91\x92\xa7Blake2s\x82\xa4data\xc4\x00\xa4data\xc4\x00", "repeated key 'data'"),
        (b"\x91\x92\xa7Blake2s\x83\xa4data\xc4\x00\xa1x\x01\xa1x\x01", "repeated key 'x'"),
        (b"\x93\xa1x\x02\x03", "array of 3 elements, expected [Command] or [request_id, Command], where Command = [name, map]"),
        (b"\x92\xc3\x90", "request_id: bool, expected an unsigned int of 1 .. 2^64-1"),
        (b"\x92\xff\x90", "request_id: a negative int, expected unsigned int"),
        (b"\x92\xcb" + bytes(8) + b"\x90", "command: array of 0 elements, expected [name, map]"),
        (b"\x92\xa15\x90", "request_id: str, expected an unsigned int of 1 .. 2^64-1"),
        (plain("NoSuchCommand"), "unknown command 'NoSuchCommand'"),
        (
            plain("PedersenHash", inputs=[], hash_index=0),
            "PedersenHash is not served by bbipc itself; start it with --bb PATH to have it forwarded to a real bb",
        ),
    ],
)
def test_errors_say_what_and_where(peer: Peer, payload: bytes, expected: str) -> None:
    assert peer.call(payload) == ["ErrorResponse", {"message": expected}]
    peer.is_served()


def test_an_id_that_can_be_read_is_in_the_error(peer: Peer) -> None:
    for request, request_id, message in (
        (b"\x92\xd0\x05\x90", 5, "command: array of 0 elements, expected [name, map]"),
        (
            b"\x93\x01\x02\x03",
            1,
            "array of 3 elements, expected [Command] or [request_id, Command], where Command = [name, map]",
        ),
    ):
        assert peer.call(request) == [request_id, ["ErrorResponse", {"message": message}]]
    peer.is_served()


@pytest.mark.parametrize("head", [b"\x05", b"\xcc\x05", b"\xcd\x00\x05", b"\xce\x00\x00\x00\x05", b"\xcf" + bytes(7) + b"\x05"])
def test_an_id_in_any_width(peer: Peer, head: bytes) -> None:
    peer.request(b"\x92" + head + plain("Blake2s", data=b"abc")[1:])
    assert peer.receive() == b"\x92\x05" + msgpack.packb(peer.call(plain("Blake2s", data=b"abc")))


def test_extreme_ids_and_zero(peer: Peer) -> None:
    good = peer.call(plain("Blake2s", data=b"abc"))
    assert peer.call(tagged(2**64 - 1, "Blake2s", data=b"abc")) == [2**64 - 1, good]
    assert peer.call(tagged(0, "Blake2s", data=b"abc")) == good


def test_an_error_with_a_readable_id_carries_it(peer: Peer) -> None:
    for payload in (
        b"\x92\x07",  # nothing behind the id
        b"\x92\x07\xc1",
        b"\x92\x07" + plain("Blake2s")[1:],
        b"\x92\x07" + plain("NoSuchCommand")[1:],
        tagged(7, "Blake2s", data=b"") + b"!",
    ):
        response = peer.call(payload)
        assert response[0] == 7
        assert response[1][0] == "ErrorResponse"
    peer.is_served()

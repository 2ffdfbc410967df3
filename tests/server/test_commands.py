"""Every command that is no verification gives bb's answer, byte for byte; where bb reports an error or dies, an error."""

import hashlib
import json

import msgpack
import pytest

from bbipc.wire.values import FR_MODULUS
from samples import DATA
from server import bb
from server.command_requests import all_requests, payload
from server.live import Peer, is_error, plain
from server.record_commands import SEED

RECORDED = json.loads((DATA / "frames" / "commands.json").read_text())
REQUESTS = all_requests(SEED)


def agrees(response: bytes, recorded: str | None) -> bool:
    if recorded is None:
        return is_error(response)
    if recorded.startswith("sha256:"):
        return "sha256:" + hashlib.sha256(response).hexdigest() == recorded
    if msgpack.unpackb(bytes.fromhex(recorded))[0] == "ErrorResponse":
        return is_error(response)
    return response.hex() == recorded


def test_the_requests_are_those_that_were_recorded() -> None:
    digests = [hashlib.sha256(payload(request)).hexdigest()[:16] for request in REQUESTS]
    assert digests == [entry["request_sha256"] for entry in RECORDED]


@pytest.mark.parametrize("index", range(len(RECORDED)), ids=lambda index: f"{index}-{RECORDED[index]['command']}")
def test_recorded_answers(peer: Peer, index: int) -> None:
    peer.request(payload(REQUESTS[index]))
    response = peer.receive()
    assert response is not None
    assert agrees(response, RECORDED[index]["response"]), response
    peer.is_served()


@pytest.mark.skipif(bb.PATH is None, reason=bb.REASON)
@pytest.mark.parametrize("seed", range(100, 103))
def test_random_requests_against_the_real_bb(peer: Peer, seed: int) -> None:
    assert bb.PATH is not None
    real = bb.Bb(bb.PATH)
    try:
        for request in all_requests(seed):
            expected = real.call(payload(request))
            peer.request(payload(request))
            response = peer.receive()
            assert response is not None
            assert agrees(response, None if expected is None else expected.hex()), request
    finally:
        real.close()


def test_many_requests_at_once_are_answered_in_order(peer: Peer) -> None:
    """Cheap ones and long ones, all plain: a queue of slots keeps them in line."""
    chosen = [index for index, entry in enumerate(RECORDED) if not entry["command"].startswith("Srs")]
    writing = peer.send_in_background(
        b"".join(len(p).to_bytes(4, "little") + p for p in (payload(REQUESTS[i]) for i in chosen))
    )
    for index in chosen:
        response = peer.receive()
        assert response is not None
        assert agrees(response, RECORDED[index]["response"])
    writing.join()


def test_random_elements_are_elements_and_random(peer: Peer) -> None:
    seen = set()
    for _ in range(20):
        name, fields = peer.call(plain("GrumpkinGetRandomFr", dummy=0))
        assert name == "GrumpkinGetRandomFrResponse"
        assert len(fields["value"]) == 32
        assert int.from_bytes(fields["value"], "big") < FR_MODULUS
        seen.add(fields["value"])
    assert len(seen) == 20

"""Conversations that many cases have."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from bbipc.conform.case import broken
from bbipc.conform.elements import FQ, FR, word
from bbipc.conform.lab import Lab
from bbipc.conform.messages import Reply, blake2s_request, blake2s_response, call, pack, shorten, verdict_of
from bbipc.conform.peer import Peer
from bbipc.conform.samples import PARTS, Sample, sample

__all__ = [
    "changed",
    "collect",
    "expect_hashes",
    "expect_verdict",
    "invalid_call",
    "off_curve",
    "one_error",
    "packed_map",
    "point_negated",
    "take_verdict",
    "valid_call",
    "verify_call",
]

LAW = "docs/protocol.md#the-law"


async def one_error(peer: Peer, bad: bytes, text: str, *mentions: str, request_id: int | None = None) -> Reply:
    """A malformed frame gets one ErrorResponse in its place, and the request behind it its own answer.

    Both are sent at once: a server that answers only the second is found out without waiting.
    """
    data = peer.next_probe()
    await peer.send(bad + blake2s_request(data), f"{text}; behind it Blake2s {data!r}")
    reply = await peer.receive("an ErrorResponse")
    if reply.response == blake2s_response(data):
        broken("an ErrorResponse for the malformed request", "no response to it: the answer to the next request came at once")
    if not reply.is_error or reply.request_id != request_id:
        broken("an ErrorResponse" if request_id is None else f"an ErrorResponse with id {request_id}", reply)
    for mention in mentions:
        if mention not in reply.message:
            broken(f"a message that mentions {mention!r}", reply.message)
    await peer.expect(blake2s_response(data), what="the answer to the request behind the malformed one")
    return reply


def expect_hashes(replies: Sequence[Reply], data: Sequence[bytes]) -> None:
    """The replies must be those to hash requests for `data`, in their order."""
    if len(replies) != len(data):
        broken(f"{len(data)} responses", f"{len(replies)}")
    for index, (reply, item) in enumerate(zip(replies, data, strict=True)):
        if reply.response != blake2s_response(item) or reply.request_id is not None:
            broken(f"as response {index + 1} the hash of {shorten(repr(item), 60)}", reply)


async def collect(peer: Peer, ids: Iterable[int]) -> dict[int, Reply]:
    """Tagged responses until each id was answered; none twice, and no id that was not asked for."""
    missing = Counter(ids)
    got: dict[int, Reply] = {}
    while missing:
        reply = await peer.receive(f"responses to {len(missing)} more ids")
        if reply.request_id is None or not missing[reply.request_id]:
            broken(f"one tagged response for each of the ids, {len(missing)} still open", reply)
        del missing[reply.request_id]
        got[reply.request_id] = reply
    return got


def verify_call(parts: dict[str, list[Any]], key: bytes, request_id: int | None = None) -> bytes:
    """The frame of a ChonkVerify."""
    return call("ChonkVerify", {"proof": parts, "vk": key}, request_id)


def valid_call(request_id: int | None = None) -> bytes:
    """The frame of a ChonkVerify of a valid proof."""
    flow1 = sample("flow1")
    return verify_call(flow1.parts, flow1.key, request_id)


def invalid_call(request_id: int | None = None) -> bytes:
    """The frame of a ChonkVerify of a proof that fails soon: its first public input is changed."""
    flow1 = sample("flow1")
    return verify_call(changed(flow1, PARTS[0], 0, word(7)), flow1.key, request_id)


async def expect_verdict(peer: Peer, request: bytes, text: str, outcomes: Sequence[str]) -> Reply:
    """The request must be answered by one of these outcomes, and a request behind it as well."""
    data = peer.next_probe()
    await peer.send(request, text)
    await peer.send(blake2s_request(data), f"Blake2s {data!r}")
    reply = await peer.receive(f"the outcome {' or '.join(outcomes)}")
    if reply.response == blake2s_response(data):
        broken(f"the outcome {' or '.join(outcomes)}", "no response: the answer to the next request came at once")
    if verdict_of(reply) not in outcomes:
        broken(f"the outcome {' or '.join(outcomes)}", f"{verdict_of(reply)}: {reply}")
    await peer.expect(blake2s_response(data), what="the answer to the request behind the proof")
    return reply


async def take_verdict(peer: Peer, lab: Lab, request_id: int | None = None) -> None:
    """The next response must be the verdict on a valid proof, with this id."""
    what = "the verdict" if request_id is None else f"the verdict with id {request_id}"
    reply = await peer.receive(what)
    if reply.request_id != request_id or verdict_of(reply) not in lab.expected("valid"):
        broken(what, reply)


def changed(sample: Sample, part: str, index: int, *words: Any) -> dict[str, list[Any]]:
    """The parts of a sample with some words of one part replaced."""
    old: list[Any] = list(sample.parts[part])
    old[index : index + len(words)] = words
    return {**sample.parts, part: old}


def point_negated(sample: Sample, part: str, index: int) -> dict[str, list[Any]]:
    """The parts with the BN254 point at `index` negated."""
    low, high = (int.from_bytes(limb, "big") for limb in sample.parts[part][index + 2 : index + 4])
    y = FQ - (low + (high << 136))
    return changed(sample, part, index + 2, word(y & (2**136 - 1)), word(y >> 136))


def off_curve(sample: Sample, part: str, index: int) -> dict[str, list[Any]]:
    """The parts with one coordinate changed a little, so that the point at `index` is on no curve."""
    value = (int.from_bytes(sample.parts[part][index], "big") + 1) % FR
    return changed(sample, part, index, word(value))


def packed_map(pairs: Sequence[tuple[str, bytes]]) -> bytes:
    """A map of up to 15 entries whose values are already packed; keys may repeat."""
    return bytes((0x80 | len(pairs),)) + b"".join(pack(key) + value for key, value in pairs)

"""Suite tagged: requests with an id. Not applicable to servers that know plain requests only."""

# ruff: noqa: D103 - the rule of a case is its documentation

import math
import struct
from collections.abc import Callable
from typing import Any

import msgpack

from bbipc.conform.case import CaseFunction, Suite, broken
from bbipc.conform.cases.common import changed, collect, one_error, verify_call
from bbipc.conform.lab import Lab
from bbipc.conform.messages import blake2s_request, blake2s_response, call, command, frame, pack, verdict_of
from bbipc.conform.samples import sample

suite = Suite("tagged", "docs/protocol.md#dialects")

_ABC = command("Blake2s", {"data": b"abc"})


@suite.case(
    "any-command",
    "Any command may be tagged; its response carries the id.",
    tagged=True,
    recorded=("framing/array_size_2_other",),
)
async def any_command(lab: Lab) -> None:
    async with lab.peer() as peer:
        await peer.send(blake2s_request(b"abc", 5), "[5, Blake2s 'abc']")
        await peer.expect(blake2s_response(b"abc"), 5)
        await peer.send(call("Poseidon2Hash", {"inputs": []}, 6), "[6, Poseidon2Hash]")
        reply = await peer.receive()
        if reply.request_id != 6 or reply.name != "Poseidon2HashResponse":
            broken("[6, Poseidon2HashResponse]", reply)
        await peer.finish()


@suite.case("id-widths", "An id is an unsigned integer of 1 .. 2^64-1 in any of its widths.", tagged=True)
async def id_widths(lab: Lab) -> None:
    encodings = [bytes((value,)) for value in (1, 127)]
    for tag, width in ((0xCC, 1), (0xCD, 2), (0xCE, 4), (0xCF, 8)):
        encodings += [bytes((tag,)) + value.to_bytes(width, "big") for value in (5, 2 ** (8 * width - 1), 2 ** (8 * width) - 1)]
    async with lab.peer() as peer:
        for encoding in encodings:
            request_id = msgpack.unpackb(encoding)
            await peer.send(frame(b"\x92" + encoding + _ABC), f"id {request_id} as {encoding.hex()}")
            await peer.expect(blake2s_response(b"abc"), request_id)
        await peer.finish()


@suite.case("id-zero", "An id of 0 means no id: the request is answered as a plain one.", tagged=True)
async def id_zero(lab: Lab) -> None:
    async with lab.peer() as peer:
        for encoding in (b"\0", b"\xcc\0", b"\xcf" + bytes(8)):
            await peer.send(frame(b"\x92" + encoding + _ABC), f"id 0 as {encoding.hex()}")
            await peer.expect(blake2s_response(b"abc"))
        await peer.finish()


@suite.case(
    "id-other-formats",
    "Ids in signed formats, and integral floats up to 2^53, are ids; a response has the integer.",
    tagged=True,
)
async def id_other_formats(lab: Lab) -> None:
    encodings = [
        (bytes((0xD0, 5)), 5),
        (b"\xd1\0\5", 5),
        (b"\xd2\x7f\xff\xff\xff", 2**31 - 1),
        (b"\xd3" + b"\0" * 7 + b"\5", 5),
    ]
    encodings += [(b"\xd3\x7f" + b"\xff" * 7, 2**63 - 1)]
    encodings += [(struct.pack(">Bd", 0xCB, value), value) for value in (1, 2**32, 2**53)]
    encodings += [(struct.pack(">Bf", 0xCA, value), value) for value in (1, 2**24, 2**53)]
    async with lab.peer() as peer:
        for encoding, request_id in encodings:
            await peer.send(frame(b"\x92" + encoding + _ABC), f"id {request_id} as {encoding.hex()}")
            await peer.expect(blake2s_response(b"abc"), request_id)
        for encoding in (b"\xd0\0", b"\xca" + bytes(4), b"\xcb" + bytes(8)):
            await peer.send(frame(b"\x92" + encoding + _ABC), f"id 0 as {encoding.hex()}")
            await peer.expect(blake2s_response(b"abc"))
        await peer.finish()


@suite.case(
    "id-not-unsigned",
    "Booleans, negative and broken numbers, floats above 2^53, strings and nil are not ids: a plain ErrorResponse.",
    tagged=True,
)
async def id_not_unsigned(lab: Lab) -> None:
    async with lab.peer() as peer:
        values: tuple[Any, ...] = (True, False, -1, -(2**63), 1.5, -1.0, 2.0**54, math.inf, math.nan, "5", b"5", None, [], {})
        for value in values:
            await one_error(peer, frame(b"\x92" + pack(value) + _ABC), f"id {value!r}")
        await peer.finish()


@suite.case(
    "error-three-elements", "An array of three or more that begins with an id: the ErrorResponse carries the id.", tagged=True
)
async def three_elements(lab: Lab) -> None:
    async with lab.peer() as peer:
        for rest, count in ((_ABC + b"\1", 3), (_ABC * 3, 4), (b"", 9)):
            await one_error(peer, frame(bytes((0x90 | count, 77)) + rest), f"[77, ...] of {count}", request_id=77)
        await peer.finish()


def _error_case(name: str, rule: str, encoded: Callable[[], bytes]) -> None:
    async def run(lab: Lab) -> None:
        async with lab.peer() as peer:
            await one_error(peer, frame(b"\x92" + pack(77) + encoded()), f"[77, ...]: {rule}", request_id=77)
            await peer.finish()

    function: CaseFunction = run
    suite.case(f"error-{name}", f"{rule}, with a readable id: the ErrorResponse carries the id.", tagged=True)(function)


def _bad_proof() -> bytes:
    flow1 = sample("flow1")
    return command("ChonkVerify", {"proof": changed(flow1, "merge_proof", 3, bytes(33)), "vk": flow1.key})


_error_case("unknown-command", "An unknown command", lambda: command("NoSuchCommand", {}))
_error_case("missing-field", "A missing field", lambda: command("Blake2s", {}))
_error_case("wrong-type", "A field of a wrong type", lambda: command("Blake2s", {"data": 5}))
_error_case("not-a-command", "An integer in place of the command", lambda: b"\x05")
_error_case("command-of-three", "A command of three elements", lambda: pack(["Blake2s", {"data": b""}, 1]))
_error_case("trailing-bytes", "Bytes behind the request", lambda: _ABC + b"\0")
_error_case("truncated", "A request that is cut", lambda: _ABC[:-1])
_error_case("bad-element", "A field element of 33 bytes", _bad_proof)


@suite.case(
    "duplicate-id", "An id already in flight: an ErrorResponse for the second request, and the first is answered.", tagged=True
)
async def duplicate_id(lab: Lab) -> None:
    flow1 = sample("flow1")
    request = verify_call(flow1.parts, flow1.key, 9)
    async with lab.peer() as peer:
        await peer.send(request + blake2s_request(b"abc", 9), "[9, ChonkVerify], then [9, Blake2s] in the same write")
        replies = [await peer.receive() for _ in range(2)]
        classes = sorted(verdict_of(reply) for reply in replies if reply.request_id == 9)
        verdict = lab.expected("valid")[0]
        if classes != sorted(("error", verdict)):
            broken(f"one ErrorResponse and the verdict {verdict}, both with id 9", " and ".join(map(str, replies)))
        await peer.finish()


@suite.case("id-again", "An id may be used again once it was answered.", tagged=True)
async def id_again(lab: Lab) -> None:
    async with lab.peer() as peer:
        for index in range(20):
            await peer.send(blake2s_request(bytes((index,)), 3), "[3, Blake2s]")
            await peer.expect(blake2s_response(bytes((index,))), 3)
        await peer.finish()


@suite.case("mixed", "Plain and tagged requests mix freely: plain ones stay FIFO, each id is answered once.", tagged=True)
async def mixed(lab: Lab) -> None:
    async with lab.peer() as peer:
        requests = []
        for index in range(1, 101):
            requests += [blake2s_request(b"p%d" % index), blake2s_request(b"t%d" % index, index)]
        await peer.send(b"".join(requests), "100 plain and 100 tagged requests in turn")
        replies = [await peer.receive() for _ in requests]
        plain = [reply.response for reply in replies if reply.request_id is None]
        if plain != [blake2s_response(b"p%d" % index) for index in range(1, 101)]:
            broken("the 100 plain responses in order", f"{len(plain)} plain responses, or another order")
        tagged = {reply.request_id: reply.response for reply in replies if reply.request_id is not None}
        if tagged != {index: blake2s_response(b"t%d" % index) for index in range(1, 101)}:
            broken("each of the ids 1 .. 100 answered once by its own hash", f"the ids {sorted(tagged)}")
        await peer.finish()


@suite.case("verify", "ChonkVerify, ChonkVerifyFromFields and ChonkBatchVerify may be tagged.", tagged=True)
async def verify(lab: Lab) -> None:
    flow1 = sample("flow1")
    batch: dict[str, Any] = {"proofs": [flow1.parts], "vks": [flow1.key]}
    async with lab.peer() as peer:
        await peer.send(verify_call(flow1.parts, flow1.key, 1), "[1, ChonkVerify]")
        await peer.send(
            call("ChonkVerifyFromFields", {"proof": flow1.fields, "vk": flow1.key}, 2), "[2, ChonkVerifyFromFields]"
        )
        await peer.send(call("ChonkBatchVerify", batch, 3), "[3, ChonkBatchVerify]")
        got = await collect(peer, (1, 2, 3))
        for request_id, name in ((1, "ChonkVerify"), (2, "ChonkVerifyFromFields"), (3, "ChonkBatchVerify")):
            reply = got[request_id]
            if verdict_of(reply) not in lab.expected("valid") or reply.name != f"{name}Response":
                broken(f"[{request_id}, {name}Response] {lab.expected('valid')[0]}", reply)
        await peer.finish()


@suite.case("shutdown", "A tagged Shutdown is answered with its id, last.", tagged=True)
async def shutdown(lab: Lab) -> None:
    flow1 = sample("flow1")
    async with lab.peer() as peer:
        await peer.send(verify_call(flow1.parts, flow1.key, 1) + call("Shutdown", {}, 2), "[1, ChonkVerify], [2, Shutdown]")
        first = await peer.receive("the verdict with id 1")
        if first.request_id != 1:
            broken("the verdict with id 1 before the answer to Shutdown", first)
        await peer.expect(["ShutdownResponse", {}], 2)
        await peer.expect_end("nothing behind the answer to Shutdown")

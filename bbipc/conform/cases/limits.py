"""Suite limits: sizes that a client announces or provokes."""

# ruff: noqa: D103 - the rule of a case is its documentation

from collections.abc import Callable
from typing import Final

import trio

from bbipc.conform.case import CaseFunction, Suite, broken
from bbipc.conform.cases.common import LAW, one_error, take_verdict, valid_call
from bbipc.conform.lab import Lab
from bbipc.conform.messages import blake2s_request, blake2s_response, call, frame, pack
from bbipc.conform.peer import Peer
from bbipc.conform.samples import compressed, sample
from bbipc.conform.target import Server

suite = Suite("limits", "docs/protocol.md#limits")

MIB: Final = 1 << 20
ALLOWED_GROWTH: Final = 24 * MIB
"""Memory that a server may need for whatever it does, but not for a length that was only announced."""

_STUCK_SECONDS: Final = 2.0
_FLOOD_REQUESTS: Final = 3000
"""Their responses have 130 MiB together."""
_RING_REQUESTS: Final = 3000
"""More of them than a ring of 4 MiB takes."""


async def _oversized(peer: Peer, length: bytes, text: str) -> None:
    await peer.send(length, text)
    await peer.expect_error(what="an ErrorResponse by the limit")
    await peer.expect_end("the end of the connection behind the error")


@suite.case(
    "length-4-gib",
    "A frame longer than the limit gets an ErrorResponse, then the connection ends.",
    source=LAW,
    recorded=("framing/huge_length", "socket/huge_length"),
)
async def length_4_gib(lab: Lab) -> None:
    async with lab.peer() as peer:
        await _oversized(peer, b"\xff\xff\xff\xff", "a length of 2^32-1, then silence")


@suite.case(
    "length-256-mib",
    "256 MiB are over the default limit of 64 MiB as well.",
    source=LAW,
    recorded=("framing/length_80000000", "socket/length_256MiB"),
)
async def length_256_mib(lab: Lab) -> None:
    async with lab.peer() as peer:
        await _oversized(
            peer, (256 * MIB).to_bytes(4, "little") + bytes(1000), "a length of 256 MiB and 1000 bytes, then silence"
        )


@suite.case(
    "answered-before-the-end",
    "Before the connection ends for a frame that is too long, what is in flight is answered.",
    source=LAW,
)
async def answered_before_the_end(lab: Lab) -> None:
    async with lab.peer() as peer:
        await peer.send(valid_call(), "ChonkVerify of a valid proof")
        await peer.send(b"\xff\xff\xff\xff", "a length of 2^32-1")
        await take_verdict(peer, lab)
        await peer.expect_error(what="an ErrorResponse by the limit")
        await peer.expect_end("the end of the connection")


@suite.case(
    "memory-follows-bytes",
    "Memory follows bytes received, not bytes announced: 60 MiB announced, 256 KiB sent.",
    recorded=("framing/length_2GiB",),
)
async def memory_follows_bytes(lab: Lab) -> None:
    async with lab.server() as server:
        peer = await server.connect()
        await peer.check_alive()
        before = server.memory()
        # More than the transport can hold by itself: when all of it was taken, the server has read the announcement.
        await peer.send((60 * MIB).to_bytes(4, "little") + bytes(MIB), "60 MiB announced, 1 MiB sent")
        _check_growth(server, before)


def _check_growth(server: Server, before: int) -> None:
    growth = server.memory() - before
    if growth > ALLOWED_GROWTH:
        broken(f"memory to grow by less than {ALLOWED_GROWTH // MIB} MiB", f"{growth // MIB} MiB more")


def _bomb_case(name: str, rule: str, payload: Callable[[], bytes], *recorded: str) -> None:
    async def run(lab: Lab) -> None:
        async with lab.server() as server:
            peer = await server.connect()
            await peer.check_alive()
            before = server.memory()
            await one_error(peer, frame(payload()), rule)
            _check_growth(server, before)
            await peer.finish()

    function: CaseFunction = run
    suite.case(name, f"{rule}: one ErrorResponse, and no memory for what was only announced.", source=LAW, recorded=recorded)(
        function
    )


_bomb_case(
    "array-2-32", "An array that announces 2^32-1 elements", lambda: b"\xdd\xff\xff\xff\xff", "framing/huge_array_header"
)
_bomb_case("map-2-32", "Fields that announce 2^32-1 entries", lambda: b"\x91\x92" + pack("Blake2s") + b"\xdf\xff\xff\xff\xff")
_bomb_case(
    "bin-2-32",
    "A bin that announces 2^32-1 bytes",
    lambda: b"\x91\x92" + pack("Blake2s") + b"\x81" + pack("data") + b"\xc6\xff\xff\xff\xff",
    "framing/huge_bin_header",
)
_bomb_case(
    "part-2-32",
    "A part of a proof that announces 2^32-1 elements",
    lambda: (
        b"\x91\x92" + pack("ChonkVerify") + b"\x81" + pack("proof") + b"\x81" + pack("merge_proof") + b"\xdd\xff\xff\xff\xff"
    ),
)
_bomb_case("deep-arrays", "100000 arrays, one in the other", lambda: b"\x91" * 100_000, "framing/deep_nesting")
_bomb_case(
    "deep-field",
    "An unknown field with 100000 maps, one in the other",
    lambda: b"\x91\x92" + pack("Blake2s") + b"\x81" + pack("x") + b"\x81\xa0" * 100_000 + b"\xc0",
)


@suite.case("garbage-flood", "2000 frames of garbage get 2000 ErrorResponses, and the server goes on.", source=LAW)
async def garbage_flood(lab: Lab) -> None:
    async with lab.peer() as peer:
        await peer.send(frame(b"\xc1\xc1") * 2000, "2000 frames of garbage")
        for _ in range(2000):
            await peer.expect_error()
        await peer.check_alive()
        await peer.finish()


@suite.case(
    "unread-responses",
    "A client that does not read is made to wait (its writes block) before the server holds more and more; it loses nothing.",
    source=LAW,
)
async def unread_responses(lab: Lab) -> None:
    request = call("ChonkDecompressProof", {"compressed_proof": compressed("flow1")})
    response = ["ChonkDecompressProofResponse", {"proof": sample("flow1").parts}]
    async with lab.server() as server:
        peer = await server.connect(read_later=True)
        sent = 0
        stuck = False
        most = _FLOOD_REQUESTS + (_RING_REQUESTS if lab.target.transport == "shm" else 0)

        async def flood() -> None:
            nonlocal sent
            while not stuck and sent < most:
                await peer.send(request, "ChonkDecompressProof")
                sent += 1

        async with trio.open_nursery() as nursery:
            nursery.start_soon(flood)
            last = -1
            while last != sent:
                if sent == most:
                    broken(f"writes to block before {sent} responses of 43 KiB are due", "all requests were taken")
                last = sent
                await trio.sleep(_STUCK_SECONDS)
            stuck = True
            peer.start_reading()
        for _ in range(sent):
            await peer.expect(response, what="each of the unread responses")
        await peer.finish()


@suite.case("error-length", "An error message is bounded, however long the name of the command was.")
async def error_length(lab: Lab) -> None:
    async with lab.peer() as peer:
        reply = await one_error(peer, frame(pack([["N" * MIB, {}]])), "a command whose name has 1 MiB")
        if len(reply.payload) > MIB // 4:
            broken("a message of reasonable length", f"a response of {len(reply.payload)} bytes")
        await peer.send(blake2s_request(b"abc"), "Blake2s 'abc'")
        await peer.expect(blake2s_response(b"abc"))
        await peer.finish()

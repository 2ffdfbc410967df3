"""Suite envelope: an id of eight bytes before each request. Not applicable to servers that know plain requests only."""

# ruff: noqa: D103 - the rule of a case is its documentation

from bbipc.conform.case import Suite, broken
from bbipc.conform.cases.common import changed
from bbipc.conform.elements import word
from bbipc.conform.lab import Lab
from bbipc.conform.messages import Reply, blake2s_request, blake2s_response, call, command, frame, verdict_of
from bbipc.conform.peer import Peer
from bbipc.conform.samples import PARTS, sample

suite = Suite("envelope", "docs/protocol.md#dialects")

_ID_BYTES = 8


def _wrapped(request_id: bytes, request: bytes) -> bytes:
    """The frame of a plain request, put into an envelope."""
    return frame(request_id + request[4:])


def _id(number: int) -> bytes:
    return number.to_bytes(_ID_BYTES, "little")


async def _receive(peer: Peer, what: str) -> tuple[bytes, Reply]:
    """The id of the next response, and what stands behind it."""
    payload = (await peer.receive(what)).payload
    return payload[:_ID_BYTES], Reply(payload[_ID_BYTES:])


async def _expect_hash(peer: Peer, request_id: bytes, data: bytes) -> None:
    got, reply = await _receive(peer, f"the hash in an envelope with id {request_id.hex()}")
    if got != request_id or reply.response != blake2s_response(data):
        broken(f"id {request_id.hex()} and the hash of {data!r}", f"id {got.hex()} and {reply}")


async def _expect_error(peer: Peer, request_id: bytes, what: str) -> None:
    got, reply = await _receive(peer, what)
    if got != request_id or not reply.is_error:
        broken(f"id {request_id.hex()} and an ErrorResponse", f"id {got.hex()} and {reply}")


@suite.case(
    "first-frame",
    "The first frame of a connection tells that it is one of envelopes, whatever the bytes of its id.",
    tagged=True,
)
async def first_frame(lab: Lab) -> None:
    like_requests = (b"\x91\x92\xa5Stats"[:_ID_BYTES], b"\x92\x01\x92\xa7Blak", b"\x92\xcb" + bytes(6), b"\x92\xa7" + bytes(6))
    for request_id in (_id(1), _id(2**64 - 1), *like_requests):
        async with lab.peer() as peer:
            await peer.send(
                _wrapped(request_id, blake2s_request(b"abc")), f"Blake2s 'abc' in an envelope, id {request_id.hex()}"
            )
            await _expect_hash(peer, request_id, b"abc")


@suite.case("any-command", "All commands may be in envelopes; each response carries the id of its request.", tagged=True)
async def any_command(lab: Lab) -> None:
    flow1 = sample("flow1")
    bad = changed(flow1, PARTS[0], 0, word(7))
    async with lab.peer() as peer:
        requests = {
            _id(7): (call("ChonkVerify", {"proof": flow1.parts, "vk": flow1.key}), "valid"),
            _id(8): (call("ChonkVerify", {"proof": bad, "vk": flow1.key}), "invalid"),
            _id(2**63): (call("NoSuchCommand", {}), "error"),
        }
        for request_id, (request, _) in requests.items():
            await peer.send(_wrapped(request_id, request), f"a request in an envelope, id {request_id.hex()}")
        for _ in range(3):
            got, reply = await _receive(peer, "three responses")
            if got not in requests:
                broken("one of the ids, each once", f"{got.hex()} {reply}")
            _, outcome = requests.pop(got)
            expected = ("error",) if outcome == "error" else lab.expected(outcome)
            if verdict_of(reply) not in expected:
                broken(f"the outcome {outcome} with id {got.hex()}", reply)


@suite.case("completion-order", "A hash in an envelope overtakes the verifications before it.", tagged=True)
async def completion_order(lab: Lab) -> None:
    flow1 = sample("flow1")
    request = call("ChonkVerify", {"proof": flow1.parts, "vk": flow1.key})
    async with lab.peer() as peer:
        await peer.send(b"".join(_wrapped(_id(number), request) for number in range(1, 9)), "8 ChonkVerify in envelopes")
        await peer.send(_wrapped(_id(9), blake2s_request(b"abc")), "Blake2s 'abc'")
        order = [(await _receive(peer, "nine responses"))[0] for _ in range(9)]
        if sorted(order) != sorted(map(_id, range(1, 10))):
            broken("each of the ids 1 .. 9 once", [item.hex() for item in order])
        if order[-1] == _id(9):
            broken("the hash before the last of the verifications", "it came last")


@suite.case("errors", "What cannot be read behind an id is answered with that id, and the connection goes on.", tagged=True)
async def errors(lab: Lab) -> None:
    async with lab.peer() as peer:
        await peer.send(_wrapped(_id(1), blake2s_request(b"1")), "Blake2s '1' in an envelope")
        await _expect_hash(peer, _id(1), b"1")
        for number, rest in enumerate((b"", b"\xc1", b"\x91", b"\x05", b"\x91" + command("Blake2s", {}), b"\x91" * 3000), 2):
            await peer.send(frame(_id(number) + rest), f"an envelope with {rest[:20].hex() or 'nothing'} behind the id")
            await _expect_error(peer, _id(number), "an ErrorResponse with the id")
        await peer.send(_wrapped(_id(99), blake2s_request(b"99")), "Blake2s '99' in an envelope")
        await _expect_hash(peer, _id(99), b"99")


@suite.case("for-good", "A connection stays what its first frame made it.", tagged=True)
async def for_good(lab: Lab) -> None:
    async with lab.peer() as peer:
        await peer.send(blake2s_request(b"abc"), "Blake2s 'abc', plain")
        await peer.expect(blake2s_response(b"abc"))
        await peer.send(_wrapped(_id(5), blake2s_request(b"abc")), "Blake2s 'abc' in an envelope")
        await peer.expect_error(what="a plain ErrorResponse")
        await peer.check_alive()
    async with lab.peer() as peer:
        await peer.send(_wrapped(_id(5), blake2s_request(b"abc")), "Blake2s 'abc' in an envelope")
        await _expect_hash(peer, _id(5), b"abc")
        request = blake2s_request(b"abc")
        await peer.send(request, "Blake2s 'abc', plain")
        await _expect_error(peer, request[4 : 4 + _ID_BYTES], "an ErrorResponse whose id is the beginning of the request")


@suite.case("shutdown", "Shutdown in an envelope is answered with its id, last.", tagged=True)
async def shutdown(lab: Lab) -> None:
    async with lab.server() as server:
        peer = await server.connect()
        await peer.send(_wrapped(_id(3), call("Shutdown", {})), "Shutdown in an envelope")
        got, reply = await _receive(peer, "the answer to Shutdown")
        if got != _id(3) or reply.response != ["ShutdownResponse", {}]:
            broken("id 3 and ShutdownResponse", f"{got.hex()} {reply}")
        await peer.expect_end("nothing behind the answer to Shutdown")
        await server.expect_exit(0, "after Shutdown")

"""Suite faults: clients that misbehave or vanish must not hurt others."""

# ruff: noqa: D103 - the rule of a case is its documentation

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import trio

from bbipc.conform.case import CaseFunction, Suite, broken
from bbipc.conform.cases.common import LAW, changed, one_error, take_verdict, valid_call, verify_call
from bbipc.conform.lab import Lab
from bbipc.conform.messages import blake2s_request, blake2s_response, call, frame, pack
from bbipc.conform.peer import Peer
from bbipc.conform.samples import sample
from bbipc.conform.target import describe_exit

suite = Suite("faults", LAW)

_MAX_CLIENTS: Final = ("--max-clients", "8")
_ENOUGH_CLIENTS: Final = ("--max-clients", "300")
_PAUSE: Final = 0.02
_HELD: Final = 150
_TINY: Final = 20_000
_MIB: Final = 1 << 20
_ALLOWED_GROWTH: Final = 48 * _MIB
"""For tiny requests of 400 KiB together."""


@suite.case(
    "two-clients", "Two clients are served at the same time.", transport="socket", recorded=("socket/two_clients_max2",)
)
async def two_clients(lab: Lab) -> None:
    async with lab.server(*_MAX_CLIENTS) as server:
        first, second = await server.connect("first"), await server.connect("second")
        for _ in range(3):
            await first.check_alive()
            await second.check_alive()
        await first.finish()
        await second.check_alive()
        await second.finish()


@suite.case(
    "gone-before-reading",
    "A client that leaves before it read its response ends only its own connection.",
    transport="socket",
    recorded=("socket/close_before_response",),
)
async def gone_before_reading(lab: Lab) -> None:
    async with lab.server(*_MAX_CLIENTS) as server:
        other = await server.connect("other")
        await other.check_alive()
        for index in range(5):
            leaver = await server.connect(f"leaver {index}")
            # The verification takes a while, so that the client is gone before the first response.
            await leaver.send(valid_call() + blake2s_request(b"abc") * 50, "ChonkVerify and 50 hash requests")
            await leaver.vanish()
        await other.check_alive()
        newcomer = await server.connect("newcomer")
        await newcomer.check_alive()
        await newcomer.finish()
        await other.finish()


@suite.case(
    "gone-mid-frame",
    "A client that leaves in the middle of a frame ends only its own connection.",
    transport="socket",
    recorded=("socket/eof_mid_frame",),
)
async def gone_mid_frame(lab: Lab) -> None:
    async with lab.server(*_MAX_CLIENTS) as server:
        other = await server.connect("other")
        leaver = await server.connect("leaver")
        await leaver.send(valid_call()[:1000], "the beginning of a ChonkVerify")
        await leaver.vanish()
        await other.check_alive()
        await other.finish()


@suite.case(
    "gone-while-verifying",
    "A client that leaves while its proofs are verified does not delay others for ever.",
    transport="socket",
)
async def gone_while_verifying(lab: Lab) -> None:
    async with lab.server(*_MAX_CLIENTS) as server:
        other = await server.connect("other")
        leaver = await server.connect("leaver")
        await leaver.send(valid_call() * 8, "8 ChonkVerify")
        await leaver.vanish()
        await other.send(valid_call(), "ChonkVerify")
        await take_verdict(other, lab)
        await other.check_alive()


@suite.case(
    "stalled-frame",
    "A client that announces a long frame and falls silent does not keep others from being served.",
    transport="socket",
    recorded=("socket/length_256MiB", "socket/huge_length"),
)
async def stalled_frame(lab: Lab) -> None:
    async with lab.server(*_MAX_CLIENTS) as server:
        other = await server.connect("other")
        await other.check_alive()
        for name, length in (("small", 1000), ("large", 60 << 20), ("too large", 256 << 20)):
            silent = await server.connect(f"silent, {name}")
            await silent.send(length.to_bytes(4, "little") + b"\x91", f"{length} bytes announced, 1 sent, then silence")
        await other.check_alive()
        newcomer = await server.connect("newcomer")
        await newcomer.check_alive()


@suite.case(
    "slow-reader", "A client that does not read its responses does not keep others from being served.", transport="socket"
)
async def slow_reader(lab: Lab) -> None:
    async with lab.server(*_MAX_CLIENTS) as server:
        slow = await server.connect("slow reader", read_later=True)
        other = await server.connect("other")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(
                slow.send, blake2s_request(b"abc") * 100_000, "100000 hash requests, whose answers it does not read"
            )
            for _ in range(20):
                await other.check_alive()
                await trio.sleep(_PAUSE)
            nursery.cancel_scope.cancel()


@suite.case("garbage-beside-work", "Malformed requests of one client do not disturb the work of another.", transport="socket")
async def garbage_beside_work(lab: Lab) -> None:
    flow1 = sample("flow1")
    bad = verify_call(changed(flow1, "merge_proof", 0, bytes(31)), flow1.key)
    async with lab.server(*_MAX_CLIENTS) as server:
        worker, vandal = await server.connect("worker"), await server.connect("vandal")
        await worker.send(valid_call() * 2, "2 ChonkVerify")
        for payload in (frame(b""), frame(b"\xc1"), bad, frame(b"\xdd\xff\xff\xff\xff")):
            await one_error(vandal, payload, "malformed")
        for _ in range(2):
            await take_verdict(worker, lab)
        await worker.finish()
        await vandal.finish()


@suite.case("same-ids", "The same id on two connections names two requests.", transport="socket", tagged=True)
async def same_ids(lab: Lab) -> None:
    async with lab.server(*_MAX_CLIENTS) as server:
        first, second = await server.connect("first"), await server.connect("second")
        await first.send(valid_call(1), "[1, ChonkVerify]")
        await second.send(blake2s_request(b"second", 1), "[1, Blake2s 'second']")
        await second.expect(blake2s_response(b"second"), 1)
        await take_verdict(first, lab, 1)
        await first.finish()
        await second.finish()


@suite.case("many-connections", "200 connections opened and dropped leave no open files behind.", transport="socket")
async def many_connections(lab: Lab) -> None:
    async with lab.server(*_MAX_CLIENTS) as server:
        stays = await server.connect("stays")
        await stays.check_alive()
        before = server.open_files()
        for index in range(200):
            dropped = await server.connect(f"dropped {index}")
            if index % 2:
                await dropped.send(blake2s_request(b"abc"), "Blake2s 'abc'")
            await dropped.vanish()
        await stays.check_alive()
        lab.record.add("harness", "waits", "until the server has closed the dropped connections")
        while server.open_files() > before:
            await stays.check_alive()
            await trio.sleep(_PAUSE)
        await stays.finish()


@suite.case(
    "long-batch",
    "A lone verification beside another client's batch of 200 proofs is answered before the batch ends.",
    transport="socket",
)
async def long_batch(lab: Lab) -> None:
    flow = sample("flow1")
    batch = call("ChonkBatchVerify", {"proofs": [flow.parts] * 200, "vks": [flow.key] * 200})
    order: list[str] = []

    async with lab.server(*_MAX_CLIENTS) as server:
        greedy, other = await server.connect("greedy"), await server.connect("other")
        await greedy.send(batch, "ChonkBatchVerify of 200 proofs")
        await other.send(valid_call(), "ChonkVerify")

        async def take(peer: Peer, name: str) -> None:
            await take_verdict(peer, lab)
            order.append(name)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(take, greedy, "the batch")
            nursery.start_soon(take, other, "the lone verification")
        if order[0] != "the lone verification":
            broken("the lone verification first", f"{order[0]} first")


@suite.case(
    "wide-frames",
    "Ignored fields with two million integers, five times: each frame gets an answer or an error, and others are served.",
    transport="socket",
)
async def wide_frames(lab: Lab) -> None:
    fields = {"data": b"abc", **{f"ignored {index}": [7] * 60_000 for index in range(33)}}
    async with lab.server(*_MAX_CLIENTS) as server:
        wide, other = await server.connect("wide"), await server.connect("other")
        await wide.send(call("Blake2s", fields) * 5, "5 Blake2s with two million integers in ignored fields")
        await other.check_alive()
        for _ in range(5):
            reply = await wide.receive("the hash, or an ErrorResponse")
            if not reply.is_error and reply.response != blake2s_response(b"abc"):
                broken("the hash, or an ErrorResponse", reply)
        await wide.check_alive()
        await other.check_alive()


@suite.case(
    "tiny-requests",
    f"{_TINY} tiny requests behind a verification are all answered, in their order, and cost no more memory than they should.",
    transport="socket",
)
async def tiny_requests(lab: Lab) -> None:
    async with lab.server(*_MAX_CLIENTS) as server:
        many, other = await server.connect("many"), await server.connect("other")
        await other.check_alive()
        before = server.memory()
        most = before
        async with trio.open_nursery() as nursery:
            nursery.start_soon(many.send, valid_call() + blake2s_request(b"abc") * _TINY, f"ChonkVerify, {_TINY} Blake2s")
            await take_verdict(many, lab)
            for index in range(_TINY):
                await many.expect(blake2s_response(b"abc"))
                if index % 1000 == 0:
                    most = max(most, server.memory())
                    await other.check_alive()
        if most - before > _ALLOWED_GROWTH:
            broken(f"memory to grow by less than {_ALLOWED_GROWTH // _MIB} MiB", f"{(most - before) // _MIB} MiB more")
        await many.finish()
        await other.finish()


@suite.case(
    "connections-held",
    f"A client that holds {_HELD} connections, each with the beginning of a frame, keeps nobody else from being served.",
    transport="socket",
)
async def connections_held(lab: Lab) -> None:
    async with lab.server(*_ENOUGH_CLIENTS) as server:
        other = await server.connect("other")
        await other.check_alive()
        for index in range(_HELD):
            held = await server.connect(f"held {index}")
            await held.send(b"\x10\x00", "half a length")
        await other.check_alive()
        newcomer = await server.connect("newcomer")
        await newcomer.send(valid_call(), "ChonkVerify")
        await take_verdict(newcomer, lab)
        await newcomer.finish()
        await other.finish()


@suite.case(
    "unknown-command-of-1-mib",
    "Unknown commands with a field of 1 MiB get one ErrorResponse each, and another client is served meanwhile.",
    transport="socket",
)
async def unknown_commands(lab: Lab) -> None:
    request = frame(b"\x91\x92" + pack("NoSuchCommand") + b"\x81" + pack("x") + b"\xdd\x00\x10\x00\x00" + bytes(_MIB))
    async with lab.server(*_MAX_CLIENTS) as server:
        vandal, other = await server.connect("vandal"), await server.connect("other")
        for _ in range(5):
            await one_error(vandal, request, "an unknown command with a field of 1 MiB")
            await other.check_alive()
        await vandal.finish()
        await other.finish()


@suite.case(
    "deadlines-behind-a-batch",
    "Requests whose deadlines pass while they wait behind a batch get one ErrorResponse each; others lose nothing.",
    transport="socket",
    tagged=True,
)
async def deadlines_behind_a_batch(lab: Lab) -> None:
    flow1 = sample("flow1")
    fields = {"proof": flow1.parts, "vk": flow1.key}
    count = 100
    async with lab.server(*_MAX_CLIENTS) as server:
        hasty, other = await server.connect("hasty"), await server.connect("other")
        await hasty.send(
            call("ChonkBatchVerify", {"proofs": [flow1.parts] * 64, "vks": [flow1.key] * 64}, count + 1), "64 proofs"
        )
        for request_id in range(1, count + 1):
            await hasty.send(call("ChonkVerify", fields | {"deadline_ms": 0}, request_id), "a ChonkVerify that is late")
        answered: set[int] = set()
        await other.check_alive()
        while len(answered) <= count:
            reply = await hasty.receive("a response to each request")
            if reply.request_id is None or reply.request_id in answered:
                broken("each id once", f"{reply.request_id!r} again")
            if reply.request_id <= count and reply.response[0] != "ErrorResponse":
                broken("an ErrorResponse for a request that is late", f"{reply.response!r:.100}")
            answered.add(reply.request_id)
        await other.check_alive()
        await hasty.finish()
        await other.finish()


@suite.case("error-then-work", "After an error the same connection verifies proofs as before.")
async def error_then_work(lab: Lab) -> None:
    async with lab.peer() as peer:
        await one_error(peer, frame(b"\xc1"), "garbage")
        await peer.send(valid_call() + blake2s_request(b"abc"), "ChonkVerify and Blake2s")
        await take_verdict(peer, lab)
        await peer.expect(blake2s_response(b"abc"))
        await peer.finish()


# ---- Shared memory ---------------------------------------------------------------------------------------------------


def _ring_case(name: str, rule: str, corrupt: Callable[[Path], None], *, of_responses: bool = False) -> None:
    async def run(lab: Lab) -> None:
        async with lab.server() as server:
            peer = await server.connect()
            await peer.check_alive()
            lab.record.add("harness", "writes", rule)
            requests, responses = server.shm_paths()
            corrupt(responses if of_responses else requests)
            if of_responses:  # they are looked at when there is one
                await peer.send(blake2s_request(b"abc"), "Blake2s 'abc'")
            code = await server.wait()
            if code < 0:
                broken("the server to end by itself", f"the process {describe_exit(code)}")
            for path in server.shm_paths():
                if path.exists():
                    broken("no file in /dev/shm any more", f"{path} is still there")

    function: CaseFunction = run
    suite.case(
        f"ring-{name}",
        f"{rule}: the server ends in order and removes its files.",
        source="docs/protocol.md#shared-memory",
        transport="shm",
    )(function)


def _write(path: Path, *words: tuple[int, int]) -> None:
    """64-bit words at offsets."""
    with path.open("r+b", buffering=0) as file:
        for offset, value in words:
            file.seek(offset)
            file.write(value.to_bytes(8, "little"))


_HEAD: Final = 0
_TAIL: Final = 64
_DATA: Final = 256


def _long_message(requests: Path) -> None:
    head = int.from_bytes(requests.read_bytes()[_HEAD : _HEAD + 8], "little")
    _write(requests, (_DATA + head, 0xFFFF_FFF0), (_HEAD, head + 64))


_ring_case("head-far", "A head that is far ahead of all that fits", lambda requests: _write(requests, (_HEAD, 1 << 63)))
_ring_case("head-back", "A head behind the tail", lambda requests: _write(requests, (_HEAD, 3)))
_ring_case("length", "A message that announces almost 4 GiB", _long_message)
_ring_case("cut-requests", "A file of requests that is cut to nothing", lambda requests: os.truncate(requests, 0))
_ring_case(
    "tail-far",
    "A tail of the responses that is ahead of their head",
    lambda responses: _write(responses, (_TAIL, 1 << 40)),
    of_responses=True,
)
_ring_case(
    "cut-responses",
    "A file of responses that is cut to nothing",
    lambda responses: os.truncate(responses, 0),
    of_responses=True,
)

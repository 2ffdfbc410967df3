"""Suite service: the batch verifier service, whose results come on a FIFO."""

# ruff: noqa: D103 - the rule of a case is its documentation

import os
import struct
from pathlib import Path
from typing import Any

import msgpack
import trio

from bbipc.conform.case import Suite, broken
from bbipc.conform.cases.common import changed, one_error
from bbipc.conform.elements import word
from bbipc.conform.lab import Lab
from bbipc.conform.messages import call
from bbipc.conform.peer import Peer
from bbipc.conform.samples import PARTS, sample

suite = Suite("service", "docs/batching.md#the-batch-verifier-service")

_STATUS_OK = 0


def _start(path: Path) -> bytes:
    keys = [sample("flow1").key, sample("flow4").key]
    return call("ChonkBatchVerifierStart", {"vks": keys, "num_cores": 1, "batch_size": 4, "fifo_path": str(path)})


def _queue(request_id: int, key: int, parts: dict[str, list[Any]]) -> bytes:
    fields = [item for name in PARTS for item in parts[name]]
    return call("ChonkBatchVerifierQueue", {"request_id": request_id, "vk_index": key, "proof_fields": fields})


async def _results(path: Path, count: int) -> dict[int, dict[str, Any]]:
    """`count` results from the FIFO, by id."""
    results: dict[int, dict[str, Any]] = {}
    descriptor = await trio.to_thread.run_sync(os.open, str(path), os.O_RDONLY | os.O_NONBLOCK)
    data = b""
    async with trio.lowlevel.FdStream(descriptor) as stream:
        while len(results) < count:
            if len(data) >= 4 and len(data) >= 4 + struct.unpack(">I", data[:4])[0]:
                end = 4 + struct.unpack(">I", data[:4])[0]
                result = msgpack.unpackb(data[4:end])
                data = data[end:]
                if result["request_id"] in results:
                    broken("one result for each id", f"a second for id {result['request_id']}")
                results[result["request_id"]] = result
            elif not (more := await stream.receive_some(1 << 16)):
                await trio.sleep(0.01)  # nobody has opened the other end yet
            else:
                data += more
    return results


async def _call(peer: Peer, request: bytes, name: str) -> None:
    await peer.send(request, name)
    reply = await peer.receive(f"{name}Response")
    if reply.name != f"{name}Response":
        broken(f"{name}Response", reply)


@suite.case(
    "results",
    "Each queued proof gets one result on the FIFO, with its id; a bad one does not spoil the others.",
    recorded=("batch_service/invalid_mixed",),
)
async def results(lab: Lab) -> None:
    path = lab.directory / "results"
    os.mkfifo(path)
    flow1, flow4 = sample("flow1"), sample("flow4")
    proofs = {
        1: (0, flow1.parts, "valid"),
        2: (0, changed(flow1, PARTS[0], 0, word(7)), "invalid"),
        3: (0, changed(flow1, "ipa_proof", 62, word(1), word(0)), "invalid"),
        4: (1, flow4.parts, "valid"),
    }
    async with lab.peer() as peer, trio.open_nursery() as nursery:
        got: dict[int, dict[str, Any]] = {}

        async def read() -> None:
            got.update(await _results(path, len(proofs)))

        nursery.start_soon(read)
        await _call(peer, _start(path), "ChonkBatchVerifierStart")
        for request_id, (key, parts, _) in proofs.items():
            await _call(peer, _queue(request_id, key, parts), "ChonkBatchVerifierQueue")
        await _call(peer, call("ChonkBatchVerifierStop", {}), "ChonkBatchVerifierStop")
    for request_id, (_, _, verdict) in proofs.items():
        valid = got[request_id]["status"] == _STATUS_OK
        if valid is not ("valid" in lab.expected(verdict)):
            broken(f"{verdict} for id {request_id}", got[request_id])


@suite.case(
    "stop-without-reader",
    "Stop returns even if nobody reads the FIFO.",
    source="docs/protocol.md#the-law",
    recorded=("batch_service/no_reader",),
)
async def stop_without_reader(lab: Lab) -> None:
    path = lab.directory / "results"
    os.mkfifo(path)
    async with lab.peer() as peer:
        await _call(peer, _start(path), "ChonkBatchVerifierStart")
        await _call(peer, _queue(1, 0, sample("flow1").parts), "ChonkBatchVerifierQueue")
        await peer.send(call("ChonkBatchVerifierStop", {}), "ChonkBatchVerifierStop")
        await peer.receive("a response to ChonkBatchVerifierStop")
        await peer.check_alive()


@suite.case("not-running", "Queue and Stop without a running service are errors.", recorded=("batch_service/wrong_order",))
async def not_running(lab: Lab) -> None:
    async with lab.peer() as peer:
        await one_error(peer, call("ChonkBatchVerifierStop", {}), "ChonkBatchVerifierStop")
        await one_error(peer, _queue(1, 0, sample("flow1").parts), "ChonkBatchVerifierQueue")
        await peer.finish()

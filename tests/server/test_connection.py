"""Order, memory and isolation of connections, with scripted workers: nothing here depends on time."""

from typing import Any

import msgpack
import pytest
from trio.testing import MockClock, wait_all_tasks_blocked

from bbipc.server.budget import ALWAYS_GRANTED
from bbipc.server.config import Limits
from bbipc.server.connection import REQUEST_BYTES, End
from bbipc.wire.frame import encode_frame
from server.scripted import HASH, HASHED, is_error, scripted_server, verdict_response, verification


async def test_plain_requests_are_answered_in_order(mock_clock: MockClock) -> None:
    async with scripted_server() as server:
        client = server.connect()
        await client.send([verification("valid 1")], [HASH], [verification("invalid 2")], [HASH], [5], [HASH])
        assert client.responses() == []
        await server.workers.release_all()
        first, second, third, fourth, fifth, sixth = client.responses()
        assert (first, third) == (verdict_response("valid 1"), verdict_response("invalid 2"))
        assert second == fourth == sixth == HASHED
        assert is_error(fifth, "command: int")


async def test_tagged_requests_are_answered_as_they_complete(mock_clock: MockClock) -> None:
    async with scripted_server() as server:
        client = server.connect()
        await client.send([1, verification("valid 1")])
        await client.send([2, verification("invalid 2")], [3, HASH], [verification("valid 3")], [HASH])
        assert client.responses() == [[3, HASHED]]
        await server.workers.release()
        assert client.responses() == [[1, verdict_response("valid 1")]]
        await server.workers.release_all()
        responses = client.responses()
        assert responses.index(verdict_response("valid 3")) == responses.index(HASHED) - 1
        assert [2, verdict_response("invalid 2")] in responses
        assert len(responses) == 3


async def test_a_plain_request_that_runs_holds_up_no_tagged_one_and_the_other_way_round(mock_clock: MockClock) -> None:
    async with scripted_server() as server:
        client = server.connect()
        await client.send([verification("valid 1")], [7, HASH])
        assert client.responses() == [[7, HASHED]]
        await server.workers.release_all()
        assert client.responses() == [verdict_response("valid 1")]
        await client.send([8, verification("valid 2")], [HASH])
        assert client.responses() == [HASHED]


async def test_an_id_in_flight_is_refused_and_the_first_left_alone(mock_clock: MockClock) -> None:
    async with scripted_server() as server:
        client = server.connect()
        await client.send([7, verification("valid 1")], [7, HASH], [7, 5], [0, HASH])
        second, third, zero = client.responses()
        assert second[0] == third[0] == 7
        assert is_error(second[1], "request_id 7 is already in flight")
        assert is_error(third[1], "request_id 7 is already in flight")
        assert zero == HASHED
        await server.workers.release_all()
        assert client.responses() == [[7, verdict_response("valid 1")]]
        await client.send([7, HASH])  # and free again
        assert client.responses() == [[7, HASHED]]


async def test_requests_that_wait_are_taken_together(mock_clock: MockClock) -> None:
    async with scripted_server(threads=2) as server:
        one, two = server.connect(), server.connect()
        await one.send([1, verification("valid 1")])
        await one.send([2, verification("valid 2")], [3, verification("invalid 3")], [verification("valid 4")])
        await two.send([2, verification("error 5")])
        assert len(server.workers.waiting) == 1  # a lone request started at once, on both threads
        await server.workers.release()
        assert server.backend.calls == [("verify", ["valid 1"], 2)]
        assert len(server.workers.waiting) == 2  # two proofs are reduced side by side
        await server.workers.release_all()
        assert server.backend.calls[1:] == [("check", ["valid 2", "error 5", "invalid 3", "valid 4"], 2)]
        assert two.responses() == [[2, verdict_response("error 5")]]
        assert len(one.responses()) == 4


async def test_a_batch_is_bounded_and_clients_take_turns(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1, max_batch_tasks=4) as server:
        greedy, modest = server.connect(), server.connect()
        await greedy.send([1, verification("valid 0")])
        await greedy.send(*([number, verification(f"valid {number}")] for number in range(2, 12)))
        await modest.send([1, verification("valid 100")])
        await server.workers.release()
        while not modest.responses():
            await server.workers.release()
        name, keys, threads = server.backend.calls[1]
        assert (name, keys, threads) == ("check", ["valid 2", "valid 100", "valid 3", "valid 4"], 1)
        await server.workers.release_all()
        assert [len(keys) for _, keys, _ in server.backend.calls] == [1, 4, 4, 3]


async def test_a_batch_leaves_a_worker_to_a_computation(mock_clock: MockClock) -> None:
    compress = ["ChonkDecompressProof", {"compressed_proof": b""}]
    async with scripted_server(threads=2) as server:
        client = server.connect()
        await client.send([1, verification("valid 1")], [2, compress], [3, compress], [4, verification("valid 4")])
        assert len(server.workers.waiting) == 2  # one computation, one worker for the two proofs
        await server.workers.release(0)
        assert is_error(client.responses()[0][1], "ChonkDecompressProof")
        await server.workers.release_all()
        assert sorted(response[0] for response in client.responses()) == [1, 3, 4]


async def test_an_exception_of_the_verifier_hurts_only_its_own_proof(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client = server.connect()
        await client.send([1, verification("boom 1")])
        await client.send([2, verification("valid 2")], [3, verification("boom 3")], [4, verification("invalid 4")])
        await server.workers.release_all()
        keys = {1: "boom 1", 2: "valid 2", 3: "boom 3", 4: "invalid 4"}
        assert sorted(client.responses()) == [[number, verdict_response(key)] for number, key in keys.items()]


def batch(*keys: str) -> list[Any]:
    proof = verification("")[1]["proof"]
    return ["ChonkBatchVerify", {"proofs": [proof] * len(keys), "vks": [key.encode() for key in keys]}]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["valid 1", "valid 2"], ["ChonkBatchVerifyResponse", {"valid": True}]),
        (["valid 1", "invalid 2"], ["ChonkBatchVerifyResponse", {"valid": False}]),
        (["invalid 1", "error 2"], ["ErrorResponse", {"message": "scripted: error 2"}]),  # IPA comes last
        (["error 1", "invalid 2"], ["ErrorResponse", {"message": "scripted: error 1"}]),
        (["boom 1", "valid 2"], ["ErrorResponse", {"message": "internal error, see the server's log"}]),
    ],
)
async def test_batch_verification(keys: list[str], expected: list[Any], mock_clock: MockClock) -> None:
    async with scripted_server() as server:
        client = server.connect()
        await client.send([9, batch(*keys)])
        await server.workers.release_all()
        assert client.responses() == [[9, expected]]


async def test_what_a_lost_client_wanted_is_forgotten(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        lost, other = server.connect(), server.connect()
        await lost.send(*([number, verification(f"valid {number}")] for number in range(1, 6)))
        await other.send([1, verification("invalid 6")])
        lost.stream.break_()
        await wait_all_tasks_blocked()
        assert lost.ended is End.LOST
        await server.workers.release_all()
        assert "valid 5" not in server.backend.decided
        assert other.responses() == [[1, verdict_response("invalid 6")]]
        assert server.scheduler.idle
        assert server.budget.used == 0


async def test_the_end_of_the_input_waits_for_the_answers(mock_clock: MockClock) -> None:
    async with scripted_server() as server:
        client = server.connect()
        await client.send([verification("valid 1")], [HASH], [3, verification("valid 3")])
        await client.end()
        assert client.ended is None
        await server.workers.release_all()
        assert client.ended is End.CLOSED
        assert len(client.responses()) == 3
        assert server.budget.used == 0


async def test_a_frame_cut_short(mock_clock: MockClock) -> None:
    async with scripted_server() as server:
        client = server.connect()
        await client.send_bytes(encode_frame(msgpack.packb([verification("valid 1")])) + b"\x05\x00")
        await client.end()
        await server.workers.release_all()
        assert client.responses() == [verdict_response("valid 1")]
        assert client.ended is End.BROKEN_FRAME


async def test_a_frame_too_long_ends_the_connection_after_the_answers(mock_clock: MockClock) -> None:
    async with scripted_server(limits=Limits(frame=1000)) as server:
        client = server.connect()
        await client.send_bytes(encode_frame(msgpack.packb([verification("valid 1")])) + b"\xe9\x03\x00\x00" + b"x" * 5000)
        assert client.responses() == []
        await server.workers.release_all()
        verdict, error = client.responses()
        assert verdict == verdict_response("valid 1")
        assert is_error(error, "frame of 1001 bytes", "limit is 1000", "--max-frame-bytes")
        assert client.ended is End.BROKEN_FRAME


async def test_shutdown_is_answered_when_all_clients_are(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        one, two = server.connect(), server.connect()
        await one.send([1, verification("valid 1")])
        await two.send([2, verification("valid 2")])
        await one.send([["Shutdown", {}]], [HASH])
        assert one.responses() == []
        await server.workers.release()
        assert one.responses() == [[1, verdict_response("valid 1")]]
        await two.send([HASH])  # too late
        await server.workers.release_all()
        assert one.responses() == [["ShutdownResponse", {}]]
        assert two.responses() == [[2, verdict_response("valid 2")]]
        assert (one.ended, two.ended) == (End.STOPPED, End.STOPPED)


# ---- Memory ----------------------------------------------------------------------------------------------------------


async def test_a_client_that_does_not_read_is_not_read_either(mock_clock: MockClock) -> None:
    async with scripted_server(limits=Limits(connection=10_000)) as server:
        slow, other = server.connect(), server.connect()
        slow.stream.room = 0
        request = encode_frame(msgpack.packb([HASH]))
        await slow.send_bytes(request * 100_000)
        assert server.budget.used < 10_000 + 2 * 64 * 1024  # and a chunk that is being looked at
        await other.send([HASH])
        assert other.responses() == [HASHED]
        slow.stream.take(None)
        await wait_all_tasks_blocked()
        assert slow.responses() == [HASHED] * 100_000
        assert server.budget.used == 0


async def test_requests_that_wait_for_workers_are_bounded(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1, limits=Limits(connection=50_000)) as server:
        client, other = server.connect(), server.connect()
        requests = [encode_frame(msgpack.packb([number, verification(f"valid {number}")])) for number in range(1, 3001)]
        await client.send_bytes(b"".join(requests))
        assert server.scheduler.waiting + server.scheduler.running <= 50_000 // REQUEST_BYTES + 1
        await other.send([HASH])
        assert other.responses() == [HASHED]
        server.workers.automatic = True
        await server.workers.release_all()
        assert {response[0] for response in client.responses()} == set(range(1, 3001))
        assert server.budget.used == 0


async def test_small_requests_are_served_when_all_memory_is_taken(mock_clock: MockClock) -> None:
    async with scripted_server(limits=Limits(total=3 * ALWAYS_GRANTED)) as server:
        hogs = [server.connect() for _ in range(3)]
        for hog in hogs:
            await hog.send_bytes(b"\x00\x00\x00\x02" + bytes(2 * ALWAYS_GRANTED))  # of 32 MiB announced
        assert server.budget.used <= (3 + 2) * ALWAYS_GRANTED  # the total, and what the others may always hold
        other = server.connect()
        await other.send([HASH], [1, verification("valid 1")])
        await server.workers.release_all()
        assert sorted(other.responses(), key=str) == sorted([HASHED, [1, verdict_response("valid 1")]], key=str)


async def test_a_large_frame_without_room_is_refused_in_step(mock_clock: MockClock) -> None:
    async with scripted_server(limits=Limits(total=2 * ALWAYS_GRANTED)) as server:
        hog, client = server.connect(), server.connect()
        hog.stream.room = 0
        await hog.send_bytes(b"\x00\x00\x00\x02" + bytes(2 * ALWAYS_GRANTED))
        size = 4 * ALWAYS_GRANTED
        await client.send_bytes(encode_frame(bytes(size)) + encode_frame(msgpack.packb([HASH])))
        refused, hashed = client.responses()
        assert is_error(refused, f"no room for a frame of {size} bytes", "--max-total-bytes")
        assert hashed == HASHED


async def test_a_large_frame_waits_for_work_in_progress_to_make_room(mock_clock: MockClock) -> None:
    async with scripted_server(limits=Limits(total=3 * ALWAYS_GRANTED)) as server:
        busy, client = server.connect(), server.connect()
        key = "valid " + "x" * (2 * ALWAYS_GRANTED)
        await busy.send([verification(key)])
        data = msgpack.packb([["Blake2s", {"data": bytes(2 * ALWAYS_GRANTED)}]])
        await client.send_bytes(encode_frame(data))
        assert client.responses() == []
        await server.workers.release_all()
        assert client.responses()[0][0] == "Blake2sResponse"


async def test_cancellation_leaves_nothing_behind(mock_clock: MockClock) -> None:
    async with scripted_server() as server:
        for _ in range(3):
            client = server.connect()
            await client.send([verification("valid 1")], [1, verification("valid 2")], [HASH])
            client.stream.room = 0
        before = server.budget.used
        assert before > 0
    assert server.budget.used == 0

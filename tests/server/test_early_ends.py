"""CancelRequest and deadline_ms, with scripted workers and a clock that tests move."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgpack
import pytest
from trio.testing import MockClock, wait_all_tasks_blocked

from server.scripted import HASH, HASHED, is_error, pass_time, scripted_server, verdict_response, verification


def cancel(request_id: int) -> list[Any]:
    return ["CancelRequest", {"request_id": request_id}]


def cancelled(was_there: bool) -> list[Any]:
    return ["CancelRequestResponse", {"cancelled": was_there}]


def within(milliseconds: int, command: list[Any]) -> list[Any]:
    return [command[0], command[1] | {"deadline_ms": milliseconds}]


# ---- CancelRequest ---------------------------------------------------------------------------------------------------


async def test_a_waiting_request_is_cancelled_and_never_started(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client = server.connect()
        await client.send([1, verification("valid 1")])
        await client.send([2, verification("valid 2")], [3, verification("valid 3")], [4, cancel(2)])
        second, answer = client.responses()
        assert second[0] == 2
        assert is_error(second[1], "cancelled by CancelRequest")
        assert answer == [4, cancelled(True)]
        await server.workers.release_all()
        assert client.responses() == [[1, verdict_response("valid 1")], [3, verdict_response("valid 3")]]
        assert "valid 2" not in server.backend.decided


async def test_a_running_request_is_answered_at_once_and_stops_between_steps(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client = server.connect()
        await client.send([1, verification("valid 1")])
        await client.send([cancel(1)])
        first, answer = client.responses()
        assert is_error(first[1], "cancelled")
        assert answer == cancelled(True)
        await client.send([1, HASH])  # the id is free again
        assert client.responses() == [[1, HASHED]]
        await server.workers.release_all()
        assert client.responses() == []
        assert server.backend.decided == []
        assert server.budget.used == 0


async def test_one_of_a_running_batch_is_cancelled_without_harm_to_the_others(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        one, two = server.connect(), server.connect()
        await one.send([9, verification("valid 0")])
        await one.send([1, verification("valid 1")], [2, verification("invalid 2")], [verification("valid 3")])
        await two.send([1, verification("valid 4")])
        await server.workers.release()  # the second batch has begun
        one.responses()
        await one.send([7, cancel(1)])
        assert [response[0] for response in one.responses()] == [1, 7]
        await server.workers.release_all()
        assert "valid 1" not in server.backend.decided
        assert one.responses() == [[2, verdict_response("invalid 2")], verdict_response("valid 3")]
        assert two.responses() == [[1, verdict_response("valid 4")]]


async def test_what_cannot_be_cancelled(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        one, two = server.connect(), server.connect()
        await one.send([1, verification("valid 1")], [verification("valid 2")])
        await two.send([1, cancel(1)], [1, cancel(2)], [cancel(0)], [["CancelRequest", {}]])
        *answers, malformed = two.responses()
        assert answers == [[1, cancelled(False)], [1, cancelled(False)], cancelled(False)]  # another client's, own, plain
        assert is_error(malformed, "missing field 'request_id'")
        await server.workers.release_all()
        assert len(one.responses()) == 2
        await one.send([5, cancel(1)])  # answered already
        assert one.responses() == [[5, cancelled(False)]]


async def test_a_plain_cancel_request_waits_for_its_place_but_works_at_once(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client = server.connect()
        await client.send([verification("valid 1")], [2, verification("valid 2")], [cancel(2)])
        (second,) = client.responses()
        assert second[0] == 2
        await server.workers.release_all()
        assert client.responses() == [verdict_response("valid 1"), cancelled(True)]


async def test_cancelling_makes_room(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client = server.connect()
        await client.send(*([number, verification(f"valid {number}")] for number in range(1, 50)))
        held = server.budget.used
        await client.send(*([cancel(number)] for number in range(2, 50)))
        assert server.budget.used < held / 40
        assert server.scheduler.waiting == 0


# ---- Deadlines -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", [[], [7]])
async def test_a_request_that_waits_too_long(tag: list[int], mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client = server.connect()
        await client.send([1, verification("valid 1")])
        await client.send([*tag, within(100, verification("valid 2"))])
        await pass_time(0.099)
        assert client.responses() == []
        await pass_time(0.001)
        (response,) = client.responses()
        assert response[:-1] == tag or not tag
        assert is_error(response[-1] if tag else response, "ChonkVerify: not done within 100 ms")
        await server.workers.release_all()
        assert client.responses() == [[1, verdict_response("valid 1")]]
        assert server.backend.decided == ["valid 1"]


async def test_a_running_request_expires_between_steps(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client = server.connect()
        await client.send([7, within(100, verification("valid 1"))], [8, within(200, verification("valid 2"))])
        await pass_time(0.15)
        (response,) = client.responses()
        assert response[0] == 7
        assert is_error(response[1], "not done within 100 ms")
        await server.workers.release_all()
        assert client.responses() == [[8, verdict_response("valid 2")]]
        assert server.backend.decided == ["valid 2"]
        await pass_time(1)
        assert client.responses() == []


async def test_no_time_at_all(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client = server.connect()
        await client.send([7, within(0, verification("valid 1"))], [within(0, HASH)])
        expired, hashed = client.responses()
        assert is_error(expired[1], "not done within 0 ms")
        assert hashed == HASHED  # answered at once is never late
        assert not server.workers.waiting


async def test_an_expired_plain_request_keeps_its_place(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client = server.connect()
        await client.send([verification("valid 1")], [within(5, verification("valid 2"))], [verification("valid 3")])
        await pass_time(1)
        assert client.responses() == []
        await server.workers.release_all()
        first, second, third = client.responses()
        assert (first, third) == (verdict_response("valid 1"), verdict_response("valid 3"))
        assert is_error(second, "not done within 5 ms")


@pytest.mark.parametrize("value", [-1, 1.5, "5", None, 2**32])
async def test_a_deadline_is_a_number_of_milliseconds(value: object, mock_clock: MockClock) -> None:
    async with scripted_server() as server:
        client = server.connect()
        await client.send([1, [HASH[0], HASH[1] | {"deadline_ms": value}]])
        ((_, response),) = client.responses()
        assert is_error(response, "deadline_ms: ")


async def test_alarms_of_answered_requests_are_forgotten(mock_clock: MockClock) -> None:
    async with scripted_server() as server:
        server.workers.automatic = True
        client = server.connect()
        for start in range(1, 5001, 100):
            await client.send(*([number, within(2**32 - 1, verification("valid"))] for number in range(start, start + 100)))
        assert len(client.responses()) == 5000
        assert len(server.deadlines) < 200


async def test_alarms_of_a_lost_client_do_not_ring(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client = server.connect()
        await client.send([1, within(100, verification("valid 1"))], [within(100, verification("valid 2"))])
        client.stream.break_()
        await wait_all_tasks_blocked()
        await pass_time(1)
        await server.workers.release_all()
        assert server.budget.used == 0
        assert server.scheduler.idle


# ---- Stats -----------------------------------------------------------------------------------------------------------


async def test_stats(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client, other = server.connect(), server.connect()
        await client.send([1, verification("valid 1")])
        await client.send([2, verification("invalid 2")], [3, verification("error 3")], [4, verification("valid 4")])
        await client.send([5, within(10, verification("valid 5"))], [6, ["AvmProve", {}]], [7, ["NoSuch", {}]], [8, 9], [HASH])
        await client.send([9, cancel(4)])
        await pass_time(0.5)
        await client.send([10, ["Stats", {}]])
        stats = client.responses()[-1][1][1]
        assert (stats["waiting"], stats["running"]) == (2, 1)
        assert stats["in_flight_bytes"] == server.budget.used > 0
        await server.workers.release_all()
        await pass_time(1)
        other.stream.break_()
        await wait_all_tasks_blocked()
        client.responses()
        await client.send([["Stats", {}]])
        ((name, stats),) = client.responses()
        assert name == "StatsResponse"
        commands = {entry.pop("name"): entry for entry in stats["commands"]}
        none = {"answered": 0, "failed": 0, "cancelled": 0, "expired": 0}
        assert commands == {
            "ChonkVerify": {"answered": 2, "failed": 1, "cancelled": 1, "expired": 1},
            "AvmProve": none | {"failed": 1},
            "(others)": none | {"failed": 1},
            "Blake2s": none | {"answered": 1},
            "CancelRequest": none | {"answered": 1},
            "Stats": none | {"answered": 1},
        }
        assert stats["batches"] == [{"max_proofs": 1, "batches": 1}, {"max_proofs": 2, "batches": 1}]
        assert stats["verdicts"] == {"valid": 1, "invalid": 1, "error": 1, "cancelled": 0}
        assert (stats["connections"], stats["connections_total"]) == (1, 2)
        assert (stats["malformed"], stats["waiting"], stats["running"], stats["in_flight_bytes"]) == (1, 0, 0, 0)
        assert (stats["threads"], stats["arithmetic"], stats["uptime_ms"]) == (1, "scripted", 1500)
        assert stats["latency"]["count"] == 5
        assert 500_000 <= stats["latency"]["p50_us"] <= stats["latency"]["p99_us"] <= stats["latency"]["max_us"] == 500_000
        assert not stats["upstream"]["configured"]
        assert not stats["batch_service"]["running"]
        assert msgpack.packb(stats)


async def test_stats_of_strange_names_take_no_memory(mock_clock: MockClock) -> None:
    async with scripted_server() as server:
        client = server.connect()
        await client.send(*([["x" * number, {}]] for number in range(1, 500)))
        assert [entry["name"] for entry in server.statistics.commands()] == ["(others)"]


# ---- Requests that are forwarded -------------------------------------------------------------------------------------


def test_a_child_that_does_not_answer(start: Callable[..., Any], tmp_path: Path) -> None:
    """What it has is given up as what waits for it is; a late answer of the child is for nobody."""
    child = tmp_path / "bb"
    child.write_text("#!/bin/sh\nexec cat > /dev/null\n")
    child.chmod(0o755)
    with start("--bb", str(child)) as server:
        peer = server.connect()
        late = within(20, ["ChonkProve", {}])
        peer.request(*map(msgpack.packb, ([1, ["ChonkProve", {}]], [2, late], [late], [3, ["ChonkProve", {}]])))
        expired = [peer.receive() or b"", peer.receive() or b""]
        assert all(b"ChonkProve: not done within 20 ms" in response for response in expired)
        peer.request(*map(msgpack.packb, ([4, cancel(3)], [4, cancel(1)])))
        responses = [msgpack.unpackb(peer.receive() or b"") for _ in range(4)]
        assert [response[0] for response in responses] == [3, 4, 1, 4]
        assert is_error(responses[0][1], "cancelled")
        assert is_error(responses[2][1], "cancelled")
        assert responses[1] == responses[3] == [4, cancelled(True)]
        peer.is_served()
        name, fields = peer.call(msgpack.packb([["ChonkProve", {"deadline_ms": "soon"}]]))
        assert name == "ErrorResponse"
        assert fields["message"] == "deadline_ms: str, expected unsigned int"
        stats = peer.call(msgpack.packb([["Stats", {}]]))[1]
        while not stats["upstream"]["started"]:  # which may take longer than all of the above
            stats = peer.call(msgpack.packb([["Stats", {}]]))[1]
        assert stats["upstream"] == {"configured": True, "waiting": 0, "forwarded": 0, "failed": 0, "started": 1, "failures": 0}
        assert stats["arithmetic"] in ("portable", "adx", "ifma")
        assert stats["version"] == version("bbipc")

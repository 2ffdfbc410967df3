"""The Trio client against servers that behave, and against all kinds that do not."""

import struct
from functools import partial
from typing import Any

import msgpack
import pytest
import trio
import trio.testing

from bbipc.client import ClientClosed, ClientError, Dialect, ProtocolViolation, ServerError, ServerGone, open_client
from bbipc.wire.errors import EncodeError
from client.scripted import HASH, Server, Task, digest, error, run, scripted
from samples import FLOW1

OTHER_HASH = bytes(32)


def test_plain_requests_are_answered_in_order() -> None:
    async def test() -> None:
        async with scripted() as (client, server), trio.open_nursery() as nursery:
            first = Task(nursery, partial(client.call, "Blake2s", data=b"1"))
            assert await server.receive() == [["Blake2s", {"data": b"1"}]]
            second = Task(nursery, partial(client.call, "Blake2s", data=b"2"))
            assert await server.receive() == [["Blake2s", {"data": b"2"}]]
            await server.send(digest(HASH))
            await server.send(digest(OTHER_HASH))
            assert await first.result() == {"hash": HASH}
            assert await second.result() == {"hash": OTHER_HASH}

    run(test)


def test_tagged_requests_are_answered_in_any_order() -> None:
    async def test() -> None:
        async with scripted() as (client, server), trio.open_nursery() as nursery:
            tasks = {}
            for number in range(5):
                task = Task(nursery, partial(client.call_tagged, "Blake2s", data=bytes([number])))
                request_id, (_, fields) = await server.receive()
                tasks[request_id] = task, fields["data"]
            for request_id in sorted(tasks, reverse=True):
                task, data = tasks[request_id]
                await server.send([request_id, digest(data * 32)])
                assert await task.result() == {"hash": data * 32}

    run(test)


def test_both_kinds_on_one_connection() -> None:
    async def test() -> None:
        async with scripted() as (client, server), trio.open_nursery() as nursery:
            plain = Task(nursery, partial(client.call, "Blake2s", data=b""))
            await server.receive()
            tagged = Task(nursery, partial(client.call_tagged, "Blake2s", data=b""))
            request_id, _ = await server.receive()
            await server.send([request_id, digest()])
            assert await tagged.result() == {"hash": HASH}
            assert not plain.done.is_set()
            await server.send(digest())
            await plain.result()

    run(test)


def test_an_error_response_concerns_one_request_only() -> None:
    async def test() -> None:
        async with scripted() as (client, server), trio.open_nursery() as nursery:
            task = Task(nursery, partial(client.call, "Blake2s", data=b""))
            await server.receive()
            await server.send(error("no"))
            with pytest.raises(ServerError, match=r"^no$") as caught:
                await task.result()
            assert caught.value.command == "Blake2s"
            task = Task(nursery, partial(client.call, "Blake2s", data=b""))
            await server.receive()
            await server.send(digest())
            await task.result()

    run(test)


@pytest.mark.parametrize(
    ("response", "text"),
    [
        (["ChonkVerifyResponse", {"valid": True}], "valid"),
        (["ChonkVerifyResponse", {"valid": False}], "invalid"),
        (error("proof.merge_proof[3]: bad"), "error: proof.merge_proof[3]: bad"),
    ],
)
def test_verify_turns_responses_into_verdicts(response: Any, text: str) -> None:
    async def test() -> None:
        async with scripted() as (client, server), trio.open_nursery() as nursery:
            task = Task(nursery, partial(client.verify, FLOW1.proof, FLOW1.vk))
            request_id, command = await server.receive()
            assert command == ["ChonkVerify", {"proof": FLOW1.proof.to_parts(), "vk": FLOW1.vk}]
            await server.send([request_id, response])
            verdict = await task.result()
            assert str(verdict) == text
            assert bool(verdict) == verdict.valid == (text == "valid")

    run(test)


def test_wrong_fields_are_refused_before_anything_is_sent() -> None:
    async def test() -> None:
        async with scripted() as (client, server), trio.open_nursery() as nursery:
            with pytest.raises(EncodeError, match="data"):
                await client.call("Blake2s", nonsense=1)
            with pytest.raises(EncodeError):
                await client.call_tagged("NotOfBb", value=object())
            task = Task(nursery, partial(client.call, "Blake2s", data=b"x"))
            assert await server.receive() == [["Blake2s", {"data": b"x"}]]
            await server.send(digest())
            await task.result()

    run(test)


def test_commands_outside_of_the_published_schema() -> None:
    async def test() -> None:
        async with scripted() as (client, server), trio.open_nursery() as nursery:
            task = Task(nursery, partial(client.call_tagged, "Extension", depth=2, blob=b"\0"))
            request_id, command = await server.receive()
            assert command == ["Extension", {"depth": 2, "blob": b"\0"}]
            await server.send([request_id, ["ExtensionResponse", {"list": [1, "two", None]}]])
            assert await task.result() == {"list": [1, "two", None]}

    run(test)


# ---- Cancellation ---------------------------------------------------------------------------------------------------


def test_a_cancelled_plain_call_is_matched_with_its_own_response() -> None:
    async def test() -> None:
        async with scripted() as (client, server), trio.open_nursery() as nursery:
            first = Task(nursery, partial(client.call, "Blake2s", data=b"1"))
            await server.receive()
            first.scope.cancel()
            await first.done.wait()
            second = Task(nursery, partial(client.call, "Blake2s", data=b"2"))
            assert await server.receive() == [["Blake2s", {"data": b"2"}]]
            await server.send(digest(HASH))
            await server.send(digest(OTHER_HASH))
            assert await second.result() == {"hash": OTHER_HASH}

    run(test)


def test_a_cancelled_tagged_call_is_cancelled_at_the_server_and_its_late_response_dropped() -> None:
    async def test() -> None:
        async with scripted() as (client, server), trio.open_nursery() as nursery:
            call = Task(nursery, partial(client.verify, FLOW1.proof, FLOW1.vk))
            request_id, _ = await server.receive()
            call.scope.cancel()
            await call.done.wait()
            cancel_id, command = await server.receive()
            assert command == ["CancelRequest", {"request_id": request_id}]
            await server.send([cancel_id, ["CancelRequestResponse", {}]])
            await server.send([request_id, error("cancelled")])
            again = Task(nursery, partial(client.call_tagged, "Blake2s", data=b""))
            new_id, _ = await server.receive()
            assert new_id not in (request_id, cancel_id)
            await server.send([new_id, digest()])
            assert await again.result() == {"hash": HASH}

    run(test)


def test_a_call_that_is_cancelled_before_it_is_sent_leaves_no_trace() -> None:
    async def test() -> None:
        async with scripted() as (client, server), trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                scope.cancel()
                await client.verify(FLOW1.proof, FLOW1.vk)
            assert scope.cancelled_caught
            task = Task(nursery, partial(client.call_tagged, "Blake2s", data=b"next"))
            _, command = await server.receive()
            assert command == ["Blake2s", {"data": b"next"}]
            task.scope.cancel()

    run(test)


def test_a_server_that_stalls_is_left_by_a_timeout() -> None:
    async def test() -> None:
        async with scripted() as (client, _):
            with pytest.raises(trio.TooSlowError):
                with trio.fail_after(10):
                    await client.call("Blake2s", data=b"")

    run(test)


def test_a_server_that_does_not_read_blocks_nobody_for_ever() -> None:
    async def test() -> None:
        ours, theirs = trio.testing.lockstep_stream_pair()
        async with theirs, open_client(stream=ours, dialect=Dialect.TAGGED) as client, trio.open_nursery() as nursery:
            tasks = [Task(nursery, partial(client.call_tagged, "Blake2s", data=b"")) for _ in range(3)]
            await trio.testing.wait_all_tasks_blocked()
            for task in tasks:
                task.scope.cancel()
                await task.done.wait()

    run(test)


# ---- Servers that do not behave -------------------------------------------------------------------------------------

A_FRAME = struct.pack("<I", 5) + b"\x01\x02"

MISBEHAVIOUR = {
    "unknown id": (ProtocolViolation, lambda i: msgpack.packb([i + 1000, digest()]), "with id 100[0-9], which no request has"),
    "no id": (ProtocolViolation, lambda i: msgpack.packb(digest()), "without an id while no plain request waits"),
    "wrong command": (ProtocolViolation, lambda i: msgpack.packb([i, ["ShutdownResponse", {}]]), "with ShutdownResponse"),
    "wrong fields": (ProtocolViolation, lambda i: msgpack.packb([i, ["Blake2sResponse", {}]]), "missing field 'hash'"),
    "wrong type": (ProtocolViolation, lambda i: msgpack.packb([i, ["Blake2sResponse", {"hash": 1}]]), "hash: int"),
    "garbage": (ProtocolViolation, lambda i: b"\xc1\xc1", "a frame of 2 bytes that is no response"),
    "empty frame": (ProtocolViolation, lambda i: b"", "a frame of 0 bytes that is no response"),
    "bytes behind": (ProtocolViolation, lambda i: msgpack.packb([i, digest()]) + b"\0", "1 bytes behind the response"),
    "three elements": (ProtocolViolation, lambda i: msgpack.packb([i, digest(), 1]), "that is no response"),
    "negative id": (ProtocolViolation, lambda i: msgpack.packb([-1, digest()]), "that is no response"),
}


@pytest.mark.parametrize("case", MISBEHAVIOUR)
def test_a_misbehaving_server_fails_every_request(case: str) -> None:
    kind, make, message = MISBEHAVIOUR[case]

    async def test() -> None:
        async with scripted() as (client, server), trio.open_nursery() as nursery:
            tasks = [Task(nursery, partial(client.call_tagged, "Blake2s", data=b"")) for _ in range(3)]
            ids = [(await server.receive())[0] for _ in tasks]
            await server.send_payload(make(ids[1]))
            for task in tasks:
                with pytest.raises(kind, match=message):
                    await task.result()
            with pytest.raises(kind, match=message):
                await client.call("Blake2s", data=b"")

    run(test)


def test_a_server_that_answers_twice() -> None:
    async def test() -> None:
        async with scripted() as (client, server), trio.open_nursery() as nursery:
            first = Task(nursery, partial(client.call_tagged, "Blake2s", data=b""))
            first_id, _ = await server.receive()
            second = Task(nursery, partial(client.call_tagged, "Blake2s", data=b""))
            await server.receive()
            await server.send([first_id, digest()])
            await first.result()
            await server.send([first_id, digest()])
            with pytest.raises(ProtocolViolation, match=f"with id {first_id}, which no request has"):
                await second.result()

    run(test)


def test_the_answers_before_a_violation_count() -> None:
    async def test() -> None:
        async with scripted() as (client, server), trio.open_nursery() as nursery:
            first = Task(nursery, partial(client.call, "Blake2s", data=b""))
            second = Task(nursery, partial(client.call, "Blake2s", data=b""))
            for _ in range(2):
                await server.receive()
            good = msgpack.packb(digest())
            await server.stream.send_all(struct.pack("<I", len(good)) + good + struct.pack("<I", 1) + b"\xc1")
            results = [task for task in (first, second) if (await task.done.wait()) is None and task.error is None]
            assert [task.value for task in results] == [{"hash": HASH}]

    run(test)


@pytest.mark.parametrize(
    ("last_bytes", "kind", "message"),
    [
        (b"", ServerGone, "ended the connection"),
        (b"\x05", ProtocolViolation, "inside the length of a frame: 1 bytes of 4"),
        (A_FRAME, ProtocolViolation, "inside a frame: 6 bytes of 9"),
        (b"\xff\xff\xff\xff", ProtocolViolation, "frame of 4294967295 bytes announced"),
    ],
)
def test_a_server_that_dies(last_bytes: bytes, kind: type[ClientError], message: str) -> None:
    async def test() -> None:
        async with scripted() as (client, server), trio.open_nursery() as nursery:
            tagged = Task(nursery, partial(client.call_tagged, "Blake2s", data=b""))
            plain = Task(nursery, partial(client.call, "Blake2s", data=b""))
            for _ in range(2):
                await server.receive()
            await server.stream.send_all(last_bytes)
            await server.hang_up()
            for task in (tagged, plain):
                with pytest.raises(kind, match=message):
                    await task.result()
            with pytest.raises(ClientError):
                await client.verify(FLOW1.proof, FLOW1.vk)

    run(test)


def test_what_a_dying_server_answered_still_counts() -> None:
    async def test() -> None:
        async with scripted() as (client, server), trio.open_nursery() as nursery:
            answered = Task(nursery, partial(client.call, "Blake2s", data=b""))
            await server.receive()
            await server.send(digest())
            await server.hang_up()
            assert await answered.result() == {"hash": HASH}

    run(test)


def test_a_server_that_stops_reading_is_gone_for_new_requests_only() -> None:
    async def test() -> None:
        requests_in, requests_out = trio.testing.memory_stream_one_way_pair()
        responses_in, responses_out = trio.testing.memory_stream_one_way_pair()
        ours = trio.StapledStream(requests_in, responses_out)
        server = Server(trio.StapledStream(responses_in, requests_out))
        async with open_client(stream=ours, dialect=Dialect.TAGGED) as client, trio.open_nursery() as nursery:
            first = Task(nursery, partial(client.call, "Blake2s", data=b""))
            await server.receive()
            await requests_out.aclose()
            for _ in range(2):
                with pytest.raises(ServerGone, match="does not read"):
                    await client.call("Blake2s", data=b"")
            await server.send(digest())
            assert await first.result() == {"hash": HASH}

    run(test)


# ---- Ends -----------------------------------------------------------------------------------------------------------


def test_calls_that_outlive_the_client_fail() -> None:
    async def test() -> None:
        async with trio.open_nursery() as nursery:
            async with scripted() as (client, server):
                task = Task(nursery, partial(client.call, "Blake2s", data=b""))
                await server.receive()
            with pytest.raises(ClientClosed):
                await task.result()
            with pytest.raises(ClientClosed):
                await client.call("Blake2s", data=b"")
            assert await server.receive() is None

    run(test)


def test_exceptions_leave_the_block_as_they_are() -> None:
    async def test() -> None:
        with pytest.raises(KeyError, match="mine"):
            async with scripted():
                raise KeyError("mine")

    run(test)


def test_the_block_can_be_cancelled() -> None:
    async def test() -> None:
        with trio.move_on_after(1) as scope:
            async with scripted() as (client, _):
                await client.call("Blake2s", data=b"")
        assert scope.cancelled_caught

    run(test)


@pytest.mark.parametrize("arguments", [{}, {"command": ["x"], "socket": "y"}])
def test_exactly_one_way_to_the_server(arguments: dict[str, Any]) -> None:
    async def test() -> None:
        with pytest.raises(ValueError, match="exactly one"):
            async with open_client(**arguments):
                pass

    run(test)

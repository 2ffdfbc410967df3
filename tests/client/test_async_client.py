"""The async client, under Trio and asyncio, against servers that behave, and against all kinds that do not."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import Any

import anyio
import msgpack
import pytest
import trio
import trio.testing
from anyio.abc import SocketAttribute

from bbipc.chonk import ChonkProof
from bbipc.client import ClientClosed, ClientError, Dialect, ProtocolViolation, ServerError, ServerGone, open_client
from bbipc.wire.errors import EncodeError
from client.scripted import HASH, Server, Task, digest, error, run, scripted, streams
from samples import FLOW1

OTHER_HASH = bytes(32)


def test_plain_requests_are_answered_in_order() -> None:
    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:
            first = Task(group, partial(client.call, "Blake2s", data=b"1"))
            assert await server.receive() == [["Blake2s", {"data": b"1"}]]
            second = Task(group, partial(client.call, "Blake2s", data=b"2"))
            assert await server.receive() == [["Blake2s", {"data": b"2"}]]
            await server.send(digest(HASH))
            await server.send(digest(OTHER_HASH))
            assert await first.result() == {"hash": HASH}
            assert await second.result() == {"hash": OTHER_HASH}

    run(test)


def test_tagged_requests_are_answered_in_any_order() -> None:
    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:
            tasks = {}
            for number in range(5):
                task = Task(group, partial(client.call_tagged, "Blake2s", data=bytes([number])))
                request_id, (_, fields) = await server.receive()
                tasks[request_id] = task, fields["data"]
            for request_id in sorted(tasks, reverse=True):
                task, data = tasks[request_id]
                await server.send([request_id, digest(data * 32)])
                assert await task.result() == {"hash": data * 32}

    run(test)


def test_both_kinds_on_one_connection() -> None:
    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:
            plain = Task(group, partial(client.call, "Blake2s", data=b""))
            await server.receive()
            tagged = Task(group, partial(client.call_tagged, "Blake2s", data=b""))
            request_id, _ = await server.receive()
            await server.send([request_id, digest()])
            assert await tagged.result() == {"hash": HASH}
            assert not plain.done.is_set()
            await server.send(digest())
            await plain.result()

    run(test)


def test_an_error_response_concerns_one_request_only() -> None:
    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:
            task = Task(group, partial(client.call, "Blake2s", data=b""))
            await server.receive()
            await server.send(error("no"))
            with pytest.raises(ServerError, match=r"^no$") as caught:
                await task.result()
            assert caught.value.command == "Blake2s"
            task = Task(group, partial(client.call, "Blake2s", data=b""))
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
        async with scripted() as (client, server), anyio.create_task_group() as group:
            task = Task(group, partial(client.verify, FLOW1.proof, FLOW1.vk))
            request_id, command = await server.receive()
            assert command == ["ChonkVerify", {"proof": FLOW1.proof.to_words(), "vk": FLOW1.vk}]
            await server.send([request_id, response])
            verdict = await task.result()
            assert str(verdict) == text
            assert bool(verdict) == verdict.valid == (text == "valid")

    run(test)


def test_wrong_fields_are_refused_before_anything_is_sent() -> None:
    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:
            with pytest.raises(EncodeError, match="data"):
                await client.call("Blake2s", nonsense=1)
            with pytest.raises(EncodeError):
                await client.call_tagged("NotOfBb", value=object())
            task = Task(group, partial(client.call, "Blake2s", data=b"x"))
            assert await server.receive() == [["Blake2s", {"data": b"x"}]]
            await server.send(digest())
            await task.result()

    run(test)


def test_commands_outside_of_the_published_schema() -> None:
    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:
            task = Task(group, partial(client.call_tagged, "Extension", depth=2, blob=b"\0"))
            request_id, command = await server.receive()
            assert command == ["Extension", {"depth": 2, "blob": b"\0"}]
            await server.send([request_id, ["ExtensionResponse", {"list": [1, "two", None]}]])
            assert await task.result() == {"list": [1, "two", None]}

    run(test)


# ---- Cancellation ---------------------------------------------------------------------------------------------------


def test_a_cancelled_plain_call_is_matched_with_its_own_response() -> None:
    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:
            first = Task(group, partial(client.call, "Blake2s", data=b"1"))
            await server.receive()
            first.scope.cancel()
            await first.done.wait()
            second = Task(group, partial(client.call, "Blake2s", data=b"2"))
            assert await server.receive() == [["Blake2s", {"data": b"2"}]]
            await server.send(digest(HASH))
            await server.send(digest(OTHER_HASH))
            assert await second.result() == {"hash": OTHER_HASH}

    run(test)


def test_a_cancelled_tagged_call_is_cancelled_at_the_server_and_its_late_response_dropped() -> None:
    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:
            call = Task(group, partial(client.verify, FLOW1.proof, FLOW1.vk))
            request_id, _ = await server.receive()
            call.scope.cancel()
            await call.done.wait()
            cancel_id, command = await server.receive()
            assert command == ["CancelRequest", {"request_id": request_id}]
            await server.send([cancel_id, ["CancelRequestResponse", {}]])
            await server.send([request_id, error("cancelled")])
            again = Task(group, partial(client.call_tagged, "Blake2s", data=b""))
            new_id, _ = await server.receive()
            assert new_id not in (request_id, cancel_id)
            await server.send([new_id, digest()])
            assert await again.result() == {"hash": HASH}

    run(test)


def test_a_call_that_is_cancelled_before_it_is_sent_leaves_no_trace() -> None:
    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:
            with anyio.CancelScope() as scope:
                scope.cancel()
                await client.verify(FLOW1.proof, FLOW1.vk)
            assert scope.cancelled_caught
            task = Task(group, partial(client.call_tagged, "Blake2s", data=b"next"))
            _, command = await server.receive()
            assert command == ["Blake2s", {"data": b"next"}]
            task.scope.cancel()

    run(test)


def test_a_server_that_stalls_is_left_by_a_timeout() -> None:
    async def test() -> None:
        async with scripted() as (client, _):
            with pytest.raises(TimeoutError):
                with anyio.fail_after(10):
                    await client.call("Blake2s", data=b"")

    run(test)


def test_a_server_that_does_not_read_blocks_nobody_for_ever() -> None:
    async def test() -> None:
        async with scripted() as (client, _), anyio.create_task_group() as group:
            tasks = [Task(group, partial(client.call_tagged, "Blake2s", data=bytes(1 << 20))) for _ in range(3)]
            await anyio.wait_all_tasks_blocked()
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
    "garbage": (ProtocolViolation, lambda i: b"\xc1\xc1", "a frame of 2 bytes that is not a response"),
    "empty frame": (ProtocolViolation, lambda i: b"", "a frame of 0 bytes that is not a response"),
    "bytes behind": (ProtocolViolation, lambda i: msgpack.packb([i, digest()]) + b"\0", "1 bytes after the response"),
    "three elements": (ProtocolViolation, lambda i: msgpack.packb([i, digest(), 1]), "that is not a response"),
    "negative id": (ProtocolViolation, lambda i: msgpack.packb([-1, digest()]), "that is not a response"),
}


@pytest.mark.parametrize("case", MISBEHAVIOUR)
def test_a_misbehaving_server_fails_every_request(case: str) -> None:
    kind, make, message = MISBEHAVIOUR[case]

    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:
            tasks = [Task(group, partial(client.call_tagged, "Blake2s", data=b"")) for _ in range(3)]
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
        async with scripted() as (client, server), anyio.create_task_group() as group:
            first = Task(group, partial(client.call_tagged, "Blake2s", data=b""))
            first_id, _ = await server.receive()
            second = Task(group, partial(client.call_tagged, "Blake2s", data=b""))
            await server.receive()
            await server.send([first_id, digest()])
            await first.result()
            await server.send([first_id, digest()])
            with pytest.raises(ProtocolViolation, match=f"with id {first_id}, which no request has"):
                await second.result()

    run(test)


def test_the_answers_before_a_violation_count() -> None:
    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:
            first = Task(group, partial(client.call, "Blake2s", data=b""))
            second = Task(group, partial(client.call, "Blake2s", data=b""))
            for _ in range(2):
                await server.receive()
            good = msgpack.packb(digest())
            await server.stream.send(struct.pack("<I", len(good)) + good + struct.pack("<I", 1) + b"\xc1")
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
        async with scripted() as (client, server), anyio.create_task_group() as group:
            tagged = Task(group, partial(client.call_tagged, "Blake2s", data=b""))
            plain = Task(group, partial(client.call, "Blake2s", data=b""))
            for _ in range(2):
                await server.receive()
            await server.stream.send(last_bytes)
            await server.hang_up()
            for task in (tagged, plain):
                with pytest.raises(kind, match=message):
                    await task.result()
            with pytest.raises(ClientError):
                await client.verify(FLOW1.proof, FLOW1.vk)

    run(test)


def test_what_a_dying_server_answered_still_counts() -> None:
    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:
            answered = Task(group, partial(client.call, "Blake2s", data=b""))
            await server.receive()
            await server.send(digest())
            await server.hang_up()
            assert await answered.result() == {"hash": HASH}

    run(test)


def test_a_server_that_stops_reading_is_gone_for_new_requests_only() -> None:
    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:
            first = Task(group, partial(client.call, "Blake2s", data=b""))
            await server.receive()
            server.stream.extra(SocketAttribute.raw_socket).shutdown(socket.SHUT_RD)
            for _ in range(2):
                with pytest.raises(ServerGone, match="does not read"):
                    await client.call("Blake2s", data=b"")
            await server.send(digest())
            assert await first.result() == {"hash": HASH}

    run(test)


def test_a_server_that_stops_reading_and_then_ends_says_how() -> None:
    """The error of the reader, which knows more, wins over that of the writer."""

    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:
            server.stream.extra(SocketAttribute.raw_socket).shutdown(socket.SHUT_RD)
            tasks = [Task(group, partial(client.call, "Blake2s", data=b"")) for _ in range(3)]
            await anyio.wait_all_tasks_blocked()
            await server.stream.send(b"\x05")
            await server.hang_up()
            for task in tasks:
                with pytest.raises(ProtocolViolation, match="inside the length"):
                    await task.result()

    run(test)


def test_a_server_that_ends_its_answers_but_reads_on_is_gone() -> None:
    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:
            task = Task(group, partial(client.call, "Blake2s", data=b""))
            await server.receive()
            await server.stream.send_eof()
            with pytest.raises(ServerGone, match="ended the connection"):
                await task.result()
            with pytest.raises(ServerGone, match="ended the connection"):
                await client.verify(FLOW1.proof, FLOW1.vk)

    run(test)


# ---- Ends -----------------------------------------------------------------------------------------------------------


def test_calls_that_outlive_the_client_fail() -> None:
    async def test() -> None:
        ours, theirs = await streams()
        server = Server(theirs)
        async with theirs, anyio.create_task_group() as group:
            async with open_client(stream=ours, dialect=Dialect.TAGGED) as client:
                task = Task(group, partial(client.call, "Blake2s", data=b""))
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
        with anyio.move_on_after(1) as scope:
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


# ---- Many at once ---------------------------------------------------------------------------------------------------


async def _async_pairs(count: int) -> AsyncIterator[tuple[ChonkProof, bytes]]:
    for _ in range(count):
        yield FLOW1.proof, FLOW1.vk


def verdict(valid: bool) -> list[Any]:
    return ["ChonkVerifyResponse", {"valid": valid}]


@pytest.mark.parametrize("make", [lambda: [(FLOW1.proof, FLOW1.vk)] * 7, lambda: _async_pairs(7)], ids=["iterable", "async"])
def test_verify_many_keeps_the_order_and_the_number_in_flight(make: Any) -> None:
    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:

            async def verify() -> list[bool]:
                return [one.valid async for one in client.verify_many(make(), in_flight=3)]

            task = Task(group, verify)
            ids: list[int] = []
            for answered in range(7):
                while len(ids) < min(7, answered + 3):
                    ids.append((await server.receive())[0])
                with anyio.move_on_after(1) as scope:
                    await server.receive()
                assert scope.cancelled_caught, "more than three are in flight"
                await server.send([ids[answered], verdict(answered % 2 == 0)])
            assert await task.result() == [True, False] * 3 + [True]

    run(test)


def test_leaving_verify_many_cancels_the_rest() -> None:
    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:

            async def first_only() -> bool:
                async with aclosing(client.verify_many([(FLOW1.proof, FLOW1.vk)] * 4, in_flight=3)) as verdicts:
                    async for one in verdicts:
                        return one.valid
                raise AssertionError

            task = Task(group, first_only)
            ids = [(await server.receive())[0] for _ in range(3)]
            await server.send([ids[0], verdict(True)])
            assert await task.result()
            cancelled = [(await server.receive())[1] for _ in range(2)]
            assert cancelled == [["CancelRequest", {"request_id": request_id}] for request_id in ids[1:]]

    run(test)


@pytest.mark.parametrize("in_flight", [0, -1])
def test_verify_many_needs_at_least_one_in_flight(in_flight: int) -> None:
    async def test() -> None:
        async with scripted() as (client, _):
            with pytest.raises(ValueError, match="in_flight must be at least 1"):
                client.verify_many([], in_flight=in_flight)

    run(test)


@pytest.mark.parametrize(
    ("proof", "key", "name"), [(b"bytes", b"", "proof"), (FLOW1.proof, "text", "key")], ids=["proof", "key"]
)
def test_arguments_of_the_wrong_type_are_named(proof: Any, key: Any, name: str) -> None:
    async def test() -> None:
        async with scripted() as (client, _):
            with pytest.raises(TypeError, match=f"{name} must be .*, not "):
                await client.verify(proof, key)

    run(test)


# ---- What is particular to one event loop ---------------------------------------------------------------------------


def test_cancelling_a_task_of_asyncio_cancels_at_the_server() -> None:
    async def test() -> None:
        async with scripted() as (client, server):
            task = asyncio.create_task(client.verify(FLOW1.proof, FLOW1.vk))
            request_id, _ = await server.receive()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await server.receive())[1] == ["CancelRequest", {"request_id": request_id}]
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(10):
                    await client.call_tagged("Blake2s", data=b"")
            request_id, _ = await server.receive()
            assert (await server.receive())[1] == ["CancelRequest", {"request_id": request_id}]

    run(test, backends=("asyncio",))


def test_a_gather_of_asyncio_that_fails_leaves_the_connection_in_order() -> None:
    async def test() -> None:
        async with scripted() as (client, server):
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(client.call_tagged("Blake2s", data=bytes([i]))) for i in range(5)]
                requests = {(await server.receive())[1][1]["data"]: i for i in range(5)}
                assert set(requests) == {bytes([i]) for i in range(5)}
                for request_id in range(5, 0, -1):
                    await server.send([request_id, digest(bytes([request_id]) * 32)])
            assert {task.result()["hash"][0] for task in tasks} == {1, 2, 3, 4, 5}

    run(test, backends=("asyncio",))


def test_a_stream_of_trio() -> None:
    async def test() -> None:
        ours, theirs = trio.testing.memory_stream_pair()
        async with theirs, open_client(stream=ours, dialect=Dialect.TAGGED) as client, anyio.create_task_group() as group:
            answered = Task(group, partial(client.call, "Blake2s", data=b""))
            assert len(await theirs.receive_some(65536)) > 4
            response = msgpack.packb(digest())
            await theirs.send_all(struct.pack("<I", len(response)) + response)
            assert await answered.result() == {"hash": HASH}
            waits = Task(group, partial(client.call, "Blake2s", data=b""))
            await anyio.wait_all_tasks_blocked()
            await theirs.aclose()
            with pytest.raises(ServerGone):
                await waits.result()
            with pytest.raises(ServerGone):
                await client.call("Blake2s", data=b"")

    run(test, backends=("trio",))

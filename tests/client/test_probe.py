"""Finding out what a server speaks, without harm to it."""

import logging
from typing import Any

import anyio
import msgpack
import pytest

from bbipc.client import Dialect, ProtocolViolation, ServerGone, open_client
from client.scripted import BACKENDS, Server, digest, error, run, streams

BLAKE2S = msgpack.packb([["Blake2s", {"data": b""}]])


async def probe(script: Any) -> Dialect:
    ours, theirs = await streams()
    async with theirs, anyio.create_task_group() as group:
        group.start_soon(script, Server(theirs))
        async with open_client(stream=ours) as client:
            return client.dialect
    raise AssertionError


def test_a_lenient_server_is_plain_and_never_sees_a_tagged_request(caplog: pytest.LogCaptureFixture) -> None:
    requests = []

    async def script(server: Server) -> None:
        while (payload := await server.receive_payload()) is not None:
            requests.append(payload)
            await server.send(digest())

    async def test() -> None:
        assert await probe(script) is Dialect.PLAIN

    with caplog.at_level(logging.WARNING, "bbipc.client"):
        run(test)
    assert requests == [BLAKE2S + b"\xc0"] * len(BACKENDS)
    assert "does not know tagged requests" in caplog.text


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (lambda i: [i, digest()], Dialect.TAGGED),
        (lambda i: [i, error("busy")], Dialect.TAGGED),
        (lambda i: error("array of 2 elements"), Dialect.PLAIN),
    ],
)
def test_a_strict_server_is_asked_a_second_question(second: Any, expected: Dialect) -> None:
    async def script(server: Server) -> None:
        assert await server.receive_payload() == BLAKE2S + b"\xc0"
        await server.send(error("1 byte behind the request"))
        request_id, command = await server.receive()
        assert command == ["Blake2s", {"data": b""}]
        await server.send(second(request_id))

    async def test() -> None:
        assert await probe(script) is expected

    run(test)


@pytest.mark.parametrize("response", [b"", b"\xc1", msgpack.packb(5), bytes(8) + msgpack.packb(error("in an envelope"))])
def test_what_is_no_response(response: bytes) -> None:
    async def script(server: Server) -> None:
        await server.receive_payload()
        await server.send_payload(response)

    async def test() -> None:
        with pytest.raises(BaseExceptionGroup) as caught:
            await probe(script)
        assert caught.group_contains(ProtocolViolation, match="the first response of the server is not a response")

    run(test)


def test_two_responses_at_once() -> None:
    async def script(server: Server) -> None:
        await server.receive_payload()
        one = msgpack.packb(digest())
        await server.stream.send(2 * (len(one).to_bytes(4, "little") + one))

    async def test() -> None:
        with pytest.raises(BaseExceptionGroup) as caught:
            await probe(script)
        assert caught.group_contains(ProtocolViolation, match="more than one response")

    run(test)


def test_a_server_that_hangs_up() -> None:
    async def script(server: Server) -> None:
        await server.receive_payload()
        await server.hang_up()

    async def test() -> None:
        with pytest.raises(BaseExceptionGroup) as caught:
            await probe(script)
        assert caught.group_contains(ServerGone, match="before it answered")

    run(test)


def test_a_server_that_never_answers() -> None:
    async def script(server: Server) -> None:
        await server.receive_payload()

    async def test() -> None:
        with pytest.raises(BaseExceptionGroup) as caught:
            await probe(script)
        assert caught.group_contains(ServerGone, match="did not answer within 30 s")

    run(test)


def test_the_envelope_dialect_gives_every_request_an_id() -> None:
    async def test() -> None:
        ours, theirs = await streams()
        server = Server(theirs)
        results = {}

        async def call(data: bytes) -> None:
            results[data] = await client.call("Blake2s", data=data)

        async with theirs, open_client(stream=ours, dialect=Dialect.ENVELOPE) as client, anyio.create_task_group() as group:
            group.start_soon(call, b"1")
            group.start_soon(call, b"2")
            requests = [await server.receive_payload() for _ in range(2)]
            for request in reversed(requests):
                assert request is not None
                data = msgpack.unpackb(request[8:])[0][1]["data"]
                await server.send_payload(request[:8] + msgpack.packb(digest(data * 32)))
        assert results == {data: {"hash": data * 32} for data in (b"1", b"2")}

    run(test)

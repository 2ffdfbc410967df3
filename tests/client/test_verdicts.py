"""Each verdict is that on its own proof, in both clients, and nothing but a server's word makes a proof valid."""

import sys
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import msgpack
import pytest

from bbipc.chonk import Outcome
from bbipc.client import (
    Client,
    ClientError,
    Dialect,
    ProtocolViolation,
    RemoteTxVerdict,
    RemoteVerdict,
    ServerError,
    ServerGone,
)
from bbipc.client.blocking import open_client
from bbipc.client.messages import Answer
from bbipc.client.session import Request, Session
from bbipc.client.verification import tx_request, tx_verdict_of, verdict_of
from client.scripted import Server, Task, run, scripted
from samples import FLOW1

SAID = [True, False, None, True, True, False, None, False]
"""What the server says of the proof whose key is this number; None: an error."""
PAIRS = [(FLOW1.proof, bytes([number])) for number in range(len(SAID))]
OUTCOMES = {True: Outcome.VALID, False: Outcome.INVALID, None: Outcome.ERROR}


def response(number: int) -> list[Any]:
    said = SAID[number]
    return ["ErrorResponse", {"message": f"no {number}"}] if said is None else ["ChonkVerifyResponse", {"valid": said}]


def expected(number: int) -> RemoteVerdict:
    return RemoteVerdict(OUTCOMES[SAID[number]], f"no {number}" if SAID[number] is None else None)


def test_what_a_verdict_is_worth() -> None:
    """docs/protocol.md: an ErrorResponse decides nothing, and so the proof is not accepted."""
    verdicts = [verdict_of(Answer(1, name, fields)) for name, fields in map(response, range(3))]
    assert [verdict.outcome for verdict in verdicts] == [Outcome.VALID, Outcome.INVALID, Outcome.ERROR]
    assert [bool(verdict) for verdict in verdicts] == [verdict.valid for verdict in verdicts] == [True, False, False]
    assert [str(verdict) for verdict in verdicts] == ["valid", "invalid", "error: no 2"]
    for fields, valid in (
        ({"valid": True, "tx_hash": b"h"}, True),
        ({"valid": 1}, False),
        ({}, False),
        ({"valid": b"x"}, False),
    ):
        tx = tx_verdict_of(Answer(1, "VerifyTxResponse", fields))
        assert (bool(tx), tx.valid) == (valid, valid)
    refused = tx_verdict_of(Answer(1, "ErrorResponse", {"message": "VerifyTx: no"}))
    assert (bool(refused), refused) == (False, RemoteTxVerdict(False, None, "VerifyTx: no"))


def test_a_transaction_is_judged_for_the_network_that_was_asked_for() -> None:
    assert tx_request(b"tx", "testnet").take_fields() == {"tx": b"tx", "network": "testnet"}
    assert tx_request(b"tx", None).take_fields() == {"tx": b"tx"}


async def verdicts_of(client: Client, in_flight: int) -> list[RemoteVerdict]:
    return [verdict async for verdict in client.verify_many(PAIRS, in_flight=in_flight)]


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("in_flight", [1, 3, 8, 20])
def test_answers_in_any_order(dialect: Dialect, in_flight: int) -> None:
    async def test() -> None:
        async with scripted(dialect) as (client, server), anyio.create_task_group() as group:
            task = Task(group, partial(verdicts_of, client, in_flight))
            left = len(PAIRS)
            while left:
                requests = [await receive(server, dialect) for _ in range(min(in_flight, left))]
                left -= len(requests)
                if dialect is not Dialect.PLAIN:
                    requests.reverse()
                for request_id, number in requests:
                    await answer(server, dialect, request_id, response(number))
            assert await task.result() == [expected(number) for number in range(len(PAIRS))]

    async def receive(server: Server, dialect: Dialect) -> tuple[int, int]:
        payload = await server.receive_payload()
        assert payload is not None
        if dialect is Dialect.ENVELOPE:
            request_id, payload = int.from_bytes(payload[:8], "little"), payload[8:]
        value = msgpack.unpackb(payload)
        if dialect is Dialect.TAGGED:
            request_id, [name, fields] = value
        else:
            [[name, fields]] = value
            request_id = request_id if dialect is Dialect.ENVELOPE else 0
        assert (name, fields["proof"]) == ("ChonkVerify", FLOW1.proof.to_words())
        return request_id, fields["vk"][0]

    run(test)


async def answer(server: Server, dialect: Dialect, request_id: int, content: list[Any]) -> None:
    if dialect is Dialect.TAGGED:
        await server.send([request_id, content])
    elif dialect is Dialect.ENVELOPE:
        await server.send_payload(request_id.to_bytes(8, "little") + msgpack.packb(content))
    else:
        await server.send(content)


GOOD = ["ChonkVerifyResponse", {"valid": True}]
FALSE_ANSWERS: dict[str, Any] = {
    "another id": msgpack.packb([77, GOOD]),
    "no id": msgpack.packb(GOOD),
    "another command": msgpack.packb([1, ["ChonkVerifyFromFieldsResponse", {"valid": True}]]),
    "its own command": msgpack.packb([1, ["ChonkVerify", {"valid": True}]]),
    "more behind it": msgpack.packb([1, GOOD]) + b"\x00",
    "three elements": msgpack.packb([1, [*GOOD, True]]),
    "one element": msgpack.packb([1, GOOD[:1]]),
    "a header of three": b"\x92\x01\x93" + msgpack.packb(GOOD)[1:],
    "a header of one": b"\x92\x01\x91" + msgpack.packb(GOOD)[1:],
    "no verdict": msgpack.packb([1, [GOOD[0], {}]]),
    "a number": msgpack.packb([1, [GOOD[0], {"valid": 1}]]),
    "two verdicts": b"\x92\x01\x92\xb3ChonkVerifyResponse\x82\xa5valid\xc3\xa5valid\xc2",
    "too long": bytes(2000),
}


@pytest.mark.parametrize("payload", FALSE_ANSWERS.values(), ids=FALSE_ANSWERS)
def test_what_is_no_answer_to_a_request_is_no_verdict_on_any(payload: bytes) -> None:
    async def test() -> None:
        async with scripted(max_frame_bytes=1000) as (client, server), anyio.create_task_group() as group:
            tasks = [Task(group, partial(client.verify, *pair)) for pair in PAIRS[:2]]
            for _ in tasks:
                await server.receive()
            await server.send_payload(payload)
            for task in tasks:
                with pytest.raises(ProtocolViolation):
                    await task.result()

    run(test)


def test_a_lost_connection_has_no_verdicts() -> None:
    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:
            tasks = [Task(group, partial(client.verify, *pair)) for pair in PAIRS[:3]]
            many = Task(group, partial(verdicts_of, client, 8))
            await server.receive()
            await server.hang_up()
            for task in (*tasks, many):
                with pytest.raises(ServerGone):
                    await task.result()

    run(test)


def test_an_error_response_is_an_error_of_a_call() -> None:
    async def test() -> None:
        async with scripted() as (client, server), anyio.create_task_group() as group:
            task = Task(group, partial(client.call, "ChonkVerifyFromFields", proof=FLOW1.fields, vk=FLOW1.vk))
            await server.receive()
            await server.send(["ErrorResponse", {"message": "no"}])
            with pytest.raises(ServerError, match=r"^no$"):
                await task.result()

    run(test)


@pytest.mark.parametrize("dialect", [Dialect.TAGGED, Dialect.ENVELOPE])
def test_ids_of_all_their_bytes(dialect: Dialect) -> None:
    session = Session(dialect)
    session._next_id = (1 << 40) + 1
    request = Request("ChonkVerify", {"proof": dict.fromkeys(FLOW1.proof.PARTS, b""), "vk": b""}, tagged=True)
    session.start(request)
    assert request.request_id == (1 << 40) + 1
    for request_id in (1, 2, 1 << 32, 1 << 40):
        with pytest.raises(ProtocolViolation):
            list(session.receive(_framed(dialect, request_id)))
        session = Session(dialect)
        session._next_id = (1 << 40) + 1
        again = Request("ChonkVerify", {"proof": dict.fromkeys(FLOW1.proof.PARTS, b""), "vk": b""}, tagged=True)
        session.start(again)
    [(got, _)] = session.receive(_framed(dialect, (1 << 40) + 1))
    assert got is again


def _framed(dialect: Dialect, request_id: int) -> bytes:
    packed: bytes = msgpack.packb(GOOD)
    head: bytes = request_id.to_bytes(8, "little") if dialect is Dialect.ENVELOPE else b"\x92" + msgpack.packb(request_id)
    return (len(head) + len(packed)).to_bytes(4, "little") + head + packed


# ---- The client for threads -------------------------------------------------------------------------------------------

SERVER = f"""
import sys, msgpack
waiting, every, said = [], int(sys.argv[1]), {SAID!r}
while head := sys.stdin.buffer.read(4):
    request_id, [name, fields] = msgpack.unpackb(sys.stdin.buffer.read(int.from_bytes(head, "little")))
    if name != "ChonkVerify" or fields["vk"] == b"end":
        sys.exit(3)
    number = fields["vk"][0]
    waiting.append((request_id, number))
    if len(waiting) == every or number == len(said) - 1:
        for request_id, number in reversed(waiting):
            valid = said[number]
            error = ["ErrorResponse", {{"message": f"no {{number}}"}}]
            answer = error if valid is None else [name + "Response", {{"valid": valid}}]
            data = msgpack.packb([request_id, answer])
            sys.stdout.buffer.write(len(data).to_bytes(4, "little") + data)
        sys.stdout.buffer.flush()
        waiting.clear()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("server") / "server.py"
    file.write_text(SERVER)
    return file


@pytest.mark.parametrize("in_flight", [1, 3, 20])
def test_answers_in_any_order_to_a_blocking_client(server: Path, in_flight: int) -> None:
    command = [sys.executable, str(server), str(min(in_flight, len(PAIRS)))]
    with open_client(command=command, dialect=Dialect.TAGGED, timeout=300) as client:
        assert list(client.verify_many(PAIRS, in_flight=in_flight)) == [expected(number) for number in range(len(PAIRS))]


def test_a_server_that_ends_has_no_verdicts_for_a_blocking_client(server: Path) -> None:
    with open_client(command=[sys.executable, server, "9"], dialect=Dialect.TAGGED, timeout=300) as client:
        verdicts = client.verify_many([*PAIRS[:3], (FLOW1.proof, b"end")])
        with pytest.raises(ClientError):
            next(verdicts)
        with pytest.raises(ClientError):
            client.verify(*PAIRS[0])


def test_a_server_that_does_not_answer_in_time_has_no_verdict(server: Path) -> None:
    command = [sys.executable, str(server), "9"]
    with open_client(command=command, dialect=Dialect.TAGGED, timeout=0.01) as client, pytest.raises(TimeoutError):
        client.verify(*PAIRS[0])

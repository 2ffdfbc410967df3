"""The async client under Trio and asyncio, and the blocking one in threads: against bbipc, and bb if there is one."""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio

from bbipc.chonk import ChonkProof
from bbipc.client import (
    ClientClosed,
    Dialect,
    ProtocolViolation,
    ServerError,
    ServerGone,
    ServerUnreachable,
    blocking,
    open_client,
)
from bbipc.client.transport import spawned
from bbipc.wire.errors import EncodeError
from client.servers import BBIPC, bb_command, needs_bb, program
from samples import CORPUS, FLOW1, FLOWS, flow1_parts, raw_proof

DIGEST = hashlib.blake2s(b"abc").digest()
PATIENCE = 300.0
"""Seconds after which a test fails instead of hanging."""


def commands() -> list[object]:
    return [pytest.param("bbipc", id="bbipc"), pytest.param("bb", id="bb", marks=needs_bb)]


def command_of(server: str) -> Sequence[str]:
    return BBIPC if server == "bbipc" else bb_command()


def broken_proof() -> ChonkProof:
    parts = {name: list(words) for name, words in flow1_parts().items()}
    parts["merge_proof"][20], parts["merge_proof"][21] = parts["merge_proof"][21], parts["merge_proof"][20]
    return raw_proof(parts)


EXPECTED = ["valid", "invalid", "valid", "invalid", "valid"]


def pairs() -> list[tuple[ChonkProof, bytes]]:
    return [(broken_proof() if text == "invalid" else FLOW1.proof, FLOW1.vk) for text in EXPECTED]


async def use_async(server: str) -> None:
    """What every client can do, from many tasks at once."""
    with anyio.fail_after(PATIENCE):
        async with open_client(command=command_of(server)) as client:
            assert client.supports_tagged == (server == "bbipc")

            async def one(number: int) -> None:
                call = client.call if number % 2 else client.call_tagged
                data = b"%d" % number
                assert (await call("Blake2s", data=data))["hash"] == hashlib.blake2s(data).digest()

            async def many() -> None:
                assert [str(verdict) async for verdict in client.verify_many(pairs(), in_flight=2)] == EXPECTED

            async with anyio.create_task_group() as group:
                group.start_soon(many)
                for number in range(100):
                    group.start_soon(one, number)
            assert str(await client.verify(FLOW1.proof, FLOW1.vk)) == "valid"


def use_threads(server: str) -> None:
    with blocking.open_client(command=command_of(server), timeout=PATIENCE) as client:
        assert client.supports_tagged == (server == "bbipc")

        def one(number: int) -> None:
            call = client.call if number % 2 else client.call_tagged
            data = b"%d" % number
            assert call("Blake2s", data=data)["hash"] == hashlib.blake2s(data).digest()

        with ThreadPoolExecutor(8) as pool:
            many = [pool.submit(lambda: [str(verdict) for verdict in client.verify_many(pairs(), in_flight=2)]) for _ in "12"]
            for done in [pool.submit(one, number) for number in range(100)]:
                done.result()
            assert [done.result() for done in many] == [EXPECTED, EXPECTED]
        assert str(client.verify(FLOW1.proof, FLOW1.vk)) == "valid"


@pytest.mark.parametrize("server", commands())
@pytest.mark.parametrize("kind", ["trio", "asyncio", "threads"])
def test_every_client_with_every_server(kind: str, server: str) -> None:
    if kind == "threads":
        use_threads(server)
    else:
        anyio.run(use_async, server, backend=kind)


@pytest.mark.parametrize(("server", "count"), [("bbipc", 10_000), pytest.param("bb", 2_000, marks=needs_bb)])
def test_64_threads_share_one_blocking_client(server: str, count: int) -> None:
    """Each thread must get the answers to its own requests, and all of them."""
    threads = 64

    def work(thread: int) -> int:
        right = 0
        for number in range(thread, count, threads):
            data = number.to_bytes(4, "little")
            call = client.call if number % 3 else client.call_tagged
            right += call("Blake2s", data=data)["hash"] == hashlib.blake2s(data).digest()
        return right

    with blocking.open_client(command=command_of(server), timeout=PATIENCE) as client, ThreadPoolExecutor(threads) as pool:
        assert sum(pool.map(work, range(threads))) == count


async def test_many_verifications_at_once_while_plain_calls_go_on() -> None:
    samples = [*FLOWS, *CORPUS]
    results = {}

    async with open_client(command=BBIPC) as client:

        async def verify(index: int) -> None:
            sample = samples[index % len(samples)]
            proof = broken_proof() if index % 5 == 0 else sample.proof
            results[index] = (await client.verify(proof, sample.vk)).valid

        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                for index in range(20):
                    nursery.start_soon(verify, index)
                for _ in range(20):
                    assert (await client.call("Blake2s", data=b"abc"))["hash"] == DIGEST
    assert results == {index: index % 5 != 0 for index in range(20)}


@pytest.mark.parametrize("kind", ["trio", "asyncio", "threads"])
def test_good_use_is_not_counted_as_malformed(kind: str) -> None:
    """The probe is a malformed request that clients send on purpose: no alert may come of it."""

    async def use() -> Any:
        async with open_client(command=BBIPC) as client:
            return await client.call("Stats")

    if kind == "threads":
        with blocking.open_client(command=BBIPC, timeout=PATIENCE) as client:
            stats: Any = client.call("Stats")
    else:
        stats = anyio.run(use, backend=kind)
    assert stats["malformed"] == 0


def test_an_undecodable_key_is_a_verdict_and_an_unserved_command_an_error() -> None:
    with blocking.open_client(command=BBIPC, timeout=PATIENCE) as client:
        verdict = client.verify(FLOW1.proof, b"short")
        assert not verdict
        assert verdict.reason == "verification key has wrong size: expected 3680, got 5"
        with pytest.raises(ServerError, match="--bb PATH"):
            client.call("ChonkProve")
        assert client.call("Blake2s", data=b"abc")["hash"] == DIGEST


@needs_bb
async def test_the_exit_of_bb_is_reported() -> None:
    async with open_client(command=bb_command()) as client:
        with pytest.raises(ServerGone, match="exited with status 1"):
            await client.call("NoSuchCommand")


# ---- Servers that do not behave -------------------------------------------------------------------------------------

GONE = "receive(); send(DIGEST); receive(); "
KINDS = ["trio", "asyncio", "threads"]
WAITERS = 5


def errors_of(kind: str, command: Sequence[str]) -> list[Exception]:
    """What each of several calls at the same time gets, and one more afterwards."""
    if kind == "threads":
        with blocking.open_client(command=command, timeout=PATIENCE) as client, ThreadPoolExecutor(WAITERS) as pool:
            waiting = [pool.submit(client.call, "Blake2s", data=b"") for _ in range(WAITERS)]
            return [caught(one.result) for one in waiting] + [caught(lambda: client.call("Blake2s", data=b""))]
    errors: list[Exception] = []

    async def use() -> None:
        async def one() -> None:
            try:
                await client.call("Blake2s", data=b"")
            except Exception as error:
                errors.append(error)

        with anyio.fail_after(PATIENCE):
            async with open_client(command=command) as client:
                async with anyio.create_task_group() as group:
                    for _ in range(WAITERS):
                        group.start_soon(one)
                await one()

    anyio.run(use, backend=kind)
    return errors


def caught(work: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as info:  # noqa: PT011 - which one is what the test looks at
        work()
    return info.value


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("behaviour", "type_", "message"),
    [
        ("os._exit(3)", ServerGone, "exited with status 3"),
        ("os.abort()", ServerGone, "killed by SIGABRT"),
        ("os.kill(os.getpid(), 9)", ServerGone, "killed by SIGKILL"),
        ("os.close(1); [receive() for _ in iter(int, 1)]", ServerGone, "ended the connection"),
        ("write(b'\\1'); os._exit(0)", ProtocolViolation, "inside a response"),
        ("write(b'\\5\\0\\0\\0\\1'); os._exit(0)", ProtocolViolation, "inside a frame: 5 bytes of 9"),
        ("send(b'\\xc1'); receive()", ProtocolViolation, "is not a response"),
        ("write(b'\\xff' * 4); receive()", ProtocolViolation, "too long to be read"),
        ("send(DIGEST + b'\\0'); receive()", ProtocolViolation, "bytes after the response"),
        ("send(b'\\x92\\xb0ShutdownResponse\\x80'); receive()", ProtocolViolation, "with ShutdownResponse"),
    ],
)
def test_every_waiter_gets_the_reason(tmp_path: Path, kind: str, behaviour: str, type_: type[Exception], message: str) -> None:
    errors = errors_of(kind, program(tmp_path, GONE + behaviour))
    assert len(errors) == WAITERS + 1
    for error in errors:
        assert type(error) is type_
        assert message in str(error)
    assert len(set(map(id, errors))) == len(errors), "each has its own traceback"


# A server that wants a tagged request, does ACTION, and then tells in its answer to the third whether the second was the
# cancellation of the first.
CANCELLED = """
import msgpack, signal
first = msgpack.unpackb(receive())
ACTION
second = msgpack.unpackb(receive())
third = msgpack.unpackb(receive())
cancelled = second[1] == ["CancelRequest", {"request_id": first[0]}]
send(msgpack.packb([first[0], ["ErrorResponse", {"message": "it was cancelled"}]]))
send(msgpack.packb([third[0], ["ErrorResponse", {"message": f"cancelled: {cancelled}"}]]))
receive()
"""


def test_ctrl_c_in_a_blocking_call_cancels_at_the_server(tmp_path: Path) -> None:
    command = program(tmp_path, CANCELLED.replace("ACTION", "os.kill(os.getppid(), signal.SIGINT)"))
    with blocking.open_client(command=command, dialect=Dialect.TAGGED, timeout=PATIENCE) as client:
        with pytest.raises(KeyboardInterrupt):
            client.call_tagged("Blake2s", data=b"")
        with pytest.raises(ServerError, match="cancelled: True"):
            client.call_tagged("Blake2s", data=b"")


def test_a_timeout_of_a_blocking_call_cancels_at_the_server(tmp_path: Path) -> None:
    command = program(tmp_path, CANCELLED.replace("ACTION", ""))
    with blocking.open_client(command=command, dialect=Dialect.TAGGED, timeout=0.01) as client:
        with pytest.raises(TimeoutError, match="did not answer in time"):
            client.verify(FLOW1.proof, FLOW1.vk)
        client.timeout = PATIENCE
        with pytest.raises(ServerError, match="cancelled: True"):
            client.call_tagged("Blake2s", data=b"")


def test_leaving_verify_many_cancels_at_the_server(tmp_path: Path) -> None:
    body = """
import msgpack
ids = [msgpack.unpackb(receive())[0] for _ in range(3)]
send(msgpack.packb([ids[0], ["ChonkVerifyResponse", {"valid": True}]]))
cancelled = [msgpack.unpackb(receive())[1][1]["request_id"] for _ in range(2)]
last = msgpack.unpackb(receive())
send(msgpack.packb([last[0], ["ErrorResponse", {"message": str(cancelled == ids[1:])}]]))
receive()
"""
    with blocking.open_client(command=program(tmp_path, body), dialect=Dialect.TAGGED, timeout=PATIENCE) as client:
        for verdict in client.verify_many([(FLOW1.proof, FLOW1.vk)] * 9, in_flight=3):
            assert verdict.valid
            break
        with pytest.raises(ServerError, match="True"):
            client.call_tagged("Blake2s", data=b"")


def test_threads_that_outlive_the_blocking_client(tmp_path: Path) -> None:
    with ThreadPoolExecutor(WAITERS) as pool:
        with blocking.open_client(
            command=program(tmp_path, "[receive() for _ in iter(int, 1)]"), dialect=Dialect.PLAIN
        ) as client:
            waiting = [pool.submit(client.call, "Blake2s", data=b"") for _ in range(WAITERS)]
        for one in waiting:
            assert isinstance(caught(one.result), ClientClosed)
        for use in (lambda: client.call("Blake2s", data=b""), lambda: client.verify(FLOW1.proof, FLOW1.vk)):
            assert isinstance(caught(use), ClientClosed)
        assert list(client.verify_many([])) == []


@pytest.mark.parametrize(("proof", "key", "name"), [(b"bytes", b"", "proof"), (FLOW1.proof, "text", "key")], ids=["1", "2"])
def test_blocking_and_arguments_of_the_wrong_type(tmp_path: Path, proof: Any, key: Any, name: str) -> None:
    with blocking.open_client(command=program(tmp_path, "receive()"), dialect=Dialect.PLAIN, timeout=PATIENCE) as client:
        with pytest.raises(TypeError, match=f"{name} must be .*, not "):
            client.verify(proof, key)
        with pytest.raises(EncodeError):
            client.call("Blake2s", nonsense=1)
        with pytest.raises(ValueError, match="in_flight must be at least 1"):
            client.verify_many([], in_flight=0)


def test_blocking_and_a_server_that_stalls(tmp_path: Path) -> None:
    body = "receive(); send(DIGEST); receive(); receive(); send(DIGEST); send(DIGEST[:-32] + b'2' * 32); receive()"
    with blocking.open_client(command=program(tmp_path, body), timeout=0.01) as client:
        with pytest.raises(TimeoutError):
            client.call("Blake2s", data=b"1")
        client.timeout = PATIENCE
        assert client.call("Blake2s", data=b"2") == {"hash": b"2" * 32}


def test_blocking_and_large_requests_to_a_server_that_answers_while_it_reads(tmp_path: Path) -> None:
    """Neither side reads the other's bytes in time, unless both directions are moved at once."""
    body = (
        "receive(); send(DIGEST)\n"
        "while True:\n"
        "    size = len(receive())\n"
        "    send(b'\\x92\\xacEchoResponse\\x81\\xa4data\\xc6' + struct.pack('>I', size) + bytes(size))\n"
    )
    with blocking.open_client(command=program(tmp_path, body), timeout=PATIENCE) as client:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: client.call("Echo", data=bytes(1 << 20)), range(4)))
        assert all(len(answer["data"]) > 1 << 20 for answer in answers)


@pytest.mark.parametrize("command", [[], ["/nonexistent/bb"]])
async def test_no_such_server(command: list[str], tmp_path: Path) -> None:
    with pytest.raises(ServerUnreachable), blocking.open_client(command=command):
        pass
    with pytest.raises(ServerUnreachable, match="cannot connect"), blocking.open_client(socket=tmp_path / "none.sock"):
        pass

    with pytest.raises(ServerUnreachable):
        async with open_client(command=command):
            pass
    with pytest.raises(ServerUnreachable, match="cannot connect"):
        async with open_client(socket=tmp_path / "none.sock"):
            pass


STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
write(b"!")
while True:
    signal.pause()
"""


@pytest.mark.parametrize(
    ("body", "grace", "ending"),
    [("write(b'!'); receive()", PATIENCE, "exited with status 0"), (STUBBORN, 0.0, "killed by SIGKILL")],
)
async def test_a_server_is_ended_in_any_case(tmp_path: Path, body: str, grace: float, ending: str) -> None:
    async with spawned(program(tmp_path, body), grace) as transport:
        assert await transport.stream.receive(1) == b"!"
    assert ending in await transport.why_ended()


def test_an_explicit_dialect_is_not_probed() -> None:
    with blocking.open_client(command=[*BBIPC, "--envelope"], dialect=Dialect.ENVELOPE, timeout=PATIENCE) as client:
        assert client.call("Blake2s", data=b"abc")["hash"] == DIGEST
        assert client.verify(FLOW1.proof, FLOW1.vk)

"""The async client under Trio and asyncio, and the blocking one in threads: against bbipc, and bb if there is one."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import pytest
import trio

from bbipc.chonk import ChonkProof
from bbipc.client import Dialect, ServerError, ServerGone, ServerUnreachable, blocking, open_client
from bbipc.client.session import Request
from bbipc.client.transport import spawned
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


def test_many_verifications_at_once_while_plain_calls_go_on() -> None:
    samples = [*FLOWS, *CORPUS]
    results = {}

    async def test() -> None:
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

    trio.run(test)
    assert results == {index: index % 5 != 0 for index in range(20)}


def test_an_undecodable_key_is_a_verdict_and_an_unserved_command_an_error() -> None:
    with blocking.open_client(command=BBIPC, timeout=PATIENCE) as client:
        verdict = client.verify(FLOW1.proof, b"short")
        assert not verdict
        assert verdict.reason == "verification key has wrong size: expected 3680, got 5"
        with pytest.raises(ServerError, match="--bb PATH"):
            client.call("ChonkProve")
        assert client.call("Blake2s", data=b"abc")["hash"] == DIGEST


@needs_bb
def test_the_exit_of_bb_is_reported() -> None:
    async def test() -> None:
        async with open_client(command=bb_command()) as client:
            with pytest.raises(ServerGone, match="exited with status 1"):
                await client.call("NoSuchCommand")

    trio.run(test)


# ---- The blocking client and servers that do not behave -------------------------------------------------------------

GONE = "receive(); send(DIGEST); receive(); "


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ("os._exit(3)", "exited with status 3"),
        ("os.abort()", "killed by SIGABRT"),
        ("write(b'\\1'); os._exit(0)", "inside a response"),
        ("send(b'\\xc1'); receive()", "is no response"),
        ("write(b'\\xff' * 4); receive()", "too long to be read"),
        ("send(DIGEST + b'\\0'); receive()", "bytes behind the response"),
        ("send(b'\\x92\\xb0ShutdownResponse\\x80'); receive()", "with ShutdownResponse"),
    ],
)
def test_blocking_and_misbehaviour(tmp_path: Path, behaviour: str, message: str) -> None:
    with blocking.open_client(command=program(tmp_path, GONE + behaviour), timeout=PATIENCE) as client:
        for _ in range(2):
            with pytest.raises(Exception, match=message):
                client.call("Blake2s", data=b"")


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
        requests = [client._start(Request("Echo", {"data": bytes(1 << 20)}, tagged=False)) for _ in range(4)]
        assert all(len(request.wait().fields["data"]) > 1 << 20 for request in requests)


@pytest.mark.parametrize("command", [[], ["/nonexistent/bb"]])
def test_no_such_server(command: list[str], tmp_path: Path) -> None:
    with pytest.raises(ServerUnreachable), blocking.open_client(command=command):
        pass
    with pytest.raises(ServerUnreachable, match="cannot connect"), blocking.open_client(socket=tmp_path / "none.sock"):
        pass

    async def test() -> None:
        with pytest.raises(ServerUnreachable):
            async with open_client(command=command):
                pass
        with pytest.raises(ServerUnreachable, match="cannot connect"):
            async with open_client(socket=tmp_path / "none.sock"):
                pass

    trio.run(test)


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
def test_a_server_is_ended_in_any_case(tmp_path: Path, body: str, grace: float, ending: str) -> None:
    async def test() -> None:
        async with spawned(program(tmp_path, body), grace) as transport:
            assert await transport.stream.receive(1) == b"!"
        assert ending in await transport.why_ended()

    trio.run(test)


def test_an_explicit_dialect_is_not_probed() -> None:
    with blocking.open_client(command=[*BBIPC, "--envelope"], dialect=Dialect.ENVELOPE, timeout=PATIENCE) as client:
        assert client.call("Blake2s", data=b"abc")["hash"] == DIGEST
        assert client.verify(FLOW1.proof, FLOW1.vk)

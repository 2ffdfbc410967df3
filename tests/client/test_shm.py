"""The clients over shared memory: against bbipc, and bb if there is one."""

import hashlib
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import anyio
import pytest

from bbipc.client import ServerGone, ServerUnreachable, blocking, open_client
from bbipc.shm import files
from bbipc.wire.errors import EncodeError
from client.servers import BBIPC, bb_command, needs_bb
from samples import FLOW1

PATIENCE = 300.0


@contextmanager
def serving(command: Sequence[str] = BBIPC, *more: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    name = f"bbipc-test-{uuid.uuid4().hex}"
    process = subprocess.Popen([*command, "--input", f"{name}.shm", *more], stdin=subprocess.DEVNULL)
    try:
        while (rings := files.opened(name)) is None:
            assert process.poll() is None
            os.sched_yield()
        rings.close()
        yield name, process
    finally:
        process.kill()
        process.wait()
        for path in (files.request_path(name), files.response_path(name)):
            path.unlink(missing_ok=True)


@pytest.mark.parametrize("server", [pytest.param("bbipc"), pytest.param("bb", marks=needs_bb)])
@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_many_tasks_share_the_rings(server: str, backend: str) -> None:
    command = BBIPC if server == "bbipc" else bb_command()

    async def main(name: str) -> None:
        with anyio.fail_after(PATIENCE):
            async with open_client(shm=name) as client:
                assert client.supports_tagged == (server == "bbipc")

                async def one(number: int) -> None:
                    call = client.call if number % 2 else client.call_tagged
                    data = bytes([number]) * (number * 1777)
                    assert (await call("Blake2s", data=data))["hash"] == hashlib.blake2s(data).digest()

                async with anyio.create_task_group() as group:
                    for number in range(100):
                        group.start_soon(one, number)
                assert str(await client.verify(FLOW1.proof, FLOW1.vk)) == "valid"

    with serving(command) as (name, _):
        anyio.run(main, name, backend=backend)


def test_threads_share_the_rings_and_clients_may_follow_each_other() -> None:
    def one(client: blocking.Client, number: int) -> None:
        data = b"%d" % number
        assert client.call("Blake2s", data=data)["hash"] == hashlib.blake2s(data).digest()

    with serving() as (name, _):
        for _ in range(2):
            with blocking.open_client(shm=f"{name}.shm", timeout=PATIENCE) as client, ThreadPoolExecutor(8) as threads:
                list(threads.map(partial(one, client), range(200)))


def test_a_cancelled_request_leaves_the_connection_in_order() -> None:
    async def main(name: str) -> None:
        async with open_client(shm=name) as client:
            with anyio.move_on_after(0):
                await client.verify(FLOW1.proof, FLOW1.vk)
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as group:
                    for _ in range(20):
                        group.start_soon(client.verify, FLOW1.proof, FLOW1.vk)
                    await client.call_tagged("Blake2s", data=b"")
                    scope.cancel()
            assert (await client.call("Blake2s", data=b"abc"))["hash"] == hashlib.blake2s(b"abc").digest()

    with serving() as (name, _):
        anyio.run(main, name, backend="trio")


def test_a_request_too_long_for_the_ring_is_refused_and_hurts_no_other() -> None:
    ring = ("--request-ring-size", "65536")
    with serving(BBIPC, *ring) as (name, _), blocking.open_client(shm=name, timeout=PATIENCE) as client:
        with pytest.raises(EncodeError, match="--request-ring-size"):
            client.call("Blake2s", data=bytes(32768))
        assert client.call("Blake2s", data=b"abc")["hash"] == hashlib.blake2s(b"abc").digest()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_end_of_the_server_is_seen(number: signal.Signals) -> None:
    with serving() as (name, process), blocking.open_client(shm=name, timeout=PATIENCE) as client:
        process.send_signal(number)
        process.wait()
        with pytest.raises(ServerGone):
            client.call("Blake2s", data=b"abc")


def test_no_server() -> None:
    for name, words in (("bbipc-test-nobody", "start the server first"), ("a/b.shm", "names no shared memory")):
        with pytest.raises(ServerUnreachable, match=words), blocking.open_client(shm=name):
            pass
    with pytest.raises(ValueError, match="exactly one"), blocking.open_client(shm="x", socket="y"):
        pass

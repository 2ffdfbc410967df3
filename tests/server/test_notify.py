"""What systemd is told, at a real socket."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from bbipc.server.notify import Supervisor, inform, take_supervisor
from server.live import TIMEOUT, plain, tagged


@contextmanager
def supervising(name: str) -> Iterator[socket.socket]:
    """A supervisor that listens at `name`, as systemd writes it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)
        supervisor.settimeout(TIMEOUT)
        yield supervisor


@pytest.fixture(params=["path", "abstract"])
def name(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "notify") if request.param == "path" else f"@bbipc-test-{os.getpid()}"


def test_a_server(start: Callable[..., Any], name: str) -> None:
    """READY once it serves, signs of life, STOPPING while a request is still being answered."""
    variables = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "100000"}
    with supervising(name) as supervisor, start(environment=variables) as server:
        heard = [supervisor.recv(100)]
        while heard.count(b"WATCHDOG=1") < 3 or b"READY=1" not in heard:
            heard.append(supervisor.recv(100))
        server.connect().is_served()
        server.process.terminate()
        while (last := supervisor.recv(100)) == b"WATCHDOG=1":
            heard.append(last)
        assert set(heard) == {b"READY=1", b"WATCHDOG=1"}
        assert heard.count(b"READY=1") == 1
        assert last == b"STOPPING=1"
        assert server.wait() == 0


def test_shutdown_is_an_end_too(start: Callable[..., Any], name: str) -> None:
    """Without a watchdog nothing but the two is told."""
    with supervising(name) as supervisor, start(environment={"NOTIFY_SOCKET": name}) as server:
        peer = server.connect()
        assert supervisor.recv(100) == b"READY=1"
        peer.request(tagged(1, "Shutdown"))
        assert supervisor.recv(100) == b"STOPPING=1"
        assert server.wait() == 0


def test_a_server_that_cannot_start_is_never_ready(start: Callable[..., Any], name: str) -> None:
    with (
        supervising(name) as supervisor,
        socket.create_server(("127.0.0.1", 0)) as taken,
        start("--metrics", f"127.0.0.1:{taken.getsockname()[1]}", environment={"NOTIFY_SOCKET": name}, ready=False) as server,
    ):
        assert server.wait() == 1
        supervisor.setblocking(False)
        with pytest.raises(BlockingIOError):
            supervisor.recv(100)


def test_a_supervisor_that_is_not_there(start: Callable[..., Any], tmp_path: Path) -> None:
    with start(environment={"NOTIFY_SOCKET": str(tmp_path / "nobody")}) as server:
        server.connect().is_served()
        server.process.terminate()
        assert server.wait() == 0
        assert "systemd cannot be told READY=1: No such file or directory" in server.log()
        assert "Traceback" not in server.log()


def test_a_child_does_not_inherit_it(start: Callable[..., Any], tmp_path: Path) -> None:
    child, seen = tmp_path / "bb", tmp_path / "seen"
    child.write_text(f"#!/bin/sh\nenv > {seen}\nexec head -c 1 > /dev/null\n")
    child.chmod(0o755)
    variables = {"NOTIFY_SOCKET": f"@bbipc-test-{os.getpid()}", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}
    with start("--bb", str(child), environment=variables) as server:
        assert server.connect().call(plain("ChonkProve"))[0] == "ErrorResponse"
    assert "PATH=" in seen.read_text()
    assert not {"NOTIFY_SOCKET", "WATCHDOG"} & {line.split("=")[0][:13] for line in seen.read_text().splitlines()}


# ---- The watchdog, with a clock that the test moves ------------------------------------------------------------------


async def test_signs_of_life_come_twice_in_the_time_and_until_the_end(name: str, mock_clock: MockClock) -> None:
    with supervising(name) as supervisor:
        supervisor.setblocking(False)

        async def after(seconds: float) -> list[bytes]:
            mock_clock.jump(seconds)
            await wait_all_tasks_blocked()
            heard = []
            while True:
                try:
                    heard.append(supervisor.recv(100))
                except BlockingIOError:
                    return heard

        address = name.replace("@", "\0", 1).encode()
        ready, draining = trio.Event(), trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(inform, Supervisor(address, watchdog=10.0), ready, draining)
            assert await after(0) == [b"WATCHDOG=1"]
            ready.set()
            assert await after(4.9) == [b"READY=1"]
            for _ in range(20):
                assert await after(5.0) == [b"WATCHDOG=1"]
            draining.set()
            assert await after(0) == [b"STOPPING=1"]
            assert await after(5.0) == [b"WATCHDOG=1"]
            nursery.cancel_scope.cancel()
        assert await after(0) == []


async def test_an_end_without_draining_is_told_too(name: str) -> None:
    with supervising(name) as supervisor:
        ready = trio.Event()
        ready.set()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(inform, Supervisor(name.replace("@", "\0", 1).encode()), ready, trio.Event())
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert [supervisor.recv(100) for _ in range(2)] == [b"READY=1", b"STOPPING=1"]


async def test_a_supervisor_that_does_not_read_holds_up_nothing(tmp_path: Path, mock_clock: MockClock) -> None:
    """Signs of life wait for room in its queue, one at a time."""
    name = str(tmp_path / "notify")

    with supervising(name) as supervisor:
        supervisor.setblocking(False)
        ready, draining = trio.Event(), trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(inform, Supervisor(name.encode(), watchdog=2.0), ready, draining)
            before = 0
            for _ in range(2000):  # more than any queue is long
                mock_clock.jump(1.0)
                await wait_all_tasks_blocked()
                before += 1
            heard = 0
            while True:
                try:
                    supervisor.recv(100)
                except BlockingIOError:
                    break
                heard += 1
            assert 0 < heard < before
            nursery.cancel_scope.cancel()


# ---- The variables ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "5"}, None),
        ({"NOTIFY_SOCKET": ""}, None),
        ({"NOTIFY_SOCKET": "/run/x"}, Supervisor(b"/run/x")),
        ({"NOTIFY_SOCKET": "@x@y"}, Supervisor(b"\0x@y")),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000"}, Supervisor(b"/x", 30.0)),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "3", "WATCHDOG_PID": str(os.getpid())}, Supervisor(b"/x", 3e-6)),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "3", "WATCHDOG_PID": "1"}, Supervisor(b"/x")),
        ({"NOTIFY_SOCKET": "vsock:2:1"}, None),
        ({"NOTIFY_SOCKET": "@"}, None),
        *[
            ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": bad}, Supervisor(b"/x"))
            for bad in ("0", "-1", "1.5", "x", "\u0661", "9" * 21)
        ],
    ],
)
def test_variables(variables: dict[str, str], expected: Supervisor | None) -> None:
    environment = variables | {"OTHER": "1"}
    assert take_supervisor(environment) == expected
    assert environment == {"OTHER": "1"}


@given(*[st.text(max_size=25)] * 3)
def test_any_variables(name: str, limit: str, watched: str) -> None:
    environment = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": limit, "WATCHDOG_PID": watched}
    take_supervisor(environment)
    assert environment == {}

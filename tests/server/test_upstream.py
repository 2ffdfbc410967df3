"""Forwarding to a child: played by the test under a clock that never waits, and the real bb where it is at hand."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgpack
import pytest
import trio
import trio.testing
from trio.testing import MockClock

from bbipc.client import ServerError, open_client
from bbipc.client.errors import ServerUnreachable
from bbipc.client.transport import Transport, TrioStream, given
from bbipc.server.commands.table import admit
from bbipc.server.errors import CommandError
from bbipc.server.jobs import Forwarding
from bbipc.server.upstream import BRIEF, FIRST_PAUSE, LONGEST, LONGEST_FOR_NOBODY, LOOK, MAX_PAUSE, REFUSED_TOGETHER, Upstream
from bbipc.wire.dialect import Unserved
from client.scripted import Server as Child
from client.servers import needs_bb


def request(name: str = "ChonkProve", **fields: Any) -> Unserved:
    return Unserved(None, name, msgpack.packb([name, fields]))


class World:
    """An upstream whose children the test plays."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.starts: list[float] = []
        self.cannot_start = False
        self.idles = 0
        self.spawned = trio.Event()
        self.upstream = Upstream("bb", 1 << 20, on_idle=self._idle, spawn=self._spawn)
        self.answers: dict[str, Any] = {}

    def _idle(self) -> None:
        self.idles += 1

    @asynccontextmanager
    async def _spawn(self) -> AsyncIterator[Transport]:
        self.starts.append(trio.current_time())
        if self.cannot_start:
            raise ServerUnreachable("cannot start bb: Exec format error")
        ours, theirs = trio.testing.memory_stream_pair()
        self.children.append(Child(TrioStream(theirs)))
        self.spawned.set()
        self.spawned = trio.Event()

        async def why_ended() -> str:
            return ": bb exited with status 1"

        async with given(ours) as transport:
            yield Transport(transport.stream, "bb", why_ended)

    def submit(self, label: str, client: object = None, name: str = "ChonkProve") -> Forwarding:
        def finish(response: bytes) -> None:
            assert label not in self.answers, "finished twice"
            self.answers[label] = msgpack.unpackb(response)

        job = Forwarding(client, request(name), finish)
        self.upstream.submit(job)
        return job

    async def child(self, number: int = 0) -> Child:
        while len(self.children) <= number:
            await self.spawned.wait()
        return self.children[number]


@asynccontextmanager
async def running() -> AsyncIterator[World]:
    world = World()
    with trio.fail_after(10_000):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.upstream.run)
            yield world
            nursery.cancel_scope.cancel()


OK = ["ChonkProveResponse", {}]


async def test_no_child_without_work(autojump_clock: MockClock) -> None:
    async with running() as world:
        await trio.testing.wait_all_tasks_blocked()
        assert world.starts == []
        assert world.upstream.idle


async def test_one_request_at_a_time_in_order(autojump_clock: MockClock) -> None:
    async with running() as world:
        for label in "abc":
            world.submit(label)
        child = await world.child()
        for number, label in enumerate("abc"):
            assert await child.receive() == [["ChonkProve", {}]]
            await trio.testing.wait_all_tasks_blocked()
            assert len(world.answers) == number
            await child.send(OK)
            await trio.testing.wait_all_tasks_blocked()
            assert world.answers[label] == OK
        assert world.upstream.idle
        assert world.idles == 1
        assert len(world.starts) == 1


async def test_a_crash_costs_one_request_and_the_next_child_takes_over(autojump_clock: MockClock) -> None:
    async with running() as world:
        world.submit("first")
        world.submit("second")
        child = await world.child()
        await child.receive()
        await child.hang_up()
        second = await world.child(1)
        await second.receive()
        await second.send(OK)
        await world.upstream.wait_idle()
        kind, fields = world.answers["first"]
        assert kind == "ErrorResponse"
        assert fields["message"] == ("ChonkProve was forwarded to bb, but bb ended without an answer: bb exited with status 1")
        assert world.answers["second"] == OK
        assert (world.upstream.counters.failures, world.upstream.counters.failed) == (1, 1)
        assert (world.upstream.counters.started, world.upstream.counters.forwarded) == (2, 1)


async def test_a_child_that_ends_while_it_has_nothing_to_do_costs_nothing(autojump_clock: MockClock) -> None:
    async with running() as world:
        world.submit("first")
        child = await world.child()
        await child.receive()
        await child.send(OK)
        await world.upstream.wait_idle()
        await child.hang_up()
        await trio.testing.wait_all_tasks_blocked()
        world.submit("second")
        second = await world.child(1)
        await second.receive()
        await second.send(OK)
        await world.upstream.wait_idle()
        assert world.answers == {"first": OK, "second": OK}


@pytest.mark.parametrize("payload", [b"", b"\xc1", msgpack.packb([1, OK]), msgpack.packb(OK) + b"\0", msgpack.packb(["a", 1])])
async def test_garbage_ends_the_child(payload: bytes, autojump_clock: MockClock) -> None:
    async with running() as world:
        world.submit("first")
        child = await world.child()
        await child.receive()
        await child.send_payload(payload)
        await world.upstream.wait_idle()
        assert "not a response" in world.answers["first"][1]["message"]
        assert await child.receive() is None


async def test_pauses_double_up_to_a_limit_and_end_with_the_first_success(autojump_clock: MockClock) -> None:
    async with running() as world:
        for number in range(12):
            world.submit(f"bad {number}")
            child = await world.child(number)
            await child.receive()
            await child.hang_up()
            await world.upstream.wait_idle()
        pauses = [later - earlier for earlier, later in pairwise(world.starts)]
        world.submit("good")
        child = await world.child(12)
        await child.receive()
        await child.send(OK)
        await world.upstream.wait_idle()
        assert pauses[:4] == pytest.approx([0.1, 0.2, 0.4, 0.8])
        assert pauses[-1] == pytest.approx(MAX_PAUSE)
        world.submit("crash")
        await child.receive()
        await child.hang_up()
        await world.upstream.wait_idle()
        world.submit("again")
        await world.child(13)
        assert trio.current_time() - world.starts[-2] == pytest.approx(0.1)


async def test_who_ends_children_makes_nobody_else_wait(autojump_clock: MockClock) -> None:
    """Pauses double for the client whose requests end them; not for others, nor while these wait."""
    async with running() as world:
        for number in range(8):
            world.submit(f"bad {number}", client=1)
        for number in range(7):
            child = await world.child(number)
            await child.receive()
            await child.hang_up()
        await trio.testing.wait_all_tasks_blocked()
        began = trio.current_time()
        world.submit("good", client=2)
        child = await world.child(7)
        assert trio.current_time() - began <= FIRST_PAUSE
        await child.receive()
        await child.send(OK)
        await child.receive()
        await child.hang_up()
        await world.upstream.wait_idle()
        assert world.answers["good"] == OK
        assert all(world.answers[f"bad {number}"][0] == "ErrorResponse" for number in range(8))


async def test_many_clients_that_end_children_do_not_add_up_pauses(autojump_clock: MockClock) -> None:
    async with running() as world:
        for number in range(40):
            world.submit(f"bad {number}", client=number)
        world.submit("good", client=-1)
        for number in range(40):
            child = await world.child(number)
            await child.receive()
            await child.hang_up()
        child = await world.child(40)
        await child.receive()
        await child.send(OK)
        await world.upstream.wait_idle()
        assert trio.current_time() - world.starts[0] <= 40 * FIRST_PAUSE + 0.001


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_request_has_the_child_for_a_time_only_while_others_wait(*, cancelled: bool, autojump_clock: MockClock) -> None:
    async with running() as world:
        job = world.submit("long", client=1)
        child = await world.child()
        await child.receive()
        world.submit("more", client=1)
        await trio.sleep(2 * LONGEST)
        assert len(world.starts) == 1  # nobody else waits
        if cancelled:
            world.upstream.cancel(job)
        began = trio.current_time()
        world.submit("other", client=2)
        second = await world.child(1)
        longest = LONGEST_FOR_NOBODY if cancelled else LONGEST
        assert longest - LOOK <= trio.current_time() - began <= longest + LOOK + FIRST_PAUSE
        await second.receive()
        await second.send(OK)
        await trio.testing.wait_all_tasks_blocked()
        assert world.answers.pop("other") == OK
        await second.receive()
        await second.send(OK)
        await world.upstream.wait_idle()
        assert world.answers.pop("more") == OK
        if not cancelled:
            kind, fields = world.answers.pop("long")
            assert kind == "ErrorResponse"
            assert "took longer than 600 s while other clients waited" in fields["message"]
        assert world.answers == {}


async def test_a_program_that_cannot_be_started_is_an_error_for_all_that_wait(autojump_clock: MockClock) -> None:
    async with running() as world:
        world.cannot_start = True
        world.submit("a")
        world.submit("b")
        await world.upstream.wait_idle()
        for label in "ab":
            assert "Exec format error" in world.answers[label][1]["message"]
        world.cannot_start = False
        world.submit("c")
        child = await world.child()
        await child.receive()
        await child.send(OK)
        await world.upstream.wait_idle()
        assert world.answers["c"] == OK


async def test_dropped_and_cancelled_requests_are_never_answered(autojump_clock: MockClock) -> None:
    async with running() as world:
        world.submit("running", client=1)
        child = await world.child()
        await child.receive()
        world.submit("waiting", client=1)
        seen = world.submit("seen", client=2)
        world.submit("kept", client=2)
        cancelled = world.submit("cancelled", client=2)
        world.upstream.drop(1)
        assert world.upstream.cancel(cancelled)
        assert not world.upstream.cancel(cancelled)
        await child.send(OK)
        assert await child.receive() == [["ChonkProve", {}]]
        assert not world.upstream.cancel(seen)
        await child.send(OK)
        assert await child.receive() == [["ChonkProve", {}]]
        await child.send(OK)
        await world.upstream.wait_idle()
        assert set(world.answers) == {"kept"}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (request("NoSuchCommand"), "unknown command 'NoSuchCommand'"),
        (request("PedersenHash", hash_index=0), "missing field 'inputs'"),
        (request("PedersenHash", inputs=[b"\xff" * 32], hash_index=0), "inputs[0]"),
        (request("PedersenHash", inputs=[b""], hash_index=0), "0 bytes, expected 32"),
        (request("ChonkStart", num_circuits=-1), "num_circuits"),
    ],
)
def test_what_would_end_bb_is_not_forwarded(bad: Unserved, message: str) -> None:
    with pytest.raises(CommandError) as refusal:
        admit(bad)
    assert message in str(refusal.value)
    assert admit(request("PedersenHash", inputs=[bytes(32)], hash_index=0)) is None


# ---- The real thing -------------------------------------------------------------------------------------------------


def command(bb: str) -> list[str]:
    return [sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--bb", bb]


@needs_bb
async def test_the_real_bb_behind_bbipc() -> None:
    bb = os.environ["BBIPC_TEST_BB"]

    with trio.fail_after(300):
        async with open_client(command=command(bb)) as client, open_client(command=[bb, "msgpack", "run"]) as direct:
            fields = {"inputs": bytes(range(31)) + b"\0" + bytes(32), "hash_index": 1}
            expected = await direct.call("PedersenHash", **fields)
            assert await client.call("PedersenHash", **fields) == expected
            assert await client.call_tagged("PedersenHash", **fields) == expected
            with pytest.raises(ServerError, match="not started"):
                await client.call("ChonkProve")
            assert await client.call("PedersenHash", **fields) == expected


async def test_a_child_that_always_dies_hurts_nobody_else() -> None:
    with trio.fail_after(300):
        async with open_client(command=command("false")) as client:
            for _ in range(2):
                with pytest.raises(ServerError, match="exited with status 1"):
                    await client.call_tagged("ChonkProve")
                assert (await client.call("Blake2s", data=b""))["hash"]


async def test_a_stopped_child_is_replaced(tmp_path: Path) -> None:
    """One that a signal has stopped would keep everybody waiting for ever. The next one answers."""
    mark = tmp_path / "started"
    script = tmp_path / "bb"
    response = msgpack.packb(["ChonkProveResponse", {}]).hex()
    script.write_text(
        f"""#!{sys.executable}
import os, pathlib, signal, sys
mark = pathlib.Path({str(mark)!r})
if not mark.exists():
    mark.write_text("")
    os.kill(os.getpid(), signal.SIGSTOP)
while size := sys.stdin.buffer.read(4):
    sys.stdin.buffer.read(int.from_bytes(size, "little"))
    answer = bytes.fromhex("{response}")
    sys.stdout.buffer.write(len(answer).to_bytes(4, "little") + answer)
    sys.stdout.buffer.flush()
"""
    )
    script.chmod(0o755)
    answers: list[Any] = []

    upstream = Upstream(str(script), 1 << 20)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(upstream.run)
        for client in range(2):
            upstream.submit(Forwarding(client, request(), lambda response: answers.append(msgpack.unpackb(response))))
        await upstream.wait_idle()
        nursery.cancel_scope.cancel()
    assert answers[0][0] == "ErrorResponse"
    assert answers[1] == ["ChonkProveResponse", {}]


ECHO = """#!{python}
import os, sys
sys.stdin = sys.stdin.buffer
while head := sys.stdin.read(4):
    assert len(sys.stdin.read(int.from_bytes(head, "little"))) == int.from_bytes(head, "little")
    assert "BBIPC_OPTIONS" not in os.environ
    payload = b"\\x92\\xb1ChonkLoadResponse\\x80"
    sys.stdout.buffer.write(len(payload).to_bytes(4, "little") + payload)
    sys.stdout.flush()
"""


async def test_a_witness_of_72_mib_is_forwarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BBIPC_OPTIONS", "--log-level error")
    child = tmp_path / "bb"
    child.write_text(ECHO.format(python=sys.executable))
    child.chmod(0o700)

    async with open_client(command=[sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--bb", str(child)]) as client:
        circuit = {"name": "large", "bytecode": bytes(72 << 20), "verification_key": b""}
        assert await client.call("ChonkLoad", circuit=circuit) == {}
        assert await client.call("Blake2s", data=b"abc")


async def test_many_requests_without_a_child_are_refused_with_turns_between(autojump_clock: MockClock) -> None:
    async with running() as world:
        world.cannot_start = True
        many, refused = 10 * REFUSED_TOGETHER, [0]
        for number in range(many):
            world.submit(str(number), client=number % 7)
        while len(world.answers) < many:
            await trio.sleep(0)
            refused.append(len(world.answers))
        assert max(after - before for before, after in pairwise(refused)) <= 2 * REFUSED_TOGETHER
        assert all(is_error(answer) for answer in world.answers.values())


def is_error(answer: Any) -> bool:
    return bool(answer[0] == "ErrorResponse")


async def test_a_long_answer_that_no_thread_can_look_at(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs this request; the server goes on."""

    async def fail(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("can't start new thread")

    async with running() as world:
        world.submit("first")
        child = await world.child()
        await child.receive()
        with monkeypatch.context() as patched:
            patched.setattr(trio.to_thread, "run_sync", fail)
            await child.send(["ChonkProveResponse", {"proof": bytes(BRIEF)}])
            await trio.testing.wait_all_tasks_blocked()
        assert is_error(world.answers["first"])
        world.submit("second")
        second = await world.child(1)
        await second.receive()
        await second.send(OK)
        await trio.testing.wait_all_tasks_blocked()
        assert world.answers["second"] == OK

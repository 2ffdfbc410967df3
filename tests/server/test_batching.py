"""When requests start: with workers whose calls take the time that a test says, by a clock that only tests see.

The workers cost what a verifier costs, roughly: a batch has a part that each proof adds and a large part that it shares.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from bbipc.chonk import Outcome, Verdict
from bbipc.server.backend import Task
from bbipc.server.jobs import Verification
from bbipc.server.scheduler import FEW, Scheduler
from server.scripted import HASH, HASHED, NO_PROOF, Flag, LoadedBackend, scripted_server, verdict_response, verification

SHARED, EACH = 100.0, 10.0
"""Seconds for what the proofs of a batch share, on one thread, and for each of them."""


@dataclass
class Batch:
    started: float
    threads: int
    keys: list[str]
    ended: float = 0.0


@dataclass
class TimedBackend(LoadedBackend):
    """Notes the batches. A call must be made by `in_thread`, which takes the time that the call asks for."""

    batches: list[Batch] = field(default_factory=list)
    cost: float = 0.0

    def arithmetic(self) -> str:
        return "timed"

    def verify(self, task: Task, *, threads: int, cancel: Any) -> Verdict:
        self.cost = (SHARED + EACH) / threads
        now = trio.current_time()
        self.batches.append(Batch(now, threads, [task.key.decode()], now + self.cost))
        return Verdict(Outcome.VALID)

    def reduce(self, tasks: Sequence[Task], *, cancels: Sequence[Any]) -> Sequence[Any]:
        assert len(tasks) == len(cancels)
        self.cost = EACH * len(tasks)
        return [(task, trio.current_time()) for task in tasks]

    def check(self, claims: Sequence[Any], *, threads: int, cancels: Sequence[Any]) -> list[Verdict]:
        self.cost = SHARED / threads
        started = min(start for _, start in claims)
        keys = [task.key.decode() for task, _ in claims]
        self.batches.append(Batch(started, threads, keys, trio.current_time() + self.cost))
        return [Verdict(Outcome.VALID)] * len(claims)

    async def in_thread(self, function: Callable[[], Any], /) -> Any:
        result = function()
        await trio.sleep(self.cost)
        return result


@dataclass(frozen=True)
class Arrival:
    at: float
    client: int
    proofs: int


arrivals = st.builds(Arrival, st.floats(0, 2000), st.integers(0, 5), st.sampled_from([1, 1, 1, 1, 2, 5]))


def simulate(requests: Sequence[Arrival], threads: int, limit: int) -> tuple[TimedBackend, dict[int, float], dict[int, float]]:
    """Submit the requests at their times; when each started and when it was answered."""
    started: dict[int, float] = {}
    answered: dict[int, float] = {}
    backend = TimedBackend()

    async def main() -> None:
        scheduler = Scheduler(backend, threads, max_batch_tasks=limit, in_thread=backend.in_thread)

        async def send(number: int, arrival: Arrival) -> None:
            await trio.sleep(arrival.at)
            tasks = [Task((b"",), f"{number}".encode())] * arrival.proofs

            def finish(_response: bytes) -> None:
                assert number not in answered
                answered[number] = trio.current_time()
                started[number] = job.started

            job = Verification(arrival.client, tasks, lambda _verdicts: b"", finish)
            scheduler.submit(job)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(scheduler.run)
            async with trio.open_nursery() as senders:
                for number, arrival in enumerate(requests):
                    senders.start_soon(send, number, arrival)
            await scheduler.wait_idle()
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return backend, started, answered


@given(st.lists(arrivals, min_size=1, max_size=40), st.integers(1, 4))
def test_no_request_waits_for_more_than_one_batch(requests: list[Arrival], threads: int) -> None:
    backend, started, answered = simulate(requests, threads, limit=1000)
    assert set(answered) == set(range(len(requests)))
    for number, arrival in enumerate(requests):
        # While it waits, one batch is running, and when that ends it starts.
        for batch in backend.batches:
            begins_while_it_waits = arrival.at < batch.started < started[number]
            assert not begins_while_it_waits, (arrival, batch)


crowds = st.lists(st.builds(Arrival, st.floats(0, 100), st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5]), st.just(1)), min_size=20)


@given(crowds, st.integers(1, 4), st.integers(6, 10))
def test_with_bounded_batches_every_client_is_in_the_next_one(requests: list[Arrival], threads: int, limit: int) -> None:
    """There are 6 clients, so each of them has a place in every batch, whatever the others send. Only one that has more than
    few may have to let one batch of those with few pass."""
    backend, started, answered = simulate(requests, threads, limit)
    assert set(answered) == set(range(len(requests)))
    assert max(len(batch.keys) for batch in backend.batches) <= limit
    for number, arrival in enumerate(requests):
        is_next_of_its_client = all(
            later == number or other.client != arrival.client or other.at > arrival.at or started[later] < arrival.at
            for later, other in enumerate(requests)
        )
        if is_next_of_its_client:
            passed = [batch for batch in backend.batches if arrival.at < batch.started < started[number]]
            waiting = [
                other
                for later, other in enumerate(requests)
                if other.client == arrival.client and started[later] >= started[number]
            ]
            assert len(passed) <= (len(waiting) > limit // 8)
            assert all(len(batch.keys) < limit for batch in passed)


def test_a_lone_verification_waits_for_one_slice_of_a_long_request() -> None:
    requests = [Arrival(0, 0, 1400), Arrival(1, 0, 1400), Arrival(2, 1, 1)]
    backend, started, answered = simulate(requests, threads=2, limit=64)
    assert set(answered) == {0, 1, 2}
    assert backend.batches[1].keys == ["2"]  # by itself: it does not pay for 63 others
    assert answered[2] == backend.batches[0].ended + (SHARED + EACH) / 2
    assert max(len(batch.keys) for batch in backend.batches) == 64
    assert sum(len(batch.keys) for batch in backend.batches) == 2801
    assert started[0] == 0


def test_many_lone_verifications_do_not_starve_a_long_request() -> None:
    requests = [Arrival(0, 0, 640), *(Arrival(10 * number, 1, 1) for number in range(1, 400))]
    backend, _, answered = simulate(requests, threads=2, limit=64)
    index = next(index for index, batch in enumerate(backend.batches) if batch.ended >= answered[0])
    assert index <= 2 * 640 // 64 + 2


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.integers(1, 4), st.data())
def test_slices_give_every_proof_its_own_verdict(sizes: list[int], threads: int, data: st.DataObject) -> None:
    """Requests longer than a batch, among others, and some that are cancelled when any part of them has been verified."""

    async def test() -> None:
        async with scripted_server(threads=threads, max_batch_tasks=3) as server:
            client = server.connect()
            expected: dict[int, Any] = {}
            for number, size in enumerate(sizes, 1):
                bad = data.draw(st.integers(0, size))  # `size`: none
                keys = [f"{'error' if index == bad else 'valid'} {number}.{index}".encode() for index in range(size)]
                await client.send([number, ["ChonkBatchVerify", {"proofs": [NO_PROOF] * size, "vks": keys}]])
                expected[number] = (
                    ["ChonkBatchVerifyResponse", {"valid": True}]
                    if bad == size
                    else ["ErrorResponse", {"message": f"scripted: error {number}.{bad}"}]
                )
            while server.workers.waiting:
                await server.workers.release(data.draw(st.integers(0, len(server.workers.waiting) - 1)))
                if expected and data.draw(st.integers(0, 9)) == 0:
                    await client.send([1000, ["CancelRequest", {"request_id": data.draw(st.sampled_from(sorted(expected)))}]])
            responses = client.responses()
            for number, wanted in expected.items():
                (response,) = [fields for request_id, fields in responses if request_id == number]
                assert response in (wanted, ["ErrorResponse", {"message": "cancelled by CancelRequest"}])
            assert server.scheduler.idle
            assert server.budget.used == 0
            assert max(len(keys) for kind, keys, _ in server.backend.calls) <= 3
            decided = server.backend.decided
            assert len(decided) == len(set(decided))  # nothing is verified twice

    trio.run(test, clock=MockClock())


@given(st.lists(arrivals, min_size=1, max_size=40), st.integers(1, 4))
def test_requests_of_a_client_start_in_their_order(requests: list[Arrival], threads: int) -> None:
    _, started, _ = simulate(requests, threads, limit=8)
    for number, arrival in enumerate(requests):
        for other, later in enumerate(requests):
            if arrival.client == later.client and arrival.at < later.at:
                assert started[number] <= started[other]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.integers(1, 4))
def test_a_lone_request_starts_at_once_on_all_threads(clients: list[int], threads: int) -> None:
    requests = [Arrival(1000.0 * index, client, 1) for index, client in enumerate(clients)]
    backend, started, answered = simulate(requests, threads, limit=64)
    assert [batch.threads for batch in backend.batches] == [threads] * len(requests)
    for number, arrival in enumerate(requests):
        assert started[number] == arrival.at
        assert answered[number] == arrival.at + (SHARED + EACH) / threads


def test_under_load_the_shared_part_is_paid_once() -> None:
    requests = [Arrival(0, 0, 1), *(Arrival(1, number % 3, 1) for number in range(16))]
    backend, _, answered = simulate(requests, threads=2, limit=64)
    assert [len(batch.keys) for batch in backend.batches] == [1, 16]
    assert max(answered.values()) == (SHARED + EACH) / 2 + 16 * EACH / 2 + SHARED / 2


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 5), st.integers(1, 3), st.randoms())
def test_plain_requests_keep_their_order_inside_shared_batches(
    plain: list[bool], batch: int, threads: int, random: Any
) -> None:
    """Plain and tagged requests of two clients share batches, whose parts end in any order."""

    async def test() -> None:
        async with scripted_server(threads=threads, max_batch_tasks=batch) as server:
            clients = [server.connect(), server.connect()]
            for number, is_plain in enumerate(plain, 1):
                kind = "valid" if number % 3 else "invalid"
                command = verification(f"{kind} {number}") if number % 5 else HASH
                await clients[number % 2].send([command] if is_plain else [number, command])
            while server.workers.waiting:
                await server.workers.release(random.randrange(len(server.workers.waiting)))
            for index, client in enumerate(clients):
                responses = client.responses()
                numbers = [number for number in range(1, len(plain) + 1) if number % 2 == index]
                assert [response for response in responses if isinstance(response[0], str)] == [
                    answer(number) for number in numbers if plain[number - 1]
                ]
                assert sorted(response[0] for response in responses if isinstance(response[0], int)) == [
                    number for number in numbers if not plain[number - 1]
                ]
                assert all(response[1] == answer(response[0]) for response in responses if isinstance(response[0], int))

    def answer(number: int) -> list[Any]:
        return verdict_response(f"{'valid' if number % 3 else 'invalid'} {number}") if number % 5 else HASHED

    trio.run(test, clock=MockClock())


def test_a_service_with_fewer_cores_leaves_workers_to_others() -> None:
    backend = TimedBackend()
    ends: dict[str, float] = {}

    async def main() -> None:
        scheduler = Scheduler(backend, 2, in_thread=backend.in_thread)

        def job(name: str, cores: int | None) -> Verification:
            finish = lambda _response: ends.setdefault(name, trio.current_time())  # noqa: E731
            return Verification(name, [Task((b"",), name.encode())], lambda _verdicts: b"", finish, cores)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(scheduler.run)
            scheduler.submit(job("bounded", 1))
            await trio.sleep(1)
            scheduler.submit(job("other", None))
            await scheduler.wait_idle()
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert [(batch.keys, batch.started, batch.threads) for batch in backend.batches] == [(["bounded"], 0, 1), (["other"], 1, 1)]


async def test_a_cancelled_request_ends_all_of_its_proofs(mock_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    async with scripted_server(threads=1) as server:
        flags, reduce = list[Flag](), server.backend.reduce

        def noted(tasks: Sequence[Task], *, cancels: Sequence[Flag]) -> Sequence[Any]:
            flags.extend(cancels)
            return reduce(tasks, cancels=cancels)

        monkeypatch.setattr(server.backend, "reduce", noted)
        client = server.connect()
        await client.send([1, ["ChonkBatchVerify", {"proofs": [NO_PROOF] * 3, "vks": [b"valid 1", b"valid 2", b"valid 3"]}]])
        await client.send([2, ["CancelRequest", {"request_id": 1}]])
        await server.workers.release_all()
        assert [flag.was_set for flag in flags] == [True] * 3
        assert server.backend.decided == []


class Member:
    """A connection of a process."""

    def __init__(self, group: str) -> None:
        self.group = group


def test_many_connections_of_one_process_have_one_share() -> None:
    """Beside a process with 200 connections, each with two proofs, a lone verification is in the next, small batch."""
    backend = TimedBackend()
    order: list[str] = []

    async def main() -> None:
        scheduler = Scheduler(backend, 2, in_thread=backend.in_thread)

        def submit(client: Member, proofs: int) -> None:
            finish = lambda _response: order.append(client.group)  # noqa: E731
            task = Task((b"",), client.group.encode())
            scheduler.submit(Verification(client, [task] * proofs, lambda _verdicts: b"", finish))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(scheduler.run)
            for _ in range(200):
                submit(Member("many"), 2)
            await trio.sleep(1)  # the first batch runs
            submit(Member("lone"), 1)
            await scheduler.wait_idle()
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    sizes = [len(batch.keys) for batch in backend.batches]
    assert "lone" in backend.batches[1].keys
    assert sizes[:2] == [64, 64 // FEW + 1]
    assert len(order) == 201
    assert max(sizes[2:]) == 64

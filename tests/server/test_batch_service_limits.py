"""The batch verifier service with scripted workers: what it holds, and who waits for whom."""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgpack
import pytest
from trio.testing import MockClock, wait_all_tasks_blocked

from bbipc.server import batch_service
from bbipc.server.config import Limits
from bbipc.server.scheduler import INTERNAL_ERROR
from bbipc.server.steps import Steps
from server.scripted import ScriptedClient, ScriptedServer, is_error, pass_time, scripted_server, verdict_response, verification

START = "ChonkBatchVerifierStart"
QUEUED = ["ChonkBatchVerifierQueueResponse", {}]
STOP = ["ChonkBatchVerifierStop", {}]
STOPPED = ["ChonkBatchVerifierStopResponse", {}]
KEYS = ["valid 0", "invalid 1", "error 2"]


def queue(request_id: int, key: int = 0) -> list[Any]:
    return ["ChonkBatchVerifierQueue", {"request_id": request_id, "vk_index": key, "proof_fields": [bytes(32)]}]


@pytest.fixture(autouse=True)
def _proofs_of_one_word(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(keys: Sequence[bytes], sizes: list[int]) -> Steps[bytes]:
        yield
        sizes.extend([1] * len(keys))
        return batch_service.done(batch_service.START)

    monkeypatch.setattr(batch_service, "_look_at_keys", look)


async def start(server: ScriptedServer, client: ScriptedClient, path: Path, cores: int = 0, batch: int = 64) -> None:
    if not path.exists():
        os.mkfifo(path)
    fields = {"vks": [key.encode() for key in KEYS], "num_cores": cores, "batch_size": batch, "fifo_path": str(path)}
    await client.send([[START, fields]])
    await server.workers.release()
    assert client.responses() == [["ChonkBatchVerifierStartResponse", {}]]


def results(descriptor: int) -> list[dict[str, Any]]:
    data, found = os.read(descriptor, 1 << 16), []
    while data:
        size = int.from_bytes(data[:4], "big")
        found.append(msgpack.unpackb(data[4 : 4 + size]))
        data = data[4 + size :]
    return found


def sizes_of_batches(server: ScriptedServer) -> list[int]:
    return [len(keys) for _, keys, _ in server.backend.calls]


async def test_batch_size_and_num_cores_are_bounds(tmp_path: Path, mock_clock: MockClock) -> None:
    async with scripted_server(threads=3) as server:
        client = server.connect()
        await start(server, client, tmp_path / "fifo", cores=2, batch=2)
        reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        await client.send(*([queue(number, number % 3)] for number in range(6)), [STOP])
        assert client.responses() == [QUEUED] * 6
        await server.workers.release_all()
        assert sizes_of_batches(server) == [1, 2, 2, 1] or sizes_of_batches(server) == [2, 2, 2]
        assert {threads for _, _, threads in server.backend.calls} == {2}
        # The FIFO had no reader when it was first tried; the clock stands still until the test moves it.
        await pass_time(0.1)
        assert client.responses() == [STOPPED]
        got = {result["request_id"]: (result["status"], result["error_message"]) for result in results(reader)}
        os.close(reader)
        outcomes = [
            (0, ""),
            (1, "batch check failed (bisected to individual)"),
            (1, "reduce_to_ipa_claim threw: scripted: error 2"),
        ]
        assert got == {number: outcomes[number % 3] for number in range(6)}
    assert server.budget.used == 0


async def test_a_defect_of_the_scheduler_is_a_result_as_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mock_clock: MockClock
) -> None:
    async with scripted_server(threads=1) as server:

        def no_memory() -> None:
            raise MemoryError

        monkeypatch.setattr(server.backend, "new_cancel", no_memory)
        client = server.connect()
        await start(server, client, tmp_path / "fifo")
        reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        await client.send([queue(7)], [STOP])
        await server.workers.release_all()
        await pass_time(0.1)
        assert client.responses() == [QUEUED, STOPPED]
        (result,) = results(reader)
        os.close(reader)
        assert (result["request_id"], result["status"], result["error_message"]) == (7, 1, INTERNAL_ERROR)
        assert result["batch_failure_count"] == 0
    assert server.budget.used == 0


async def test_who_feeds_the_service_too_fast_is_not_read_for_a_while(tmp_path: Path, mock_clock: MockClock) -> None:
    async with scripted_server(
        threads=1, limits=Limits(connection=1000 * (32 + batch_service.RESULT_OVERHEAD) // 32)
    ) as server:
        client, other = server.connect(), server.connect()
        await start(server, client, tmp_path / "fifo", batch=4)
        await client.send(*([queue(number)] for number in range(200)), [STOP])
        queued = len(client.responses())
        assert 1000 // 32 <= queued <= 1000 // 32 + 1
        await other.send([verification("valid 9")])
        await server.workers.release_all()
        assert other.responses() == [verdict_response("valid 9")]
        assert len(client.responses()) + queued == 200  # all but Stop, which waits for a reader of the FIFO
        await pass_time(2)
        (stopped,) = client.responses()
        assert is_error(stopped, "stopped, but 200 results are lost")
        assert server.budget.used == 0


async def test_results_that_nobody_reads_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mock_clock: MockClock
) -> None:
    monkeypatch.setattr(batch_service, "MAX_RESULT_BYTES", 1000)
    async with scripted_server(threads=1) as server:
        client = server.connect()
        await start(server, client, tmp_path / "fifo")
        server.workers.automatic = True
        refused = 0
        for number in range(50):
            await client.send([queue(number)])
            (response,) = client.responses()
            refused += is_error(response, "nobody reads the FIFO")
        assert refused == 50 - 9  # of 114 bytes each
        assert server.budget.used < 4000 + 10 * batch_service.RESULT_OVERHEAD


async def test_a_client_that_goes_away_leaves_the_service_to_the_others(tmp_path: Path, mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        one, two = server.connect(), server.connect()
        await start(server, one, tmp_path / "fifo")
        reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        await one.send([queue(1)], [STOP], [queue(2)])
        one.stream.break_()
        await wait_all_tasks_blocked()
        await two.send([7, STOP])
        await server.workers.release_all()
        await pass_time(0.1)
        ((number, response),) = two.responses()  # after the Stop of the first one
        assert number == 7
        assert is_error(response, "service not running")
        assert [result["request_id"] for result in results(reader)] == [1]
        os.close(reader)


async def test_a_stop_that_is_cancelled_stops_all_the_same(tmp_path: Path, mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client = server.connect()
        await start(server, client, tmp_path / "fifo")
        await client.send([queue(1)], [5, STOP], [6, queue(2)], [["CancelRequest", {"request_id": 5}]])
        queued, stopped, answer = client.responses()
        assert queued == QUEUED
        assert stopped[0] == 5
        assert is_error(stopped[1], "cancelled")
        assert answer == ["CancelRequestResponse", {"cancelled": True}]
        await server.workers.release_all()
        await pass_time(2)
        ((number, response),) = client.responses()
        assert number == 6
        assert is_error(response, "service not running")
        assert not server.batch_service.running


async def test_a_reader_that_stops_reading_gets_whole_results(tmp_path: Path, mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client = server.connect()
        os.mkfifo(tmp_path / "fifo")
        reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
        await start(server, client, tmp_path / "fifo")
        await client.send(*([queue(number)] for number in range(100)), [STOP])
        await server.workers.release_all()
        assert client.responses() == [QUEUED] * 100
        await pass_time(0.9)
        first = results(reader)
        await wait_all_tasks_blocked()  # that was progress: Stop has patience again
        await pass_time(0.9)
        assert client.responses() == []
        await pass_time(0.1)
        (stopped,) = client.responses()
        second = results(reader)
        os.close(reader)
        assert [result["request_id"] for result in first + second] == list(range(len(first + second)))
        assert is_error(stopped, f"{100 - len(first + second)} results are lost")
        assert server.budget.used == 0


async def test_the_next_reader_gets_everything_that_the_first_one_did_not(tmp_path: Path, mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client = server.connect()
        os.mkfifo(tmp_path / "fifo")
        reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        await start(server, client, tmp_path / "fifo")
        await client.send([queue(1)])
        await server.workers.release_all()
        assert [result["request_id"] for result in results(reader)] == [1]
        os.close(reader)
        await client.send([queue(2)], [queue(3)], [queue(1)], [queue(2)])
        await server.workers.release_all()
        *queued, refused = client.responses()
        assert queued == [QUEUED] * 4  # the result for 1 was written, so 1 is free
        assert is_error(refused, "request_id 2 is already in use")
        await pass_time(10)
        reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        await pass_time(1)
        assert [result["request_id"] for result in results(reader)] == [2, 3, 1]
        await client.send([STOP])
        assert client.responses() == [STOPPED]
        assert os.read(reader, 1) == b""
        os.close(reader)


async def test_a_fifo_that_is_replaced_by_a_file_is_not_written(tmp_path: Path, mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client = server.connect()
        path = tmp_path / "fifo"
        await start(server, client, path)
        path.unlink()
        path.write_text("precious")
        await client.send([queue(1)], [STOP])
        await server.workers.release_all()
        await pass_time(0.1)
        await pass_time(2)
        assert is_error(client.responses()[-1], "1 results are lost")
        assert path.read_text() == "precious"

"""What one client cannot do to the others, seen from outside: on any server, so that versions can be compared.

BBIPC_TEST_PROGRAM names another bbipc to be tested; with BBIPC_LOAD=1000 there are so many requests that 0.1.0 fails.
Costs are processor time of the server's main thread, which other load of the machine hardly changes, and compared at two
sizes in one run.
"""

import os
import select
import signal
import sys
import time
from pathlib import Path

import msgpack
import pytest

from samples import FLOW1
from server.live import VALID, Peer, Server, frame, plain, serving, tagged
from server.recorded_proofs import VERIFY_FLOW1, parts

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processor time of one thread is read from /proc")

NO_PROOF: dict[str, list[bytes]] = {part: [] for part in parts()}
LOAD = max(int(os.environ.get("BBIPC_LOAD", "200")) // 200, 1)
CANCELLED = 2000, 4000 if LOAD == 1 else 16_000
LATE = 1500, 6000 * LOAD
"""Requests of the smaller and of the larger run: more than a connection may have waiting."""
LOOK_EVERY = 0.02


def batch(count: int) -> bytes:
    return plain("ChonkBatchVerify", proofs=[parts()] * count, vks=[FLOW1.vk] * count)


def small(number: int, **fields: int) -> bytes:
    """A request that waits for a worker."""
    return frame(tagged(number, "ChonkBatchVerify", proofs=[NO_PROOF], vks=[b""], **fields))


def processor_time(server: Server) -> float:
    """Seconds that the server's main thread has had."""
    pid = server.process.pid
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9


def statistics(observer: Peer) -> tuple[int, int, int]:
    """Jobs that run and that wait; requests of ChonkBatchVerify that were answered."""
    stats = observer.call(plain("Stats"))[1]
    outcomes = next((counts for counts in stats["commands"] if counts["name"] == "ChonkBatchVerify"), {})
    return stats["running"], stats["waiting"], sum(count for count in outcomes.values() if isinstance(count, int))


def occupy(server: Server, observer: Peer, proofs: int) -> Peer:
    """A client whose batch runs."""
    peer = server.connect()
    peer.send_in_background(frame(batch(proofs)))
    while not statistics(observer)[0]:
        time.sleep(LOOK_EVERY)
    return peer


def cancel_newest_first(server: Server, observer: Peer, count: int) -> float:
    """Seconds of the main thread for so many requests that wait, and for cancelling them."""
    greedy, peer = occupy(server, observer, 64), server.connect()
    requests = [small(number) for number in range(1, count + 1)]
    cancels = [
        frame(msgpack.packb([count + number, ["CancelRequest", {"request_id": number}]])) for number in range(count, 0, -1)
    ]
    before = processor_time(server)
    peer.send_in_background(b"".join(requests + cancels))
    ids = set()
    for _ in range(2 * count):
        ids.add(msgpack.unpackb(peer.receive() or b"")[0])
    cost = processor_time(server) - before
    assert ids == set(range(1, 2 * count + 1))
    assert greedy.receive() is not None
    return cost


def test_cancelling_many_requests_takes_linear_time(tmp_path: Path) -> None:
    with serving(tmp_path, "--threads", "2", on_socket=True) as server:
        observer = server.connect()
        observer.request(VERIFY_FLOW1)
        assert observer.receive() == VALID
        few, many = (cancel_newest_first(server, observer, count) for count in CANCELLED)
    print(f"cancelled newest first: {CANCELLED[0]} in {few:.2f} s, {CANCELLED[1]} in {many:.2f} s")
    assert many / CANCELLED[1] <= 2 * few / CANCELLED[0]


def expire_at_once(server: Server, observer: Peer, count: int, milliseconds: int) -> float:
    """Microseconds of the main thread for each request that ends, or is taken, when the deadlines of all that wait have passed.
    Nobody reads."""
    occupy(server, observer, 300)
    peer = server.connect()
    peer.send_in_background(b"".join(small(number, deadline_ms=milliseconds) for number in range(1, count + 1)))
    counts = [(0, 0)]
    while not counts[-1][0] or len(set(counts[-3:])) > 1:  # until it takes no more of them
        time.sleep(5 * LOOK_EVERY)
        counts.append(statistics(observer)[1:])
    (waited, before), began = counts[-1], processor_time(server)
    server.process.send_signal(signal.SIGSTOP)  # so that all are late when it goes on
    time.sleep(milliseconds / 1000)
    server.process.send_signal(signal.SIGCONT)
    ended = 0
    while ended < waited:
        time.sleep(5 * LOOK_EVERY)
        _, waiting, answered = statistics(observer)
        ended = answered - before
    taken = max(ended + waiting - waited, 0)
    return 1e6 * (processor_time(server) - began) / (ended + taken)


@pytest.mark.skipif(LOAD == 1, reason="only with BBIPC_LOAD=1000: it waits for deadlines, which a busy machine may miss")
def test_deadlines_of_many_requests_take_linear_time(tmp_path: Path) -> None:
    costs = []
    for name, count, milliseconds in (("few", LATE[0], 2000), ("many", LATE[1], 500 + 1500 * LOAD)):
        folder = tmp_path / name
        folder.mkdir()
        with serving(folder, "--threads", "2", on_socket=True) as server:
            observer = server.connect()
            observer.request(VERIFY_FLOW1)
            assert observer.receive() == VALID
            costs.append(expire_at_once(server, observer, count, milliseconds))
    print(f"microseconds for each late request: {costs[0]:.0f} of {LATE[0]}, {costs[1]:.0f} of {LATE[1]}")
    assert costs[1] <= 2 * costs[0]


def test_a_lone_verification_does_not_wait_for_the_end_of_a_batch(tmp_path: Path) -> None:
    """It is sent when the batch runs, and answered while the batch goes on."""
    with serving(tmp_path, "--threads", "2", on_socket=True) as server:
        observer, other = server.connect(), server.connect()
        greedy = occupy(server, observer, 200)
        other.request(VERIFY_FLOW1)
        assert other.receive() == VALID
        assert not select.select([greedy.read_fd], [], [], 0)[0], "the whole batch was answered before"
        assert statistics(observer)[0]

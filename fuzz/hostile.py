"""One hostile client beside a client that pings and one that verifies: nobody is hurt.

    python fuzz/hostile.py --minutes N [--seed S] [--only BEHAVIOUR]... [--slack X] [--bbipc PROGRAM] [--json FILE]

Draws from a grammar of behaviours (drips, floods, deep and wide frames, deadlines, cancels, never reading, dying, descriptors,
huge batches), one after the other against one server. While each goes on, it is asserted:

* the process lives, and every answer to the others is right;
* the longest pause of a ping, in processor time of the *server* (so that noise of the machine does not matter), is bounded;
* resident memory is at most what the accounting says times 1.5, plus what the process had at the beginning and a constant.

What a verification takes beside it is measured as well. An attack counts only if it came: for each behaviour it is known how
many bytes and connections the server must have received. A line for each behaviour; exit status: 0 nothing found, 1 something
found, or an attack that could not be carried out, 2 wrong usage.
"""

import argparse
import fcntl
import json
import os
import random
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from math import inf
from pathlib import Path
from typing import Any, Final

import msgpack

ROOT: Final = Path(__file__).resolve().parent.parent
DATA: Final = ROOT / "tests" / "data"
BBIPC: Final = (sys.executable, "-P", "-m", "bbipc")
sys.path.insert(0, str(ROOT / "tests"))

from samples import FLOW1  # noqa: E402
from server import recorded_proofs as requests  # noqa: E402
from server.live import BLAKE2S, BLAKE2S_RESPONSE, frame, tagged  # noqa: E402

MIB: Final = 1 << 20
PAUSE_BAR: Final = 0.060
"""Seconds of the server's processor time that a ping may take."""
GIVES_BACK: Final = 1.0
"""Seconds in which a server has given back what the behaviour before held: some of it is freed in turns, then pages are."""
MEMORY_FACTOR: Final = 1.5
CONNECTION_BYTES: Final = 40 * 1024
"""What a connection takes beside what its requests are charged with."""
MEMORY_CONSTANT: Final = 64 * MIB
"""What the workers of two threads take for a batch of 64, what decoding a large frame takes, and what the allocator keeps."""
ATTEMPTS: Final = 3
"""How often a behaviour is tried that seems to hurt somebody, or does not come."""
SHARE: Final = 2.0
"""Seconds of one behaviour."""
LONGEST_DELAY: Final = 20.0
"""Seconds by which a behaviour may last longer, until the server has received what makes it an attack."""
LAST_DELAY: Final = 4.0
"""The same when all of this has already lasted too long."""
QUEUE_BYTES: Final = 16 * 1024
"""What the system counts at most, beside the bytes themselves, for the bytes that it has and the server has not received."""
REPEATING: Final = 90.0
"""Seconds after the planned end in which behaviours may still be repeated or last long: no machine prolongs this for ever."""
PATIENCE: Final = 120.0
"""Seconds after which a response is taken for lost."""
LOOK_EVERY: Final = 0.02
"""Seconds after which somebody who waits looks whether the time is over."""

VERIFY: Final = requests.verify(requests.parts(FLOW1), FLOW1.vk)
VALID: Final = ["ChonkVerifyResponse", {"valid": True}]
NO_PROOF: Final[dict[str, Any]] = {part: [] for part in requests.PARTS}


def batch(count: int) -> bytes:
    proof = {part: [*words] for part, words in requests.parts(FLOW1).items()}
    packed: bytes = msgpack.packb([["ChonkBatchVerify", {"proofs": [proof] * count, "vks": [FLOW1.vk] * count}]])
    return packed


class Connection:
    """A client's side."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.sent = 0
        self._buffer = b""

    def send(self, data: bytes, seconds: float = inf) -> bool:
        """Send all of it, if that takes no longer than so many seconds. False if it was cut off."""
        ends = time.monotonic() + seconds
        return self.send_while(data, lambda: time.monotonic() < ends)

    def send_while(self, data: bytes, goes_on: Callable[[], bool]) -> bool:
        """Send all of it, as long as `goes_on` says so. False if it was cut off."""
        rest = memoryview(data)
        while rest:
            if not goes_on():
                return False
            try:
                count = self.send_some(rest)
            except OSError:
                return False
            rest = rest[count:]
            if not count:
                self._wait(select.POLLOUT, time.monotonic() + LOOK_EVERY)
        return True

    def send_some(self, data: memoryview) -> int:
        """What the system takes at once; how many bytes."""
        try:
            count = self.socket.send(data[:MIB], socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        self.sent += count
        return count

    @property
    def arrived(self) -> int:
        """Bytes that the other side has received, at least: those that the system still has, with what it takes to keep them,
        are left out. After the end: all that were sent."""
        if self.socket.fileno() < 0:
            return self.sent
        return max(self.sent - int(struct.unpack("i", fcntl.ioctl(self.socket, termios.TIOCOUTQ, bytes(4)))[0]), 0)

    def receive(self) -> bytes | None:
        head = self._exactly(4)
        return None if head is None else self._exactly(struct.unpack("<I", head)[0])

    def _exactly(self, size: int) -> bytes | None:
        end = time.monotonic() + PATIENCE
        while len(self._buffer) < size:
            if not self._wait(select.POLLIN, end):
                raise TimeoutError(f"no response within {PATIENCE} s")
            with suppress(BlockingIOError):
                chunk = self.socket.recv(MIB, socket.MSG_DONTWAIT)
                if not chunk:
                    return None
                self._buffer += chunk
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _wait(self, event: int, end: float) -> bool:
        """Not by the socket's own timeout: one thread sends while another receives, and they would share it."""
        poll = select.poll()
        poll.register(self.socket, event)
        return bool(poll.poll(1000 * max(0.0, end - time.monotonic())))

    def drain(self) -> None:
        """Read what is there."""
        with suppress(OSError):
            while select.select([self.socket], [], [], 0)[0] and self.socket.recv(MIB, socket.MSG_DONTWAIT):
                pass

    def close(self) -> None:
        self.socket.close()


@dataclass
class Arrival:
    """What the server has received of an attack, and what makes it one."""

    received: int = 0
    connections: int = 0
    least_bytes: int = 0
    least_connections: int = 0

    @property
    def came(self) -> bool:
        return 0 < self.least_connections <= self.connections and self.received >= self.least_bytes


class Hostile:
    """The hostile client: how it behaves until the time is over, or until it has done all it can."""

    def __init__(self, path: str, choose: random.Random, ends: float, delay: float) -> None:
        self.path, self.choose, self.ends, self.delay = path, choose, ends, delay
        self.connections: list[Connection] = []
        self._least = (0, 0)
        self._left = Arrival()  # of connections that it has closed
        self._came = False

    def connect(self) -> Connection:
        self.connections.append(Connection(self.path))
        return self.connections[-1]

    def leave(self, connection: Connection) -> None:
        self.connections.remove(connection)
        connection.close()
        self._left.connections += 1
        self._left.received += connection.arrived

    def is_one_with(self, size: int, connections: int = 1) -> None:
        """What the server must have received of it at least; else this was no attack."""
        self._least = max(size - QUEUE_BYTES, size // 2), connections

    def arrival(self) -> Arrival:
        received = self._left.received + sum(connection.arrived for connection in self.connections)
        return Arrival(received, self._left.connections + len(self.connections), *self._least)

    @property
    def goes_on(self) -> bool:
        """Until the time is over. If the attack has not come by then, as this process or the server waited for a processor, it
        may take longer."""
        now = time.monotonic()
        if now < self.ends:
            return True
        self._came = self._came or self.arrival().came
        return not self._came and now < self.ends + self.delay

    def send(self, connection: Connection, data: bytes) -> bool:
        """All of it, as long as the attack goes on."""
        return connection.send_while(data, lambda: self.goes_on)

    def wait(self) -> None:
        """Until it is over."""
        while self.goes_on:
            time.sleep(LOOK_EVERY)

    def send_and_read(self, data: bytes) -> None:
        """Again and again, reading whatever comes."""
        self.is_one_with(len(data))
        connection = self.connect()
        threading.Thread(target=self._read, args=[connection], daemon=True).start()
        while self.goes_on and self.send(connection, data):
            pass

    def _read(self, connection: Connection) -> None:
        with suppress(OSError, ValueError):
            while connection.socket.recv(MIB):
                pass

    # ---- The grammar ----

    def drip(self) -> None:
        """A large frame in pieces of two bytes."""
        self.is_one_with(20_000)
        connection = self.connect()
        connection.send(struct.pack("<I", 60 * MIB), 1)
        piece = b"\0" * 2
        while self.goes_on:
            for _ in range(500):
                if not self.send(connection, piece):
                    return

    def flood_of_hashes(self) -> None:
        self.send_and_read(frame(BLAKE2S) * 2000)

    def flood_of_multiplications(self) -> None:
        run = requests_of_g2(self.choose)
        self.is_one_with(8 * len(run), 8)
        self.flood([run] * 8)

    def flood(self, runs: list[bytes]) -> None:
        """Send each of `runs` again and again, on a connection of its own whose responses are read."""
        for run in runs:
            connection = self.connect()
            threading.Thread(target=self._read, args=[connection], daemon=True).start()
            threading.Thread(target=self._send, args=[connection, run], daemon=True).start()
        self.wait()

    def _send(self, connection: Connection, data: bytes) -> None:
        while self.goes_on and self.send(connection, data):
            pass

    def flood_of_stats(self) -> None:
        self.send_and_read(frame(msgpack.packb([["Stats", {}]])) * 500)

    def wide_frames(self) -> None:
        """Fields that nobody asked for, with as many values as there is room for."""
        count = self.choose.choice([20, 255])
        fields = {f"x{index}": [0] * 65_534 for index in range(count)}
        self.send_and_read(frame(msgpack.packb([["Blake2s", {"data": b""} | fields]])))

    def wide_proofs(self) -> None:
        proof = NO_PROOF | {f"x{index}": [0] * 60_000 for index in range(4)}
        self.send_and_read(frame(msgpack.packb([["ChonkBatchVerify", {"proofs": [proof] * 60, "vks": [b""] * 60}]])))

    def deep_frames(self) -> None:
        deep = b"\x91" * 60_000 + b"\xc0"
        self.send_and_read(frame(b"\x91\x92\xa7Blake2s\x82\xa4data\xc4\x00\xa1x" + deep) * 20)

    def unknown_commands(self) -> None:
        self.send_and_read(frame(msgpack.packb([["NoSuchCommand", {"x": [0] * MIB}]])))

    def empty_proofs(self) -> None:
        """As many structures as a frame may have."""
        self.send_and_read(frame(msgpack.packb([["ChonkBatchVerify", {"proofs": [NO_PROOF] * 60_000, "vks": [b""] * 60_000}]])))

    def short_items(self) -> None:
        """Frames that are short, with as many items as there is room for, on several connections."""
        run = frame(msgpack.packb([["ChonkBatchVerify", {"proofs": [], "vks": [b""] * 32_000}]])) * 5
        self.is_one_with(16 * len(run), 16)
        self.flood([run] * 16)

    def long_texts(self) -> None:
        """A name, or a path, that fills a frame."""
        size = 30 * MIB
        start = {"vks": [], "num_cores": 0, "batch_size": 1, "fifo_path": "\x01" * size}
        named = b"\x91\x92\xdb" + struct.pack(">I", size) + b"\xff" * size + b"\x80"
        self.send_and_read(frame(self.choose.choice([msgpack.packb([["ChonkBatchVerifierStart", start]]), named])))

    def long_headers(self) -> None:
        """Words with a header longer than needed: they are read one by one."""
        word = b"\xc5\x00\x20" + bytes(32)
        body = b"\x91\x92\xadPoseidon2Hash\x81\xa6inputs\xdd" + struct.pack(">I", 400_000) + word * 400_000
        self.send_and_read(frame(body))

    def long_computations(self) -> None:
        """On several connections, each of which may have a worker for seconds."""
        point = {"x": b"\xff" * 32, "y": b"\xff" * 32}
        commands: list[Any] = [
            ["Poseidon2Hash", {"inputs": [bytes(32)] * 200_000}],
            ["Blake2s", {"data": bytes(60 * MIB)}],
            ["GrumpkinBatchMul", {"points": [point] * 60_000, "scalar": b"\x01" * 32}],
            ["SrsInitGrumpkinSrs", {"points_buf": b"\xff" * 64 * 900_000, "num_points": 900_000}],
        ]
        data = [frame(msgpack.packb([command])) for _ in range(2) for command in self.choose.sample(commands, 2)]
        self.is_one_with(sum(map(len, data)), len(data))
        self.flood(data)

    def leaving(self) -> None:
        """Large frames whose sender is gone before they are decoded, or before their work is done."""
        word = b"\xc5\x00\x20" + bytes(32)
        count = self.choose.choice([100_000, 400_000])
        data = frame(b"\x91\x92\xadPoseidon2Hash\x81\xa6inputs\xdd" + struct.pack(">I", count) + word * count)
        self.is_one_with(2 * len(data), 2)
        while self.goes_on:
            connection = self.connect()
            self.send(connection, data)
            time.sleep(self.choose.choice([0, 0.05]))
            self.leave(connection)

    def transactions(self) -> None:
        """Bytes that are to be decoded as transactions, as many as are taken."""
        tx = self.choose.choice([bytes(500_000), b"\x00\x00\x00\x01" * 125_000, self.choose.randbytes(500_000)])
        self.send_and_read(frame(msgpack.packb([["VerifyTx", {"tx": tx}]])) * 20)

    def deadlines(self) -> None:
        """Small requests behind batches, with deadlines in the order of arrival, or newest first."""
        connection = self.connect()
        threading.Thread(target=self._read, args=[connection], daemon=True).start()
        self.send(connection, frame(batch(64)) * 6)
        sign = self.choose.choice([1, -1])
        small = [
            frame(
                tagged(
                    number, "ChonkBatchVerify", proofs=[NO_PROOF], vks=[b""], deadline_ms=500 + sign * (number % 40_000) // 100
                )
            )
            for number in range(1, 40_001)
        ]
        self.is_one_with(len(b"".join(small)) // 40)  # as many as may wait at once
        self.send(connection, b"".join(small))
        self.wait()

    def cancels(self) -> None:
        """Small requests behind batches, cancelled newest first."""
        connection = self.connect()
        threading.Thread(target=self._read, args=[connection], daemon=True).start()
        self.send(connection, frame(batch(64)) * 6)
        ids = range(1, 8001)
        small = [frame(tagged(number, "ChonkBatchVerify", proofs=[NO_PROOF], vks=[b""])) for number in ids]
        self.is_one_with(len(b"".join(small)))
        self.send(connection, b"".join(small))
        cancels = [frame(msgpack.packb([10_000 + n, ["CancelRequest", {"request_id": n}]])) for n in reversed(ids)]
        self.send(connection, b"".join(cancels))
        self.wait()

    def waiting_requests(self) -> None:
        """As many tiny requests as are taken."""
        count, first = self.choose.choice([1, 4]), frame(batch(64))
        data = b"".join(frame(tagged(n, "ChonkBatchVerify", proofs=[NO_PROOF], vks=[b""])) for n in range(1, 60_000))
        self.is_one_with(count * (len(first) + len(data) // 60), count)  # as many as may wait at once
        for _ in range(count):
            connection = self.connect()
            self.send(connection, first)
            threading.Thread(target=self._send, args=[connection, data], daemon=True).start()
        self.wait()

    def never_read(self) -> None:
        """Requests with large responses, and nobody who reads them."""
        request = frame(msgpack.packb([["ChonkDecompressProof", {"compressed_proof": FLOW1.compressed}]]))
        data = request * 200
        self.is_one_with(4 * 40 * len(request), 4)
        for _ in range(4):
            connection = self.connect()
            threading.Thread(target=self._send, args=[connection, data], daemon=True).start()
        self.wait()

    def die(self) -> None:
        """Connections that end anywhere in a request, or before its response."""
        self.is_one_with(0, 50)
        while self.goes_on:
            connection = self.connect()
            data = self.choose.choice(
                [frame(VERIFY), frame(BLAKE2S) * 50, b"\x05", frame(VERIFY)[: self.choose.randrange(47_000)]]
            )
            connection.send(data, 1)
            self.leave(connection)

    def many_connections(self) -> None:
        """As many as the system gives, each with a byte."""
        count = min(1024, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 32)
        self.is_one_with(0, count)
        for _ in range(count):
            if not self.goes_on:
                return
            self.connect().send(b"\x05", 1)
        self.wait()

    def crowd(self) -> None:
        """Many connections, each with as many tiny requests as are taken. They end together."""
        count = min(300, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 32)
        data = b"".join(frame(tagged(n, "ChonkBatchVerify", proofs=[NO_PROOF], vks=[b""])) for n in range(1, 3000))
        self.is_one_with(count * len(data) // 100, count)
        self.connect().send(frame(batch(64)) * 3, 1)
        rests = {self.connect(): memoryview(data) for _ in range(count)}
        while self.goes_on:
            for connection, rest in rests.items():
                if rest:
                    rests[connection] = rest[connection.send_some(rest) :]
            time.sleep(0.001)

    def huge_batches(self) -> None:
        self.send_and_read(frame(batch(1400)))

    def many_verifications(self) -> None:
        """On many connections, so that each has but few."""
        count = min(200, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 32)
        run = frame(VERIFY) * 4
        self.is_one_with(count * len(run) // 4, count)
        self.flood([run] * count)

    def stalled_frames(self) -> None:
        """Frames that are never finished, near the limit of all."""
        self.is_one_with(62 * MIB, 2)
        for _ in range(8):
            connection = self.connect()
            if not self.send(connection, struct.pack("<I", 63 * MIB) + bytes(62 * MIB)):
                return
        self.wait()

    def nonsense(self) -> None:
        data = b"".join(frame(self.choose.randbytes(self.choose.randrange(200))) for _ in range(2000))
        self.send_and_read(data)


def requests_of_g2(choose: random.Random) -> bytes:
    """A run of multiplications in G2, the dearest of the commands that are answered at once."""
    generator = {
        "x": [
            bytes.fromhex("1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"),
            bytes.fromhex("198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"),
        ],
        "y": [
            bytes.fromhex("12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"),
            bytes.fromhex("090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"),
        ],
    }
    scalar = choose.getrandbits(253).to_bytes(32, "big")
    return frame(msgpack.packb([["Bn254G2Mul", {"point": generator, "scalar": scalar}]])) * 100


BEHAVIOURS: Final[dict[str, Callable[[Hostile], None]]] = {
    name.replace("_", "-"): getattr(Hostile, name)
    for name in (
        "drip",
        "flood_of_hashes",
        "flood_of_multiplications",
        "flood_of_stats",
        "wide_frames",
        "wide_proofs",
        "deep_frames",
        "unknown_commands",
        "empty_proofs",
        "short_items",
        "long_texts",
        "long_headers",
        "long_computations",
        "leaving",
        "transactions",
        "deadlines",
        "cancels",
        "waiting_requests",
        "never_read",
        "die",
        "many_connections",
        "crowd",
        "huge_batches",
        "many_verifications",
        "stalled_frames",
        "nonsense",
    )
}


@dataclass
class Measured:
    """What one behaviour did to the others.

    Attributes:
        pause: longest time of a ping, in seconds of the server's processor time (of its main thread).
        wall: the same by the clock.
        verification: longest time of a lone verification, by the clock.
        memory, accounted: bytes, when memory was highest beyond what is allowed.
        excess: bytes of memory beyond what is allowed; negative if all is well.
        most: bytes accounted for at most.
        arrival: what came of the attack.
    """

    behaviour: str
    pings: int = 0
    pause: float = 0.0
    wall: float = 0.0
    verifications: int = 0
    verification: float = 0.0
    memory: int = 0
    accounted: int = 0
    excess: int = -(1 << 62)
    most: int = 0
    arrival: Arrival = field(default_factory=Arrival)


class Target:
    """The server."""

    def __init__(self, process: "subprocess.Popen[bytes]", path: str) -> None:
        self.process, self.path = process, path
        self.at_rest = 0
        self.held_before = 0  # at most, by the behaviour before this one
        self.began = 0.0

    def processor_time(self) -> float:
        """Seconds that its main thread has had; what a ping waits for."""
        fields = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/schedstat").read_text().split()
        return int(fields[0]) / 1e9

    def memory(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024


def own_delay() -> float:
    """Seconds that threads of this process could have run and did not, for want of a processor."""
    total = 0
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            total += int((task / "schedstat").read_text().split()[1])
    return total / 1e9


def ping(target: Target, measured: Measured, done: threading.Event) -> None:
    """Small requests, one after the other, and now and then `Stats`."""
    connection = Connection(target.path)
    while not done.is_set():
        began, processor, delay = time.monotonic(), target.processor_time(), own_delay()
        assert connection.send(frame(BLAKE2S)), "the connection of the ping broke"
        assert connection.receive() == BLAKE2S_RESPONSE, "a wrong answer to a ping"
        # What the server did while this process waited for a processor, the ping did not wait for.
        measured.pause = max(measured.pause, target.processor_time() - processor - (own_delay() - delay))
        measured.wall = max(measured.wall, time.monotonic() - began)
        measured.pings += 1
        if measured.pings % 20 == 0:
            look_at_memory(target, measured, connection)
        time.sleep(0.001)
    connection.close()


def look_at_memory(target: Target, measured: Measured, connection: Connection) -> None:
    before = target.memory()
    assert connection.send(frame(msgpack.packb([["Stats", {}]])))
    name, stats = msgpack.unpackb(connection.receive() or b"")
    assert name == "StatsResponse"
    memory = min(before, target.memory())  # what was given back in between is not held against it
    accounted = stats["in_flight_bytes"] + CONNECTION_BYTES * stats["connections"]
    # What was held a moment ago is given back to the system a moment later.
    accounted = measured.most = max(measured.most, accounted)
    if time.monotonic() < target.began + GIVES_BACK:
        accounted = max(accounted, target.held_before)
    excess = memory - target.at_rest - int(MEMORY_FACTOR * accounted) - MEMORY_CONSTANT
    if excess > measured.excess:
        measured.memory, measured.accounted, measured.excess = memory - target.at_rest, accounted, excess


def verify(target: Target, measured: Measured, done: threading.Event) -> None:
    """Verifications, one after the other."""
    connection = Connection(target.path)
    while not done.is_set():
        began = time.monotonic()
        assert connection.send(frame(VERIFY)), "the connection of the verifications broke"
        assert msgpack.unpackb(connection.receive() or b"") == VALID, "a wrong verdict"
        measured.verification = max(measured.verification, time.monotonic() - began)
        measured.verifications += 1
        time.sleep(0.02)
    connection.close()


@contextmanager
def serving(options: list[str], program: Sequence[str] = ()) -> Iterator[Target]:
    """A server, warmed up; `program`: another one."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/server.sock"
        command = [*(program or BBIPC), "msgpack", "run", "--setup", str(DATA / "test_setup.json")]
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen([*command, "--input", path, *options], stdin=subprocess.DEVNULL, stderr=log)
        try:
            while not Path(path).exists():
                assert process.poll() is None, Path(folder, "log").read_text()
                time.sleep(0.01)
            target = Target(process, path)
            connection = Connection(path)
            for payload in (BLAKE2S, VERIFY, batch(64)):
                connection.send(frame(payload))
                connection.receive()
            connection.close()
            target.at_rest = target.memory()
            yield target
            process.send_signal(signal.SIGTERM)
            code = process.wait(60)
            assert code == 0, f"exit code {code}"
            assert b"Traceback" not in Path(folder, "log").read_bytes(), Path(folder, "log").read_text()
        finally:
            process.kill()
            process.wait()


def attack(target: Target, name: str, choose: random.Random, seconds: float, delay: float) -> tuple[Measured, list[str]]:
    """One behaviour, which may last longer by `delay`; what was measured, and what was wrong."""
    measured, done, wrong = Measured(name), threading.Event(), list[str]()
    target.began = time.monotonic()
    # A process of its own, which yields to the others: they are measured.
    behaving = [sys.executable, __file__, f"--minutes={seconds / 60}", f"--seed={choose.getrandbits(32)}", "--only", name]
    behaving += ["--behave", target.path, f"--delay={delay}"]

    def guarded(function: Callable[[Target, Measured, threading.Event], None]) -> None:
        try:
            function(target, measured, done)
        except (AssertionError, OSError) as error:
            wrong.append(f"{function.__name__}: {error or type(error).__name__}")

    others = [threading.Thread(target=guarded, args=[function], daemon=True) for function in (ping, verify)]
    for thread in others:
        thread.start()
    hostile = subprocess.Popen(behaving, stdout=subprocess.PIPE)
    try:
        told, _ = hostile.communicate(timeout=seconds + delay + 60)
    except subprocess.TimeoutExpired:
        hostile.kill()
        told, _ = hostile.communicate()
    if told:
        measured.arrival = Arrival(**json.loads(told))
    done.set()
    for thread in others:
        thread.join(150)
        if thread.is_alive():
            wrong.append("somebody was not answered")
    if target.process.poll() is not None:
        wrong.append(f"the server ended with {target.process.returncode}")
    if not measured.pings or not measured.verifications:
        wrong.append("somebody was never served")
    target.held_before = measured.most
    return measured, wrong


def attack_again(
    target: Target, name: str, choose: random.Random, seconds: float, slack: float, repeat_until: float
) -> tuple[Measured, list[str]]:
    """As attack(), with the bars. A pause or memory beyond them counts if it is there each time: a busy machine may keep the
    ping itself waiting, while the server goes on working. An attack that did not come is repeated as well."""
    pause_bar, memory_bar = slack * PAUSE_BAR, int((slack - 1) * MEMORY_CONSTANT)
    for left in reversed(range(ATTEMPTS)):
        delay = LONGEST_DELAY if time.monotonic() < repeat_until else LAST_DELAY
        measured, wrong = attack(target, name, choose, seconds, delay)
        if wrong or (measured.arrival.came and measured.pause <= pause_bar and measured.excess <= memory_bar):
            break
        if left and time.monotonic() < repeat_until:
            continue
        if not measured.arrival.came:
            wrong.append(f"not carried out: {measured.arrival}")
        if measured.pause > pause_bar:
            wrong.append(f"a ping paused for {1000 * measured.pause:.0f} ms of processor time")
        if measured.excess > memory_bar:
            wrong.append(f"{measured.excess / MIB:.0f} MiB more than accounted for")
        break
    return measured, wrong


def behave(path: str, name: str, choose: random.Random, seconds: float, delay: float) -> int:
    """Be hostile; a process of its own."""
    os.nice(5)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    hostile = Hostile(path, choose, time.monotonic() + seconds, delay)
    with suppress(OSError):
        BEHAVIOURS[name](hostile)
    sys.stdout.write(json.dumps(asdict(hostile.arrival())))
    sys.stdout.flush()
    os._exit(0)  # whatever its threads do


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="A hostile client beside others that must not be hurt.")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=list(BEHAVIOURS), default=[])
    parser.add_argument("--slack", type=float, default=1.0, metavar="X", help="widen the bars X times, for a busy machine")
    parser.add_argument("--json", type=Path, help="write what was measured")
    parser.add_argument("--bbipc", type=Path, help="another bbipc to be judged")
    parser.add_argument("--behave", metavar="PATH", help=argparse.SUPPRESS)  # be the hostile client of a server
    parser.add_argument("--delay", type=float, default=LONGEST_DELAY, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.behave is not None:
        return behave(options.behave, options.only[0], random.Random(options.seed), 60 * options.minutes, options.delay)
    choose = random.Random(options.seed)
    ends = time.monotonic() + 60 * options.minutes
    repeat_until = max(ends, time.monotonic() + SHARE * len(options.only or BEHAVIOURS)) + REPEATING
    results, found, rounds = [], 0, 0
    with serving(["--threads", "2"], [options.bbipc] if options.bbipc else []) as target:
        while not rounds or time.monotonic() < ends:
            names = options.only or choose.sample(sorted(BEHAVIOURS), len(BEHAVIOURS))
            for name in names:
                if rounds and time.monotonic() >= ends:
                    break
                measured, wrong = attack_again(target, name, choose, SHARE, options.slack, repeat_until)
                results.append(asdict(measured))
                found += len(wrong)
                sys.stdout.write(
                    f"{name:26} pause {1000 * measured.pause:6.1f} ms (clock {1000 * measured.wall:6.0f}), "
                    f"verification {1000 * measured.verification:6.0f} ms, "
                    f"memory {measured.memory / MIB:6.1f} MiB, accounted {measured.accounted / MIB:6.1f} MiB, "
                    f"received {measured.arrival.received / MIB:6.2f} MiB by {measured.arrival.connections}"
                    f"{'  FOUND: ' + '; '.join(wrong) if wrong else ''}\n"
                )
                sys.stdout.flush()
                if target.process.poll() is not None:
                    return 1
            rounds += 1
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    sys.stdout.write(f"hostile: seed {options.seed}, {len(results)} attacks, {found} findings\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""Round trips of cheap commands, for bbipc and for bb in one run over the same transport.

    python bench/ipc.py [--bb PATH] [--bb-env NAME=VALUE ...] [--transport pipe|socket|shm] [--calls N] [--rounds N]

For each command: microseconds per call when each call waits for the one before (sequential), and when they are sent
without waiting (pipelined). The programs take turns, and the best of the rounds counts: other work on the machine only
ever makes it slower. The client of shared memory sleeps and spins as our server does; bench/bbjs_sync.mjs puts bb.js in
its place. Idle: processor time of a server that has answered and is asked for nothing. Starts: bench/start.py.
"""

import argparse
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgpack

from bbipc.shm import files

COMMANDS = {
    "Poseidon2Hash": {"inputs": [(1).to_bytes(32, "big"), (2).to_bytes(32, "big")]},
    "Blake2s": {"data": b"abc"},
}
BBIPC = [sys.executable, "-P", "-m", "bbipc", "msgpack", "run"]


def frame(payload: bytes) -> bytes:
    """Its length in front of a payload."""
    return struct.pack("<I", len(payload)) + payload


REQUESTS = {name: frame(msgpack.packb([[name, fields]])) for name, fields in COMMANDS.items()}


class Client:
    """A connection to a server."""

    def __init__(self, read_fd: int, write_fd: int, server: int) -> None:
        self._read_fd, self._write_fd = read_fd, write_fd
        self._server = server

    def idle(self) -> float:
        """Processor time of the server in a second without requests, in seconds."""
        self.response_size(REQUESTS["Blake2s"])
        before = processor_time(self._server)
        time.sleep(1)
        return processor_time(self._server) - before

    def receive(self, size: int) -> None:
        """Read and drop that many bytes."""
        while size:
            chunk = os.read(self._read_fd, min(size, 1 << 20))
            if not chunk:
                raise SystemExit("the server ended")
            size -= len(chunk)

    def send(self, data: bytes) -> None:
        """Write all of it."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._write_fd, view) :]

    def response_size(self, request: bytes) -> int:
        """Bytes of the frame that answers a request."""
        self.send(request)
        head = os.read(self._read_fd, 4)
        length = int.from_bytes(head, "little")
        self.receive(length)
        return 4 + length

    def sequential(self, request: bytes, calls: int) -> float:
        """Seconds per call."""
        size = self.response_size(request)
        start = time.perf_counter()
        for _ in range(calls):
            self.send(request)
            self.receive(size)
        return (time.perf_counter() - start) / calls

    def pipelined(self, request: bytes, calls: int) -> float:
        """Seconds per call."""
        size = self.response_size(request)
        data = request * calls
        start = time.perf_counter()
        writer = threading.Thread(target=self.send, args=(data,))
        writer.start()
        self.receive(size * calls)
        seconds = time.perf_counter() - start
        writer.join()
        return seconds / calls


class ShmClient(Client):
    """The same over shared memory."""

    def __init__(self, rings: files.Rings, server: int) -> None:
        super().__init__(-1, -1, server)
        self._rings = rings

    def receive(self, size: int) -> None:
        """Take and drop that many bytes."""
        while size > 0:
            self._rings.responses.wait_for_data(1000)
            size -= len(self._rings.responses.take())

    def send(self, data: bytes) -> None:
        """Put all of it, whole frames."""
        view = memoryview(data)
        while view:
            sent = self._rings.requests.put(view)
            view = view[sent:]
            if not sent:
                self._rings.requests.wait_for_room(int.from_bytes(view[:4], "little"), 1000)

    def response_size(self, request: bytes) -> int:
        """Bytes of the frame that answers a request."""
        self.send(request)
        while not (response := self._rings.responses.take()):
            self._rings.responses.wait_for_data(1000)
        return len(response)


def processor_time(pid: int) -> float:
    """Seconds that a process has had so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def connected(command: list[str], transport: str) -> Iterator[Client]:
    """A server of its own, and a client of it."""
    environment = {**os.environ, "HARDWARE_CONCURRENCY": "1"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.sock"
        name = f"bbipc-bench-{os.getpid()}"
        place = {"socket": str(path), "shm": f"{name}.shm"}
        arguments = [*command, "--input", place[transport]] if transport in place else command
        process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0, env=environment
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with process, socket.socket(socket.AF_UNIX) as connection:
            if transport == "socket":
                wait_for(path, process)
                connection.connect(str(path))
                yield Client(connection.fileno(), connection.fileno(), process.pid)
            elif transport == "shm":
                while (rings := files.opened(name)) is None:
                    check_runs(process)
                yield ShmClient(rings, process.pid)
                rings.close()
            else:
                yield Client(process.stdout.fileno(), process.stdin.fileno(), process.pid)
            process.terminate()


def wait_for(path: Path, process: "subprocess.Popen[bytes]") -> None:
    """Until the socket is there."""
    while not path.exists():
        check_runs(process)


def check_runs(process: "subprocess.Popen[bytes]") -> None:
    """Pause, while the server starts."""
    if process.poll() is not None:
        raise SystemExit("the server ended")
    time.sleep(0.001)


def measure_calls(programs: dict[str, list[str]], transport: str, calls: int, rounds: int) -> dict[tuple[str, str, str], float]:
    """The best time of each command, mode and program."""
    best: dict[tuple[str, str, str], float] = {}
    for _ in range(rounds):
        for program, command in programs.items():
            with connected(command, transport) as client:
                for name, request in REQUESTS.items():
                    for mode, measure in (("sequential", client.sequential), ("pipelined", client.pipelined)):
                        seconds = measure(request, calls)
                        key = name, mode, program
                        best[key] = min(best.get(key, seconds), seconds)
                key = "idle", "", program
                best[key] = min(best.get(key, 1.0), client.idle())
    return best


def report_calls(best: dict[tuple[str, str, str], float], programs: dict[str, list[str]]) -> None:
    """A table on standard output."""
    print(f"{'us per call':30}" + "".join(f"{program:>12}" for program in programs) + f"{'bbipc / bb':>14}")
    for name in REQUESTS:
        for mode in ("sequential", "pipelined"):
            micros = [1e6 * best[name, mode, program] for program in programs]
            ratio = f"{micros[0] / micros[1]:14.2f}" if len(micros) == 2 else ""
            print(f"{name + ', ' + mode:30}" + "".join(f"{value:12.1f}" for value in micros) + ratio)
    print(f"{'idle, ms per s':30}" + "".join(f"{1e3 * best['idle', '', program]:12.1f}" for program in programs))


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bb", metavar="PATH", help="a bb 5.0.0 binary to measure beside")
    parser.add_argument(
        "--bb-env", metavar="NAME=VALUE", action="append", default=[], help="in the environment of bb; repeatable"
    )
    parser.add_argument("--transport", choices=("pipe", "socket", "shm"), default="pipe")
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    programs = {"bbipc": BBIPC}
    if options.bb:
        programs["bb"] = ["env", *options.bb_env, options.bb, "msgpack", "run"]
    report_calls(measure_calls(programs, options.transport, options.calls, options.rounds), programs)


if __name__ == "__main__":
    main()

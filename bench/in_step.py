"""Verifications beside clients in step: what the threads that answer such clients (server/lane.py) cost the others.

    python bench/in_step.py [--clients N] [--proofs N] [--rounds N] [--threads N]

Two servers run, one of them with BBIPC_LANES=never. In turn, each gets N clients that ask for one Blake2s after the other, and
one client that sends N ChonkVerify at once. Proofs per second, hashes per second meanwhile, medians; the ratio is paired: both
of one round.
"""

import argparse
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import msgpack
from ipc import REQUESTS, frame, wait_for
from throughput import SETUP, proofs

NAMES = {"with lanes": {}, "BBIPC_LANES=never": {"BBIPC_LANES": "never"}}


def receive(connection: socket.socket) -> None:
    """Read one response and drop it."""
    left = int.from_bytes(connection.recv(4, socket.MSG_WAITALL), "little")
    while left:
        chunk = connection.recv(min(left, 1 << 16))
        if not chunk:
            raise SystemExit("the server ended")
        left -= len(chunk)


def connect(path: Path) -> socket.socket:
    """A new client."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    return connection


class Server:
    """One that is there for the whole run, and its client that verifies."""

    def __init__(self, folder: Path, environment: dict[str, str], threads: int, stack: ExitStack) -> None:
        self.path = folder / "bench.sock"
        command = [sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--input", str(self.path)]
        options = ["--setup", str(SETUP), "--threads", str(threads)]
        process = subprocess.Popen([*command, *options], stderr=subprocess.DEVNULL, env={**os.environ, **environment})
        stack.callback(process.wait)
        stack.callback(process.terminate)
        wait_for(self.path, process)
        self.client = stack.enter_context(connect(self.path))

    def in_step(self, stop: "multiprocessing.sharedctypes.Synchronized[int]", done: int, counts: object) -> None:
        """Ask until it is told to stop."""
        with connect(self.path) as connection:
            while not stop.value:
                connection.sendall(REQUESTS["Blake2s"])
                receive(connection)
                counts[done] += 1  # type: ignore[index]

    def flood(self, requests: list[bytes], clients: int) -> tuple[float, float]:
        """Proofs and hashes per second."""
        stop = multiprocessing.Value("i", 0)
        counts = multiprocessing.Array("q", clients, lock=False)
        others = [multiprocessing.Process(target=self.in_step, args=(stop, number, counts)) for number in range(clients)]
        for other in others:
            other.start()
        time.sleep(0.2)
        before, start = sum(counts), time.perf_counter()
        writer = threading.Thread(target=self.client.sendall, args=(b"".join(requests),))
        writer.start()
        for _ in requests:
            receive(self.client)
        seconds = time.perf_counter() - start
        hashes = sum(counts) - before
        stop.value = 1
        writer.join()
        for other in others:
            other.join()
        return len(requests) / seconds, hashes / seconds


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--proofs", type=int, default=160)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    requests = [frame(msgpack.packb([["ChonkVerify", {"proof": parts, "vk": key}]])) for parts, key in proofs(options.proofs)]
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in NAMES}
    with ExitStack() as stack:
        servers = {
            name: Server(Path(stack.enter_context(tempfile.TemporaryDirectory())), environment, options.threads, stack)
            for name, environment in NAMES.items()
        }
        for number in range(options.rounds + 1):
            for name in list(NAMES)[:: -1 if number % 2 else 1]:
                result = servers[name].flood(requests, options.clients)
                if number:  # the first round loads the verifier
                    results[name].append(result)
    for name, values in results.items():
        print(f"{name:20} {median(x for x, _ in values):8.1f} proofs/s {median(y for _, y in values):8.0f} hashes/s")
    ours, theirs = results.values()
    print(f"proofs, paired ratio {median(a / b for (a, _), (b, _) in zip(ours, theirs, strict=True)):.3f}")


if __name__ == "__main__":
    main()

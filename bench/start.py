"""Starts of bbipc beside another build of it and beside bb, in one run.

    python bench/start.py [--baseline VENV] [--bb PATH] [--bb-env NAME=VALUE ...] [--rounds N] [--at-once N]

A server is started at a socket, and asked for one Blake2s as soon as it can be connected to:

listening       until connect() succeeds
first response  until the response is there
N at once       until the last of N servers that were started together has answered
imports         a Python that imports Trio and msgpack, and ends: what no server on Trio can go below

Each is given in processor time of the server from its exec on, which other work on the machine disturbs little, and in
milliseconds of the clock. The programs take turns; medians, and the least in brackets. The ratio is that of the medians, and
paired: both of one round. Processor time is that of the kernel's scheduler (/proc/PID/task/*/schedstat).

The build that is measured is the `bbipc` beside this Python: install a wheel into a new virtual environment. Editable
installations look for changes at each start, and without bytecode (PYTHONDONTWRITEBYTECODE) all sources are compiled; this
script removes that variable, and its first round, which writes the bytecode, does not count.
"""

import argparse
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgpack
from ipc import frame

REQUEST = frame(msgpack.packb([["Blake2s", {"data": b"abc"}]]))
RESPONSE_BYTES = 57 + 4
LOOK = 0.0002
"""Seconds between two attempts to connect."""
PATIENCE = 60.0
"""Seconds after which a server is given up."""


def processor_time(process: int) -> float:
    """Milliseconds that all threads of a process have had so far, its exec included."""
    nanoseconds = 0
    for task in Path(f"/proc/{process}/task").iterdir():
        nanoseconds += int((task / "schedstat").read_text().split()[0])
    return nanoseconds / 1e6


@dataclass
class Start:
    """One server, and what its start took: milliseconds of processor time and of the clock."""

    process: "subprocess.Popen[bytes]"
    path: str
    begun: float
    connection: socket.socket | None = None
    listening: tuple[float, float] = (0.0, 0.0)
    answered: tuple[float, float] = (0.0, 0.0)

    def connect(self) -> bool:
        """Try it; True: it listens, and has the request."""
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(self.path)
        except OSError:
            connection.close()
            if self.process.poll() is not None:
                raise SystemExit(f"{self.process.args!r} ended with {self.process.returncode}") from None
            return False
        self.listening = self._now()
        connection.sendall(REQUEST)
        self.connection = connection
        return True

    def receive(self) -> None:
        """Take the response."""
        assert self.connection is not None
        response = self.connection.recv(RESPONSE_BYTES, socket.MSG_WAITALL)
        if len(response) != RESPONSE_BYTES:
            raise SystemExit(f"{self.process.args!r} has answered {len(response)} bytes")
        self.answered = self._now()

    def end(self) -> None:
        """Leave nothing behind."""
        if self.connection is not None:
            self.connection.close()
        self.process.kill()
        self.process.wait()

    def _now(self) -> tuple[float, float]:
        clock = 1e3 * (time.perf_counter() - self.begun)
        return processor_time(self.process.pid), clock


def starts(command: Sequence[str], count: int) -> list[Start]:
    """So many servers, started together, each of which has answered."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder, selectors.DefaultSelector() as selector:
        begun = time.perf_counter()
        servers = []
        for number in range(count):
            path = f"{folder}/{number}.sock"
            process = subprocess.Popen(
                [*command, "msgpack", "run", "--input", path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
            servers.append(Start(process, path, begun if count > 1 else time.perf_counter()))
        try:
            to_connect, to_answer = list(servers), count
            while to_answer:
                for server in [server for server in to_connect if server.connect()]:
                    to_connect.remove(server)
                    selector.register(server.connection, selectors.EVENT_READ, server)  # type: ignore[arg-type]
                for key, _ in selector.select(LOOK if to_connect else PATIENCE):
                    key.data.receive()
                    selector.unregister(key.fileobj)
                    to_answer -= 1
                if time.perf_counter() - begun > PATIENCE:
                    raise SystemExit(f"{command!r}: {to_answer} of {count} have not answered within {PATIENCE:.0f} s")
        finally:
            for server in servers:
                server.end()
    return servers


def measure(command: Sequence[str], at_once: int) -> dict[str, float]:
    """One round of one program: milliseconds."""
    (alone,) = starts(command, 1)
    figures = {
        "listening, processor": alone.listening[0],
        "listening, clock": alone.listening[1],
        "first response, processor": alone.answered[0],
        "first response, clock": alone.answered[1],
    }
    if at_once > 1:
        together = starts(command, at_once)
        figures[f"{at_once} at once, processor of each"] = sum(server.answered[0] for server in together) / at_once
        figures[f"{at_once} at once, clock of the last"] = max(server.answered[1] for server in together)
    return figures


def imports() -> dict[str, float]:
    """One round of a Python that imports what every server needs, and does nothing."""
    begun = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-P", "-c", "import trio, msgpack"])
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return {
        "first response, processor": 1e3 * (usage.ru_utime + usage.ru_stime),
        "first response, clock": 1e3 * (time.perf_counter() - begun),
    }


def report(rounds: dict[str, list[dict[str, float]]]) -> None:
    """A table on standard output; ratios are those of the first program to each other one."""
    first, *others = rounds
    print(
        f"{'milliseconds: median (least)':34}"
        + "".join(f"{name:>22}" for name in rounds)
        + "".join(f"{'/ ' + name + ', paired':>26}" for name in others)
    )
    for figure in rounds[first][0]:
        values = {name: [result[figure] for result in results if figure in result] for name, results in rounds.items()}
        cells = "".join(f"{f'{median(value):.1f} ({min(value):.1f})' if value else '':>22}" for value in values.values())
        for name in others:
            if not values[name]:
                cells += f"{'':>26}"
                continue
            paired = median(ours / theirs for ours, theirs in zip(values[first], values[name], strict=True))
            cells += f"{f'{median(values[first]) / median(values[name]):.2f}, {paired:.2f}':>26}"
        print(f"{figure:34}{cells}")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--baseline", metavar="VENV", type=Path, help="the virtual environment of another build")
    parser.add_argument("--bb", metavar="PATH", help="a bb 5.0.0 binary to measure beside")
    parser.add_argument(
        "--bb-env", metavar="NAME=VALUE", action="append", default=[], help="in the environment of bb; repeatable"
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--at-once", metavar="N", type=int, default=16, help="servers that are started together; 1: none")
    options = parser.parse_args()
    programs = {"this build": [str(Path(sys.executable).parent / "bbipc")]}
    if options.baseline:
        programs["baseline"] = [str(options.baseline / "bin" / "bbipc")]
    if options.bb:
        programs["bb"] = ["env", *options.bb_env, options.bb]
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in (*programs, "imports")}
    for number in range(options.rounds + 1):
        for name, command in programs.items():
            result = measure(command, options.at_once if number else 1)
            if number:
                rounds[name].append(result)
        if number:
            rounds["imports"].append(imports())
    report(rounds)


if __name__ == "__main__":
    main()

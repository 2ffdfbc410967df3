"""Throughput: batches and concurrent requests, our server beside the real `bb`, in turn, in one run.

    python bench/throughput.py --bb PATH --bb-env CRS_PATH=DIR [--sizes 1 2 4 8 16 32] [--threads 1 2] [--rounds N]
                               [--plot out.svg]

`--bb` is a bb 5.0.0 that accepts the proofs of the test setup. Three comparisons; medians over rounds in which each contestant
ran once, and only ratios mean much:

batch        one ChonkBatchVerify of N proofs, on the same number of threads.
one pipe     N ChonkVerify sent at once over one pipe: tagged to us, plain to bb (the only thing it has).
pool         N clients with one ChonkVerify each: all connected to our one server, or dealt out to as many bb processes of one
             thread as we have threads.
"""

import argparse
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

import msgpack
from verify import DATA, SETUP, Server, race

from bbipc.chonk import ChonkProof


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    bb: str
    bb_environment: dict[str, str]
    sizes: list[int]
    rounds: int


def frame(message: object) -> bytes:
    """A length-prefixed msgpack message."""
    payload: bytes = msgpack.packb(message)
    return struct.pack("<I", len(payload)) + payload


def proofs(count: int) -> list[tuple[dict[str, list[bytes]], bytes]]:
    """Real proofs and their keys, repeated as often as needed."""
    folders = [*sorted(DATA.glob("flow*")), *sorted((DATA / "corpus").iterdir())]
    parts = [
        (ChonkProof.from_fields((folder / "proof_fields.bin").read_bytes()).to_parts(), (folder / "vk").read_bytes())
        for folder in folders
    ]
    return list(islice(cycle(parts), count))


def start(options: Options, name: str, threads: int, *arguments: str) -> Server:
    """Our server or bb, on the pipe unless the arguments say otherwise."""
    environment = {"HARDWARE_CONCURRENCY": str(threads)}
    if name == "bb":
        return Server([options.bb, "msgpack", "run", *arguments], environment | options.bb_environment)
    return Server([sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--setup", str(SETUP), *arguments], environment)


def expect_all(server: Server, request: bytes, count: int, check: Callable[[Any], bool]) -> None:
    """Send bytes, take `count` responses, each of which must be right."""
    server.send(request)
    for _ in range(count):
        response = server.receive()
        if not check(response):
            raise SystemExit(f"unexpected response: {response}")


def is_valid(name: str, response: Any) -> bool:
    """Whether it is a plain response that says valid."""
    return bool(response == [name, {"valid": True}])


def batches(options: Options, threads: int) -> dict[str, list[float]]:
    """Median milliseconds of one ChonkBatchVerify by size."""
    servers = {name: start(options, name, threads) for name in ("ours", "bb")}
    result: dict[str, list[float]] = {name: [] for name in servers}
    for size in options.sizes:
        sample = proofs(size)
        request = frame([["ChonkBatchVerify", {"proofs": [parts for parts, _ in sample], "vks": [key for _, key in sample]}]])
        run = partial(expect_all, request=request, count=1, check=partial(is_valid, "ChonkBatchVerifyResponse"))
        times = race({name: partial(run, server) for name, server in servers.items()}, options.rounds)
        for name in servers:
            result[name].append(median(times[name]))
    for server in servers.values():
        server.close()
    return result


def one_pipe(options: Options, threads: int) -> dict[str, list[float]]:
    """Median milliseconds until N requests sent at once over one pipe are answered."""
    servers = {name: start(options, name, threads) for name in ("ours", "bb")}
    result: dict[str, list[float]] = {name: [] for name in servers}
    for size in options.sizes:
        commands = [["ChonkVerify", {"proof": parts, "vk": key}] for parts, key in proofs(size)]
        tagged = b"".join(frame([number, command]) for number, command in enumerate(commands, 1))
        plain = b"".join(frame([command]) for command in commands)
        contestants = {
            "ours": partial(
                expect_all, servers["ours"], tagged, size, lambda response: is_valid("ChonkVerifyResponse", response[1])
            ),
            "bb": partial(expect_all, servers["bb"], plain, size, partial(is_valid, "ChonkVerifyResponse")),
        }
        times = race(contestants, options.rounds)
        for name in servers:
            result[name].append(median(times[name]))
    for server in servers.values():
        server.close()
    return result


def receive(connection: socket.socket) -> Any:
    """One message from a socket."""
    stream = connection.makefile("rb")
    (length,) = struct.unpack("<I", stream.read(4))
    return msgpack.unpackb(stream.read(length))


def ask_all(path: Path, requests: list[bytes]) -> None:
    """As many clients as requests, connected to one socket at the same time."""
    connections = []
    for request in requests:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(path))
        connection.sendall(request)
        connections.append(connection)
    for connection in connections:
        response = receive(connection)
        if response != ["ChonkVerifyResponse", {"valid": True}]:
            raise SystemExit(f"unexpected response: {response}")
        connection.close()


def deal_out(pool: list[Server], requests: list[bytes]) -> None:
    """Requests dealt out to the processes of a pool, all sent before any response is read."""
    for server, request in zip(cycle(pool), requests, strict=False):
        server.send(request)
    for server, _ in zip(cycle(pool), requests, strict=False):
        if not is_valid("ChonkVerifyResponse", response := server.receive()):
            raise SystemExit(f"unexpected response: {response}")


def pools(options: Options, threads: int) -> dict[str, list[float]]:
    """Median milliseconds until N clients with one request each are answered."""
    result: dict[str, list[float]] = {"ours": [], "bb": []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.sock"
        ours = start(options, "ours", threads, "--input", str(path), "--max-clients", str(max(options.sizes)))
        while not path.exists():
            time.sleep(0.01)
        pool = [start(options, "bb", 1) for _ in range(threads)]
        for size in options.sizes:
            requests = [frame([["ChonkVerify", {"proof": parts, "vk": key}]]) for parts, key in proofs(size)]
            times = race({"ours": partial(ask_all, path, requests), "bb": partial(deal_out, pool, requests)}, options.rounds)
            for name, values in times.items():
                result[name].append(median(values))
        for server in (ours, *pool):
            server.terminate()
    return result


def report(title: str, sizes: list[int], times: dict[str, list[float]]) -> None:
    """A table of milliseconds, proofs per second and ratios."""
    print(f"\n{title}")
    print(f"  {'proofs':>6} {'ours ms':>9} {'bb ms':>9} {'ours/bb':>8} {'ours proofs/s':>14} {'bb proofs/s':>12}")
    for size, ours, bb in zip(sizes, times["ours"], times["bb"], strict=True):
        print(f"  {size:>6} {ours:>9.1f} {bb:>9.1f} {ours / bb:>8.2f} {1e3 * size / ours:>14.1f} {1e3 * size / bb:>12.1f}")


def plot(path: str, sizes: list[int], results: dict[str, dict[str, list[float]]]) -> None:
    """Draw proofs per second against the number of proofs."""
    from matplotlib import pyplot as plt  # noqa: PLC0415 - an extra

    figure, axes = plt.subplots(1, len(results), figsize=(4.5 * len(results), 4), squeeze=False)
    for axis, (title, times) in zip(axes[0], results.items(), strict=True):
        for name, values in times.items():
            rates = [1e3 * size / value for size, value in zip(sizes, values, strict=True)]
            axis.plot(sizes, rates, marker="o", label="bbipc" if name == "ours" else name)
        axis.set(title=title, xlabel="proofs at once", ylabel="proofs per second", xscale="log", ylim=(0, None))
        axis.set_xticks(sizes, [str(size) for size in sizes])
        axis.legend()
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    """Run everything and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bb", required=True, help="the bb to compare with")
    parser.add_argument("--bb-env", nargs="*", default=[], metavar="NAME=VALUE", help="its environment")
    parser.add_argument("--sizes", type=int, nargs="*", default=[1, 2, 4, 8, 16, 32])
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plot", metavar="FILE", help="draw the result (needs the extra `plot`)")
    arguments = parser.parse_args()
    bb_environment = dict(item.split("=", 1) for item in arguments.bb_env)
    options = Options(arguments.bb, bb_environment, arguments.sizes, arguments.rounds)

    results = {}
    for threads in arguments.threads:
        for title, measure in (("ChonkBatchVerify", batches), ("one pipe", one_pipe), ("pool", pools)):
            name = f"{title}, {threads} thread{'s' if threads > 1 else ''}"
            results[name] = measure(options, threads)
            report(name, options.sizes, results[name])
    if arguments.plot:
        plot(arguments.plot, options.sizes, results)


if __name__ == "__main__":
    main()

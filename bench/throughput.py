"""Many proofs at once: our server beside the real `bb`, in turn, in one run.

    python bench/throughput.py --bb PATH --bb-env CRS_PATH=DIR [--save run.json] [--pictures FOLDER]
                               [--threads 2] [--rounds N] [--sizes 1 2 4 8 16 32]

`--bb` is a bb 5.0.0 that accepts the proofs of the test setup. Figures are medians over rounds in which each contestant ran
once, so that whatever else the machine does meets all alike; only ratios mean much.

under way    N ChonkVerify are sent at once, and one more for each answer, so that N are under way all the time, until 2 N + 8
             are answered. Latency: from the moment in which the client hands a request over until it has the response.
batch        one ChonkBatchVerify of N proofs.

bbipc, tagged                one process, tagged requests
bbipc, plain                 one process, plain requests, as a client of bb sends them
bb                           one process, plain requests (the only kind it has)
bb, one process per thread   as many bb as threads, of one thread each; the requests are dealt out to them

`--save` keeps all that was measured, and the circumstances, as JSON; bench/pictures.py draws it, now (`--pictures`) or later.
"""

import argparse
import json
import os
import platform
import struct
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count, cycle, islice
from pathlib import Path
from statistics import median
from subprocess import DEVNULL, PIPE
from typing import Any

import msgpack
import trio

import bbipc
from bbipc.chonk import ChonkProof, Setup, Verifier

DATA = Path(__file__).parent.parent / "tests" / "data"
SETUP = DATA / "test_setup.json"

TAGGED, PLAIN, BB, POOL = "bbipc, tagged", "bbipc, plain", "bb", "bb, one process per thread"
CONTESTANTS = (TAGGED, PLAIN, BB, POOL)


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    bb: str
    bb_environment: dict[str, str]
    threads: int
    sizes: list[int]
    rounds: int


@dataclass(frozen=True)
class Measured:
    """One contestant in one round.

    Attributes:
        experiment: "under way" or "batch".
        contestant: one of CONTESTANTS.
        size: proofs under way, or in the batch.
        seconds: from the first request to the last response.
        latencies_ms: of each request.
    """

    experiment: str
    contestant: str
    size: int
    seconds: float
    latencies_ms: list[float]

    @property
    def proofs(self) -> int:
        """Proofs that were verified."""
        return self.size if self.experiment == "batch" else len(self.latencies_ms)


def frame(message: object) -> bytes:
    """A length-prefixed msgpack message."""
    payload: bytes = msgpack.packb(message)
    return struct.pack("<I", len(payload)) + payload


def proofs(number: int) -> list[tuple[dict[str, list[bytes]], bytes]]:
    """Real proofs and their keys, repeated as often as needed."""
    folders = [*sorted(DATA.glob("flow*")), *sorted((DATA / "corpus").iterdir())]
    parts = [
        (ChonkProof.from_fields((folder / "proof_fields.bin").read_bytes()).to_words(), (folder / "vk").read_bytes())
        for folder in folders
    ]
    return list(islice(cycle(parts), number))


class Pipe:
    """A server process. Any number of requests may be under way; responses come through a channel of their own."""

    def __init__(self, process: trio.Process, tagged: bool) -> None:
        self._process, self._tagged = process, tagged
        self._numbers = count(1)
        self._sent: dict[int, float] = {}

    async def verify_all(self, commands: Iterator[object], under_way: int, latencies_ms: list[float]) -> None:
        """Keep so many commands under way until there are none left; milliseconds of each.

        One is under way when it is handed over, even if the pipe has no room for it yet.
        """
        slots = trio.Semaphore(under_way)
        expected = list(commands)
        hand_over, handed_over = trio.open_memory_channel[bytes](under_way)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._receive, len(expected), slots, latencies_ms)
            nursery.start_soon(self._send, handed_over)
            async with hand_over:
                for command in expected:
                    await slots.acquire()
                    number = next(self._numbers)
                    self._sent[number] = time.perf_counter()
                    await hand_over.send(frame([number, command] if self._tagged else [command]))

    async def _send(self, frames: trio.MemoryReceiveChannel[bytes]) -> None:
        assert self._process.stdin is not None
        async for data in frames:
            await self._process.stdin.send_all(data)

    async def _receive(self, number: int, slots: trio.Semaphore, latencies_ms: list[float]) -> None:
        unpacked = bytearray()
        for _ in range(number):
            response = await self._message(unpacked)
            key = response.pop(0) if self._tagged else next(iter(self._sent))
            answer = response[0] if self._tagged else response
            if answer[1] != {"valid": True}:
                raise SystemExit(f"unexpected response: {answer}")
            latencies_ms.append(round(1e3 * (time.perf_counter() - self._sent.pop(key)), 2))
            slots.release()

    async def _message(self, buffer: bytearray) -> Any:
        while len(buffer) < 4 or len(buffer) < 4 + int.from_bytes(buffer[:4], "little"):
            assert self._process.stdout is not None
            data = await self._process.stdout.receive_some()
            if not data:
                raise SystemExit("a server ended")
            buffer += data
        end = 4 + int.from_bytes(buffer[:4], "little")
        message = msgpack.unpackb(buffer[4:end])
        del buffer[:end]
        return message


@asynccontextmanager
async def running(options: Options, contestant: str) -> AsyncIterator[list[Pipe]]:
    """The processes of a contestant."""
    processes, threads = (options.threads, 1) if contestant == POOL else (1, options.threads)
    environment = os.environ | {"HARDWARE_CONCURRENCY": str(threads)}
    if contestant in (BB, POOL):
        command, environment = [options.bb, "msgpack", "run"], environment | options.bb_environment
    else:
        command = [sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--setup", str(SETUP)]
    run = partial(trio.lowlevel.open_process, command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment)
    started = [await run() for _ in range(processes)]
    try:
        yield [Pipe(process, contestant == TAGGED) for process in started]
    finally:
        for process in started:
            process.terminate()
            with trio.CancelScope(shield=True):
                await process.wait()


async def under_way(pipes: list[Pipe], contestant: str, size: int) -> Measured:
    """Verify 2 N + 8 proofs, N of them under way all the time, dealt out to the pipes."""
    commands = [["ChonkVerify", {"proof": parts, "vk": key}] for parts, key in proofs(2 * size + 8)]
    latencies: list[float] = []
    start = time.perf_counter()
    async with trio.open_nursery() as nursery:
        used = pipes[:size]
        for index, pipe in enumerate(used):
            share = len(range(index, size, len(used)))
            nursery.start_soon(pipe.verify_all, islice(commands, index, None, len(used)), share, latencies)
    return Measured("under way", contestant, size, time.perf_counter() - start, latencies)


async def batch(pipes: list[Pipe], contestant: str, size: int) -> Measured:
    """Verify N proofs by one command; a batch has no kinds of requests to compare."""
    sample = proofs(size)
    command = ["ChonkBatchVerify", {"proofs": [parts for parts, _ in sample], "vks": [key for _, key in sample]}]
    latencies: list[float] = []
    start = time.perf_counter()
    await pipes[0].verify_all(iter([command]), 1, latencies)
    return Measured("batch", "bb" if contestant == BB else "bbipc", size, time.perf_counter() - start, latencies)


async def measure(options: Options) -> list[Measured]:
    """Everything, in turn. Each process verifies two proofs before that do not count."""
    results = []
    async with AsyncExitStack() as stack:
        pipes = {name: await stack.enter_async_context(running(options, name)) for name in CONTESTANTS}
        for name in CONTESTANTS:
            await under_way(pipes[name], name, 2)
        for experiment, names in ((under_way, CONTESTANTS), (batch, (PLAIN, BB))):
            for size in options.sizes:
                for _ in range(options.rounds):
                    results += [await experiment(pipes[name], name, size) for name in names]
                report([item for item in results if (item.experiment, item.size) == (results[-1].experiment, size)])
    return results


def report(results: list[Measured]) -> None:
    """Medians of one experiment and one size on standard output."""
    for name in dict.fromkeys(item.contestant for item in results):
        mine = [item for item in results if item.contestant == name]
        latency = median(value for item in mine for value in item.latencies_ms)
        rate = median(item.proofs / item.seconds for item in mine)
        what = f"{mine[0].experiment:<10} {mine[0].size:>4} proofs"
        print(f"{what}  {name:<28} {latency:>9.1f} ms {rate:>9.1f} proofs/s", flush=True)


def circumstances(options: Options) -> dict[str, Any]:
    """What the figures depend on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "processor": model or platform.machine(),
        "processors": len(os.sched_getaffinity(0)),
        "arithmetic": Verifier(Setup.from_json(SETUP)).arithmetic,
        "python": platform.python_version(),
        "bbipc": bbipc.__version__,
        "threads": options.threads,
        "rounds": options.rounds,
        "load before": os.getloadavg()[0],
    }


def main() -> None:
    """Run everything and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bb", required=True, help="the bb to compare with")
    parser.add_argument("--bb-env", nargs="*", default=[], metavar="NAME=VALUE", help="its environment")
    parser.add_argument("--sizes", type=int, nargs="*", default=[1, 2, 4, 8, 16, 32])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: the processors")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep what was measured, as JSON")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw it (needs the extra `plot`)")
    arguments = parser.parse_args()
    bb_environment = dict(item.split("=", 1) for item in arguments.bb_env)
    options = Options(arguments.bb, bb_environment, arguments.threads, arguments.sizes, arguments.rounds)

    run: dict[str, Any] = {"circumstances": circumstances(options)}
    print(json.dumps(run["circumstances"], indent=1))
    run["measured"] = [asdict(item) for item in trio.run(measure, options)]
    if arguments.save:
        arguments.save.write_text(json.dumps(run) + "\n")
    if arguments.pictures:
        from pictures import draw_all  # noqa: PLC0415 - needs an extra

        draw_all(run, arguments.pictures)


if __name__ == "__main__":
    main()

"""Two builds of bbipc side by side, and the real `bb`: the time of batches, of proofs under way and of lone proofs.

    python bench/compare.py --baseline PYTHON_OR_VENV [--bb PATH --bb-env CRS_PATH=DIR] [--rounds N] [--only TEXT] [--save FILE]

The baseline is another build: a Python that has it installed, or its virtual environment. Servers of both run at the same time
and are asked in turn, so that whatever else the machine does meets both alike. Times are medians over the rounds; the ratio is
ours to theirs, so less is better. The last column is the ratio of the processor time that the servers took, which other work
on the machine disturbs less.

batch of N       one ChonkBatchVerify of N proofs
N under way      2 N + 8 tagged ChonkVerify, N of them under way all the time; milliseconds for each proof
lone             one ChonkVerify at a time, milliseconds
adx              the same without AVX-512 IFMA (BBIPC_ARITH=adx)
memory           the largest resident set of the server after batches of 64, MiB
"""

import argparse
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from subprocess import DEVNULL, PIPE
from typing import Any

import trio
from throughput import SETUP, Pipe, proofs

NAMES = ("baseline", "this build")


@dataclass(frozen=True)
class Server:
    """A process that was asked to verify."""

    process: trio.Process
    pipe: Pipe


Experiment = Callable[[Server], Awaitable[float]]


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        name: what is measured.
        threads: of each server.
        measure: milliseconds (or MiB) of one round.
        environment: of both builds, beside what they inherit.
        against_bb: compare with bb instead of the baseline.
        rounds: at most so many.
    """

    name: str
    threads: int
    measure: Experiment
    environment: dict[str, str] = field(default_factory=dict)
    against_bb: bool = False
    rounds: int = 1000


async def _milliseconds(server: Server, commands: Sequence[object], under_way: int) -> float:
    start = time.perf_counter()
    await server.pipe.verify_all(iter(commands), under_way, [])
    return 1e3 * (time.perf_counter() - start)


def batch(size: int) -> Experiment:
    """One ChonkBatchVerify."""
    sample = proofs(size)
    command = ["ChonkBatchVerify", {"proofs": [parts for parts, _ in sample], "vks": [key for _, key in sample]}]

    async def measure(server: Server) -> float:
        return await _milliseconds(server, [command], 1)

    return measure


def under_way(size: int) -> Experiment:
    """Tagged requests, `size` of them under way; for each proof."""
    commands = [["ChonkVerify", {"proof": parts, "vk": key}] for parts, key in proofs(2 * size + 8)]

    async def measure(server: Server) -> float:
        return await _milliseconds(server, commands, size) / len(commands)

    return measure


def lone(count: int) -> Experiment:
    """One after the other; for each proof."""
    commands = [["ChonkVerify", {"proof": parts, "vk": key}] for parts, key in proofs(count)]

    async def measure(server: Server) -> float:
        return await _milliseconds(server, commands, 1) / len(commands)

    return measure


def memory(size: int) -> Experiment:
    """The peak of the resident set after a batch."""
    run = batch(size)

    async def measure(server: Server) -> float:
        await run(server)
        status = await trio.Path(f"/proc/{server.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    return measure


def rows() -> list[Row]:
    """The table."""
    adx = {"BBIPC_ARITH": "adx"}
    return [
        Row("batch of 32, 1 thread", 1, batch(32)),
        Row("batch of 32, 2 threads", 2, batch(32)),
        Row("batch of 64, 1 thread", 1, batch(64)),
        Row("32 under way, 2 threads", 2, under_way(32)),
        Row("lone, 1 thread", 1, lone(6)),
        Row("lone, 2 threads", 2, lone(6)),
        Row("adx: batch of 32, 1 thread", 1, batch(32), adx),
        Row("adx: lone, 1 thread", 1, lone(2), adx),
        Row("memory, batch of 64, 1 thread", 1, memory(64), rounds=1),
        Row("batch of 32, 2 threads, against bb", 2, batch(32), against_bb=True),
    ]


@asynccontextmanager
async def serving(command: Sequence[str], environment: dict[str, str], threads: int, tagged: bool) -> AsyncIterator[Server]:
    """A server that has verified a proof."""
    environment = os.environ | environment | {"HARDWARE_CONCURRENCY": str(threads)}
    process = await trio.lowlevel.open_process(
        [*command, "msgpack", "run"] if not tagged else [*command, "msgpack", "run", "--setup", str(SETUP)],
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env=environment,
    )
    try:
        server = Server(process, Pipe(process, tagged))
        await lone(1)(server)
        yield server
    finally:
        process.terminate()
        with trio.CancelScope(shield=True):
            await process.wait()


def python_of(baseline: Path) -> str:
    """The interpreter of a virtual environment, or the interpreter itself."""
    return str(baseline / "bin" / "python" if baseline.is_dir() else baseline)


def processor_time(server: Server) -> float:
    """Seconds that a process has computed so far."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(row: Row, arguments: argparse.Namespace) -> dict[str, list[tuple[float, float]]]:
    """All rounds of a row: what it measures, and processor time."""
    build = [sys.executable, "-P", "-m", "bbipc"], row.environment, row.threads, True
    if row.against_bb:
        other = [arguments.bb], dict(item.split("=", 1) for item in arguments.bb_env), row.threads, False
    else:
        other = [python_of(arguments.baseline), "-P", "-m", "bbipc"], row.environment, row.threads, True
    names = ("bb" if row.against_bb else NAMES[0], NAMES[1])
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(serving(*parameters)) for parameters in (other, build)]
        for _ in range(min(arguments.rounds, row.rounds)):
            for name, server in zip(names, servers, strict=True):
                before = processor_time(server)
                value = await row.measure(server)
                results[name].append((value, processor_time(server) - before))
    return results


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--baseline", type=Path, required=True, metavar="PYTHON_OR_VENV", help="another build of bbipc")
    parser.add_argument("--bb", help="a bb 5.0.0 that accepts the proofs of the test setup")
    parser.add_argument("--bb-env", nargs="*", default=[], metavar="NAME=VALUE", help="its environment")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", metavar="TEXT", help="rows whose name contains this")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep all that was measured, as JSON")
    arguments = parser.parse_args()
    saved: list[dict[str, Any]] = []
    print(f"{'':<36} {'other':>10} {'this build':>10} {'ratio':>7} {'cpu':>7}")
    for row in rows():
        if arguments.only not in row.name or (row.against_bb and arguments.bb is None):
            continue
        results = trio.run(measure, row, arguments)
        theirs, ours = (median(value for value, _ in rounds) for rounds in results.values())
        their_time, our_time = (median(seconds for _, seconds in rounds) for rounds in results.values())
        ratios = f"{ours / theirs:>7.3f} {our_time / their_time:>7.3f}"
        print(f"{row.name:<36} {theirs:>10.1f} {ours:>10.1f} {ratios}", flush=True)
        saved.append({"row": row.name, "threads": row.threads, "measured": results})
    if arguments.save:
        arguments.save.write_text(json.dumps(saved) + "\n")


if __name__ == "__main__":
    main()

"""How many worker threads can one client and one scheduler of Dask feed? And what does a cluster cost beside threads?

python bench/cluster.py --proofs 2000        verify-many on threads and on `local:1x2`, in one run
python bench/cluster.py --threads 8 32 128   stand-in units of 50 ms: how much of the time the worker threads are busy, and the
                                             processor time that a unit takes of the client, the scheduler and the workers

The scheduler and the workers (of at most 25 threads) are processes that Dask's own commands start. On a machine with fewer
processors than processes, or with other work, the threads wait for those; the processor time for a unit still says how many
units a second one client and one scheduler could do.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time, sleep
from typing import Any

from distributed import Client

from bbipc.archive.cut import cut
from bbipc.archive.fingerprint import own_fingerprint
from bbipc.chonk import ChonkProof, Setup
from bbipc.chonk import verify_many as verify_here
from bbipc.cluster import connect, run_units, verify_many

DATA = Path(__file__).parent.parent / "tests" / "data"
STAND_IN_SECONDS = 0.05
MOST_THREADS = 25
"""Of one worker process: the threads of a process share one interpreter."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """Work that takes its time and no processor."""

    @property
    def name(self) -> str:
        return "stand-in"

    def nbytes(self, item: Any) -> int:
        return len(item)

    def decide(self, items: Sequence[Any], threads: int) -> list[Any]:
        sleep(STAND_IN_SECONDS)
        return [threads] * len(items)

    def failed(self, reason: str) -> Any:
        return reason


def compare(count: int) -> None:
    setup = Setup.from_json(DATA / "test_setup.json")
    samples = [
        (path.read_bytes(), (path.parent / "vk").read_bytes()) for path in sorted(DATA.glob("corpus/*/proof_fields.bin"))
    ]
    with connect("local:1x2") as client:
        list(verify_many(client, samples, setup=setup))
        start = perf_counter()
        here = ((ChonkProof.from_fields(proof), key) for proof, key in islice(cycle(samples), count))
        assert all(verify_here(here, setup=setup, threads=2, batch=64))
        middle = perf_counter()
        assert all(verdict for _, verdict in verify_many(client, islice(cycle(samples), count), setup=setup))
        end = perf_counter()
    local, cluster = middle - start, end - middle
    print(f"{count} proofs: two threads {local:.2f} s, local:1x2 {cluster:.2f} s, ratio {cluster / local:.3f}")


def feed(threads: int, size: int) -> None:
    units = 20 * threads
    processes = -(-threads // MOST_THREADS)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        contact = folder / "scheduler.json"
        scheduler = _dask(stack, folder, "scheduler", "--port", "0", "--scheduler-file", str(contact))
        each = ("--nthreads", str(threads // processes), "--scheduler-file", str(contact), "--no-nanny")
        workers = [_dask(stack, folder, "worker", *each) for _ in range(processes)]
        client = stack.enter_context(_client(contact))
        client.wait_for_workers(processes)

        def run(count: int) -> int:
            items = (bytes(size) for _ in range(count))
            return sum(1 for _ in run_units(client, cut(items, StandIn(), unit_items=1, made_by=own_fingerprint())))

        run(threads)
        before = [process_time(), _seconds([scheduler]), _seconds(workers)]
        start = perf_counter()
        done = run(units)
        seconds = perf_counter() - start
        after = [process_time(), _seconds([scheduler]), _seconds(workers)]
    busy = done * STAND_IN_SECONDS / (threads // processes * processes * seconds)
    rate = done / seconds
    each_ms = [1000 * (late - early) / done for early, late in zip(before, after, strict=True)]
    print(
        f"{threads} threads, units of {size} bytes: {rate:.0f} units/s, {rate * size / 1e6:.0f} MB/s, busy {busy:.0%}; "
        "processor time of a unit: client {:.2f} ms, scheduler {:.2f} ms, workers {:.2f} ms".format(*each_ms)
    )


def _dask(stack: ExitStack, folder: Path, *arguments: str) -> int:
    command = [sys.executable, "-P", "-m", "dask", *arguments, "--no-dashboard"]
    process = stack.enter_context(subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL))
    stack.callback(process.kill)
    return process.pid


def _client(contact: Path) -> Client:
    while not contact.exists():
        sleep(0.05)
    return Client(scheduler_file=str(contact), set_as_default=False)


def _seconds(pids: Sequence[int]) -> float:
    """Processor time that these processes took until now."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(one[11]) + int(one[12]) for one in fields) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proofs", type=int, metavar="N", help="compare both on N proofs")
    parser.add_argument("--threads", type=int, nargs="+", default=[], metavar="N", help="feed so many worker threads")
    parser.add_argument("--size", type=int, default=1000, metavar="BYTES", help="of a stand-in unit (1000)")
    arguments = parser.parse_args()
    if arguments.proofs:
        compare(arguments.proofs)
    for threads in arguments.threads:
        feed(threads, arguments.size)


if __name__ == "__main__":
    main()

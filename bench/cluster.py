"""How many worker threads can one client and one scheduler of Dask feed? And what does a cluster cost beside threads?

python bench/cluster.py --proofs 2000        verify-many on threads and on `local:1x2`, in one run
python bench/cluster.py --threads 8 32 128   stand-in units of 50 ms: how much of the time the worker threads are busy
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster

from bbipc.archive.cut import cut
from bbipc.archive.fingerprint import own_fingerprint
from bbipc.chonk import ChonkProof, Setup
from bbipc.chonk import verify_many as verify_here
from bbipc.cluster import connect, run_units, verify_many

DATA = Path(__file__).parent.parent / "tests" / "data"
STAND_IN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class StandIn:
    """Work that takes its time and no processor."""

    @property
    def name(self) -> str:
        return "stand-in"

    def nbytes(self, item: Any) -> int:
        return len(item)

    def decide(self, items: Sequence[Any], threads: int) -> list[Any]:
        time.sleep(STAND_IN_SECONDS)
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
        start = time.perf_counter()
        here = ((ChonkProof.from_fields(proof), key) for proof, key in islice(cycle(samples), count))
        assert all(verify_here(here, setup=setup, threads=2, batch=64))
        middle = time.perf_counter()
        assert all(verdict for _, verdict in verify_many(client, islice(cycle(samples), count), setup=setup))
        end = time.perf_counter()
    local, cluster = middle - start, end - middle
    print(f"{count} proofs: two threads {local:.2f} s, local:1x2 {cluster:.2f} s, ratio {cluster / local:.3f}")


def feed(threads: int, size: int) -> None:
    units = 40 * threads
    with (
        LocalCluster(n_workers=1, threads_per_worker=threads, processes=False, dashboard_address=None) as workers,
        Client(workers, set_as_default=False) as client,
    ):
        items = (bytes(size) for _ in range(units))
        start = time.perf_counter()
        done = sum(1 for _ in run_units(client, cut(items, StandIn(), unit_items=1, made_by=own_fingerprint())))
        seconds = time.perf_counter() - start
    busy = done * STAND_IN_SECONDS / (threads * seconds)
    rate = done / seconds
    print(f"{threads} threads, units of {size} bytes: {rate:.0f} units/s, {rate * size / 1e6:.0f} MB/s, busy {busy:.0%}")


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

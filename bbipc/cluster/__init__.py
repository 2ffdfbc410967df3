"""Verification on a Dask cluster: archives that outgrow one machine (the extra `dask`).

    from distributed import Client
    from bbipc.cluster import verify_many

    with Client("tcp://scheduler:8786") as client:
        for index, verdict in verify_many(client, pairs):
            ...

The cluster is Dask's: its scheduler, its retries, its dashboard. What this package adds is how proofs are cut into units, that
few enough are under way, that none is lost, and that all workers run the same bbipc. docs/how-to/verify-an-archive.md tells how
to start one.
"""

from collections.abc import Iterable, Iterator

from distributed import Client

from bbipc.archive.cut import UNIT_BYTES, UNIT_ITEMS, cut
from bbipc.archive.fingerprint import own_fingerprint
from bbipc.archive.proofs import ProofItem, ProofJudge
from bbipc.archive.unit import ALL_THREADS, Done
from bbipc.chonk import Setup, Verdict
from bbipc.cluster.connect import check_workers, connect
from bbipc.cluster.errors import ClusterError, ClusterLostError
from bbipc.cluster.pump import Progress, run_units

__all__ = [
    "ALL_THREADS",
    "UNIT_BYTES",
    "UNIT_ITEMS",
    "ClusterError",
    "ClusterLostError",
    "Done",
    "Progress",
    "check_workers",
    "connect",
    "run_units",
    "verify_many",
]


def verify_many(
    client: Client,
    pairs: Iterable[ProofItem],
    *,
    setup: Setup = Setup.AZTEC,
    strict: bool = False,
    ordered: bool = False,
    threads_per_unit: int = 1,
    unit_items: int = UNIT_ITEMS,
    unit_bytes: int = UNIT_BYTES,
    progress: Progress | None = None,
) -> Iterator[tuple[int, Verdict]]:
    """The verdicts on many proofs, each with the index of its pair, as they are known.

    Every pair gets exactly one verdict, the one that `bbipc.chonk.verify` gives, whatever happens to workers. A proof that ends
    each worker that verifies it gets an error. Memory is bounded by the number of worker threads, not by that of the pairs.

    Args:
        client: a connected Dask client. Its workers are checked before any work.
        pairs: proofs with the keys that the caller trusts: decoded, as bytes, or as `Path`s that the workers can read.
        setup: the trusted setup.
        strict: as for `bbipc.chonk.Verifier.verify`.
        ordered: verdicts in the order of the pairs.
        threads_per_unit: threads of a worker that work on one unit; `ALL_THREADS`: all.
        unit_items: proofs of a unit, at most.
        unit_bytes: bytes of a unit, at most, but at least one proof.
        progress: kept up to date.

    Raises:
        ClusterLostError: the scheduler went away. What was given stays true.
        ClusterError: a worker runs another build of bbipc, or none.
    """
    check_workers(client)
    units = cut(
        pairs,
        ProofJudge(setup, strict),
        threads=threads_per_unit,
        unit_items=unit_items,
        unit_bytes=unit_bytes,
        made_by=own_fingerprint(),
    )
    return _each(run_units(client, units, ordered=ordered, progress=progress))


def _each(done: Iterator[Done]) -> Iterator[tuple[int, Verdict]]:
    for one in done:
        yield from zip(one.unit.indices, one.results, strict=True)

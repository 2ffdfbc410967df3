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
from typing import Any

from distributed import Client

from bbipc.archive.cut import UNIT_BYTES, UNIT_ITEMS, cut
from bbipc.archive.fingerprint import own_fingerprint
from bbipc.archive.proofs import ProofItem, ProofJudge
from bbipc.archive.txs import Encoded, TxItem, TxJudge
from bbipc.archive.unit import ALL_THREADS, Done, Judge
from bbipc.aztec import Registry, TxVerdict
from bbipc.aztec.registry import aztec
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
    "Encoded",
    "Progress",
    "check_workers",
    "connect",
    "run_units",
    "verify_many",
    "verify_txs",
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
    limits = {"threads": threads_per_unit, "unit_items": unit_items, "unit_bytes": unit_bytes}
    return _decided(client, pairs, ProofJudge(setup, strict), limits, ordered, progress)


def verify_txs(
    client: Client,
    txs: Iterable[TxItem],
    *,
    network: str | None = None,
    registry: Registry | None = None,
    setup: Setup = Setup.AZTEC,
    strict: bool = False,
    ordered: bool = False,
    threads_per_unit: int = 1,
    unit_items: int = UNIT_ITEMS,
    unit_bytes: int = UNIT_BYTES,
    progress: Progress | None = None,
) -> Iterator[tuple[int, TxVerdict]]:
    """The verdicts on many transactions, each with its index, as they are known.

    Every transaction gets exactly one verdict, the one that `bbipc.aztec.verify_tx` gives. One that ends each worker that
    verifies it gets an error.

    Args:
        client: a connected Dask client. Its workers are checked before any work.
        txs: transactions, their binary forms, the contents of files as `Encoded`, or `Path`s that the workers can read.
        network: a network of the registry that they must be for; None: any.
        registry: which keys and key trees are trusted; None: those of Aztec's releases. It travels with the work.
        setup: the trusted setup.
        strict: as for `bbipc.aztec.verify_tx`.
        ordered: verdicts in the order of the transactions.
        threads_per_unit: threads of a worker that work on one unit; `ALL_THREADS`: all.
        unit_items: transactions of a unit, at most.
        unit_bytes: bytes of a unit, at most, but at least one transaction.
        progress: kept up to date.

    Raises:
        ValueError: the registry does not know the network.
        ClusterLostError: the scheduler went away. What was given stays true.
        ClusterError: a worker runs another build of bbipc, or none.
    """
    registry = aztec() if registry is None else registry
    if network is not None:
        registry.network(network)
    limits = {"threads": threads_per_unit, "unit_items": unit_items, "unit_bytes": unit_bytes}
    return _decided(client, txs, TxJudge(registry, setup, network, strict), limits, ordered, progress)


def _decided(
    client: Client, items: Iterable[Any], judge: Judge, limits: dict[str, int], ordered: bool, progress: Progress | None
) -> Iterator[tuple[int, Any]]:
    units = cut(items, judge, made_by=own_fingerprint(), **limits)
    check_workers(client)
    return _each(run_units(client, units, ordered=ordered, progress=progress))


def _each(done: Iterator[Done]) -> Iterator[tuple[int, Any]]:
    for one in done:
        yield from zip(one.unit.indices, one.results, strict=True)

"""The processes of `local` clusters, before Dask is there.

Python's fork server imports what a worker needs once, and every worker is a fork of it: with one that is started first, the
import here and the one for the workers go on at the same time, and a worker that is started again is there at once.
"""

import multiprocessing
import re
from multiprocessing import forkserver
from typing import Final

__all__ = ["LOCAL", "METHOD", "start_fork_server"]

LOCAL: Final = re.compile(r"local(?::(?P<workers>[1-9]\d*)(?:x(?P<threads>[1-9]\d*))?)?")
"""Addresses of clusters that are started on this machine: how many processes, of how many threads."""

METHOD: Final = "forkserver"
"""The start method of `multiprocessing` that workers are started by."""

_IMPORTED: Final = ["distributed", "distributed.nanny", "bbipc.archive.proofs", "bbipc.archive.txs"]


def start_fork_server() -> None:
    """Start it, unless this process has one; nobody waits for what it imports. It ends with this process."""
    multiprocessing.set_forkserver_preload(_IMPORTED)
    forkserver.ensure_running()

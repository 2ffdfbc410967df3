"""The processes of `local` clusters, before Dask is there.

Python's fork server imports what a worker needs once, and every worker is a fork of it: with one that is started first, the
import here and the one for the workers go on at the same time, and a worker that is started again is there at once.
"""

import os
import re
import signal
from typing import Final

__all__ = ["LOCAL", "METHOD", "start_fork_server"]

LOCAL: Final = re.compile(r"local(?::(?P<workers>[1-9]\d*)(?:x(?P<threads>[1-9]\d*))?)?")
"""Addresses of clusters that are started on this machine: how many processes, of how many threads."""

METHOD: Final = "forkserver"
"""The start method of `multiprocessing` that workers are started by."""

_ENVIRONMENT: Final = {
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""What Dask sets for workers before they start (`distributed.nanny.pre-spawn-environ`), which is too late for a fork. NumPy
would start threads, and only a process of one thread is safe to fork."""


def start_fork_server() -> None:
    """Start it, unless this process has one; nobody waits for what it imports. It ends with this process."""
    import multiprocessing  # noqa: PLC0415 - verify-many without a cluster needs none
    from multiprocessing import forkserver, resource_tracker  # noqa: PLC0415

    multiprocessing.set_forkserver_preload(["bbipc.archive.fork_server", "bbipc.cluster.fork_server"])
    resource_tracker.ensure_running()  # which unblocks the signal
    added = {name: value for name, value in _ENVIRONMENT.items() if name not in os.environ}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ.update(added)
    try:
        forkserver.ensure_running()
    finally:
        for name in added:
            del os.environ[name]
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

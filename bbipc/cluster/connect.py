"""Finding a cluster, and checking that it runs the same bbipc."""

import re
from asyncio import CancelledError
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import dask.config
from distributed import Client, LocalCluster, performance_report
from distributed.security import Security

from bbipc.archive.fingerprint import Fingerprint, arithmetic_path, own_fingerprint
from bbipc.archive.local import LOCAL, METHOD, start_fork_server
from bbipc.cluster.errors import ClusterError

__all__ = ["check_workers", "connect"]

_REMOTE: Final = re.compile(r"(?:tcp|tls|ws|wss|ucx|inproc)://\S+")
_PATIENCE: Final = "10s"
"""To connect. Dask's own 30 s are long for a wrong address; a greater value in Dask's configuration is respected."""
_OUR_SIZES: Final = {"distributed.admin.low-level-log-length": 0, "distributed.admin.large-graph-warning-threshold": "1GB"}
"""Each end of Dask's streams keeps the last messages that it sent, 1,000 of them: for us, gigabytes of units. A scheduler that
somebody else started has its own configuration (docs/how-to/verify-an-archive.md). And a unit with one large file is more than
Dask likes to see, but as it must be."""
_QUIET: Final = {
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.worker.memory.monitor-interval": "500ms",
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
"""What Dask watches by default, every few milliseconds and in every process, takes 3 % of two processors, and nobody looks at
it on this machine: there is no dashboard. Its pages take time to import as well."""
_NO_PAGES: Final = {"dashboard_address": "127.0.0.1:0"}
"""Dask's scheduler listens for browsers even without a dashboard, by default on port 8787 of all networks, and warns if another
cluster is there."""
_NAMED: Final = 5
"""So many workers are named in a message; the others are counted."""


@contextmanager
def connect(address: str, report: str | None = None) -> Iterator[Client]:
    """A client of the cluster at `address`. `check_workers` is the next thing to do with it.

    Args:
        address: `tcp://host:8786`, `tls://host:8786` (with the keys of Dask's own configuration), or
            `local[:WORKERS[xTHREADS]]`, which starts workers on this machine and ends them afterwards (default: one for each
            CPU, of one thread).
        report: an HTML file for Dask's performance report.

    Raises:
        ClusterError: the address is malformed or nobody answers there, or the report cannot be made.
    """
    with ExitStack() as stack:
        stack.enter_context(dask.config.set(_OUR_SIZES))
        if report is not None:
            _check_report(report)
        client = stack.enter_context(_client(address, profiled=report is not None))
        if report is not None:
            stack.enter_context(_report(client, report))
        yield client


@contextmanager
def _client(address: str, *, profiled: bool) -> Iterator[Client]:
    local = LOCAL.fullmatch(address)
    if local is None and _REMOTE.fullmatch(address) is None:
        raise ClusterError(
            f"{address!r} is not the address of a Dask cluster; "
            "expected tcp://HOST:PORT, tls://HOST:PORT or local[:WORKERS[xTHREADS]]"
        )
    if address.startswith("tls://") and not Security().get_connection_args("client").get("ssl_context"):
        raise ClusterError(
            f"{address}: TLS needs ca-file, client.cert and client.key, set under distributed.comm.tls in Dask's configuration"
        )
    with ExitStack() as stack:
        try:
            if local is not None:
                client = stack.enter_context(_local(local["workers"], local["threads"], profiled))
            else:
                client = stack.enter_context(Client(address, timeout=_patience(), set_as_default=False))
        except (OSError, TimeoutError, ValueError, RuntimeError, TypeError) as error:
            raise ClusterError(f"{address}: {_reason(error)}") from None
        yield client


@contextmanager
def _local(workers: str | None, threads: str | None, profiled: bool) -> Iterator[Client]:
    """A cluster on this machine. Its processes watch themselves as Dask's defaults have it for Dask's report only."""
    count = int(workers) if workers else None
    start_fork_server()
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": METHOD} | ({} if profiled else _QUIET)),
        LocalCluster(
            n_workers=count, threads_per_worker=int(threads or 1), dashboard_address=None, scheduler_kwargs=_NO_PAGES
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


def _patience() -> str:
    configured = dask.config.get("distributed.comm.timeouts.connect")
    return _PATIENCE if configured == "30s" else configured


def _reason(error: BaseException) -> str:
    """The innermost cause that says something, in one line: Dask's own message of a failed connection names only the time that
    it tried, and what is innermost may be an attempt that was cancelled when the time was over."""
    reason = type(error).__name__
    cause: BaseException | None = error
    while cause is not None:
        text = " ".join(str(cause).split())
        if text and not isinstance(cause, CancelledError):
            reason = text
        cause = cause.__cause__ or cause.__context__
    return reason


def check_workers(client: Client) -> Counter[str]:
    """Make sure that all workers run this build of bbipc, before any work, and count them by their arithmetic paths.

    A worker without AVX-512 IFMA is slower, and gives the same verdicts. Workers that come later are held against the same
    fingerprint with each unit.

    Raises:
        ClusterError: some run another build, or cannot run bbipc at all.
    """
    own = own_fingerprint()
    answers: dict[str, Any] = client.run(_identity, on_error="return")
    without = {name: answer for name, answer in answers.items() if not isinstance(answer, tuple)}
    if without:
        reason = next(iter(without.values()))
        raise ClusterError(f"no bbipc at {_names(without)} ({reason}); install version {own.version} there")
    other = {name: differences for name, (build, _) in answers.items() if (differences := own.differences(build))}
    if other:
        raise ClusterError(f"another bbipc at {_names(other)}: {next(iter(other.values()))}")
    return Counter(path for _, path in answers.values())


def _identity() -> tuple[Fingerprint, str]:
    return own_fingerprint(), arithmetic_path()


def _names(workers: dict[str, Any]) -> str:
    names = sorted(workers)
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest


def _check_report(file: str) -> None:
    try:
        import bokeh  # noqa: F401, PLC0415 - only the report needs it
    except ImportError:
        raise ClusterError("the report is drawn by bokeh: pip install bokeh, here and at the scheduler") from None
    try:
        Path(file).open("ab").close()  # Dask writes it at the end: too late to learn that it cannot be written
    except OSError as error:
        raise ClusterError(f"{file}: {error.strerror or error}") from None


@contextmanager
def _report(client: Client, file: str) -> Iterator[None]:
    report = performance_report(filename=file)
    with client.as_current():  # the report asks for "the" client
        report.__enter__()
        try:
            yield
        finally:
            if client.status == "running":  # else nobody knows what to report
                report.__exit__(None, None, None)

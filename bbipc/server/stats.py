"""What a server has done so far: counters of constant size, and the command that tells them."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import trio

import bbipc
from bbipc.server.logs import LogCounters
from bbipc.wire.dialect import ErrorResponse, response_encoder
from bbipc.wire.schema import extended
from bbipc.wire.values import Fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from bbipc.server.batch_service import BatchService
    from bbipc.server.budget import Budget
    from bbipc.server.scheduler import Scheduler
    from bbipc.server.upstream import Upstream

STATS: Final = "Stats"
VERDICTS: Final = ("valid", "invalid", "error", "cancelled")
"""What a verification may come to, see :class:`bbipc.chonk.Outcome` (which is not loaded before the first proof)."""
_RESOLUTION: Final = math.log(1.05)
"""Logarithm of the ratio of a bucket's bounds: quantiles are too large by at most 5 %."""
_LAST_BUCKET: Final = math.ceil(math.log(1e6 * 86_400) / _RESOLUTION)
"""The bucket of everything that took a day or more."""
_ALL_OTHERS: Final = "(others)"
DURATION_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds between which :class:`Durations` counts; a verification takes some 50 to 500 ms."""


@cache
def version() -> str:
    """That of this package. It is looked up among the installed ones, for which descriptors are needed."""
    return bbipc.__version__


class RequestOutcome(Enum):
    """What became of a request."""

    ANSWERED = "answered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @classmethod
    def of(cls, response: bytes) -> RequestOutcome:
        """ANSWERED, or FAILED for an :class:`~bbipc.wire.dialect.ErrorResponse`."""
        return cls.FAILED if isinstance(response, ErrorResponse) else cls.ANSWERED


class Latencies:
    """Durations, as a histogram with bounds in geometric progression from one microsecond to a day."""

    def __init__(self) -> None:
        self.count = 0
        self.longest = 0.0
        self._buckets: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        """One more."""
        micros = max(1e6 * seconds, 1.0)
        self.count += 1
        self.longest = max(self.longest, micros)
        self._buckets[min(math.ceil(math.log(micros) / _RESOLUTION), _LAST_BUCKET)] += 1

    def quantile(self, fraction: float) -> float:
        """Microseconds that `fraction` of all durations did not exceed; 0 if there are none."""
        wanted = math.ceil(fraction * self.count)
        for bucket in sorted(self._buckets):
            wanted -= self._buckets[bucket]
            if wanted <= 0:
                return min(math.exp(bucket * _RESOLUTION), self.longest)
        return 0.0

    def fields(self) -> Fields:
        """As a ``LatencyQuantiles``."""
        quantiles = {f"p{percent}_us": round(self.quantile(percent / 100)) for percent in (50, 90, 99)}
        return {"count": self.count, **quantiles, "max_us": round(self.longest)}


class Durations:
    """Durations as a histogram with fixed bounds, and their sum: what can be added up over servers and over time.

    Attributes:
        counts: how many were not above each of :data:`DURATION_BOUNDS`, but above the bound before it; the last: above all.
        total: their sum in seconds.
    """

    def __init__(self) -> None:
        self.counts = [0] * (len(DURATION_BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect_left(DURATION_BOUNDS, seconds)] += 1
        self.total += seconds


class Statistics:
    """Counts what connections see. Commands that bb does not have either are counted together: a client chooses their names.

    Attributes:
        malformed: frames that were no request, but for the probe of our own clients (:mod:`bbipc.wire.probe`).
        connections, connections_total: open ones; all since the start.
        latencies: of all requests that took their time.
        durations: the same for each command.
        outcomes: how many requests for a command had each outcome.
        settle: called before these are read: counts what others have counted so far.
    """

    def __init__(self) -> None:
        self.settle: Callable[[], None] = lambda: None
        self.malformed = 0
        self.connections = 0
        self.connections_total = 0
        self.latencies = Latencies()
        self.durations: defaultdict[str, Durations] = defaultdict(Durations)
        self.outcomes: Counter[tuple[str, RequestOutcome]] = Counter()
        self._knows = extended().knows

    def count(self, name: str, outcome: RequestOutcome, requests: int = 1) -> None:
        """More requests for command `name`, answered at once."""
        self.outcomes[self._label(name), outcome] += requests

    def count_job(self, name: str, outcome: RequestOutcome, seconds: float) -> None:
        """One more request that took its time."""
        self.count(name, outcome)
        self.latencies.add(seconds)
        self.durations[self._label(name)].add(seconds)

    def names(self) -> list[str]:
        """The commands that were counted; to be asked before `outcomes`."""
        self.settle()
        return sorted({name for name, _ in self.outcomes})

    def commands(self) -> list[Fields]:
        """As a list of ``CommandCounters``, by name."""
        return [{"name": name} | {kind.value: self.outcomes[name, kind] for kind in RequestOutcome} for name in self.names()]

    def _label(self, name: str) -> str:
        return name if self._knows(name) else _ALL_OTHERS


class Reporter(NamedTuple):
    """Makes the response to ``Stats``; :mod:`bbipc.server.metrics` shows the same figures to Prometheus.

    Attributes:
        statistics, scheduler, budget, batch_service, upstream: where the figures come from.
        arithmetic: name of the arithmetic path in use.
        started: Trio's clock when the server started.
        logs: what was not written to the log.
    """

    statistics: Statistics
    scheduler: Scheduler
    budget: Budget
    batch_service: BatchService
    upstream: Upstream | None
    arithmetic: Callable[[], str]
    started: float
    logs: LogCounters

    def response(self) -> bytes:
        """The ``Response``."""
        return _encode()(self._figures())

    def _figures(self) -> Fields:
        statistics, scheduler, service = self.statistics, self.scheduler, self.batch_service
        counters = scheduler.counters
        return {
            "version": version(),
            "arithmetic": self.arithmetic(),
            "threads": scheduler.threads,
            "uptime_ms": round(1000 * (trio.current_time() - self.started)),
            "connections": statistics.connections,
            "connections_total": statistics.connections_total,
            "in_flight_bytes": self.budget.used,
            "waiting": scheduler.waiting,
            "running": scheduler.running,
            "malformed": statistics.malformed,
            "commands": statistics.commands(),
            "latency": statistics.latencies.fields(),
            "batches": [{"max_proofs": size, "batches": count} for size, count in sorted(counters.batches.items())],
            "verdicts": {name: counters.verdicts[name] for name in VERDICTS},
            "batch_service": {"running": service.running, "waiting": service.waiting, "results": service.results},
            "upstream": self._upstream_fields(),
            "log": {"dropped": self.logs.dropped, "left_out": self.logs.left_out},
        }

    def _upstream_fields(self) -> Fields:
        names = ("forwarded", "failed", "started", "failures")
        if self.upstream is None:
            return {"configured": False, "waiting": 0} | dict.fromkeys(names, 0)
        counters = self.upstream.counters
        return {"configured": True, "waiting": self.upstream.waiting} | {name: getattr(counters, name) for name in names}


@cache
def _encode() -> Callable[[Fields], bytes]:
    name = extended().response_name(STATS)
    return response_encoder(name, extended().response(name))

"""The figures of ``Stats`` as Prometheus wants them.

Nothing is counted here: a scrape reads the counters that :mod:`bbipc.server.stats` tells a client. The library only formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily, Metric

import bbipc
from bbipc.server.scrape import Answer
from bbipc.server.stats import DURATION_BOUNDS, VERDICTS, RequestOutcome

if TYPE_CHECKING:
    from bbipc.server.stats import Reporter
    from bbipc.server.upstream import Upstream

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
"""The text format that every Prometheus reads."""

BATCH_BOUNDS: Final = (1, 2, 4, 8, 16, 32, 64)
"""Proofs in a batch: the scheduler's batches end at 64, only a single request can be larger."""


def page(reporter: Reporter) -> Callable[[], Answer]:
    """A function that gives the metrics as they are when it is called, in the text format. To be called in the Trio thread."""
    registry = CollectorRegistry()
    registry.register(_Figures(reporter))
    ProcessCollector(registry=registry)  # memory, processor time, descriptors, start
    return lambda: Answer(HTTPStatus.OK, generate_latest(registry), CONTENT_TYPE)


class _Figures:
    """A collector in the sense of prometheus_client."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def collect(self) -> Iterator[Metric]:
        """All metrics."""
        reporter = self._reporter
        yield InfoMetricFamily(
            "bbipc_build",
            "The version of bbipc, and the arithmetic path that its core has chosen for this machine.",
            value={"version": bbipc.__version__, "arithmetic": reporter.arithmetic()},
        )
        yield from self._requests()
        yield from self._verifications()
        yield from self._service()
        if reporter.upstream is not None:
            yield from _upstream(reporter.upstream)

    def _requests(self) -> Iterator[Metric]:
        statistics, budget = self._reporter.statistics, self._reporter.budget
        yield _gauge("bbipc_open_connections", "Clients that are connected now.", statistics.connections)
        yield _counter("bbipc_connections", "Clients that have connected.", statistics.connections_total)
        requests = CounterMetricFamily(
            "bbipc_requests",
            "Requests by command, and by what became of them; failed: the response was an ErrorResponse.",
            labels=("command", "outcome"),
        )
        for name in statistics.names():
            for outcome in RequestOutcome:
                requests.add_metric((name, outcome.value), statistics.outcomes[name, outcome])
        yield requests
        durations = HistogramMetricFamily(
            "bbipc_request_duration_seconds",
            "Time from the arrival of a request to its response, of requests that are not answered at once.",
            labels=("command",),
        )
        for name, measured in sorted(statistics.durations.items()):
            durations.add_metric((name,), _buckets(DURATION_BOUNDS, measured.counts), measured.total)
        yield durations
        yield _counter(
            "bbipc_malformed_requests",
            "Frames that were no request, frames too long, and ids that were in flight already.",
            statistics.malformed,
        )
        logs = self._reporter.logs
        yield _counter("bbipc_log_messages_dropped", "Messages for which standard error had no room.", logs.dropped)
        yield _counter("bbipc_log_messages_left_out", "Messages of a kind of which there were too many.", logs.left_out)
        yield _gauge(
            "bbipc_in_flight_bytes",
            "Bytes of unanswered requests, unread responses, and what the batch verifier service holds.",
            budget.used,
        )
        yield _gauge("bbipc_in_flight_bytes_limit", "What --max-total-bytes allows of them.", budget.limits.total)

    def _verifications(self) -> Iterator[Metric]:
        scheduler = self._reporter.scheduler
        yield _gauge("bbipc_threads", "Worker threads.", scheduler.threads)
        yield _gauge("bbipc_waiting_jobs", "Requests that wait for a worker thread.", scheduler.waiting)
        yield _gauge("bbipc_running_jobs", "Requests that worker threads work on.", scheduler.running)
        counters = scheduler.counters
        larger = sum(count for size, count in counters.batches.items() if size > BATCH_BOUNDS[-1])
        batches = HistogramMetricFamily("bbipc_batch_proofs", "Proofs in a batch, that is, verified together.")
        counts = [*(counters.batches[size] for size in BATCH_BOUNDS), larger]
        batches.add_metric((), _buckets(BATCH_BOUNDS, counts), counters.verdicts.total())
        yield batches
        verdicts = CounterMetricFamily("bbipc_verdicts", "Verified proofs by their verdict.", labels=("verdict",))
        for verdict in VERDICTS:
            verdicts.add_metric((verdict,), counters.verdicts[verdict])
        yield verdicts

    def _service(self) -> Iterator[Metric]:
        service = self._reporter.batch_service
        yield _gauge("bbipc_batch_service_running", "Whether the batch verifier service is started (1).", service.running)
        yield _gauge("bbipc_batch_service_waiting_proofs", "Proofs in it without a verdict.", service.waiting)
        yield _gauge("bbipc_batch_service_unwritten_results", "Its results that nobody has read yet.", service.results)


def _upstream(upstream: Upstream) -> Iterator[Metric]:
    counters = upstream.counters
    yield _gauge("bbipc_upstream_up", "Whether the child bb runs (1); it is started when needed.", upstream.has_child)
    yield _gauge("bbipc_upstream_waiting_requests", "Requests that it has not seen.", upstream.waiting)
    yield _counter("bbipc_upstream_forwarded_requests", "Requests that it has answered.", counters.forwarded)
    yield _counter("bbipc_upstream_failed_requests", "Requests that got no answer from it.", counters.failed)
    yield _counter("bbipc_upstream_starts", "Children that were started.", counters.started)
    yield _counter(
        "bbipc_upstream_failures", "Children that ended, or could not be started, while they were needed.", counters.failures
    )


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=value)


def _counter(name: str, help_text: str, value: float) -> Metric:
    return CounterMetricFamily(name, help_text, value=value)


def _buckets(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    """Upper bounds and how many did not exceed them; the last count is of what exceeds all bounds."""
    labels = [*(str(float(bound)) for bound in bounds), "+Inf"]
    return list(zip(labels, accumulate(counts), strict=True))

"""Quantiles of bounded memory."""

import math

from hypothesis import given
from hypothesis import strategies as st

from bbipc.server.stats import Latencies


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99, 1.0]))
def test_a_quantile_is_at_most_5_percent_too_large(seconds: list[float], fraction: float) -> None:
    latencies = Latencies()
    for value in seconds:
        latencies.add(value)
    exact = 1e6 * sorted(seconds)[math.ceil(fraction * len(seconds)) - 1]
    quantile = latencies.quantile(fraction)
    if 1 <= exact <= 86_400e6:
        assert exact * (1 - 1e-9) <= quantile <= exact * 1.0501
    assert quantile <= max(1.0, 1e6 * max(seconds)) * (1 + 1e-9)


def test_nothing_measured() -> None:
    assert Latencies().fields() == {"count": 0, "p50_us": 0, "p90_us": 0, "p99_us": 0, "max_us": 0}


def test_memory_is_bounded() -> None:
    latencies = Latencies()
    for exponent in range(-100_000, 100_000, 7):
        latencies.add(1.0005**exponent if abs(exponent) < 50_000 else float(abs(exponent)))
    assert len(latencies._buckets) < 600

"""What a monitoring system sees of a server: its metrics."""

import re
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from server.live import TIMEOUT, Server

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(text: str) -> Samples:
    """All samples by name and labels, after a look at the rules of the format."""
    result: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation.endswith(".")
        assert family.type in ("counter", "gauge", "histogram")
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in result, "twice"
            result[key] = sample.value
            assert sample.name.endswith("_total") == (family.type == "counter")
    return result


def fetch(url: str) -> Samples:
    with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return samples(response.read().decode())


def url_of(server: Server) -> str:
    """Where the log says that the metrics are."""
    while not (found := re.search(r"metrics at (http://\S+/metrics)\n", server.log())):
        assert server.process.poll() is None, server.log()
    return found[1]

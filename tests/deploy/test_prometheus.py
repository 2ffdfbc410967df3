"""Alerts and dashboard at a real Prometheus (Debian: apt-get install prometheus)."""

import json
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.queries import RULES, panel_queries, substituted
from samples import FLOW1
from server import recorded_proofs as requests
from server.live import TIMEOUT, plain, serving, watched
from server.monitoring import url_of

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="needs prometheus and promtool")


def promtool(*words: str) -> str:
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_alerts_are_rules() -> None:
    assert "SUCCESS" in promtool("check", "rules", str(RULES))


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[Callable[[str], Any]]:
    """A Prometheus that scrapes `target` four times a second; ask it for a path of its API."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = {
        "global": {"scrape_interval": "250ms", "evaluation_interval": "250ms"},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "bbipc", "static_configs": [{"targets": [target]}]}],
    }
    path = folder / "prometheus.yml"
    path.write_text(json.dumps(settings))  # JSON is YAML
    promtool("check", "config", str(path))
    words = ["prometheus", f"--config.file={path}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address={address}"]

    def ask(place: str) -> Any:
        try:
            with urllib.request.urlopen(f"http://{address}/api/v1/{place}", timeout=TIMEOUT) as response:
                return json.load(response)["data"]
        except OSError:
            return None

    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process, watched(process):
        try:
            while ask("targets") is None:
                assert process.poll() is None, "Prometheus ended"
            yield ask
        finally:
            process.kill()


def test_a_real_prometheus(tmp_path: Path) -> None:
    """It scrapes us, can evaluate each alert, and has an answer to each query of the dashboard."""
    options = ("--bb", "/bin/false", "--metrics", "127.0.0.1:0", "--log-level", "info")
    with serving(tmp_path, *options) as server, prometheus(tmp_path, urllib.parse.urlsplit(url_of(server)).netloc) as ask:
        peer = server.connect()

        def result(query: str) -> list[Any]:
            found = ask("query?" + urllib.parse.urlencode({"query": query}))
            assert found is not None, query
            return list(found["result"])

        unanswered = [substituted(query, "1m") for query in panel_queries()]
        while unanswered:  # rates need two scrapes, with something counted between them
            peer.call(requests.verify(requests.parts(FLOW1), FLOW1.vk))
            peer.call(plain("ChonkProve"))
            unanswered = [query for query in unanswered if not result(query)]
        (group,) = ask("rules")["groups"]
        while any(rule["health"] == "unknown" for rule in group["rules"]):
            (group,) = ask("rules")["groups"]
        assert {rule["health"] for rule in group["rules"]} == {"ok"}
        assert len(group["rules"]) == RULES.read_text().count("- alert:")
        assert result("up")
        assert result("up")[0]["value"][1] == "1"

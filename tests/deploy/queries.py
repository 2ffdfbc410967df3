"""The queries of what is in deploy/: alerts, and the panels of the dashboard."""

import json
import re
from pathlib import Path
from typing import Any

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
RULES = DEPLOY / "prometheus" / "bbipc.rules.yml"
DASHBOARD = DEPLOY / "grafana" / "bbipc.json"
SYSTEMD = DEPLOY / "systemd"


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    loaded: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return loaded


def panel_queries() -> list[str]:
    """Each query of each panel, with Grafana's variables as they stand there."""
    return [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]


def substituted(query: str, window: str) -> str:
    """The query as Grafana sends it for all servers."""
    result = query.replace("$__rate_interval", window).replace("$instance", ".*")
    assert "$" not in result
    return result


def metrics_in(query: str) -> set[str]:
    """The names of our metrics in it."""
    return set(re.findall(r"\bbbipc_[a-z_]+", query))

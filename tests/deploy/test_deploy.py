"""What operators copy: it fits the server, and what it says is there."""

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bbipc.server.config import DEFAULT_GRACE_PERIOD
from cli.running import bbipc
from deploy.queries import DEPLOY, RULES, SYSTEMD, dashboard, metrics_in, panel_queries, substituted
from server.live import serving
from server.monitoring import fetch, url_of

ROOT = DEPLOY.parent


def test_every_metric_of_alerts_and_dashboard_exists(tmp_path: Path) -> None:
    named = metrics_in(RULES.read_text()) | {name for query in panel_queries() for name in metrics_in(query)}
    assert len(named) > 15
    with serving(tmp_path, "--bb", "/bin/cat", "--metrics", "127.0.0.1:0", "--log-level", "info") as server:
        there = {name for name, _ in fetch(url_of(server))}
    # Labelled metrics are there once something was counted.
    there |= {"bbipc_requests_total", "bbipc_request_duration_seconds_bucket"}
    assert named <= there


def test_the_dashboard() -> None:
    """What Grafana needs: an id, a place of its own, a unit, a source and a query for each panel."""
    loaded = dashboard()
    assert (loaded["uid"], loaded["schemaVersion"]) == ("bbipc", 39)
    variables = {variable["name"] for variable in loaded["templating"]["list"]}
    panels = loaded["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels) > 10
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken
        taken |= cells
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert [target["refId"] for target in panel["targets"]] == sorted({target["refId"] for target in panel["targets"]})
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert set(re.findall(r"\$(\w+)", target["expr"])) <= variables | {"__rate_interval"}
            assert substituted(target["expr"], "5m")


def unit(name: str) -> configparser.ConfigParser:
    """A unit of systemd. Keys that stand there twice count once."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(SYSTEMD / name)
    return parser


@pytest.mark.parametrize("name", ["bbipc.service", "bbipc.service.d/metrics.conf"])
def test_the_command_of_the_unit(name: str, tmp_path: Path) -> None:
    """It is installed where the instructions install it, and the server takes its options."""
    program, *arguments = shlex.split(unit(name)["Service"]["ExecStart"])
    page = (ROOT / "docs" / "how-to" / "run-as-a-service.md").read_text()
    assert f"{Path(program).parent}" in page
    assert program == "/usr/local/bin/bbipc"
    words = [word.replace("/run/bbipc/", f"{tmp_path}/").replace("127.0.0.1:9464", "127.0.0.1:0") for word in arguments]
    assert words[:2] == ["msgpack", "run"]
    with serving(tmp_path, *words[2:]) as server:
        while not (tmp_path / "bbipc.sock").exists():
            assert server.process.poll() is None, server.log()
        server.process.terminate()
        assert server.wait() == 0


def test_the_unit_is_told_and_given_time() -> None:
    service = unit("bbipc.service")["Service"]
    assert (service["Type"], service["NotifyAccess"]) == ("notify", "main")
    assert float(service["WatchdogSec"]) > 1
    assert float(service["TimeoutStopSec"]) > DEFAULT_GRACE_PERIOD


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for source in (SYSTEMD / "bbipc.service", SYSTEMD / "bbipc.socket"):
        text = source.read_text().replace("/usr/local/bin/bbipc", sys.executable)
        (tmp_path / source.name).write_text(text)
    drop_in = tmp_path / "bbipc.service.d"
    drop_in.mkdir()
    metrics = (SYSTEMD / "bbipc.service.d" / "metrics.conf").read_text().replace("/usr/local/bin/bbipc", sys.executable)
    (drop_in / "metrics.conf").write_text(metrics)
    words = [
        "systemd-analyze",
        "verify",
        "--recursive-errors=one",
        str(tmp_path / "bbipc.service"),
        str(tmp_path / "bbipc.socket"),
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "bbipc" in line]
    assert ours == []


HINT = re.compile(r"pip install '(?:\.|bbipc)\[(\w+)\]'")


def test_extras_that_messages_and_pages_name_exist() -> None:
    """Every hint of the form pip install '.[extra]' names an extra of the project."""
    import tomllib  # noqa: PLC0415

    extras = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    files = [*(ROOT / "bbipc").rglob("*.py"), *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    named = {name for file in files for name in HINT.findall(file.read_text())}
    assert {"metrics", "fuzz"} <= named <= extras


def test_health_check_of_the_image() -> None:
    """The command of the Containerfile's HEALTHCHECK exists, and fails where there is no server."""
    text = (DEPLOY / "Containerfile").read_text()
    check = re.search(r"HEALTHCHECK .*\\\n\s*CMD (\[.*\])", text)
    assert check is not None
    program, *arguments = re.findall(r'"([^"]+)"', check[1])
    assert program == "bbipc"
    done = bbipc(*arguments)
    assert done.code == 69

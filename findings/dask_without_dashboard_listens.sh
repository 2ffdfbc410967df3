#!/usr/bin/env bash
# LocalCluster(dashboard_address=None) of Dask's distributed.
#
# Guess:  its docstring says "Set to None to disable the dashboard", so there is no HTTP server, and two such clusters do not
#         get in each other's way.
# Seen:   the HTTP server is there all the same, at the default port 8787, and answers /health and /json/counts.json with what the
#         cluster does; only the pages are missing that Bokeh draws. A second cluster warns that port 8787 is in use and takes
#         another one. dashboard_address=":0" is quieter than None.
# With:   distributed 2026.8.0, dask 2026.8.0, Python 3.11, Linux; 2026-11-29. Port 8787 must be free.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dask==2026.8.0 distributed==2026.8.0
cat >"$folder/main.py" <<'PYTHON'
import json
import urllib.request
import warnings

from distributed import LocalCluster


def get(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.read()


if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as first:
        port = first.scheduler.http_server.port
        health, counts = get(port, "/health"), json.loads(get(port, "/json/counts.json"))
        print("dashboard_address=None: port", port, "answers", health, counts)
        assert (port, health, counts["workers"]) == (8787, b"ok", 1)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            with LocalCluster(n_workers=0, dashboard_address=None) as second:
                print("the second one: port", second.scheduler.http_server.port, [str(one.message).split("\n")[0] for one in seen])
                assert second.scheduler.http_server.port != 8787
        assert any("8787 is already in use" in str(one.message) for one in seen)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            with LocalCluster(n_workers=0, dashboard_address=":0"):
                assert not seen
PYTHON
"$folder/venv/bin/python" "$folder/main.py"

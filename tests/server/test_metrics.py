"""The metrics are the figures of Stats, in the shape that Prometheus wants."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from bbipc.server.config import Address
from bbipc.server.metrics import page
from bbipc.server.stats import DURATION_BOUNDS, RequestOutcome, Statistics
from samples import FLOW1, copy_parts, flow1_parts
from server.live import TIMEOUT, plain, serving, tagged
from server.monitoring import Samples, fetch, samples, url_of
from server.scripted import ScriptedServer, scripted_server, verification


def expected(stats: dict[str, Any]) -> Samples:
    """What the fields of a StatsResponse are as samples; histograms of durations by their count only."""
    result: Samples = {
        ("bbipc_build_info", (("arithmetic", stats["arithmetic"]), ("version", stats["version"]))): 1,
        ("bbipc_open_connections", ()): stats["connections"],
        ("bbipc_connections_total", ()): stats["connections_total"],
        ("bbipc_malformed_requests_total", ()): stats["malformed"],
        ("bbipc_in_flight_bytes", ()): stats["in_flight_bytes"],
        ("bbipc_threads", ()): stats["threads"],
        ("bbipc_waiting_jobs", ()): stats["waiting"],
        ("bbipc_running_jobs", ()): stats["running"],
        ("bbipc_batch_service_running", ()): stats["batch_service"]["running"],
        ("bbipc_batch_service_waiting_proofs", ()): stats["batch_service"]["waiting"],
        ("bbipc_batch_service_unwritten_results", ()): stats["batch_service"]["results"],
        ("bbipc_batch_proofs_sum", ()): sum(stats["verdicts"].values()),
        ("bbipc_batch_proofs_count", ()): sum(entry["batches"] for entry in stats["batches"]),
    }
    for bound in (1, 2, 4, 8, 16, 32, 64):
        up_to = sum(entry["batches"] for entry in stats["batches"] if entry["max_proofs"] <= bound)
        result["bbipc_batch_proofs_bucket", (("le", f"{bound}.0"),)] = up_to
    for verdict, count in stats["verdicts"].items():
        result["bbipc_verdicts_total", (("verdict", verdict),)] = count
    for command in stats["commands"]:
        for outcome in ("answered", "failed", "cancelled", "expired"):
            result["bbipc_requests_total", (("command", command["name"]), ("outcome", outcome))] = command[outcome]
    if stats["upstream"]["configured"]:
        result["bbipc_upstream_waiting_requests", ()] = stats["upstream"]["waiting"]
        result["bbipc_upstream_forwarded_requests_total", ()] = stats["upstream"]["forwarded"]
        result["bbipc_upstream_failed_requests_total", ()] = stats["upstream"]["failed"]
        result["bbipc_upstream_starts_total", ()] = stats["upstream"]["started"]
        result["bbipc_upstream_failures_total", ()] = stats["upstream"]["failures"]
    return result


def agree(found: Samples, stats: dict[str, Any]) -> None:
    """The metrics, fetched right after `stats`, say the same (but count the request for `stats` too)."""
    asked = ("bbipc_requests_total", (("command", "Stats"), ("outcome", "answered")))
    wanted = expected(stats)
    assert found[asked] == wanted.pop(asked, 0) + 1
    assert {key: found[key] for key in wanted} == wanted
    measured = {key: value for key, value in found.items() if key[0] == "bbipc_request_duration_seconds_count"}
    assert sum(measured.values()) == stats["latency"]["count"]
    assert not any(name.startswith("bbipc_upstream_") for name, _ in found) or stats["upstream"]["configured"]


# ---- The figures -----------------------------------------------------------------------------------------------------


def text(server: ScriptedServer) -> str:
    return page(server.services.reporter)().body.decode()


async def test_the_same_figures_as_stats(mock_clock: MockClock) -> None:
    async with scripted_server(threads=1) as server:
        client, other = server.connect(), server.connect()
        await client.send([1, verification("valid 1")])
        await client.send([2, verification("invalid 2")], [3, verification("error 3")], [4, verification("valid 4")])
        await client.send([5, ["Blake2s", {"data": b""}]], [6, ["AvmProve", {}]], [7, ["NoSuch", {}]], [8, 9])
        await client.send([9, ["CancelRequest", {"request_id": 4}]])
        await client.send([10, ["Stats", {}]])
        stats = client.responses()[-1][1][1]
        assert (stats["waiting"], stats["running"], stats["connections"]) == (2, 1, 2)
        agree(samples(text(server)), stats)
        trio.lowlevel.current_clock().jump(0.25)  # type: ignore[attr-defined]
        await server.workers.release_all()
        other.stream.break_()
        await wait_all_tasks_blocked()
        await client.send([11, ["Stats", {}]])
        agree(found := samples(text(server)), client.responses()[-1][1][1])
        verify = ("command", "ChonkVerify")
        assert found["bbipc_request_duration_seconds_sum", (verify,)] == pytest.approx(0.75)
        # The cancelled one took no time; the others took a quarter of a second, which the bound of that name includes.
        assert found["bbipc_request_duration_seconds_bucket", (verify, ("le", "0.1"))] == 1
        assert found["bbipc_request_duration_seconds_bucket", (verify, ("le", "0.25"))] == 4
        assert found["bbipc_request_duration_seconds_bucket", (verify, ("le", "+Inf"))] == 4


async def test_a_long_request_is_several_batches(mock_clock: MockClock) -> None:
    async with scripted_server() as server:
        server.workers.automatic = True
        client = server.connect()
        proofs = [verification("valid 1")[1] for _ in range(70)]
        many = {"proofs": [one["proof"] for one in proofs], "vks": [one["vk"] for one in proofs]}
        await client.send([["ChonkBatchVerify", many]], [["ChonkVerify", proofs[0]]])
        await wait_all_tasks_blocked()
        found = samples(text(server))
        assert found["bbipc_batch_proofs_sum", ()] == 71
        assert [found["bbipc_batch_proofs_bucket", (("le", bound),)] for bound in ("1.0", "32.0", "64.0", "+Inf")] == [
            0,
            1,
            2,
            2,
        ]


async def test_the_size_does_not_depend_on_clients(mock_clock: MockClock) -> None:
    async with scripted_server() as server:
        client = server.connect()
        await client.send([["x", {}]])
        before = len(samples(text(server)))
        await client.send(*([[f'x{number}"\n\\', {}]] for number in range(500)))
        assert len(samples(text(server))) == before


@given(st.lists(st.floats(0, 1e6) | st.sampled_from(DURATION_BOUNDS), max_size=100))
def test_a_bucket_counts_what_does_not_exceed_its_bound(durations: list[float]) -> None:
    statistics = Statistics()
    for seconds in durations:
        statistics.count_job("ChonkVerify", RequestOutcome.ANSWERED, seconds)
    measured = statistics.durations["ChonkVerify"]
    for index, bound in enumerate(DURATION_BOUNDS):
        assert sum(measured.counts[: index + 1]) == sum(seconds <= bound for seconds in durations)
    assert sum(measured.counts) == len(durations) == statistics.latencies.count
    assert measured.total == pytest.approx(sum(durations))


# ---- A real server ---------------------------------------------------------------------------------------------------


def stats_of(peer: Any) -> dict[str, Any]:
    fields: dict[str, Any] = peer.call(plain("Stats"))[1]
    return fields


def test_real_traffic(start: Callable[..., Any]) -> None:
    with start("--metrics", "127.0.0.1:0", "--log-level", "info") as server:
        url = url_of(server)
        assert url.startswith("http://127.0.0.1:")
        before = fetch(url)
        assert before["bbipc_verdicts_total", (("verdict", "valid"),)] == 0
        peer = server.connect()
        parts, changed = flow1_parts(), copy_parts(flow1_parts())
        scalar = changed["ipa_proof"].pop()
        changed["ipa_proof"].append(scalar[:-1] + bytes([scalar[-1] ^ 1]))
        good, bad = {"proof": parts, "vk": FLOW1.vk}, {"proof": changed, "vk": FLOW1.vk}
        peer.request(*(tagged(number, "ChonkVerify", **good) for number in range(4)), tagged(4, "ChonkVerify", **bad))
        peer.request(plain("Blake2s", data=b""), b"\xc1", plain("ChonkVerify", proof=parts, vk=b"short"))
        assert {len(msgpack.unpackb(peer.receive() or b"")) for _ in range(8)} == {2}
        stats = stats_of(peer)
        found = fetch(url)
        agree(found, stats)
        assert stats["verdicts"] == {"valid": 4, "invalid": 1, "error": 1, "cancelled": 0}
        assert found["bbipc_malformed_requests_total", ()] == 1
        assert found["process_resident_memory_bytes", ()] > 1 << 20
        assert found["bbipc_request_duration_seconds_count", (("command", "ChonkVerify"),)] == 6
        assert 0 < found["bbipc_request_duration_seconds_sum", (("command", "ChonkVerify"),)] < TIMEOUT
        assert all(found[key] >= before[key] for key in before if key[0].endswith(("_total", "_count", "_bucket")))
        assert "loopback" not in server.log()


def test_a_child(start: Callable[..., Any], tmp_path: Path) -> None:
    """A child that ends at the first request: everything that is counted about it."""
    child = tmp_path / "bb"
    child.write_text("#!/bin/sh\nexec head -c 1 > /dev/null\n")
    child.chmod(0o755)
    with start("--bb", str(child), "--metrics", "[::1]:0", "--log-level", "info") as server:
        url = url_of(server)
        assert url.startswith("http://[::1]:")
        peer = server.connect()
        assert fetch(url)["bbipc_upstream_up", ()] == 0
        assert peer.call(plain("ChonkProve"))[0] == "ErrorResponse"
        stats = stats_of(peer)
        found = fetch(url)
        agree(found, stats)
        assert (found["bbipc_upstream_up", ()], found["bbipc_upstream_failed_requests_total", ()]) == (0, 1)


def test_a_child_that_runs(start: Callable[..., Any], tmp_path: Path) -> None:
    child = tmp_path / "bb"
    child.write_text("#!/bin/sh\nexec cat > /dev/null\n")
    child.chmod(0o755)
    with start("--bb", str(child), "--metrics", "127.0.0.1:0", "--log-level", "info") as server:
        url, peer = url_of(server), server.connect()
        peer.request(tagged(1, "ChonkProve"), tagged(2, "ChonkProve"))
        while not (found := fetch(url))["bbipc_upstream_up", ()]:
            assert found["bbipc_upstream_waiting_requests", ()] in (0, 1, 2)
        assert (found["bbipc_upstream_starts_total", ()], found["bbipc_upstream_waiting_requests", ()]) == (1, 1)
        stats = stats_of(peer)
        agree(fetch(url), stats)


def test_the_end_does_not_wait_for_scrapers(start: Callable[..., Any]) -> None:
    with start("--metrics", "127.0.0.1:0", "--log-level", "info") as server:
        port = int(url_of(server).split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port)) as silent, socket.create_connection(("127.0.0.1", port)) as half:
            half.sendall(b"GET /metrics HT")
            server.connect().is_served()
            server.process.send_signal(signal.SIGTERM)
            assert server.wait() == 0
            assert silent.recv(1) == b""


# ---- The option ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown", "is_loopback"),
    [
        ("localhost:9464", "localhost:9464", False),  # not before it is looked up
        ("a-b_c.example.:1", "a-b_c.example.:1", False),
        ("127.0.0.1:9464", "127.0.0.1:9464", True),
        ("127.1.2.3:0", "127.1.2.3:0", True),
        ("[::1]:65535", "[::1]:65535", True),
        ("[0:0:0:0:0:0:0:1]:1", "[::1]:1", True),
        ("0.0.0.0:80", "0.0.0.0:80", False),
        ("[::]:80", "[::]:80", False),
        ("[2001:DB8::1]:80", "[2001:db8::1]:80", False),
    ],
)
def test_addresses(text: str, shown: str, is_loopback: bool) -> None:
    address = Address.parse(text)
    assert (str(address), address.is_loopback, Address.parse(shown)) == (shown, is_loopback, address)


BAD_ADDRESSES = [
    *("", ":", "127.0.0.1", "127.0.0.1:", ":9464", "9464", "localhost", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1"),
    *("local host:1", "-a:1", "a-:1", "a/b:1", "[localhost]:1", "caf\u00e9:1", "user@host:1", "a" * 254 + ":1"),
    *(
        "::1:9464",
        "[::1]",
        "[::1]9464",
        "[127.0.0.1]:9464",
        "127.1:9464",
        "256.0.0.1:1",
        "127.0.0.1:\u0661",
        "127.0.0.1:1 ",
        "a\0:1",
    ),
]


@pytest.mark.parametrize("text", BAD_ADDRESSES)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a host and a port, as localhost:9464, 127\.0\.0\.1:9464 or \[::1\]:9464$"):
        Address.parse(text)


@given(st.text(max_size=30) | st.from_regex(r"\[?[0-9a-f.:]{1,20}\]?:[0-9]{1,6}", fullmatch=True))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = Address.parse(text)
    except ValueError:
        return
    assert Address.parse(str(address)) == address


def start_and_fail(*options: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-P", "-m", "bbipc", "msgpack", "run", *options]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=os.environ | environment,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done


def test_a_malformed_address_is_a_usage_error() -> None:
    done = start_and_fail("--metrics", "localhost")
    assert done.returncode == 2
    assert "argument --metrics: 'localhost', expected a host and a port" in done.stderr


@pytest.mark.parametrize("missing", ["h11", "prometheus_client"])
def test_a_missing_library(missing: str, tmp_path: Path) -> None:
    message = f"No module named {missing!r}"
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError({message!r}, name={missing!r})\n")
    path = tmp_path / "x.sock"
    done = start_and_fail("--metrics", "127.0.0.1:0", "--input", str(path), PYTHONPATH=str(tmp_path))
    assert (done.returncode, path.exists()) == (2, False)
    assert done.stderr == f"bbipc: error: --metrics needs {missing}, which is not installed: pip install 'bbipc[metrics]'\n"


@pytest.mark.parametrize("on_socket", [False, True])
def test_an_address_in_use(on_socket: bool, tmp_path: Path) -> None:
    with serving(tmp_path, "--metrics", "127.0.0.1:0", "--log-level", "info") as server:
        address = url_of(server).removeprefix("http://").removesuffix("/metrics")
        path = tmp_path / "x.sock"
        done = start_and_fail("--metrics", address, *(["--input", str(path)] if on_socket else []))
        assert (done.returncode, path.exists()) == (1, False)
        assert done.stderr == f"bbipc: ERROR: cannot listen at --metrics {address}: Address already in use\n"


def test_everybody_may_read_only_with_a_warning(tmp_path: Path) -> None:
    with serving(tmp_path, "--metrics", "0.0.0.0:0", "--log-level", "info") as server:
        fetch(url_of(server).replace("0.0.0.0", "127.0.0.1"))
        assert "WARNING: --metrics 0.0.0.0:0 is not a loopback address: whoever reaches it can read the metrics" in server.log()


def test_without_the_option_nothing_of_it_is_loaded() -> None:
    command = [sys.executable, "-P", "-X", "importtime", "-m", "bbipc", "msgpack", "run"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "bbipc.server.serve" in loaded
    assert not {name for name in loaded if name.startswith(("prometheus_client", "h11", "http", "email"))}
    assert not {"bbipc.server.metrics", "bbipc.server.scrape"} & loaded


def test_the_documentation_names_what_there_is(start: Callable[..., Any]) -> None:
    """Metrics, and their labels, in the instructions and in the examples of alerts."""
    root = Path(__file__).parent.parent.parent
    pages = [root / "docs" / "how-to" / "run-as-a-service.md", root / "deploy" / "prometheus" / "bbipc.rules.yml"]
    named = {name for page in pages for name in re.findall(r"\bbbipc_[a-z_]+", page.read_text())}
    with start("--bb", "/bin/cat", "--metrics", "127.0.0.1:0", "--log-level", "info") as server:
        families = {name for name, _ in fetch(url_of(server))} | {"bbipc_requests_total"}
    families |= {f"bbipc_request_duration_seconds{suffix}" for suffix in ("", "_bucket")}
    assert named - families == {"bbipc_batch_proofs"}, "a histogram's name stands for its samples"
    assert {name for name in families if name.startswith("bbipc_")} - named == {"bbipc_batch_proofs_bucket"}

"""The HTTP side of the metrics: small, bounded, and deaf to nonsense."""

import socket
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import h11
import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from bbipc.server.config import Address
from bbipc.server.errors import StartError
from bbipc.server.scrape import (
    HEALTH,
    MAX_CONNECTIONS,
    MAX_REQUEST_BYTES,
    METRICS,
    TIME_LIMIT,
    Answer,
    health,
    open_listeners,
    serve,
)
from server.live import TIMEOUT, serving
from server.monitoring import fetch, url_of
from server.scripted import pass_time

GET = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
PAGE = b"a 1\n"
Stream = trio.abc.HalfCloseableStream


class Listener(trio.abc.Listener[Stream]):
    """Hands out what the test connects."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[Stream](1000)
        self.closed = False

    def connect(self, make_pair: Callable[[], tuple[Stream, Stream]] = trio.testing.memory_stream_pair) -> Stream:
        ours, theirs = make_pair()
        self._send.send_nowait(theirs)
        return ours

    async def accept(self) -> Stream:
        return await self._receive.receive()

    async def aclose(self) -> None:
        self.closed = True
        await trio.lowlevel.checkpoint()

    @property
    def waiting(self) -> int:
        """Connections that were not accepted."""
        return self._receive.statistics().current_buffer_used


class Site:
    """A server of metrics without a network. `pages`: how many were made; `result`: what each of them is."""

    def __init__(self) -> None:
        self.listener = Listener()
        self.pages = 0
        self.ready, self.draining = True, False
        self.result: Any = PAGE

    def page(self) -> Answer:
        self.pages += 1
        if isinstance(self.result, Exception):
            raise self.result
        return Answer(200, self.result, "text/plain; version=0.0.4")

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Site"]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(
                serve, [self.listener], {METRICS: self.page, HEALTH: health(lambda: self.ready, lambda: self.draining)}
            )
            yield self
            nursery.cancel_scope.cancel()
        assert self.listener.closed

    async def ask(self, *parts: bytes) -> bytes:
        """What comes back for bytes that are sent bit by bit and then ended."""
        stream = self.listener.connect()
        async with stream:
            with suppress(trio.BrokenResourceError):
                for part in parts:
                    await stream.send_all(part)
                    await wait_all_tasks_blocked()
                await stream.send_eof()
            return await everything(stream)


async def everything(stream: Stream) -> bytes:
    result = b""
    with suppress(trio.BrokenResourceError):
        while data := await stream.receive_some(1 << 16):
            result += data
    return result


async def stream_on(stream: Stream) -> None:
    """Send more than anybody should read."""
    for _ in range(1000):
        await stream.send_all(bytes(MAX_REQUEST_BYTES))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """A site of one test, which has a clock that never moves by itself."""
    async with Site().running() as site:
        yield site


def parse(response: bytes, method: bytes = b"GET") -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body of exactly one response."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    client.send(h11.EndOfMessage())
    client.receive_data(response)
    client.receive_data(b"")
    head = client.next_event()
    assert isinstance(head, h11.Response)
    body = b""
    while isinstance(event := client.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert isinstance(client.next_event(), h11.ConnectionClosed)
    headers = dict(head.headers)
    assert headers[b"connection"] == b"close"
    assert headers[b"date"].endswith(b"GMT")
    return head.status_code, headers, body


# ---- Requests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", ["/metrics", "/metrics?", "/metrics?name[]=a&x=%00", "http://x/metrics", "http://x:1/metrics?a"]
)
async def test_get(target: str, site: Site, mock_clock: MockClock) -> None:
    request = f"GET {target} HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n".encode()
    status, headers, body = parse(await site.ask(request))
    assert (status, body) == (200, PAGE)
    assert headers[b"content-type"] == b"text/plain; version=0.0.4"
    assert headers[b"content-length"] == str(len(PAGE)).encode()


async def test_old_and_slow_clients(site: Site, mock_clock: MockClock) -> None:
    assert parse(await site.ask(b"GET /metrics HTTP/1.0\r\n\r\n"))[0] == 200
    assert parse(await site.ask(*(GET[index : index + 1] for index in range(len(GET)))))[2] == PAGE


async def test_head(site: Site, mock_clock: MockClock) -> None:
    status, headers, body = parse(await site.ask(GET.replace(b"GET", b"HEAD")), b"HEAD")
    assert (status, headers[b"content-length"], body) == (200, b"4", b"")
    status, _, body = parse(await site.ask(GET.replace(b"GET", b"HEAD").replace(b"metrics", b"x")), b"HEAD")
    assert (status, body) == (404, b"")


async def test_health(site: Site, mock_clock: MockClock) -> None:
    """Bad before the server listens and from when it takes no more requests; asking costs no page of metrics."""
    request = GET.replace(b"metrics", b"healthz")
    site.ready = False
    assert parse(await site.ask(request))[::2] == (503, b"starting\n")
    site.ready = True
    assert parse(await site.ask(request))[::2] == (200, b"ok\n")
    site.draining = True
    assert parse(await site.ask(request))[::2] == (503, b"draining\n")
    status, _, body = parse(await site.ask(request.replace(b"GET", b"HEAD")), b"HEAD")
    assert (status, body) == (503, b"")
    assert parse(await site.ask(request.replace(b"GET", b"POST")))[0] == 405
    assert site.pages == 0


async def test_the_client_hears_before_it_has_ended_its_side(site: Site, mock_clock: MockClock) -> None:
    stream = site.listener.connect()
    await stream.send_all(GET)
    assert parse(await everything(stream))[0] == 200
    await stream.aclose()


@pytest.mark.parametrize(
    "target",
    ["/", "/metrics/", "/metric", "/METRICS", "//x/metrics/..", "*", "/%6detrics", "http://x", "//metrics", "/healthz/"],
)
async def test_other_paths(target: str, site: Site, mock_clock: MockClock) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        request = f"{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        status, _, body = parse(await site.ask(request))
        assert (status, body, site.pages) == (404, b"there is /metrics and /healthz\n", 0)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "BREW"])
async def test_other_methods(method: str, site: Site, mock_clock: MockClock) -> None:
    request = f"{method} /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc".encode()
    status, headers, _ = parse(await site.ask(request))
    assert (status, headers[b"allow"], site.pages) == (405, b"GET, HEAD", 0)


GARBAGE = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "our own protocol": b"\x05\x00\x00\x00\x91\x92\xa1\x61\x80",
    "no host": b"GET /metrics HTTP/1.1\r\n\r\n",
    "no version": b"GET /metrics\r\n\r\n",
    "bad URL": b"GET http://[/metrics HTTP/1.1\r\nHost: x\r\n\r\n",
    "unfinished": GET[:-2],
    "two lengths": GET[:-2] + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "unknown coding": GET[:-2] + b"Transfer-Encoding: gzip\r\n\r\n",
    "folded nothing": b"GET /metrics HTTP/1.1\r\n Host: x\r\n\r\n",
    "zero byte": GET.replace(b"x", b"\0"),
}


@pytest.mark.parametrize("name", GARBAGE)
async def test_garbage(name: str, site: Site, mock_clock: MockClock) -> None:
    status, _, body = parse(await site.ask(GARBAGE[name]))
    assert 400 <= status < 600
    assert body.endswith(b"\n")
    assert site.pages == 0
    assert parse(await site.ask(GET))[0] == 200


async def test_too_long_a_request(site: Site, mock_clock: MockClock) -> None:
    """It is refused before it ends, and whoever goes on sending is left alone some time."""
    head = GET[:-2] + b"X: " + b"a" * MAX_REQUEST_BYTES
    assert parse(await site.ask(head))[0] == 431
    assert parse(await site.ask(b"GET /" + b"a" * MAX_REQUEST_BYTES))[0] == 431
    stream = site.listener.connect()
    with pytest.raises(trio.BrokenResourceError):
        await stream_on(stream)
    largest = GET[:-2] + b"X: " + b"a" * (MAX_REQUEST_BYTES - len(GET) - 10) + b"\r\n\r\n"
    assert parse(await site.ask(largest))[0] == 200


async def test_silence(site: Site, mock_clock: MockClock) -> None:
    assert await site.ask() == b""
    stream = site.listener.connect()
    await stream.aclose()
    await wait_all_tasks_blocked()
    assert parse(await site.ask(GET))[0] == 200


async def test_a_defect_of_the_page(site: Site, mock_clock: MockClock) -> None:
    site.result = RuntimeError("scripted")
    status, _, body = parse(await site.ask(GET))
    assert (status, body) == (500, b"internal error, see the server's log\n")
    site.result = "no bytes, which breaks what comes after"
    assert await site.ask(GET) == b""
    site.result = PAGE
    assert parse(await site.ask(GET))[0] == 200


NEARLY_HTTP = st.lists(
    st.sampled_from(
        [b"GET", b"HEAD", b"POST", b" ", b"/metrics", b"*", b"HTTP/1.1", b"HTTP/1.0", b"\r\n", b"\n", b"\r", b"Host: x"]
    )
    | st.sampled_from([b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Connection: keep-alive", b"Expect: 100-continue"])
    | st.binary(max_size=20),
    max_size=20,
)


@given(NEARLY_HTTP, st.lists(st.integers(0, 400), max_size=5))
def test_any_bytes_get_one_answer_or_none(words: list[bytes], cuts: list[int]) -> None:
    data = b"".join(words)
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]

    async def test() -> None:
        async with Site().running() as site:
            response = await site.ask(*(data[start:end] for start, end in pairwise(places)))
            if response:
                has_body = not response.endswith(b"\r\n\r\n")
                assert has_body or b"HEAD" in data
                assert parse(response, b"GET" if has_body else b"HEAD")[0] in (200, 400, 404, 405, 431, 501, 505)
            assert parse(await site.ask(GET))[0] == 200

    trio.run(test, clock=MockClock())


# ---- Addresses -------------------------------------------------------------------------------------------------------


class Names(trio.abc.HostnameResolver):
    """Knows what the test says. What is no name is left to Trio."""

    def __init__(self, **known: list[str]) -> None:
        self.known = known

    async def getaddrinfo(self, host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:  # noqa: A002
        found = self.known.get(host.decode())
        if found is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [await self._numeric(address, port, type) for address in found]

    async def _numeric(self, address: str, port: int, kind: int) -> Any:
        await trio.lowlevel.checkpoint()
        return socket.getaddrinfo(address, port, type=kind, flags=socket.AI_NUMERICHOST)[0]

    async def getnameinfo(self, sockaddr: Any, flags: int) -> Any:
        raise NotImplementedError


async def places(text: str, **known: list[str]) -> list[tuple[str, int]]:
    """Where the server listens."""
    trio.socket.set_custom_hostname_resolver(Names(**known))
    listeners = await open_listeners(Address.parse(text))
    found = [listener.socket.getsockname()[:2] for listener in listeners]
    for listener in listeners:
        await listener.aclose()
    return found


HERE = "127.0.0.1"
NOT_HERE = "192.0.2.1"  # of no machine: for documentation only


async def test_names() -> None:
    (host, port), *rest = await places("x:0", x=[HERE, "127.0.0.2"])
    assert (host, rest) == (HERE, [("127.0.0.2", port)])
    assert [host for host, _ in await places("x:0", x=[NOT_HERE, HERE])] == [HERE]
    for literal, shown in ((f"{HERE}:0", HERE), ("[::1]:0", "::1")):
        assert [host for host, _ in await places(literal)] == [shown]


@pytest.mark.parametrize(
    ("text", "known", "message"),
    [
        ("nobody:1", [], "cannot listen at --metrics nobody:1: Name or service not known"),
        ("x:1", [NOT_HERE], "cannot listen at --metrics x:1: Cannot assign requested address"),
        (f"{'a' * 64}.b:1", [], "no host can have that name"),
        ("a..b:1", [], "no host can have that name"),
    ],
)
def test_names_that_are_of_no_use(text: str, known: list[str], message: str) -> None:
    with pytest.raises(StartError, match=message):
        trio.run(lambda: places(text, **({"x": known} if known else {})))


async def test_an_address_in_use_closes_the_others() -> None:
    with socket.create_server(("127.0.0.2", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match="Address already in use"):
            await places(f"x:{port}", x=[HERE, "127.0.0.2"])
        with socket.create_server((HERE, port)):
            pass


def test_localhost_at_a_real_server(tmp_path: Path) -> None:
    with serving(tmp_path, "--metrics", "localhost:0", "--log-level", "info") as server:
        url = url_of(server)
        assert fetch(url)["bbipc_threads", ()] >= 1
        with urllib.request.urlopen(url.replace("metrics", "healthz"), timeout=TIMEOUT) as response:
            assert response.read() == b"ok\n"
        assert "WARNING" not in server.log().replace("bbipc: WARNING: proofs", "")


# ---- Bounds ----------------------------------------------------------------------------------------------------------


async def test_time_is_bounded(site: Site, mock_clock: MockClock) -> None:
    """However a client wastes it: saying nothing, saying little, not reading, or not ending."""
    silent, dripping, ended = (site.listener.connect() for _ in range(3))
    await ended.send_all(GET)
    await wait_all_tasks_blocked()
    for index in range(int(TIME_LIMIT)):
        assert site.listener.waiting == 0
        await dripping.send_all(GET[index : index + 1])
        await pass_time(0.999)
    for stream in (silent, dripping):
        with trio.move_on_after(0) as scope:
            await stream.receive_some(1)
        assert scope.cancelled_caught, "closed before its time"
    await pass_time(0.02)
    assert await everything(silent) == await everything(dripping) == b""
    assert parse(await everything(ended))[0] == 200
    for stream in (silent, dripping, ended):
        with pytest.raises(trio.BrokenResourceError):
            await stream.send_all(b"x")


async def test_clients_that_do_not_read(site: Site, mock_clock: MockClock) -> None:
    """They are given up after the same time, whatever is left to be sent."""
    streams = [site.listener.connect(trio.testing.lockstep_stream_pair) for _ in range(MAX_CONNECTIONS)]
    for stream in streams:
        await stream.send_all(GET)
    await wait_all_tasks_blocked()
    assert site.pages == MAX_CONNECTIONS
    scraper = site.listener.connect()
    await scraper.send_all(GET)
    await wait_all_tasks_blocked()
    assert site.listener.waiting == 0
    assert parse(await everything(scraper))[2] == PAGE


async def test_half_sent_requests_delay_nobody(site: Site, mock_clock: MockClock) -> None:
    """The connection that is there longest makes way: the clock stands still here."""
    hostile = [site.listener.connect() for _ in range(3 * MAX_CONNECTIONS)]
    for stream in hostile[-MAX_CONNECTIONS:]:
        await stream.send_all(GET[:5])
    scraper = site.listener.connect()
    await scraper.send_all(GET)
    await wait_all_tasks_blocked()
    assert site.listener.waiting == 0
    assert parse(await everything(scraper))[2] == PAGE
    for stream in hostile[: 2 * MAX_CONNECTIONS]:
        assert await everything(stream) == b""
    for stream in hostile[-MAX_CONNECTIONS + 1 :]:
        with trio.move_on_after(0) as scope:
            await stream.receive_some(1)
        assert scope.cancelled_caught


def test_a_crowd_at_a_real_server(tmp_path: Path) -> None:
    """Scrapers that say nothing, nonsense, or go away in the middle: the server serves, and nothing of them stays."""
    with serving(tmp_path, "--metrics", "127.0.0.1:0", "--log-level", "info") as server:
        url = url_of(server)
        address = ("127.0.0.1", int(url.split(":")[2].split("/")[0]))
        peer = server.connect()
        peer.is_served()
        before = server.descriptors()
        with ExitStack() as stack:
            for number in range(3 * MAX_CONNECTIONS):
                connection = stack.enter_context(socket.create_connection(address))
                connection.sendall([b"", b"GET /met", bytes(100), GET][number % 4])
            peer.is_served()
            while server.descriptors() > before + MAX_CONNECTIONS:  # those that made way are being closed
                assert server.process.poll() is None
        for _ in range(3):
            with socket.create_connection(address) as connection:
                connection.sendall(GET)
        assert fetch(url)["bbipc_requests_total", (("command", "Blake2s"), ("outcome", "answered"))] == 2
        peer.is_served()
        while server.descriptors() > before:  # the last one is closed a moment after it was answered
            assert server.process.poll() is None
        assert "Traceback" not in server.log()

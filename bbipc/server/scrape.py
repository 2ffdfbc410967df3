"""A small HTTP server for Prometheus: ``GET /metrics``, and nothing else.

Every connection serves one request and has a bounded time, a request has a bounded size, and only so many connections are
served at a time: the one that is there longest makes way for the next, because a scraper asks at once. So whoever is at the
other end takes little and holds up no client of the server itself. h11 speaks HTTP, Trio does the rest.
"""

from __future__ import annotations

import logging
import socket
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import h11
import trio

from bbipc.server.errors import StartError

if TYPE_CHECKING:
    from bbipc.server.config import Address

PATH: Final = "/metrics"
MAX_REQUEST_BYTES: Final = 16 * 1024
"""A request line and its headers."""
MAX_CONNECTIONS: Final = 16
"""Connections that are served at a time; a few scrapers and a person with curl."""
TIME_LIMIT: Final = 10.0
"""Seconds of one connection, from being accepted to being closed: Prometheus itself gives up after 10 by default."""

PAUSE: Final = 0.1
"""Seconds until the next attempt to accept if descriptors are short."""
_CHUNK: Final = 4096
_LAST_CHUNKS: Final = 16
"""Chunks that are read, and dropped, behind a request."""
_BACKLOG: Final = 32
_PLAIN: Final = "text/plain; charset=utf-8"

log = logging.getLogger("bbipc.metrics")
Page = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    content_type: str = _PLAIN
    allow: str | None = None


def open_listener(address: Address) -> trio.SocketListener:
    """Listen at `address`; raises StartError."""
    try:
        listener = socket.socket(socket.AF_INET6 if address.is_ipv6 else socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address.host, address.port))
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise StartError(f"cannot listen at --metrics {address}: {error.strerror}") from None
    return trio.SocketListener(trio.socket.from_stdlib_socket(listener))


async def serve(listener: trio.abc.Listener[trio.abc.HalfCloseableStream], page: Page, content_type: str) -> None:
    """Answer requests with what `page` returns, for ever. The listener is closed at the end."""

    async def serve_one(stream: trio.abc.HalfCloseableStream, scope: trio.CancelScope) -> None:
        try:
            with scope:
                await _converse(stream, page, content_type)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            log.debug("a scraper went away: %s", error.__cause__ or error)
        except Exception:
            log.exception("a scraper could not be served")  # whatever it did: the server goes on
        finally:
            served.pop(scope, None)
            await trio.aclose_forcefully(stream)

    served: OrderedDict[trio.CancelScope, None] = OrderedDict()
    async with listener, trio.open_nursery() as nursery:
        while True:
            try:
                stream = await listener.accept()
            except OSError as error:
                log.info("a scraper cannot be served: %s", error)
                await trio.sleep(PAUSE)
                continue
            if len(served) >= MAX_CONNECTIONS:
                longest, _ = served.popitem(last=False)
                longest.cancel()
            scope = trio.CancelScope(deadline=trio.current_time() + TIME_LIMIT)
            served[scope] = None
            nursery.start_soon(serve_one, stream, scope)


async def _converse(stream: trio.abc.HalfCloseableStream, page: Page, content_type: str) -> None:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_REQUEST_BYTES)
    with_body = True
    try:
        request = await _receive_request(stream, connection)
        if request is None:
            return
        with_body = request.method != b"HEAD"
        answer = _answer(request, page, content_type)
    except h11.RemoteProtocolError as error:
        answer = _Answer(error.error_status_hint, f"{error}\n".encode())
    await stream.send_all(_encode(connection, answer, with_body))
    # Closing while the other side still sends would destroy the answer on its way: let it finish, and drop what it says.
    await stream.send_eof()
    for _ in range(_LAST_CHUNKS):
        if not await stream.receive_some(_CHUNK):
            break


async def _receive_request(stream: trio.abc.ReceiveStream, connection: h11.Connection) -> h11.Request | None:
    """The head of a request; None if the other side closed without one. Raises h11.RemoteProtocolError."""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            return event
        if isinstance(event, h11.ConnectionClosed):
            return None
        connection.receive_data(bytes(await stream.receive_some(_CHUNK)))


def _answer(request: h11.Request, page: Page, content_type: str) -> _Answer:
    try:
        path = urlsplit(request.target).path
    except ValueError:
        return _Answer(400, b"the target of the request is no URL\n")
    if path != PATH.encode():
        return _Answer(404, f"the metrics are at {PATH}\n".encode())
    if request.method not in (b"GET", b"HEAD"):
        return _Answer(405, b"GET or HEAD only\n", allow="GET, HEAD")
    try:
        return _Answer(200, page(), content_type)
    except Exception:
        log.exception("the metrics could not be made")
        return _Answer(500, b"internal error, see the server's log\n")


def _encode(connection: h11.Connection, answer: _Answer, with_body: bool) -> bytes:
    headers = [
        ("Date", formatdate(usegmt=True)),
        ("Content-Type", answer.content_type),
        ("Content-Length", str(len(answer.body))),
        ("Connection", "close"),
        *([("Allow", answer.allow)] if answer.allow is not None else ()),
    ]
    reason = HTTPStatus(answer.status).phrase
    events: list[h11.Event] = [h11.Response(status_code=answer.status, headers=headers, reason=reason)]
    if with_body:
        events.append(h11.Data(answer.body))
    events.append(h11.EndOfMessage())
    return b"".join(connection.send(event) or b"" for event in events)

"""A small HTTP server for Prometheus and supervisors: ``GET`` of a few pages, such as ``/metrics``, and nothing else.

Every connection serves one request and has a bounded time, a request has a bounded size, and only so many connections are
served at a time: the one that is there longest makes way for the next, because a scraper asks at once. So whoever is at the
other end takes little and holds up no client of the server itself. h11 speaks HTTP, Trio does the rest.
"""

from __future__ import annotations

import errno
import logging
import socket
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
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

METRICS: Final = "/metrics"
HEALTH: Final = "/healthz"
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
_NOT_HERE: Final = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
_PLAIN: Final = "text/plain; charset=utf-8"

log = logging.getLogger("bbipc.metrics")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page is when it is asked for: the status of HTTP, and the body."""

    status: int
    body: bytes
    content_type: str = _PLAIN
    allow: str | None = None


Pages = Mapping[str, Callable[[], Answer]]
"""Path -> a function that makes the page, in the Trio thread."""


def health(is_ready: Callable[[], bool], is_draining: Callable[[], bool]) -> Callable[[], Answer]:
    """The page that says whether new requests are welcome."""

    def page() -> Answer:
        if is_draining():
            return Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"draining\n")
        return Answer(HTTPStatus.OK, b"ok\n") if is_ready() else Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"starting\n")

    return page


async def open_listeners(address: Address) -> list[trio.SocketListener]:
    """Listen at all that `address` stands for: a name may have addresses of both IPv4 and IPv6. Raises StartError.

    With port 0 they share the port that the first one got. Kinds of addresses that this machine does not have are left out.
    """
    listeners: list[trio.SocketListener] = []
    port, skipped = address.port, None
    try:
        for family, *_, place in await trio.socket.getaddrinfo(
            address.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            try:
                listener = _listen(family, (place[0], port, *place[2:]))
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise
                skipped = error
                continue
            listeners.append(trio.SocketListener(trio.socket.from_stdlib_socket(listener)))
            port = listener.getsockname()[1]
        if skipped is not None and not listeners:
            raise skipped
    except (OSError, UnicodeError) as error:
        for opened in listeners:
            opened.socket.close()
        reason = error.strerror if isinstance(error, OSError) else "no host can have that name"
        raise StartError(f"cannot listen at --metrics {address}: {reason}") from None
    return listeners


def _listen(family: int, place: tuple[str | int, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


Listener = trio.abc.Listener[trio.abc.HalfCloseableStream]


async def serve(listeners: Sequence[Listener], pages: Pages) -> None:
    """Answer requests for `pages`, for ever. The listeners are closed at the end."""

    async def serve_one(stream: trio.abc.HalfCloseableStream, scope: trio.CancelScope) -> None:
        try:
            with scope:
                await _converse(stream, pages)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            log.debug("a scraper went away: %s", error.__cause__ or error)
        except Exception:
            log.exception("a scraper could not be served")  # whatever it did: the server goes on
        finally:
            served.pop(scope, None)
            await trio.aclose_forcefully(stream)

    async def accept(listener: Listener) -> None:
        async with listener:
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

    served: OrderedDict[trio.CancelScope, None] = OrderedDict()
    async with trio.open_nursery() as nursery:
        for each in listeners:
            nursery.start_soon(accept, each)


async def _converse(stream: trio.abc.HalfCloseableStream, pages: Pages) -> None:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_REQUEST_BYTES)
    with_body = True
    try:
        request = await _receive_request(stream, connection)
        if request is None:
            return
        with_body = request.method != b"HEAD"
        answer = _answer(request, pages)
    except h11.RemoteProtocolError as error:
        answer = Answer(error.error_status_hint, f"{error}\n".encode())
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


def _answer(request: h11.Request, pages: Pages) -> Answer:
    try:
        path = urlsplit(request.target).path.decode("ascii")
    except ValueError:
        return Answer(400, b"the target of the request is not a URL\n")
    page = pages.get(path)
    if page is None:
        return Answer(404, f"there is {' and '.join(pages)}\n".encode())
    if request.method not in (b"GET", b"HEAD"):
        return Answer(405, b"GET or HEAD only\n", allow="GET, HEAD")
    try:
        return page()
    except Exception:
        log.exception("%s could not be made", path)
        return Answer(500, b"internal error, see the server's log\n")


def _encode(connection: h11.Connection, answer: Answer, with_body: bool) -> bytes:
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

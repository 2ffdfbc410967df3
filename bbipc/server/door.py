"""Connections come in, as long as there is room for them.

A client that is too much is told so and leaves; those that are there notice nothing. One descriptor is kept in reserve for
saying it when there are no others.
"""

from __future__ import annotations

import errno
import logging
import os
import resource
import socket
from collections.abc import Callable
from typing import Final, Protocol

import trio

from bbipc.wire.dialect import Tag, encode_response, error_response

MAX_CONNECTIONS: Final = 4096
"""Connections at a time; each takes some 30 KiB beside what its requests are charged with."""
KEPT_DESCRIPTORS: Final = 64
"""Descriptors for everything that is not a client: imports, FIFOs, a child, metrics."""
CONNECTIONS_WHILE_LOADING: Final = 16
"""Connections until everything is loaded that a request may need: so that there are descriptors to load it with."""
PAUSE: Final = 0.05
"""Seconds until the next attempt if not even the reserve helps."""

_SHORTAGES: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

log = logging.getLogger("bbipc.server")


class Accepts(Protocol):
    """Where connections come from."""

    async def accept(self) -> socket.socket:
        """The next one; raises OSError if it cannot be had now."""


def max_connections() -> int:
    """How many connections there may be, once the limit of descriptors has been raised as far as we may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + KEPT_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(min(MAX_CONNECTIONS, soft - KEPT_DESCRIPTORS), 1)


class Door:
    """Accepts connections.

    Args:
        listener: where they come from.
        limit: how many there may be at a time.
        envelope: whether clients speak the envelope dialect.
        crowded: is set when that many are there.
        loaded: set when more than :data:`CONNECTIONS_WHILE_LOADING` may come.
    """

    def __init__(self, listener: Accepts, limit: int, *, envelope: bool, crowded: trio.Event, loaded: trio.Event) -> None:
        self._listener, self._limit, self._loaded = listener, limit, loaded
        self._tag = Tag(0, envelope=True) if envelope else None
        self._reserve: int | None = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self.crowded = crowded
        self.open = 0
        self.refused = 0

    def close(self) -> None:
        """Give the reserve back."""
        if self._reserve is not None:
            os.close(self._reserve)
            self._reserve = None

    async def admit(self, serve: Callable[[socket.socket], None]) -> None:
        """Call `serve` with every connection that there is room for, for ever. `one_less()` is to be called at its end."""
        while True:
            if self.open >= CONNECTIONS_WHILE_LOADING:
                self.crowded.set()
                # A turn for the others, too: connections that come faster than they are served would soon take all places.
                await self._loaded.wait()
            try:
                connection = await self._listener.accept()
            except OSError as error:
                if error.errno not in _SHORTAGES:
                    raise
                await self._refuse_without_room(error)
                continue
            if self.open >= self._limit:
                self._refuse(connection, f"too many connections: {self.open} are open; try again later")
                await trio.lowlevel.checkpoint()
                continue
            self.open += 1
            serve(connection)

    def one_less(self) -> None:
        """A connection has ended."""
        self.open -= 1

    async def _refuse_without_room(self, error: OSError) -> None:
        """Take the connection with the descriptor in reserve, and refuse it."""
        self.close()
        try:
            with trio.move_on_after(0):
                self._refuse(await self._listener.accept(), f"too many connections: {error.strerror}; try again later")
        except OSError:
            await trio.sleep(PAUSE)
        try:
            self._reserve = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            await trio.sleep(PAUSE)

    def _refuse(self, connection: socket.socket, reason: str) -> None:
        self.refused += 1
        log.info("a client was refused: %s", reason)
        with connection:
            try:
                connection.send(encode_response(error_response(reason), self._tag))
            except OSError as error:
                log.debug("it went away: %s", error)

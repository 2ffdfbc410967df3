"""Blocking input and output that moves bytes both ways at once, so that two sides never wait for each other to read."""

import os
import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bbipc.client.errors import ServerGone

__all__ = ["Link", "Pump"]

_CHUNK: Final = 65536
_ENDED: Final = select.POLLHUP | select.POLLERR


@dataclass(frozen=True, slots=True)
class Link:
    """Descriptors of a connection, in non-blocking mode; both may be the same one. `why_ended` says, when the server has ended
    it, what is known about the reason."""

    reading: int
    writing: int
    name: str
    why_ended: Callable[[], str]


class Pump:
    """Sends what `put` was given and receives, both during `turn`."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._unsent = bytearray()
        self._broken = False

    def put(self, frame: bytes) -> None:
        """Send `frame` during the next turns.

        Raises:
            ServerGone: the server has closed its end for requests. What it answered before can still be received.
        """
        if self._broken:
            raise ServerGone("the server does not read requests any more")
        self._unsent += frame

    def turn(self, deadline: float | None) -> bytes:
        """Send until something was received, and return that: no bytes at the end of the connection.

        Args:
            deadline: by `time.monotonic`; None: wait as long as it takes.

        Raises:
            TimeoutError: the deadline has passed.
        """
        while True:
            readable, writable = self._poll(deadline)
            if writable:
                self._send()
            if readable:
                return self._receive()

    def _poll(self, deadline: float | None) -> tuple[bool, bool]:
        """Which of reading and writing can go on."""
        poll = select.poll()
        interests = {self._link.reading: select.POLLIN}
        if self._unsent:
            interests[self._link.writing] = interests.get(self._link.writing, 0) | select.POLLOUT
        for descriptor, events in interests.items():
            poll.register(descriptor, events)
        patience = None if deadline is None else 1000 * max(0.0, deadline - time.monotonic())
        ready = dict(poll.poll(patience))
        if not ready:
            raise TimeoutError(f"{self._link.name} did not answer in time")
        reading, writing = ready.get(self._link.reading, 0), ready.get(self._link.writing, 0)
        return bool(reading & (select.POLLIN | _ENDED)), bool(self._unsent and writing & (select.POLLOUT | _ENDED))

    def _send(self) -> None:
        try:
            del self._unsent[: os.write(self._link.writing, self._unsent[:_CHUNK])]
        except BlockingIOError:
            return
        except OSError:
            self._broken = True
            self._unsent.clear()

    def _receive(self) -> bytes:
        try:
            return os.read(self._link.reading, _CHUNK)
        except OSError:
            return b""

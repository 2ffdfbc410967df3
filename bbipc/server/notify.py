"""What systemd is told, by the protocol of sd_notify(3): the server is ready, it is alive, it is ending.

A message is one datagram to the socket that the variable NOTIFY_SOCKET names. It is sent from the event loop, so that a loop
that hangs misses its watchdog.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Final, NamedTuple

import trio

READY: Final = b"READY=1"
STOPPING: Final = b"STOPPING=1"
ALIVE: Final = b"WATCHDOG=1"
SIGNS_PER_LIMIT: Final = 2
"""Signs of life in the time after which systemd takes the process for dead, as sd_watchdog_enabled(3) advises."""
PAUSE: Final = 0.1
"""Seconds until the next attempt if there is no room for a message."""

log = logging.getLogger("bbipc.server")


class Supervisor(NamedTuple):
    """Who is told.

    Attributes:
        address: of a datagram socket: a path, or an abstract name, which begins with a zero byte.
        watchdog: seconds without a sign of life after which this process counts as dead; None: for ever.
    """

    address: bytes
    watchdog: float | None = None


def take_supervisor(environment: MutableMapping[str, str]) -> Supervisor | None:
    """The supervisor that the variables NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID name; None if there is none.

    They are removed: a child is not to speak for this process.
    """
    name = environment.pop("NOTIFY_SOCKET", "")
    limit = environment.pop("WATCHDOG_USEC", "")
    watched = environment.pop("WATCHDOG_PID", "")
    if not name:
        return None
    if name[0] not in "/@" or len(name) < 2:
        log.warning("NOTIFY_SOCKET=%s is neither a path nor an abstract name: nobody is told that the server is ready", name)
        return None
    address = os.fsencode(name)
    if name[0] == "@":
        address = b"\0" + address[1:]
    return Supervisor(address, _watchdog(limit) if watched in ("", str(os.getpid())) else None)


def _watchdog(limit: str) -> float | None:
    if not limit:
        return None
    if not (limit.isascii() and limit.isdecimal() and len(limit) <= 20 and int(limit) > 0):
        log.warning("WATCHDOG_USEC=%s is not a number of microseconds: no signs of life are sent", limit)
        return None
    return int(limit) / 1e6


async def inform(supervisor: Supervisor, ready: trio.Event, draining: trio.Event) -> None:
    """Tell the supervisor that the server is ready, alive (until it ends), and that it is ending.

    What cannot be told is logged, and the server goes on.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as channel:
        has_told_end = False
        try:
            async with trio.open_nursery() as nursery:
                if supervisor.watchdog is not None:
                    nursery.start_soon(_give_signs, channel, supervisor, supervisor.watchdog / SIGNS_PER_LIMIT)
                await ready.wait()
                await _tell(channel, supervisor, READY)
                await draining.wait()
                has_told_end = True
                await _tell(channel, supervisor, STOPPING)
        finally:
            if ready.is_set() and not has_told_end:  # the end came at once
                with suppress(OSError):
                    channel.sendto(STOPPING, supervisor.address)


async def _give_signs(channel: socket.socket, supervisor: Supervisor, interval: float) -> None:
    while True:
        await _tell(channel, supervisor, ALIVE)
        await trio.sleep(interval)


async def _tell(channel: socket.socket, supervisor: Supervisor, message: bytes) -> None:
    """Send one message; again and again while the supervisor's queue is full: this kind of socket always counts as writable."""
    while True:
        try:
            channel.sendto(message, supervisor.address)
        except BlockingIOError:
            await trio.sleep(PAUSE)
            continue
        except OSError as error:
            log.warning("systemd cannot be told %s: %s", message.decode(), error.strerror)
        return

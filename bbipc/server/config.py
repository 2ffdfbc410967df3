"""The options of a server."""

from __future__ import annotations

import os
import re
import socket
from contextlib import suppress
from typing import Final, NamedTuple

DEFAULT_GRACE_PERIOD: Final = 5.0
DEFAULT_SOCKET_MODE: Final = 0o600
"""Permissions of a Unix socket: who may connect is who may write."""
MIB: Final = 1024 * 1024
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
LOG_FORMATS: Final = ("text", "json")
FORWARDED_FRAME: Final = 256 * MIB
"""The longest frame by default if there is a child to which it may be forwarded: circuits come with their witnesses."""
MIN_BACKLOG: Final = 4096
"""Connections that may wait to be accepted, whatever --max-clients says: a burst of clients must not be refused."""


class Limits(NamedTuple):
    """Bounds in bytes; a request counts from its arrival until its response has been taken by the system, a response
    until then.

    Attributes:
        frame: the longest frame that is accepted.
        connection: what complete requests and responses of one connection may hold. Above it the connection is not read.
        total: what all connections may hold, unfinished frames included, beyond what is always granted to each.
    """

    frame: int = 64 * MIB
    connection: int = 64 * MIB
    total: int = 512 * MIB


_NAME: Final = r"(?=.*[a-z])[a-z0-9]([a-z0-9._-]*[a-z0-9])?\.?"
"""A name of a host: letters, digits, hyphens and dots. One without a letter would be a malformed IP address."""
_MAX_NAME: Final = 253
"""Characters in the name of a host, as in the domain name system."""


class Address(NamedTuple):
    """An IP address, or the name of a host, and a TCP port; 0 for any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this machine can reach it; of a name that is not known before it is looked up."""
        return self.host == "::1" or (_is_ipv4(self.host) and self.host.startswith("127."))

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address written "localhost:9464", "127.0.0.1:9464" or "[::1]:9464". Names are not looked up.

        Raises:
            ValueError: it is none.
        """
        host, colon, port = text.rpartition(":")
        if not colon or not (port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= 65535):
            host = ""
        if host.startswith("[") and host.endswith("]"):
            with suppress(OSError, ValueError):
                return cls(socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, host[1:-1])), int(port))
        elif _is_ipv4(host) or (len(host) <= _MAX_NAME and re.fullmatch(_NAME, host, re.IGNORECASE | re.ASCII)):
            return cls(host, int(port))
        raise ValueError(f"{text!r}, expected a host and a port, as localhost:9464, 127.0.0.1:9464 or [::1]:9464")


def _is_ipv4(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET, host)
    except (OSError, ValueError):
        return False
    return True


class Config(NamedTuple):
    """How to serve.

    Attributes:
        input: None or "-": standard input and output; "X.sock": a Unix socket; "X.shm": shared memory; another path: a file of
            frames whose responses go to standard output.
        max_clients: clients expected at a socket. As with bb, further ones are served too; it is the least length of the
            queue of connections not yet accepted.
        threads: worker threads; at least 1.
        limits: bounds on memory.
        grace_period: seconds that requests in flight have after SIGTERM, SIGINT or Shutdown.
        bb: the program to which commands are forwarded that bbipc does not serve; None: they are refused.
        envelope: whether all requests come in the envelope dialect; None: the first frame of a connection tells.
        request_ring_size: least bytes of the ring of requests in shared memory.
        response_ring_size: the same for responses.
        metrics: where Prometheus may fetch the metrics, and a supervisor the state; None: nowhere.
        socket_mode: permissions of the Unix socket; None: those of its owner alone.
        closed_descriptors: those of 0, 1 and 2 that were closed when the process started.
    """

    input: str | None = None
    max_clients: int = 1
    threads: int = 1
    limits: Limits = Limits()
    grace_period: float = DEFAULT_GRACE_PERIOD
    envelope: bool | None = None
    request_ring_size: int = 1 << 20
    response_ring_size: int = 1 << 20
    bb: str | None = None
    metrics: Address | None = None
    socket_mode: int | None = None
    closed_descriptors: frozenset[int] = frozenset()

    @property
    def backlog(self) -> int:
        """Length of the queue of connections not yet accepted."""
        return max(self.max_clients, MIN_BACKLOG)


def available_threads() -> int:
    """The processors that this process may use, bounded by HARDWARE_CONCURRENCY as bb's are."""
    processors = len(os.sched_getaffinity(0))
    wanted = os.environ.get("HARDWARE_CONCURRENCY", "")
    return min(processors, int(wanted)) if wanted.isdecimal() and int(wanted) > 0 else processors

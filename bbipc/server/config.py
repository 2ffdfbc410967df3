"""The options of a server."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field

from bbipc.server.budget import Limits

DEFAULT_GRACE_PERIOD = 5.0


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address and a TCP port, 0 for any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if self.is_ipv6 else f"{self.host}:{self.port}"

    @property
    def is_ipv6(self) -> bool:
        """Whether it is one of IPv6."""
        return ":" in self.host

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this machine can reach it."""
        return self.host == "::1" or (not self.is_ipv6 and self.host.startswith("127."))

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address written "127.0.0.1:9464" or "[::1]:9464"; names are not looked up. Raises ValueError."""
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        try:
            family = socket.AF_INET6 if bracketed else socket.AF_INET
            packed = socket.inet_pton(family, host[1:-1] if bracketed else host)
        except (OSError, ValueError):
            packed = b""
        if not packed or not colon or not (port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= 65535):
            raise ValueError(f"{text!r}, expected an IP address and a port, as 127.0.0.1:9464 or [::1]:9464")
        return cls(socket.inet_ntop(family, packed), int(port))


@dataclass(frozen=True, slots=True)
class Config:
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
        metrics: where Prometheus may fetch the metrics; None: nowhere.
        closed_descriptors: those of 0, 1 and 2 that were closed when the process started.
    """

    input: str | None = None
    max_clients: int = 1
    threads: int = 1
    limits: Limits = field(default_factory=Limits)
    grace_period: float = DEFAULT_GRACE_PERIOD
    envelope: bool | None = None
    request_ring_size: int = 1 << 20
    response_ring_size: int = 1 << 20
    bb: str | None = None
    metrics: Address | None = None
    closed_descriptors: frozenset[int] = frozenset()


def available_threads() -> int:
    """The processors that this process may use, bounded by HARDWARE_CONCURRENCY as bb's are."""
    processors = len(os.sched_getaffinity(0))
    wanted = os.environ.get("HARDWARE_CONCURRENCY", "")
    return min(processors, int(wanted)) if wanted.isdecimal() and int(wanted) > 0 else processors

"""The options of a server."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from bbipc.server.budget import Limits

DEFAULT_GRACE_PERIOD = 5.0


@dataclass(frozen=True, slots=True)
class Config:
    """How to serve.

    Attributes:
        input: None or "-": standard input and output; "X.sock": a Unix socket; another path: a file of frames whose
            responses go to standard output.
        max_clients: clients expected at a socket. As with bb, further ones are served too; it is the least length of the
            queue of connections not yet accepted.
        threads: worker threads; at least 1.
        limits: bounds on memory.
        grace_period: seconds that requests in flight have after SIGTERM, SIGINT or Shutdown.
        bb: the program to which commands are forwarded that bbipc does not serve; None: they are refused.
        envelope: whether all requests come in the envelope dialect.
    """

    input: str | None = None
    max_clients: int = 1
    threads: int = 1
    limits: Limits = field(default_factory=Limits)
    grace_period: float = DEFAULT_GRACE_PERIOD
    envelope: bool = False
    bb: str | None = None


def available_threads() -> int:
    """The processors that this process may use, bounded by HARDWARE_CONCURRENCY as bb's are."""
    processors = len(os.sched_getaffinity(0))
    wanted = os.environ.get("HARDWARE_CONCURRENCY", "")
    return min(processors, int(wanted)) if wanted.isdecimal() and int(wanted) > 0 else processors

"""The end of the process that started this one.

A server on a pipe belongs to whoever holds the other end. The pipe's end of file tells of its death, unless another
process has inherited the pipe; therefore Linux is asked for a signal too.
"""

from __future__ import annotations

import os
import signal
import stat
from typing import Final

PR_SET_PDEATHSIG: Final = 1
PARENT_DIED: Final[int] = signal.SIGRTMIN + 5
"""A signal of its own. Linux sends it when the *thread* that started us ends, which is not yet the end of the parent:
see :class:`ParentWatch`."""


class ParentWatch:
    """Knows whether the parent is still the one of the beginning."""

    def __init__(self) -> None:
        self._parent = os.getppid()

    def parent_died(self) -> bool:
        """Whether this process has been given to another parent."""
        return os.getppid() != self._parent

    def ask_for_signal(self) -> None:
        """Let the kernel send :data:`PARENT_DIED` (whose handler must be in place) when the parent ends."""
        import ctypes  # noqa: PLC0415 - costs milliseconds; the first request does not wait for it

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, PARENT_DIED, 0, 0, 0)


def started_on_a_pipe() -> bool:
    """Whether standard input is a pipe, or a socket pair as Node.js makes."""
    mode = os.fstat(0).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)

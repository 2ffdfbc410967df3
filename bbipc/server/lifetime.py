"""The end of the process that started this one.

A server on a pipe belongs to whoever holds the other end. The pipe's end of file tells of its death, unless another
process has inherited the pipe; therefore Linux is asked for a signal too. A server at a socket belongs to its parent only if
that connects to it, as bb.js does: one that a script or an init system has started is to outlive the script.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import struct
from typing import Final

from bbipc.server import early

PR_SET_PDEATHSIG: Final = 1
PARENT_DIED: Final[int] = signal.SIGRTMIN + 5
"""A signal of its own. Linux sends it when the *thread* that started us ends, which is not yet the end of the parent:
see :class:`ParentWatch`."""
_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred: process, user, group


class ParentWatch:
    """Knows whether the parent is still the one of the beginning."""

    def __init__(self) -> None:
        self._parent = early.PARENT
        self._asked = False

    def parent_died(self) -> bool:
        """Whether this process has been given to another parent."""
        return os.getppid() != self._parent

    def ask_for_signal(self) -> None:
        """Let the kernel send :data:`PARENT_DIED` (whose handler must be in place) when the parent ends."""
        if self._asked:
            return
        self._asked = True
        import ctypes  # noqa: PLC0415 - costs milliseconds; the first request does not wait for it

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, PARENT_DIED, 0, 0, 0)
        if self.parent_died():  # before it was asked for
            os.kill(os.getpid(), PARENT_DIED)

    def is_at_other_end(self, connection: socket.socket) -> bool:
        """Whether the parent made this connection to a Unix socket. Init is nobody's client, and 0 is any process that cannot
        be seen from here."""
        pid = peer_of(connection)
        return pid == self._parent and pid > 1


def peer_of(connection: socket.socket) -> int:
    """The process that made this connection to a Unix socket; 0 if it cannot be seen from here."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid: int = _CREDENTIALS.unpack(credentials)[0]
    return pid


_CLIENT: Final = re.compile(r"bb-(?:a?sync-)?(\d{1,9})-\d+-\d+\.(?:sock|shm)")


def client_of(path: str | None) -> int | None:
    """The process of the client, if bb.js has chosen the path: it puts its own number into it, as in bb-PID-THREAD-N.sock.

    Such a server is that client's alone, and ends with it as bb does, whoever stands between them.
    """
    match = _CLIENT.fullmatch(os.path.basename(path)) if path is not None else None  # noqa: PTH119 - runs at every start
    return int(match[1]) if match else None


def started_on_a_pipe() -> bool:
    """Whether standard input is a pipe, or a socket pair as Node.js makes."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False  # it is closed
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)

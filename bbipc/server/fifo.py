"""Frames for a named FIFO that another process reads, or does not read.

Opening a FIFO for writing waits for a reader, and writing to a full one waits too. Nothing here waits in that way: it is
opened with O_NONBLOCK, which fails (ENXIO) as long as there is no reader, so it is tried again and again. A frame is written
as a whole or not at all, as POSIX guarantees up to PIPE_BUF bytes; so when a reader goes away, the next one begins with a
whole frame.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
from collections import deque
from collections.abc import Callable
from math import inf
from typing import Final

import trio

from bbipc.server.errors import CommandError

RETRY: Final = 0.02
"""Seconds between two attempts to open a FIFO that nobody reads."""
PATIENCE: Final = 1.0
"""Seconds without any progress after which the last frames are given up."""
IN_A_ROW: Final = 64
"""Frames that are written, or given up, before other tasks get a turn: a reader may be as fast as we are."""
MAX_FRAME: Final = 4096
"""PIPE_BUF of Linux."""

log = logging.getLogger("bbipc.fifo")


def check_fifo(path: str) -> None:
    """Raises CommandError if there is no FIFO at `path` that we may write to."""
    try:
        is_fifo = stat.S_ISFIFO(os.stat(path).st_mode)  # noqa: PTH116 - the path is a string of the client's
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CommandError(f"fifo_path {path!r}: {reason}; create it first, as mkfifo does") from None
    if not is_fifo:
        raise CommandError(f"fifo_path {path!r} is not a FIFO; create one, as mkfifo does")
    if not os.access(path, os.W_OK):
        raise CommandError(f"fifo_path {path!r}: the server may not write to it")


class FifoWriter:
    """Writes frames of at most :data:`MAX_FRAME` bytes to the FIFO at `path`.

    Args:
        path: of the FIFO.
        on_gone: called with every frame that was written or, at the end, given up.
    """

    def __init__(self, path: str, on_gone: Callable[[bytes], None]) -> None:
        self.path = path
        self._on_gone = on_gone
        self._frames: deque[bytes] = deque()
        self._descriptor: int | None = None
        self._finishing = False
        self._gone = 0
        self._complained = False
        self._scope = trio.CancelScope()
        self._something_to_do = trio.Event()

    def put(self, frame: bytes) -> None:
        """Write `frame` behind the others."""
        self._frames.append(frame)
        self._something_to_do.set()

    def finish(self) -> None:
        """No more frames come: end when all are written, or when nothing moves for :data:`PATIENCE` seconds."""
        self._finishing = True
        self._something_to_do.set()
        self._moved()

    async def deliver(self) -> int:
        """Open the FIFO, write what comes until finish() was called, and close it. How many frames were given up.

        Without any frames, too, the FIFO is opened, so that a reader who waits for that sees its end.
        """
        try:
            with self._scope:
                while not await self._write_until_reader_leaves(await self._open()):
                    log.info("the reader of %s went away", self.path)
        finally:
            self._close()
        lost = len(self._frames)
        while self._frames:
            await self._one_is_gone()
        return lost

    async def _one_is_gone(self) -> None:
        """The first frame is not needed any more."""
        self._on_gone(self._frames.popleft())
        self._gone += 1
        if self._gone % IN_A_ROW == 0:
            await trio.lowlevel.checkpoint()

    def _moved(self) -> None:
        self._scope.deadline = trio.current_time() + PATIENCE if self._finishing else inf

    async def _open(self) -> int:
        while True:
            self._descriptor = self._try_to_open()
            if self._descriptor is not None:
                self._moved()
                return self._descriptor
            await trio.sleep(RETRY)

    def _try_to_open(self) -> int | None:
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno != errno.ENXIO:
                self._complain(str(error))
            return None
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            self._complain("is not a FIFO any more")
            return None
        return descriptor

    def _complain(self, reason: str) -> None:
        if not self._complained:
            log.error("cannot write results to %s: %s", self.path, reason)
            self._complained = True

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    async def _write_until_reader_leaves(self, descriptor: int) -> bool:
        """True if everything is done; False if there is no reader any more."""
        while True:
            while self._frames:
                try:
                    os.write(descriptor, self._frames[0])
                except BlockingIOError:
                    await trio.lowlevel.wait_writable(descriptor)
                except BrokenPipeError:
                    self._close()
                    return False
                else:
                    self._moved()
                    await self._one_is_gone()
            if self._finishing:
                return True
            self._something_to_do = trio.Event()
            await self._something_to_do.wait()

"""Logs on standard error: text for people, or one JSON object per line.

Nobody who does not read our standard error makes the server wait, and no client fills it: what cannot be written at once is
dropped, what is said too often is left out, and both are counted.
"""

from __future__ import annotations

import json
import logging
import os
import select
import socket
import stat
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from bbipc.server.descriptors import never_waits, open_anew

BURST: Final = 20
"""Messages of one kind that are written in each period."""
PERIOD: Final = 10.0
"""Seconds of such a period."""
PIECE: Final = 4096
"""Bytes that a pipe takes as a whole if it takes any (PIPE_BUF)."""


class LogCounters:
    """What was not written.

    Attributes:
        dropped: messages for which standard error had no room, or which it refused.
        left_out: messages of a kind of which there were too many.
    """

    __slots__ = ("dropped", "left_out")

    def __init__(self) -> None:
        self.dropped = self.left_out = 0


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)


class Handler(logging.Handler):
    """Writes to a descriptor without ever waiting.

    Args:
        descriptor: where to. Its flags are left alone: others may have it, too.
        clock: seconds; tests give another.
    """

    def __init__(self, descriptor: int, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.counters = LogCounters()
        self._write = _writer(descriptor)
        self._clock = clock
        self._kinds: dict[tuple[str, str], list[float]] = {}  # when its period ends, messages in it
        self._not_told = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write one message, or count it."""
        try:
            note = self._note(record)
            if note is None:
                self.counters.left_out += 1
                return
            if self._not_told:
                note += f" ({self._not_told} messages before it could not be written)"
            if note:
                record.msg, record.args = f"{record.getMessage()}{note}", None
            text = self.format(record) + "\n"
        except Exception:
            self.counters.dropped += 1
            return
        if self._put(text.encode(errors="backslashreplace")):
            self._not_told = 0
        else:
            self.counters.dropped += 1
            self._not_told += 1

    def say(self, text: str) -> None:
        """Write what is no message of the log."""
        if not self._put(text.encode(errors="backslashreplace")):
            self.counters.dropped += 1

    def _note(self, record: logging.LogRecord) -> str | None:
        """What to add to the message; None if it is one too many. How many kinds there are, the code decides, not a client."""
        if record.levelno <= logging.DEBUG:
            return ""
        now, kind = self._clock(), (record.name, str(record.msg))
        period = self._kinds.setdefault(kind, [now + PERIOD, 0])
        note = ""
        if now >= period[0]:
            if period[1] > BURST:
                note = f" ({period[1] - BURST:.0f} more of this kind were left out)"
            period[:] = now + PERIOD, 0
        period[1] += 1
        return note if period[1] <= BURST else None

    def _put(self, data: bytes) -> bool:
        """False if not all of it was taken."""
        try:
            while data:
                written = self._write(data[:PIECE])
                if not written:
                    return False
                data = data[written:]
        except OSError:
            return False
        return True


def _writer(descriptor: int) -> Callable[[bytes], int]:
    """A function that writes as much as `descriptor` takes at once; it returns how much, or raises OSError."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISSOCK(mode):
        connected = socket.socket(fileno=os.dup(descriptor))
        return lambda data: connected.send(data, socket.MSG_DONTWAIT)
    if never_waits(descriptor):
        return lambda data: os.write(descriptor, data)
    own = open_anew(descriptor, os.O_WRONLY)
    if own is not None:
        return lambda data: os.write(own, data)
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    # A pipe that is ready has room for PIPE_BUF bytes.
    return lambda data: os.write(descriptor, data) if poll.poll(0) else 0


def say(text: str) -> None:
    """Write to standard error whatever the level of the log is, as far as there is one that takes it now; after configure()."""
    for handler in logging.getLogger("bbipc").handlers:
        if isinstance(handler, Handler):
            handler.say(text)
            return
    with suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(text)


def configure(level: str, style: str) -> LogCounters:
    """Log messages of `level` and above in the given style; what counts those that were not written."""
    root = logging.getLogger("bbipc")
    root.setLevel(level.upper())
    root.propagate = False
    try:
        handler = Handler(sys.stderr.fileno())
    except (AttributeError, OSError, ValueError):
        root.handlers[:] = [logging.NullHandler()]  # there is no standard error
        return LogCounters()
    handler.setFormatter(_JsonFormatter() if style == "json" else logging.Formatter("bbipc: %(levelname)s: %(message)s"))
    root.handlers[:] = [handler]
    return handler.counters

"""The other end of the FIFO of the batch verifier service."""

import os
import struct
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgpack

from server.live import TIMEOUT


class FifoReader:
    """Makes a FIFO and reads it in a thread, from the moment at which the service opens it until the service closes it.

    Attributes:
        results: the decoded maps so far.
        frames: the frames, length included.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.results: list[dict[str, Any]] = []
        self.frames: list[bytes] = []
        self._arrived: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        if not path.exists():
            os.mkfifo(path)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self.path.open("rb") as stream:
            while head := stream.read(4):
                payload = stream.read(struct.unpack(">I", head)[0])
                self.frames.append(head + payload)
                self.results.append(msgpack.unpackb(payload))
                self._arrived.put(self.results[-1])
        self._arrived.put(None)

    def next(self) -> dict[str, Any] | None:
        """The next result, when it has come; None at the end."""
        return self._arrived.get(timeout=TIMEOUT)

    def until_end(self) -> list[dict[str, Any]]:
        """All results, when the service has closed the FIFO."""
        self._thread.join(TIMEOUT)
        assert not self._thread.is_alive(), "the FIFO was not closed"
        return self.results

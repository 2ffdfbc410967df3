"""The real bb as a peer, where the environment variable BBIPC_TEST_BB gives the path of one."""

import os
import struct
import subprocess
from contextlib import suppress

PATH = os.environ.get("BBIPC_TEST_BB")
REASON = "BBIPC_TEST_BB does not name a bb 5.0.0 binary"


class Bb:
    """A bb that is started again when a request ends it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._process: subprocess.Popen[bytes] | None = None

    def call(self, payload: bytes) -> bytes | None:
        """The payload of the response; None if bb died of the request."""
        if self._process is None:
            self._process = subprocess.Popen(
                [self._path, "msgpack", "run"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "HARDWARE_CONCURRENCY": "1"},
            )
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with suppress(BrokenPipeError):
            stdin.write(struct.pack("<I", len(payload)) + payload)
            stdin.flush()
            head = stdout.read(4)
            if len(head) == 4:
                return stdout.read(struct.unpack("<I", head)[0])
        self.close()
        return None

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                assert stream is not None
                with suppress(BrokenPipeError):
                    stream.close()
            self._process = None

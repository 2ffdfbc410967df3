"""A real server process, and clients of it."""

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgpack

from samples import DATA

SETUP = str(DATA / "test_setup.json")
PROGRAM = [program] if (program := os.environ.get("BBIPC_TEST_PROGRAM")) else [sys.executable, "-P", "-m", "bbipc"]
"""The server that is tested."""
TIMEOUT = 120.0
"""Seconds after which a test fails instead of hanging. No test depends on how long anything takes."""

BLAKE2S = bytes.fromhex("9192a7426c616b65327381a464617461c403616263")
BLAKE2S_RESPONSE = bytes.fromhex(
    "92af426c616b653273526573706f6e736581a468617368c420508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"
)
VALID = msgpack.packb(["ChonkVerifyResponse", {"valid": True}])
SHUTDOWN = msgpack.packb([["Shutdown", {}]])
SHUTDOWN_RESPONSE = msgpack.packb(["ShutdownResponse", {}])


def frame(payload: bytes) -> bytes:
    return struct.pack("<I", len(payload)) + payload


def plain(name: str, **fields: Any) -> bytes:
    return msgpack.packb([[name, fields]])


def tagged(request_id: int, name: str, **fields: Any) -> bytes:
    return msgpack.packb([request_id, [name, fields]])


def is_error(payload: bytes) -> bool:
    """Whether a payload is an ErrorResponse with a message, and nothing else."""
    name, fields = msgpack.unpackb(payload)
    return name == "ErrorResponse" and list(fields) == ["message"] and fields["message"] != ""


class Peer:
    """One connection: both directions as file descriptors."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self.read_fd, self.write_fd = read_fd, write_fd
        self.buffer = b""

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self.write_fd, view) :]

    def send_in_background(self, data: bytes) -> threading.Thread:
        """Send more than the other side may take before its responses are read."""

        def send() -> None:
            with suppress(OSError):
                self.send(data)

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        return thread

    def request(self, *payloads: bytes) -> None:
        self.send(b"".join(map(frame, payloads)))

    def receive(self) -> bytes | None:
        """The payload of the next frame; None at the end."""
        head = self.exactly(4)
        return None if head is None else self.exactly(struct.unpack("<I", head)[0])

    def exactly(self, size: int) -> bytes | None:
        while len(self.buffer) < size:
            chunk = os.read(self.read_fd, 1 << 20)
            if not chunk:
                assert not self.buffer, "the stream ends inside a frame"
                return None
            self.buffer += chunk
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def call(self, payload: bytes) -> Any:
        self.request(payload)
        response = self.receive()
        assert response is not None
        return msgpack.unpackb(response)

    def is_served(self) -> None:
        """The next request is served, and no response is left over from before."""
        self.request(BLAKE2S)
        assert self.receive() == BLAKE2S_RESPONSE

    def close(self) -> None:
        raise NotImplementedError

    def end_input(self) -> None:
        raise NotImplementedError


class PipePeer(Peer):
    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        super().__init__(process.stdout.fileno(), process.stdin.fileno())
        self.process = process

    def end_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def close(self) -> None:
        assert self.process.stdout is not None
        self.end_input()
        self.process.stdout.close()


class SocketPeer(Peer):
    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        super().__init__(self.socket.fileno(), self.socket.fileno())

    def end_input(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.socket.close()


class Server:
    """A server process; `connect()` gives a client of it (on a pipe: always the same one)."""

    def __init__(self, process: "subprocess.Popen[bytes]", path: str | None, errors: Path) -> None:
        self.process, self.path, self.errors = process, path, errors
        self._pipe = PipePeer(process) if path is None else None
        self._sockets: list[SocketPeer] = []

    def connect(self) -> Peer:
        if self._pipe is not None:
            return self._pipe
        assert self.path is not None
        self._sockets.append(SocketPeer(self.path))
        return self._sockets[-1]

    def close_clients(self) -> None:
        for peer in self._sockets:
            peer.close()

    def wait(self) -> int:
        return self.process.wait(TIMEOUT)

    def log(self) -> str:
        return self.errors.read_text()

    def memory(self) -> int:
        """Resident bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))


@contextmanager
def watched(process: "subprocess.Popen[bytes]", patience: float | None = TIMEOUT) -> Iterator[None]:
    """Kills the process if the block takes longer than `patience` seconds, so that a test that waits for it ends."""
    if patience is None:
        yield
        return
    watchdog = threading.Timer(patience, process.kill)
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()


@contextmanager
def serving(
    folder: Path,
    *options: str,
    on_socket: bool = False,
    environment: dict[str, str] | None = None,
    patience: float | None = TIMEOUT,
    ready: bool = True,
) -> Iterator[Server]:
    """A server that is ready for requests (unless `ready` says that it need not be). It is killed at the end if it still runs,
    and after `patience` seconds if a test hangs; None: somebody else watches over it."""
    path = str(folder / "server.sock") if on_socket else None
    errors = folder / "errors.txt"
    arguments = [*PROGRAM, "msgpack", "run", "--setup", SETUP, *options]
    if path is not None:
        arguments += ["--input", path]
    with errors.open("wb") as log:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            bufsize=0,
            env={**os.environ, "HARDWARE_CONCURRENCY": "2", **(environment or {})},
        )
    server = Server(process, path, errors)
    try:
        with watched(process, patience):
            if path is not None and ready:
                wait_until_connectable(path, process)
            yield server
    finally:
        server.close_clients()
        process.send_signal(signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()


def wait_until_connectable(path: str, process: "subprocess.Popen[bytes]") -> None:
    """Like a client that only knows the path: as soon as the file is there, connect() must work."""
    while not Path(path).exists():
        assert process.poll() is None, "the server ended"
        os.sched_yield()
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect(path)

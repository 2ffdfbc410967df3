"""Starting the server under test, each time as a process group of its own that does not outlive the case."""

import os
import secrets
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio

from bbipc.conform.case import NotApplicable, broken
from bbipc.conform.peer import Peer, Record
from bbipc.conform.rings import RingInput, RingOutput
from bbipc.conform.samples import TEST_REGISTRY, TEST_SETUP
from bbipc.shm import files

__all__ = ["REGISTRY_PLACEHOLDER", "SETUP_PLACEHOLDER", "SHM_SIZES", "CannotStart", "Server", "Target"]

SETUP_PLACEHOLDER: Final = "{test-setup}"
"""Stands in a command for the file with the test setup."""
REGISTRY_PLACEHOLDER: Final = "{test-registry}"
"""Stands in a command for the file with the registry of the test transactions."""

SHM_SIZES: Final = ("--request-ring-size", str(4 << 20), "--response-ring-size", str(1 << 20))
"""The sizes that bb.js's synchronous client asks for; the second is the default."""

_STDERR_KEPT: Final = 4096
_CONNECT_PAUSE: Final = 0.01
_EXIT_PAUSE: Final = 0.5


class CannotStart(Exception):  # noqa: N818 - it is a statement about the command
    """The command cannot be run at all."""


@dataclass(frozen=True, slots=True)
class Target:
    """The server under test.

    Attributes:
        command: program and arguments, for instance `bb msgpack run`; `{test-setup}` and `{test-registry}` in it are replaced.
        transport: "pipe": standard input and output; "socket": `--input X.sock` is appended; "shm": `--input X.shm` is.
        setup: the trusted setup that the command uses, "test" or "aztec".
    """

    command: tuple[str, ...]
    transport: str = "pipe"
    setup: str = "aztec"

    def arguments(self, *more: str) -> list[str]:
        """The command as it is run."""
        files = {SETUP_PLACEHOLDER: TEST_SETUP, REGISTRY_PLACEHOLDER: TEST_REGISTRY}
        command = list(self.command)
        for placeholder, file in files.items():
            command = [part.replace(placeholder, str(file)) for part in command]
        return command + list(more)

    @property
    def has_test_registry(self) -> bool:
        """Whether the test transactions can be valid."""
        return self.setup == "test" and any(REGISTRY_PLACEHOLDER in part for part in self.command)


class Server:
    """A running server.

    Attributes:
        process: its process, which leads a process group.
        socket_path: where it listens, if it does.
        shm_name: the name of its shared memory, if it has any.
    """

    def __init__(
        self,
        process: trio.Process,
        record: Record,
        nursery: trio.Nursery,
        socket_path: Path | None,
        shm_name: str | None = None,
    ) -> None:
        self.process = process
        self.socket_path = socket_path
        self.shm_name = shm_name
        self.stderr = b""
        self._record = record
        self._nursery = nursery
        self._streams: list[trio.abc.AsyncResource] = []
        self._pipe: Peer | None = None
        self._rings: files.Rings | None = None
        if socket_path is None and shm_name is None:
            assert process.stdin is not None
            assert process.stdout is not None
            self._pipe = Peer("client", process.stdin, process.stdout, record, self._why_ended)
            nursery.start_soon(self._pipe.read)

    @property
    def pipe(self) -> Peer:
        """The connection by standard input and output; responses are read once start_reading() was called on it."""
        if self._pipe is None:
            raise NotApplicable("the server does not use its standard input and output")
        return self._pipe

    async def connect(self, name: str = "client", *, read_later: bool = False) -> Peer:
        """A connection: the only one of a pipe or of shared memory, a new one at a socket. What is not there is waited for."""
        if self._pipe is not None:
            peer = self._pipe
        elif self.shm_name is not None:
            rings = await self._open_shm(self.shm_name)
            reader = RingInput(rings.responses)
            peer = self._pipe = Peer(name, RingOutput(rings.requests), reader, self._record, self._why_ended)
            self._nursery.start_soon(self._end_input, reader)
            self._nursery.start_soon(peer.read)
        else:
            stream = await self._open_socket()
            self._streams.append(stream)
            peer = Peer(name, stream, stream, self._record, self._why_ended)
            self._nursery.start_soon(peer.read)
        if not read_later:
            peer.start_reading()
        return peer

    async def _open_socket(self) -> trio.SocketStream:
        """Keep trying as long as the server lives: it owes us a connection as soon as its socket is there."""
        assert self.socket_path is not None
        while True:
            with trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as attempt, suppress(OSError):
                await attempt.connect(str(self.socket_path))
                return trio.SocketStream(trio.socket.from_stdlib_socket(_detached(attempt)))
            if self.process.poll() is not None:
                broken("a server that listens", await self._why_ended())
            await trio.sleep(_CONNECT_PAUSE)

    async def _open_shm(self, name: str) -> files.Rings:
        while (rings := files.opened(name)) is None:
            if self.process.poll() is not None:
                broken("a server that makes its shared memory", await self._why_ended())
            await trio.sleep(_CONNECT_PAUSE)
        self._rings = rings
        return rings

    async def _end_input(self, reader: RingInput) -> None:
        await self.process.wait()
        reader.writer_has_ended()

    async def _why_ended(self) -> str:
        """What became of the process; its output may end a moment before it does."""
        with trio.move_on_after(_EXIT_PAUSE):
            return "the process " + describe_exit(await self.process.wait())
        return "the connection was closed"

    async def wait(self) -> int:
        """Wait for the end of the process; its exit code, negative for a signal."""
        code = await self.process.wait()
        self._record.add("server", "exit", describe_exit(code))
        return code

    async def expect_exit(self, code: int, why: str) -> None:
        """The process must end, with this code."""
        got = await self.wait()
        if got != code:
            broken(f"exit code {code} {why}", f"the process {describe_exit(got)}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self._record.add("harness", "signal", number.name)
        self.process.send_signal(number)

    def members(self) -> list[int]:
        """The processes of the group, for a command that starts others."""
        group = self.process.pid
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                with suppress(OSError):
                    if int((entry / "stat").read_text().rpartition(")")[2].split()[2]) == group:
                        found.append(int(entry.name))
        return found

    def memory(self) -> int:
        """Bytes of memory that the group has or had at once at most, each process counted at its own peak.

        Raises:
            NotApplicable: this system does not tell.
        """
        total = 0
        for pid in self.members():
            with suppress(OSError):
                for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        total += int(line.split()[1]) * 1024
        if not total:
            raise NotApplicable("memory of a process is known on Linux only")
        return total

    def open_files(self) -> int:
        """File descriptors of the group.

        Raises:
            NotApplicable: this system does not tell.
        """
        if not Path("/proc/self/fd").is_dir():
            raise NotApplicable("open files of a process are known on Linux only")
        total = 0
        for pid in self.members():
            with suppress(OSError):
                total += len(list(Path(f"/proc/{pid}/fd").iterdir()))
        return total

    async def close(self) -> None:
        """Kill the process group, collect the first process, and close all connections."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        pipes = (self.process.stdin, self.process.stdout, self.process.stderr)
        with trio.CancelScope(shield=True):
            await self.process.wait()
            for stream in (*pipes, *self._streams):
                if stream is not None:
                    await trio.aclose_forcefully(stream)

    def forget_shm(self) -> None:
        """Give its shared memory back, which nobody uses any more, and remove what the server left behind."""
        if self._rings is not None:
            self._rings.close()
        if self.shm_name is not None:
            for path in self.shm_paths():
                path.unlink(missing_ok=True)

    def shm_paths(self) -> tuple[Path, Path]:
        """The files of its shared memory."""
        assert self.shm_name is not None
        return files.request_path(self.shm_name), files.response_path(self.shm_name)

    async def keep_stderr(self) -> None:
        """Read the server's messages, and keep the last of them."""
        assert self.process.stderr is not None
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while data := await self.process.stderr.receive_some(1 << 16):
                self.stderr = (self.stderr + data)[-_STDERR_KEPT:]


def describe_exit(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _detached(sock: trio.socket.SocketType) -> socket.socket:
    return socket.socket(sock.family, sock.type, sock.proto, fileno=sock.detach())


def start(
    target: Target, record: Record, *arguments: str, socket_path: Path | None = None, shm_name: str | None = None
) -> AbstractAsyncContextManager[Server]:
    """Start the server of `target`; at the end of the context it is killed if it still lives."""
    if socket_path is not None:
        arguments = ("--input", str(socket_path), *arguments)
    elif shm_name is not None:
        arguments = ("--input", f"{shm_name}{files.SUFFIX}", *SHM_SIZES, *arguments)
    return start_command(target.arguments(*arguments), record, socket_path, shm_name)


@asynccontextmanager
async def start_command(
    command: Sequence[str], record: Record, socket_path: Path | None = None, shm_name: str | None = None
) -> AsyncIterator[Server]:
    """As start(), for any command."""
    standard = subprocess.PIPE if shm_name is None else subprocess.DEVNULL
    try:
        process = await trio.lowlevel.open_process(
            list(command),
            stdin=standard,
            stdout=standard,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise CannotStart(f"{command[0]}: {error.strerror or error}") from None
    record.add("harness", "started", " ".join(command))
    failure: Exception | None = None
    server: Server | None = None
    try:
        async with trio.open_nursery() as nursery:
            server = Server(process, record, nursery, socket_path, shm_name)
            nursery.start_soon(server.keep_stderr)
            try:
                yield server
            except Exception as error:  # raised again outside, where the nursery does not wrap it in a group
                failure = error
            finally:
                nursery.cancel_scope.cancel()
                await server.close()
                if server.stderr:
                    record.add("server", "stderr", server.stderr.decode(errors="replace"))
    finally:
        if server is not None:
            server.forget_shm()
    if failure is not None:
        raise failure


def new_shm_name() -> str:
    """A name for shared memory that nobody else uses."""
    return f"bbipc-conform-{os.getpid()}-{secrets.token_hex(8)}"


@asynccontextmanager
async def scratch_directory() -> AsyncIterator[Path]:
    """A directory with a short name (the path of a socket has at most 107 bytes), removed at the end."""
    with tempfile.TemporaryDirectory(prefix="bbipc-", dir="/tmp") as name:
        yield Path(name)

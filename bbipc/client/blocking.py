"""The client for programs that know no event loop: the same protocol logic over blocking pipes and sockets.

    with open_client(command=["bbipc", "msgpack", "run"]) as client:
        digest = client.call("Blake2s", data=b"abc")["hash"]
        for verdict in client.verify_many(pairs):   # many at once, if the server can do that
            ...

A client belongs to one thread at a time.
"""

import contextlib
import copy
import logging
import os
import socket as sockets
import subprocess
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from os import PathLike, fspath
from typing import Final

from bbipc.chonk import ChonkProof, VerificationKey
from bbipc.client import verification
from bbipc.client.errors import ClientClosed, ClientError, ProtocolViolation, ServerError, ServerGone, ServerUnreachable
from bbipc.client.messages import ERROR_RESPONSE, Answer
from bbipc.client.probe import PATIENCE, Dialect, Probe
from bbipc.client.pump import Link, Pump
from bbipc.client.session import Request, Session
from bbipc.client.transport import GRACE, exit_text
from bbipc.client.verification import RemoteVerdict
from bbipc.wire.frame import DEFAULT_MAX_FRAME_BYTES, Frame, FrameReader
from bbipc.wire.values import Fields

__all__ = ["Client", "open_client"]

_STATUS_PATIENCE: Final = 1.0

log = logging.getLogger("bbipc.client")


class Client:
    """One connection to a server, made by `open_client`.

    Attributes:
        timeout: seconds that a response may take; None: as long as it takes. It may be changed.

    All methods raise `ServerGone`, `ProtocolViolation` or `ClientClosed` when there will be no response.
    """

    def __init__(self, link: Link, pump: Pump, session: Session, timeout: float | None) -> None:
        self._link = link
        self._pump = pump
        self._session = session
        self.timeout = timeout
        self._answers: dict[Request, Answer] = {}
        self._failure: ClientError | None = None

    @property
    def dialect(self) -> Dialect:
        """What is spoken on this connection."""
        return self._session.dialect

    @property
    def supports_tagged(self) -> bool:
        """Whether responses come in the order in which they are ready."""
        return self.dialect is not Dialect.PLAIN

    @property
    def server(self) -> str:
        """The server's command or socket, for messages."""
        return self._link.name

    def call(self, command: str, /, **fields: object) -> Fields:
        """Perform a request and return the fields of its response.

        Raises:
            ServerError: the server answered with an ErrorResponse.
            EncodeError: the fields are not those of the command; nothing was sent.
            TimeoutError: no response in time. The connection stays in order: the response is dropped when it comes.
        """
        answer = self._wait(self._start(Request(command, fields, tagged=False)))
        if answer.name == ERROR_RESPONSE:
            raise ServerError(command, answer.fields["message"])
        return answer.fields

    def verify(self, proof: ChonkProof, key: bytes | VerificationKey) -> RemoteVerdict:
        """The server's verdict on a proof. Whatever is wrong with proof or key is a verdict.

        Raises:
            TimeoutError: no verdict in time. The server is asked to stop working on it, if it can be asked.
        """
        return verification.verdict_of(self._wait(self._start(_verification(proof, key))))

    def verify_many(
        self, pairs: Iterable[tuple[ChonkProof, bytes | VerificationKey]], in_flight: int = 32
    ) -> Iterator[RemoteVerdict]:
        """The server's verdicts on many proofs, in their order, as they become known.

        Proofs are taken from `pairs` only as verdicts are asked for; up to `in_flight` of them are with the server at once.

        Raises:
            TimeoutError: no verdict on the next proof in time.
            ValueError: `in_flight` is less than 1.
        """
        if in_flight < 1:
            raise ValueError(f"in_flight must be at least 1, not {in_flight}")
        return self._verify_many(iter(pairs), in_flight)

    def _verify_many(
        self, pairs: Iterator[tuple[ChonkProof, bytes | VerificationKey]], in_flight: int
    ) -> Iterator[RemoteVerdict]:
        started: deque[Request] = deque()
        try:
            for proof, key in pairs:
                started.append(self._start(_verification(proof, key)))
                if len(started) == in_flight:
                    yield verification.verdict_of(self._wait(started.popleft()))
            while started:
                yield verification.verdict_of(self._wait(started.popleft()))
        finally:
            for request in started:
                self._abandon(request)

    def _start(self, request: Request) -> Request:
        if self._failure is not None:
            raise copy.copy(self._failure)
        frame = self._session.start(request)
        try:
            self._pump.put(frame)
        except ServerGone as gone:
            self.fail(gone)
            raise
        return request

    def _wait(self, request: Request) -> Answer:
        deadline = None if self.timeout is None else time.monotonic() + self.timeout
        try:
            while request not in self._answers:
                if self._failure is not None:
                    raise copy.copy(self._failure)
                self._receive(self._pump.turn(deadline))
        except BaseException:
            self._abandon(request)
            raise
        return self._answers.pop(request)

    def _receive(self, data: bytes) -> None:
        try:
            self._answers.update(self._session.receive(data))
        except ProtocolViolation as violation:
            self.fail(violation)
        if not data:
            error = self._session.end()
            self.fail(type(error)(f"{error}{self._link.why_ended()}"))

    def _abandon(self, request: Request) -> None:
        self._answers.pop(request, None)
        cancel = self._session.abandon(request)
        if cancel is not None and self._failure is None:
            with contextlib.suppress(ServerGone):
                self._start(cancel)

    def fail(self, error: ClientError) -> None:
        """Let every request that has no response yet, and every later one, fail with `error`."""
        self._failure = self._failure or error


def _verification(proof: ChonkProof, key: bytes | VerificationKey) -> Request:
    return Request(verification.COMMAND, verification.verification_fields(proof, key), tagged=True)


@contextmanager
def open_client(
    *,
    command: Sequence[str | PathLike[str]] | None = None,
    socket: str | PathLike[str] | None = None,
    dialect: Dialect | None = None,
    timeout: float | None = None,
    max_frame_bytes: int = DEFAULT_MAX_FRAME_BYTES,
) -> Iterator[Client]:
    """Connect to a server, for the time of a `with` block.

    Args:
        command: start this server and talk to it over pipes; it ends with the block.
        socket: or connect to this Unix socket.
        dialect: what the server speaks; None: find out, see `bbipc.client.probe`.
        timeout: seconds that a response may take; None: as long as it takes.
        max_frame_bytes: the longest response that is accepted.

    Raises:
        ServerUnreachable: there is no such server.
        ServerGone, ProtocolViolation: the server did not answer the probe as a server does.
        ValueError: not exactly one of command and socket was given.
    """
    with _link(command, socket) as link:
        pump = Pump(link)
        found = dialect or _probe(link, pump, max_frame_bytes)
        if found is Dialect.PLAIN and dialect is None:
            log.warning("%s does not know tagged requests: it will answer one request after the other", link.name)
        client = Client(link, pump, Session(found, max_frame_bytes), timeout)
        try:
            yield client
        finally:
            client.fail(ClientClosed("the client was closed"))


def _probe(link: Link, pump: Pump, max_frame_bytes: int) -> Dialect:
    probe, reader = Probe(), FrameReader(max_frame_bytes)
    deadline = time.monotonic() + PATIENCE
    pump.put(probe.first())
    try:
        while data := pump.turn(deadline):
            for event in reader.feed(data):
                if not isinstance(event, Frame):
                    raise ProtocolViolation(f"the first response of the server is too long to be read: {event}")
                step = probe.feed(event.payload)
                if isinstance(step, Dialect):
                    return step
                pump.put(step)
    except TimeoutError:
        raise ServerGone(f"{link.name} did not answer within {PATIENCE:.0f} s") from None
    raise ServerGone(f"the server ended the connection before it answered{link.why_ended()}")


def _link(command: Sequence[str | PathLike[str]] | None, socket: str | PathLike[str] | None) -> AbstractContextManager[Link]:
    if command is not None and socket is None:
        return _spawned([fspath(word) for word in command])
    if socket is not None and command is None:
        return _connected(fspath(socket))
    raise ValueError("give exactly one of command and socket")


@contextmanager
def _spawned(words: list[str]) -> Iterator[Link]:
    if not words:
        raise ServerUnreachable("the command of the server is empty")
    try:
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    except OSError as error:
        raise ServerUnreachable(f"cannot start {words[0]}: {error.strerror}") from None
    assert process.stdin is not None
    assert process.stdout is not None

    def why_ended() -> str:
        try:
            return f": {words[0]} {exit_text(process.wait(_STATUS_PATIENCE))}"
        except subprocess.TimeoutExpired:
            return ""

    try:
        reading, writing = process.stdout.fileno(), process.stdin.fileno()
        for descriptor in (reading, writing):
            os.set_blocking(descriptor, False)
        yield Link(reading, writing, words[0], why_ended)
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()
    for insist in (process.terminate, process.kill):
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            insist()
        else:
            return
    process.wait()


@contextmanager
def _connected(path: str) -> Iterator[Link]:
    with sockets.socket(sockets.AF_UNIX) as connection:
        try:
            connection.connect(path)
        except OSError as error:
            raise ServerUnreachable(f"cannot connect to {path}: {error.strerror}") from None
        connection.setblocking(False)
        yield Link(connection.fileno(), connection.fileno(), path, lambda: "")

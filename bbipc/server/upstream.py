"""Commands that bbipc does not serve, forwarded to a supervised child: the real `bb`.

`bb` answers one request after the other and ends its process when it meets one that it does not like. So only requests whose
fields are in order are forwarded (:func:`bbipc.server.commands.table.admit`), one at a time: a request that ends the child
costs only its own answer. The others wait for the next child, which is started after a pause that doubles with each failure in
a row. What `bb` keeps between requests (`ChonkStart`, `ChonkLoad` ...) belongs to all clients, as it does in `bb`, and is lost
with the child.

The child is started when it is needed first. It speaks to us over a pipe, plain; its log goes to our standard error.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
import anyio.lowlevel
import trio

from bbipc.client.errors import ServerUnreachable
from bbipc.client.transport import Transport, spawned
from bbipc.server.fair import FairQueue
from bbipc.server.idle import IdleSignal
from bbipc.server.jobs import Forwarding
from bbipc.wire import cursor
from bbipc.wire.cursor import Allowance
from bbipc.wire.dialect import ErrorResponse, encode_command, error_response
from bbipc.wire.errors import DecodeError
from bbipc.wire.frame import Frame, FrameReader

FIRST_PAUSE: Final = 0.1
"""Seconds between the first failure of a child and the next one."""
MAX_PAUSE: Final = 30.0
END_PATIENCE: Final = 1.0
"""Seconds that the child gets to end by itself, and again after SIGTERM. It has nothing to do then that anybody waits for."""

LOOK: Final = 1.0
"""Seconds between two looks at whether the child is stopped."""
STOPPED_LOOKS: Final = 3
"""Looks in a row that find it stopped, after which it is killed."""

_CHUNK: Final = 65536
_MAX_VALUES: Final = 1 << 20

log = logging.getLogger("bbipc.upstream")


@dataclass(slots=True)
class Counters:
    """What happened so far.

    Attributes:
        forwarded: requests answered by the child.
        failed: requests that got no answer from it.
        started: children that were started.
        failures: children that ended, or could not be started, while they were needed.
    """

    forwarded: int = 0
    failed: int = 0
    started: int = 0
    failures: int = 0


class _ChildFailedError(Exception):
    """The child cannot be used any more; the text says why."""


class Upstream:
    """Forwards requests to a child. Its methods are called in the Trio thread only.

    Args:
        path: the program; it is started with the arguments ``msgpack run``.
        max_frame_bytes: the longest response that is accepted.
        on_idle: called whenever the last request has been answered.
        spawn: makes a child; tests replace it.
    """

    def __init__(
        self,
        path: str,
        max_frame_bytes: int,
        on_idle: Callable[[], None] = lambda: None,
        spawn: Callable[[], AbstractAsyncContextManager[Transport]] | None = None,
    ) -> None:
        self.path = path
        self.counters = Counters()
        self._max_frame_bytes = max_frame_bytes
        self._spawn = spawn or self._spawn_child
        self._queue: FairQueue[object, Forwarding] = FairQueue()
        self._current: Forwarding | None = None
        self._has_child = False
        self._pause = 0.0
        self._not_before = 0.0
        self._something_to_do = trio.Event()
        self._idle_signal = IdleSignal(lambda: self.idle, on_idle)

    @property
    def waiting(self) -> int:
        """Requests that the child has not seen."""
        return len(self._queue)

    @property
    def has_child(self) -> bool:
        """Whether there is a child now. There is none before the first request, nor between a failure and the next start."""
        return self._has_child

    @property
    def idle(self) -> bool:
        """Whether no request waits for an answer."""
        return self._current is None and not self._queue

    async def wait_idle(self) -> None:
        """Until no request waits for an answer."""
        await self._idle_signal.wait()

    def submit(self, job: Forwarding) -> None:
        """Forward `job` when its turn comes. Bounding how many wait is the caller's duty."""
        self._queue.push(job.client, job)
        self._something_to_do.set()

    def cancel(self, job: Forwarding) -> bool:
        """Cancel one job; True if the child had not seen it, in which case it never will."""
        job.cancel()
        removed = self._queue.remove(job.client, job)
        if removed:
            self._idle_signal.check()
        return removed

    def drop(self, client: object) -> None:
        """Forget all jobs of `client`. The child goes on with the one it works on, and its answer is thrown away."""
        self._queue.drop(client)
        if self._current is not None and self._current.client is client:
            self._current.cancel()
        self._idle_signal.check()

    async def run(self) -> None:
        """Forward what is submitted, for ever."""
        await anyio.lowlevel.checkpoint()  # anyio loads its side of Trio now, and not in the midst of a request
        while True:
            await self._wait_for_work()
            await trio.sleep_until(self._not_before)
            try:
                await self._serve_with_one_child()
            except _ChildFailedError as error:
                self._child_failed(str(error))
            except ServerUnreachable as error:
                # Waiting for the next attempt would help none of them.
                self._child_failed(str(error))
                while self._queue:
                    self._current = self._queue.pop()
                    self._refuse_current(str(error))

    async def _wait_for_work(self) -> None:
        while not self._queue:
            self._something_to_do = trio.Event()
            await self._something_to_do.wait()

    async def _ends_before_work_comes(self, child: Transport) -> bool:
        """Wait for work; true if the child ends (or says something) although nobody asked."""
        ended = False
        async with trio.open_nursery() as nursery:

            async def watch() -> None:
                nonlocal ended
                try:
                    await child.stream.receive(1)
                except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                    log.debug("the pipe from %s ended", self.path)
                ended = True
                nursery.cancel_scope.cancel()

            nursery.start_soon(watch)
            await self._wait_for_work()
            nursery.cancel_scope.cancel()
        return ended

    def _spawn_child(self) -> AbstractAsyncContextManager[Transport]:
        # If the child is a bbipc, it must not start children for what it does not serve either, nor serve metrics as we do.
        environment = {name: value for name, value in os.environ.items() if name not in ("BB_PATH", "BBIPC_OPTIONS")}
        return spawned([self.path, "msgpack", "run"], END_PATIENCE, environment)

    async def _serve_with_one_child(self) -> None:
        async with self._spawn() as child:
            self.counters.started += 1
            log.info("started %s", self.path)
            self._has_child = True
            failure: _ChildFailedError | None = None
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._end_if_stopped, child.pid)
                    try:
                        await self._let_answer(child)
                    except _ChildFailedError as error:
                        failure = error
                    nursery.cancel_scope.cancel()
            finally:
                self._has_child = False
            if failure is not None:
                raise failure

    async def _end_if_stopped(self, pid: int | None) -> None:
        """Kill the child if it is stopped (SIGSTOP) while a request waits for its answer: it would never come."""
        looks = 0
        while pid is not None:
            await trio.sleep(LOOK)
            looks = looks + 1 if self._current is not None and _is_stopped(pid) else 0
            if looks == STOPPED_LOOKS:
                log.warning("%s was stopped by a signal, and is killed", self.path)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    async def _let_answer(self, child: Transport) -> None:
        """Forward to `child` until it fails. Raises _ChildFailedError."""
        reader = FrameReader(self._max_frame_bytes)
        while True:
            if not self._queue and await self._ends_before_work_comes(child):
                raise _ChildFailedError(f"bb ended while it had nothing to do{await child.why_ended()}")
            self._current = self._queue.pop()
            response = await self._ask(child, reader, self._current)
            self._pause = 0.0
            self.counters.forwarded += 1
            self._finish(response)

    async def _ask(self, child: Transport, reader: FrameReader, job: Forwarding) -> bytes:
        """The child's ``Response``.

        Raises:
            _ChildFailedError: it gave none.
        """
        try:
            await child.stream.send(encode_command(job.request.command))
            while True:
                events = list(reader.feed(await child.stream.receive(_CHUNK)))
                if not events:
                    continue
                response = _response(events[0].payload) if len(events) == 1 and isinstance(events[0], Frame) else None
                if response is not None:
                    return response
                raise _ChildFailedError("bb sent something that is not a response")
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            log.debug("the pipe to %s broke", self.path)
        raise _ChildFailedError(f"bb ended without an answer{await child.why_ended()}")

    def _child_failed(self, reason: str) -> None:
        self.counters.failures += 1
        self._pause = min(2 * self._pause or FIRST_PAUSE, MAX_PAUSE)
        self._not_before = trio.current_time() + self._pause
        log.warning("%s; the next one is started in %g s", reason, self._pause)
        if self._current is not None:
            self._refuse_current(reason)

    def _refuse_current(self, reason: str) -> None:
        assert self._current is not None
        self.counters.failed += 1
        self._finish(error_response(f"{self._current.request.name} was forwarded to bb, but {reason}"))

    def _finish(self, response: bytes) -> None:
        job, self._current = self._current, None
        assert job is not None
        job.respond(response)
        self._idle_signal.check()


def _is_stopped(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] == b"T"
    except (OSError, IndexError):
        return False


def _response(payload: bytes) -> bytes | None:
    """What the child has sent, if it is one ``[name, map]``."""
    try:
        count, position = cursor.array_header(payload, 0)
        name, position = cursor.text(payload, position)
        is_pair = count == 2 and cursor.kind_at(payload, position) == "map"
        if not is_pair or cursor.skip(payload, 0, Allowance(_MAX_VALUES)) != len(payload):
            return None
    except DecodeError:
        return None
    return ErrorResponse(payload) if name == b"ErrorResponse" else payload

"""Commands that bbipc does not serve, forwarded to a supervised child: the real `bb`.

`bb` answers one request after the other and ends its process when it meets one that it does not like. So only requests whose
fields are in order are forwarded (:func:`bbipc.server.commands.table.admit`), one at a time: a request that ends the child
costs only its own answer. The next child is started at once for the others; a client whose requests end one child after the
other waits for a pause that doubles each time. While other clients wait, a request may take ten minutes, and a few seconds once
its own client is gone or has cancelled it: then the child is ended. What `bb` keeps between requests (`ChonkStart`,
`ChonkLoad` ...) belongs to all clients, as it does in `bb`, and is lost with the child.

The child is started when it is needed first. It speaks to us over a pipe, plain; its log goes to our standard error.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from math import inf
from pathlib import Path
from typing import Final

import anyio
import anyio.lowlevel
import trio

from bbipc.client.errors import ServerUnreachable
from bbipc.client.transport import Transport, spawned
from bbipc.server.fair import GroupedQueue
from bbipc.server.idle import IdleSignal
from bbipc.server.jobs import Forwarding
from bbipc.wire import cursor
from bbipc.wire.cursor import Allowance
from bbipc.wire.dialect import ErrorResponse, error_response
from bbipc.wire.errors import DecodeError
from bbipc.wire.frame import Frame, FrameReader, encode_head

FIRST_PAUSE: Final = 0.1
"""Seconds between the failure of a child and the next one."""
MAX_PAUSE: Final = 30.0
"""The same, at most, for the client whose requests ended several in a row."""
END_PATIENCE: Final = 1.0
"""Seconds that the child gets to end by itself, and again after SIGTERM. It has nothing to do then that anybody waits for."""

LOOK: Final = 1.0
"""Seconds between two looks at how the child is doing."""
STOPPED_LOOKS: Final = 3
"""Looks in a row that find it stopped, after which it is killed."""
LONGEST: Final = 600.0
"""Seconds that it may take for a request while other clients wait: more than for any proof of a circuit that it takes."""
LONGEST_FOR_NOBODY: Final = 5.0
"""The same if nobody waits for the answer any more."""

REFUSED_TOGETHER: Final = 64
"""Requests that are refused before other tasks get a turn."""
BRIEF: Final = 64 * 1024
"""Bytes of a response that is looked at in the Trio thread; longer ones may take long."""

_CHUNK: Final = 65536
_MAX_VALUES: Final = 1 << 20

_NOBODY: Final = object()

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
        self._queue: GroupedQueue[object, Forwarding] = GroupedQueue()
        self._current: Forwarding | None = None
        self._failure: _ChildFailedError | None = None  # why the child is being ended
        self._has_child = False
        self._pause = 0.0
        self._failed_at = -inf
        self._unlucky: object = _NOBODY  # the client whose request ended the last child, if no other one was answered since
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
        if client is self._unlucky:
            self._unlucky = _NOBODY
        if self._current is not None and self._current.client is client:
            self._current.cancel()
        self._idle_signal.check()

    async def run(self) -> None:
        """Forward what is submitted, for ever."""
        await anyio.lowlevel.checkpoint()  # anyio loads its side of Trio now, and not in the midst of a request
        while True:
            await self._wait_for_turn()
            try:
                await self._serve_with_one_child()
            except _ChildFailedError as error:
                self._child_failed(str(error))
            except ServerUnreachable as error:
                # Waiting for the next attempt would help none of them.
                self._child_failed(str(error))
                await self._refuse_all(str(error))

    async def _refuse_all(self, reason: str) -> None:
        """Refuse those that wait now."""
        for number in range(1, len(self._queue) + 1):
            if not self._queue:
                return  # the clients of the others have left
            self._current = self._queue.pop()
            self._refuse_current(reason)
            if number % REFUSED_TOGETHER == 0:
                await anyio.lowlevel.checkpoint()

    async def _wait_for_work(self) -> None:
        while not self._queue:
            self._something_to_do = trio.Event()
            await self._something_to_do.wait()

    async def _wait_for_turn(self) -> None:
        """Until there is a request for which a child may be started now."""
        while True:
            await self._wait_for_work()
            pause = self._pause
            if self._waits_another_than(self._unlucky):
                pause = min(pause, FIRST_PAUSE)
                if next(self._queue.clients()) is self._unlucky:
                    self._queue.end_turn(self._unlucky)
            if trio.current_time() >= self._failed_at + pause:
                return
            self._something_to_do = trio.Event()
            with trio.move_on_at(self._failed_at + pause):
                await self._something_to_do.wait()

    def _waits_another_than(self, client: object) -> bool:
        """Whether a request of another client waits."""
        return any(other is not client for other in islice(self._queue.clients(), 2))

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
            self._failure = None
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._watch, child.pid, nursery.cancel_scope)
                    try:
                        await self._let_answer(child)
                    except _ChildFailedError as error:
                        self._failure = error
                    nursery.cancel_scope.cancel()
            finally:
                self._has_child = False
            if self._failure is not None:
                raise self._failure

    async def _watch(self, pid: int | None, child: trio.CancelScope) -> None:
        """End the child if a request keeps it from all others: because it is stopped (SIGSTOP) while somebody waits for its
        answer, which would never come, or because one request takes too long while other clients wait."""
        looks, seen, since = 0, self._current, trio.current_time()
        while True:
            await trio.sleep(LOOK)
            job = self._current
            if job is None or job is not seen or not self._waits_another_than(job.client):
                seen, since = job, trio.current_time()
            longest = LONGEST_FOR_NOBODY if job is not None and job.cancelled else LONGEST
            looks = looks + 1 if job is not None and pid is not None and _is_stopped(pid) else 0
            if looks == STOPPED_LOOKS:
                reason = "it was stopped by a signal"
            elif job is not None and trio.current_time() >= since + longest:
                reason = f"it took longer than {longest:g} s while other clients waited"
            else:
                continue
            self._failure = _ChildFailedError(f"bb was ended: {reason}")
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            child.cancel()

    async def _let_answer(self, child: Transport) -> None:
        """Forward to `child` until it fails. Raises _ChildFailedError."""
        reader = FrameReader(self._max_frame_bytes)
        while True:
            if not self._queue and await self._ends_before_work_comes(child):
                raise _ChildFailedError(f"bb ended while it had nothing to do{await child.why_ended()}")
            self._current = self._queue.pop()
            response = await self._ask(child, reader, self._current)
            self._pause, self._unlucky = 0.0, _NOBODY
            self.counters.forwarded += 1
            self._finish(response)

    async def _ask(self, child: Transport, reader: FrameReader, job: Forwarding) -> bytes:
        """The child's ``Response``.

        Raises:
            _ChildFailedError: it gave none.
        """
        try:
            command = job.request.command
            # In two parts: a copy of a large one would keep everybody waiting.
            await child.stream.send(encode_head(1 + len(command)) + b"\x91")
            await child.stream.send(command)
            while True:
                events = list(reader.feed(await child.stream.receive(_CHUNK)))
                if not events:
                    continue
                if len(events) == 1 and isinstance(events[0], Frame):
                    payload = events[0].payload
                    del events
                    look = partial(_response, payload)
                    try:
                        response = (
                            look() if len(payload) <= BRIEF else await trio.to_thread.run_sync(look, abandon_on_cancel=True)
                        )
                    except RuntimeError as error:  # no thread can be had now
                        raise _ChildFailedError(f"its answer could not be looked at: {error}") from error
                    if response is not None:
                        return response
                raise _ChildFailedError("bb sent something that is not a response")
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            log.debug("the pipe to %s broke", self.path)
        raise _ChildFailedError(f"bb ended without an answer{await child.why_ended()}")

    def _child_failed(self, reason: str) -> None:
        self.counters.failures += 1
        client = _NOBODY if self._current is None else self._current.client
        again = client is not _NOBODY and client is self._unlucky
        self._pause = min(2 * self._pause, MAX_PAUSE) if again else FIRST_PAUSE
        self._failed_at, self._unlucky = trio.current_time(), client
        log.warning("%s; the next one is started in %g s, or sooner for another client", reason, self._pause)
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

"""One client: its requests come in, their responses go out.

A connection has two tasks. The *reader* cuts the input into requests, answers the cheap ones itself and hands the others
to the scheduler. The *writer* sends what has been answered, in the order that :mod:`bbipc.server.replies` knows.

The reader pauses while the connection holds too much (see :mod:`bbipc.server.budget`), which in the end stops the
client from writing. A client that does not read its responses therefore stops nobody but itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import trio

from bbipc.server.backend import AnyTask
from bbipc.server.batch_service import BatchService
from bbipc.server.budget import ALWAYS_GRANTED, Budget
from bbipc.server.commands.kinds import (
    INLINE_BYTES,
    Cancellation,
    Command,
    Computed,
    Report,
    Shutdown,
    ToService,
    Verified,
)
from bbipc.server.commands.table import DEADLINE, admit, refuse
from bbipc.server.deadlines import Alarm, Deadlines
from bbipc.server.decoding import Decode
from bbipc.server.errors import CommandError
from bbipc.server.jobs import Finish, Forwarding, Job, Worker
from bbipc.server.lane import InStep, Lanes
from bbipc.server.replies import Place, Replies
from bbipc.server.scheduler import INTERNAL_ERROR, Scheduler
from bbipc.server.stats import Reporter, RequestOutcome
from bbipc.server.streams import ByteStream, send_all
from bbipc.server.turns import Crowd, Turn, Turns
from bbipc.wire.dialect import (
    Decoders,
    Malformed,
    Parsed,
    Request,
    Tag,
    Unserved,
    encode_response,
    error_response,
    parse_briefly,
    parse_request,
    read_tag,
)
from bbipc.wire.envelope import is_envelope
from bbipc.wire.frame import Discarded, Event, Frame, FrameReader, Oversized, Skimmed
from bbipc.wire.values import Fields

if TYPE_CHECKING:
    from bbipc.chonk.lane import Left
    from bbipc.server.cheap import CheapAnswers
    from bbipc.server.shm import ShmStream
    from bbipc.server.upstream import Upstream

BRIEF_BYTES: Final = 64 * 1024
"""The longest frame that is decoded in the Trio thread, which takes a few milliseconds at most; a proof fits. Longer ones, and
those with much that nobody asked for, are decoded in a worker."""
MAX_WAITING: Final = 1024
"""Requests of one connection that may wait for their responses; with more, it is not read. When the connection ends,
all are forgotten in one step, which takes about 10 us for each."""
REQUEST_BYTES: Final = 2048
"""Bytes that a waiting request takes beside its frame: measured (1.1 KiB), rounded up."""
ITEM_BYTES: Final = 128
"""Bytes that an item of a list takes beside what it has in the frame: measured, rounded up."""
STRUCTURE_BYTES: Final = 1536
"""The same for one that is a structure, as the proofs of a batch."""
REST_BYTES: Final = 1024 * 1024
"""Bytes that are still read at the end if the system has them already: what a pipe or socket can hold."""
MIN_PROGRESS: Final = 64 * 1024
"""Bytes of a large frame that must arrive in each period of :data:`~bbipc.server.budget.PATIENCE` while memory is short."""
READER_PATIENCE: Final = 5
"""Such periods in which a client that holds much may read nothing of its responses while memory is short."""

log = logging.getLogger("bbipc.connection")
AnyJob = TypeVar("AnyJob", bound=Job)


class End(Enum):
    """How a connection ended."""

    CLOSED = "the client closed the connection between two requests"
    STOPPED = "the server stopped reading"
    BROKEN_FRAME = "the input could not be cut into frames"
    LOST = "the client went away before it had read its responses"
    DEFECT = "the server could not go on with it, see its log"


class Services(NamedTuple):
    """What all connections share.

    Attributes:
        scheduler: runs what takes long.
        budget: bounds what they hold.
        commands: the commands that are served, by name.
        decoders: their decoders.
        envelope: whether all requests come in the envelope dialect; None: the first frame of each connection tells.
        upstream: forwards what is not served; None: that is refused.
        batch_service: the service that queues proofs and writes results to a FIFO.
        deadlines: of requests.
        reporter: answers ``Stats``, and has the counters.
        shut_down: called when a client asks for the end of the server; all connections are then told to stop reading.
        decode: runs what decodes a large frame in a worker thread.
        turns: how long a connection may work before others get their turn.
        cheap: the core's answers to cheap requests; None: all requests go the ordinary way.
        lanes: threads for clients that are in step; None: there are none.
    """

    scheduler: Scheduler
    budget: Budget
    commands: dict[str, Command]
    decoders: Decoders
    envelope: bool | None
    upstream: Upstream | None
    batch_service: BatchService
    deadlines: Deadlines
    reporter: Reporter
    shut_down: Callable[[], None]
    decode: Decode
    turns: Turns
    cheap: CheapAnswers | None = None
    lanes: Lanes | None = None

    @property
    def workers(self) -> list[Worker[Any]]:
        """Who does what takes its time; those that give work to others come before these."""
        workers: list[Worker[Any]] = [self.batch_service, self.scheduler]
        return workers if self.upstream is None else [*workers, self.upstream]

    async def wait_idle(self) -> None:
        """Until nothing is in flight on any connection; the batch service is stopped."""
        for worker in self.workers:
            await worker.wait_idle()

    def drop(self, client: object) -> None:
        """Forget everything that `client` waits for."""
        for worker in self.workers:
            worker.drop(client)


class _Pending(Place):
    """A request whose response takes its time. `received`: Trio's clock. `cancel`: cancels its job, as long as there is one."""

    __slots__ = ("alarm", "cancel", "name", "received", "size")

    def __init__(self, tag: Tag | None, name: str, size: int, received: float) -> None:
        super().__init__(tag)
        self.name, self.size, self.received = name, size, received
        self.cancel: Callable[[], bool] | None = None
        self.alarm: Alarm | None = None


Tasks = Sequence[AnyTask] | CommandError
"""The proofs of a request, or what is wrong with it."""


Admission = int | None | CommandError
"""The deadline of a request that may be forwarded, or why it may not be."""


class _Prepared(NamedTuple):
    """A request for verifications with its proofs, or one that is to be forwarded."""

    request: Request | Unserved
    tasks: Tasks | None = None
    admission: Admission = None


def _tasks_of(command: Verified, fields: Fields) -> Tasks:
    try:
        return command.tasks(fields)
    except CommandError as error:
        return error


def _admission_of(request: Unserved) -> Admission:
    try:
        return admit(request)
    except CommandError as error:
        return error


def _parse_and_prepare(payload: bytes, services: Services, *, envelope: bool) -> Parsed | _Prepared:
    """Everything about a large frame that takes long; in a worker thread."""
    parsed = parse_request(payload, services.decoders, envelope=envelope)
    if isinstance(parsed, Request):
        command = services.commands[parsed.name]
        if isinstance(command, Verified):
            return _Prepared(parsed, tasks=_tasks_of(command, parsed.fields))
    elif isinstance(parsed, Unserved) and services.upstream is not None:
        return _Prepared(parsed, admission=_admission_of(parsed))
    return parsed


class Connection:
    """Serves one client, from `run()` until its end.

    Args:
        services: what it shares with others.
        stream: where requests come from and responses go to.
        name: for the log.
        shm: the same stream, if it is one of shared memory, which answers cheap requests by itself.
        crowd: the connections of the same process; None: it has no others.

    Attributes:
        group: who shares its turns where work waits: those connections.
    """

    def __init__(
        self, services: Services, stream: ByteStream, name: str, shm: ShmStream | None = None, crowd: Crowd | None = None
    ) -> None:
        self.name = name
        self._services = services
        self._stream = stream
        self._shm = shm
        self._replies: Replies[_Pending] = Replies(None if shm is None else shm.max_response)
        lanes, descriptors = services.lanes, stream.descriptors
        self._in_step = None if lanes is None or descriptors is None else InStep(lanes, descriptors)
        self._handed_back = b""  # by a lane: received, but not looked at
        self._requests = self._cheap_requests = 0  # in the chunk that is being looked at
        self._envelope = services.envelope
        self._frames = FrameReader(services.budget.limits.frame)
        self._pending: set[_Pending] = set()
        self._alarms: set[Alarm] = set()
        self._feeds_batch_service = False
        self._waiting_bytes = 0  # of requests that have a job
        self._unread_bytes = 0  # of the chunk that is being looked at
        self._received = self._sent = 0  # bytes so far
        self._marked = (0, 0)  # what these were when somebody last needed room
        self._periods_unread = 0
        self._waits_for_room = False
        self.group: Connection | Crowd = self if crowd is None else crowd
        self._turn = Turn(services.turns, crowd)
        self._charged = 0  # what the budget knows of
        self._farewell: bytes | None = None  # the last frame, if the client asked for the end of the server
        self._reading = True
        self._stopping = False
        self._busy = False  # with what has been received
        self._read_scope = trio.CancelScope()
        self._scope = trio.CancelScope()
        self._something_to_write = trio.Event()
        self._writer_sends = False
        self._end = End.CLOSED

    async def run(self) -> End:
        """Serve until the client is gone or stop_reading() was called and everything is answered."""
        statistics = self._services.reporter.statistics
        statistics.connections += 1
        statistics.connections_total += 1
        self._services.budget.holders[self] = None
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write_until_done)
                    await self._read_until_end()
                    if self._end is End.LOST:
                        nursery.cancel_scope.cancel()
        except Exception:
            # Whatever one client provokes, the others have nothing to do with it.
            log.exception("%s: closing", self.name)
            self._end = End.DEFECT
        finally:
            # To forget what it waits for takes a while, and many may end at once.
            self._turn.leave()
            with trio.CancelScope(shield=True):
                await self._turn.begin()
            statistics.connections -= 1
            for alarm in self._alarms:
                alarm.cancel()
            unanswered = self._replies.unanswered
            for pending in self._pending:
                pending.cancel = pending.alarm = None  # see _finish()
            self._pending.clear()
            self._services.drop(self)
            self._services.budget.change(-self._charged)
            self._charged = 0
            del self._services.budget.holders[self]
            self._turn.leave()
        log.debug("%s: %s", self.name, self._end.value)
        if unanswered:
            log.info("%s: ended with %d requests unanswered", self.name, unanswered)
        return self._end

    def stop_reading(self) -> None:
        """Take no more requests, answer those that came, then end."""
        if self._reading and not self._stopping:
            self._stopping = True
            if not self._busy:
                self._read_scope.cancel()

    def _fail(self) -> None:
        """Give this client up, after a defect that was logged."""
        self._end = End.DEFECT
        self._scope.cancel()

    # ---- Reading ----

    async def _read_until_end(self) -> None:
        try:
            with self._read_scope:
                await self._read()
            if self._stopping and self._farewell is None:
                self._end = End.STOPPED
                await self._take_the_rest()
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            log.debug("%s: reading failed: %s", self.name, error.__cause__ or error)
            self._end = End.LOST
        finally:
            self._turn.leave()
        self._reading = False
        self._something_to_write.set()

    async def _read(self) -> None:
        turn = self._turn
        await turn.begin()
        while not self._stopping:
            if self._may_use_lane and await self._use_lane():
                if self._read_scope.cancel_called:
                    return
                await turn.begin()
            while (chunk := self._receive_nowait()) is None:
                turn.leave()
                await self._wait_readable()
                if self._read_scope.cancel_called:
                    return
                await turn.begin()
            if not chunk:
                self._report_end_of_input()
                return
            self._busy = True
            await self._look_at(chunk)
            self._busy = False
            if not self._reading:
                return
            self._flush()
            if self._is_in_want():
                await self._find_room()

    async def _wait_readable(self) -> None:
        """Wait for requests; on a stream that answers cheap ones by itself, it does so meanwhile."""
        shm = self._shm
        if shm is None or self._envelope is None:
            await self._stream.wait_readable()
            return
        # What waits to be sent comes before what would be answered now, and so does what a slot waits for.
        replies = self._replies
        plain = not (replies.plain_must_wait or replies.outgoing or self._writer_sends)
        for name, requests in await shm.serve(plain=plain, in_flight=replies.in_flight, envelope=self._envelope):
            self._services.reporter.statistics.count(name, RequestOutcome.ANSWERED, requests)

    @property
    def _may_use_lane(self) -> bool:
        """Whether the client is in step, and nothing of it is under way."""
        return self._in_step is not None and self._in_step.wants_lane and self._envelope is not None and self._owes_nothing

    async def _use_lane(self) -> bool:
        """Have requests answered until one comes that is not for a lane; False if there is none."""
        assert self._in_step is not None
        assert self._envelope is not None
        self._turn.leave()
        return await self._in_step.serve(self._take_over, envelope=self._envelope)

    @property
    def _owes_nothing(self) -> bool:
        """Whether nothing of this connection is under way in either direction."""
        under_way = self._pending or self._replies.held or self._writer_sends or self._handed_back
        return not under_way and self._frames.is_between_frames

    def _take_over(self, left: Left) -> None:
        """What a lane has left to be done."""
        self._received += left.received
        self._sent += left.sent
        self._handed_back = left.rest
        self._replies.add(left.unsent)
        self._flush()

    def _receive_nowait(self) -> bytes | None:
        if self._handed_back:
            chunk, self._handed_back = self._handed_back, b""
            return chunk
        return self._stream.receive_nowait()

    async def _take_the_rest(self) -> None:
        """Look at what the system has already: it was sent before the end began."""
        end = self._received + REST_BYTES
        while self._reading and self._received < end and (chunk := self._receive_nowait()):
            await self._look_at(chunk)
            self._flush()
        truncated = self._frames.end()
        if truncated is not None:
            log.info("%s: not answered: %s", self.name, truncated)

    async def _look_at(self, chunk: bytes) -> None:
        """Take all requests that `chunk` completes."""
        self._received += len(chunk)
        self._unread_bytes = len(chunk)
        self._requests = self._cheap_requests = 0
        events = self._frames.feed(chunk, self._skim if self._services.cheap is not None else None)
        del chunk
        for event in events:
            if type(event) is Frame:
                payload = event.payload
                if self._envelope is None:
                    self._envelope = is_envelope(payload)
                brief = len(payload) <= BRIEF_BYTES
                parsed = self._parse_briefly(payload) if brief else None
                if parsed is None:
                    parsed = await self._parse_in_worker(payload)
                size = len(payload)
                self._requests += 1
                del payload, event  # not to be kept while anything is waited for
                self._handle_safely(parsed, size)
                del parsed
            elif type(event) is not Skimmed:
                self._refuse(event)
            if not self._reading:
                break
            if self._turn.is_over() or self._holds_too_much():
                await self._pause()
        self._unread_bytes = 0
        if not self._frames.is_between_frames and self._turn.seconds_left <= 0:
            await self._pause()  # or who sends as fast as we receive, and ends no frame, would keep all others waiting
        if self._in_step is not None:
            self._in_step.saw(self._requests, self._cheap_requests)

    def _skim(self, data: bytes, start: int) -> int:
        """Have the core answer the requests at the beginning of `data[start:]`; the bytes of those that it did."""
        cheap = self._services.cheap
        if cheap is None or not self._reading:
            return 0
        answered = cheap.answer(
            data,
            start,
            plain=not self._replies.plain_must_wait,
            in_flight=self._replies.in_flight,
            seconds=self._turn.seconds_left,
            envelope=self._envelope is True,
        )
        if answered is None:
            return 0
        if self._envelope is None:
            self._envelope = False  # a plain or tagged request was there
        statistics = self._services.reporter.statistics
        for name, requests in answered.commands:
            statistics.count(name, RequestOutcome.ANSWERED, requests)
            self._requests += requests
            self._cheap_requests += requests
        self._replies.add(answered.frames)
        return answered.consumed

    def _parse_briefly(self, payload: bytes) -> Parsed | _Prepared | None:
        try:
            return parse_briefly(payload, self._services.decoders, envelope=self._envelope is True)
        except Exception:
            return self._not_parsed(payload)

    async def _parse_in_worker(self, payload: bytes) -> Parsed | _Prepared:
        self._flush()
        self._turn.leave()
        services = self._services
        envelope = self._envelope is True
        try:
            prepare = partial(_parse_and_prepare, payload, services, envelope=envelope)
            parsed = await services.decode(prepare, len(payload), self.group)
        except Exception:
            parsed = self._not_parsed(payload)
        await self._turn.begin()
        return parsed

    def _not_parsed(self, payload: bytes) -> Malformed:
        log.exception("%s: a frame of %d bytes could not be decoded", self.name, len(payload))
        return Malformed(read_tag(payload, envelope=self._envelope is True), INTERNAL_ERROR)

    def _refuse(self, event: Event) -> None:
        if isinstance(event, Discarded):
            limit = self._services.budget.limits.total
            self._replies.answer(
                None,
                error_response(
                    f"no room for a frame of {event.length} bytes: requests and responses of all clients together hold the "
                    f"maximum of {limit} bytes; try again later, or start the server with a larger --max-total-bytes"
                ),
            )
        elif isinstance(event, Oversized):
            log.info("%s: %s; closing", self.name, event)
            self._services.reporter.statistics.malformed += 1
            self._replies.answer(None, error_response(f"{event} (--max-frame-bytes); the connection ends"))
            self._end = End.BROKEN_FRAME
            self._reading = False

    def _report_end_of_input(self) -> None:
        truncated = self._frames.end()
        if self._stream.peer_is_gone() and (self._replies.unanswered or self._replies.outgoing):
            self._end = End.LOST
        elif truncated is not None:
            log.warning("%s: %s", self.name, truncated)
            self._end = End.BROKEN_FRAME

    def _handle_safely(self, parsed: Parsed | _Prepared, size: int) -> None:
        """As _handle(); a defect that a request provokes costs that request."""
        request, prepared = (parsed.request, parsed) if isinstance(parsed, _Prepared) else (parsed, None)
        try:
            self._handle(request, size, prepared)
        except Exception:
            log.exception("%s: a request failed", self.name)
            self._replies.answer(request.tag, error_response(INTERNAL_ERROR))

    def _handle(self, parsed: Parsed, size: int, prepared: _Prepared | None) -> None:
        tag = parsed.tag
        if tag is not None and tag.request_id in self._replies.in_flight:
            self._services.reporter.statistics.malformed += 1
            self._replies.answer(tag, error_response(f"request_id {tag.request_id} is already in flight on this connection"))
        elif type(parsed) is Request:
            tasks = None if prepared is None else prepared.tasks
            self._carry_out(self._services.commands[parsed.name], parsed, size, tasks)
        elif isinstance(parsed, Unserved):
            self._forward(parsed, size, prepared)
        elif isinstance(parsed, Malformed):
            if not parsed.probe:
                log.debug("%s: malformed request: %s", self.name, parsed.message)
                self._services.reporter.statistics.malformed += 1
            self._replies.answer(tag, error_response(parsed.message))

    def _forward(self, request: Unserved, size: int, prepared: _Prepared | None) -> None:
        upstream = self._services.upstream
        if upstream is None:
            self._answer_request(request, refuse(request))
            return
        admission = _admission_of(request) if prepared is None else prepared.admission
        if isinstance(admission, CommandError):
            self._answer_request(request, error_response(str(admission)))
        else:
            self._submit(request, admission, size, partial(Forwarding, self, request), upstream)

    def _carry_out(self, command: Command, request: Request, size: int, tasks: Tasks | None) -> None:
        fields = request.fields
        if isinstance(command, Computed):
            if command.cheap and size <= INLINE_BYTES:
                self._cheap_requests += 1
                self._answer_request(request, command.answer(fields))
            else:
                size += command.factor * size
                job = partial(command.job, self, fields)
                self._submit(request, fields.get(DEADLINE), size, job, self._services.scheduler)
        elif isinstance(command, Verified):
            if tasks is None:
                tasks = _tasks_of(command, fields)
            if isinstance(tasks, CommandError):
                self._answer_request(request, error_response(str(tasks)))
            else:
                verification = partial(command.job, self, tasks)
                self._submit(request, fields.get(DEADLINE), size, verification, self._services.scheduler)
        elif isinstance(command, ToService):
            self._feeds_batch_service = True
            self._submit(request, fields.get(DEADLINE), size, partial(command.job, self, fields), self._services.batch_service)
        else:
            self._administer(command, request)

    def _administer(self, command: Cancellation | Report | Shutdown, request: Request) -> None:
        if isinstance(command, Cancellation):
            self._answer_request(request, command.encode({"cancelled": self._cancel(request.fields["request_id"])}))
        elif isinstance(command, Report):
            self._answer_request(request, self._services.reporter.response())
        else:
            log.info("%s: asks for the end of the server", self.name)
            self._farewell = encode_response(command.response, request.tag)
            self._end = End.STOPPED
            self._reading = False
            self._services.shut_down()

    def _submit(
        self,
        request: Request | Unserved,
        deadline: int | None,
        size: int,
        make_job: Callable[[Finish], AnyJob],
        worker: Worker[AnyJob],
    ) -> None:
        """Give a job to those who do it, and keep its place among the responses. `deadline`: milliseconds from now."""
        if type(request) is Request:
            size += _list_bytes(request.fields)
        size += REQUEST_BYTES
        pending = _Pending(request.tag, request.name, size, trio.current_time())
        job = make_job(partial(self._finish_job, pending))
        pending.cancel = partial(worker.cancel, job)
        self._waiting_bytes += size
        self._pending.add(pending)
        self._replies.owe(pending)
        try:
            if deadline is not None:
                ring = partial(self._expire, pending, deadline)
                pending.alarm = self._services.deadlines.add(pending.received + deadline / 1000, ring)
                self._alarms.add(pending.alarm)
            if deadline == 0:
                self._expire(pending, deadline)
            else:
                worker.submit(job)
        except Exception:
            log.exception("%s: %s could not be begun", self.name, request.name)
            if pending.cancel is not None:
                self._give_up(pending, INTERNAL_ERROR, RequestOutcome.FAILED)

    # ---- The early end of a request ----

    def _cancel(self, request_id: int) -> bool:
        """Cancel a request of this connection that is not answered yet; False if there is none."""
        pending = self._replies.in_flight.get(request_id)
        if pending is None:
            return False
        self._give_up(pending, "cancelled by CancelRequest", RequestOutcome.CANCELLED)
        return True

    def _expire(self, pending: _Pending, deadline: int) -> None:
        self._give_up(pending, f"{pending.name}: not done within {deadline} ms ({DEADLINE})", RequestOutcome.EXPIRED)

    def _give_up(self, pending: _Pending, message: str, outcome: RequestOutcome) -> None:
        assert pending.cancel is not None
        pending.cancel()
        self._finish(pending, error_response(message), outcome)

    # ---- Responses ----

    def _answer_request(self, request: Request | Unserved, response: bytes) -> None:
        """Respond at once, as far as the order allows, to a request that counts."""
        self._services.reporter.statistics.count(request.name, RequestOutcome.of(response))
        self._replies.answer(request.tag, response)

    def _finish_job(self, pending: _Pending, response: bytes) -> None:
        try:
            self._finish(pending, response, RequestOutcome.of(response))
        except Exception:
            log.exception("%s: a response could not be sent; closing", self.name)
            self._fail()

    def _finish(self, pending: _Pending, response: bytes, outcome: RequestOutcome) -> None:
        """The response to a request that took its time; exactly once for each."""
        if pending.alarm is not None:
            pending.alarm.cancel()
            self._alarms.discard(pending.alarm)
        # Job and alarm point back to `pending`. Without these cycles, a request's memory is free at once.
        pending.cancel = pending.alarm = None
        self._pending.discard(pending)
        elapsed = trio.current_time() - pending.received
        self._services.reporter.statistics.count_job(pending.name, outcome, elapsed)
        self._waiting_bytes -= pending.size
        self._replies.pay(pending, response)
        self._flush()

    # ---- Writing ----

    def _flush(self) -> None:
        """Send what is ready, at once as far as the system takes it; the writer sends the rest."""
        replies = self._replies
        if replies.outgoing and not self._writer_sends:
            try:
                self._send_some()
            except trio.BrokenResourceError as error:
                log.debug("%s: the writer will find it broken: %s", self.name, error)  # and end the connection
            self._writer_sends = bool(replies.outgoing)  # until it has done so, nobody need try again
        if replies.outgoing or not self._reading:
            self._something_to_write.set()
        self._settle()

    def _send_some(self) -> None:
        """Send what the system takes at once."""
        sent = self._stream.send_nowait(self._replies.outgoing)
        self._replies.sent(sent)
        self._sent += sent

    async def _write_until_done(self) -> None:
        try:
            while await self._wait_for_output():
                self._writer_sends = True
                while self._replies.outgoing:
                    self._send_some()
                    if self._replies.outgoing:
                        self._settle()
                        await self._stream.wait_writable()
                self._writer_sends = False
                self._settle()
            if self._farewell is not None:
                await self._services.wait_idle()
                await send_all(self._stream, self._farewell)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._end = End.LOST
            self._scope.cancel()

    async def _wait_for_output(self) -> bool:
        """Until there is something to be sent; False if there never will be."""
        while not self._replies.outgoing:
            if not self._reading and not self._replies.unanswered:
                return False
            self._something_to_write = trio.Event()
            await self._something_to_write.wait()
        return True

    # ---- Memory ----

    def _settle(self) -> None:
        """Tell the budget what this connection holds now."""
        held = self._waiting_bytes + self._replies.held + self._frames.held + self._unread_bytes
        if held != self._charged:
            self._services.budget.change(held - self._charged)
            self._charged = held

    def _holds_too_much(self) -> bool:
        if self._feeds_batch_service and self._services.batch_service.full:
            return True
        return (
            self._waiting_bytes + self._replies.held >= self._services.budget.limits.connection
            or self._replies.unanswered >= MAX_WAITING
        )

    async def _pause(self) -> None:
        """Let others work, and wait while this connection holds too much."""
        self._flush()
        await self._turn.end()
        while self._holds_too_much():
            self._turn.leave()
            await self._services.budget.wait()
            if not self._holds_too_much():
                await self._turn.begin()

    def _is_in_want(self) -> bool:
        return self._holds_too_much() or not self._services.budget.allows(self._charged)

    async def _find_room(self) -> None:
        """Wait until this connection may take more bytes. If the memory of all is short, those whose places make no progress
        yield them. If there are none and no work in progress can make room either, this one gives up its large unfinished
        frame: then only clients could, by reading their responses, and it must not depend on them."""
        budget = self._services.budget
        self._turn.leave()
        self._waits_for_room = True
        try:
            while self._is_in_want():
                if self._holds_too_much():
                    await budget.wait()
                elif self._services.scheduler.idle and self._has_large_frame() and not budget.somebody_may_yield(self):
                    self._frames.discard()
                    self._settle()
                else:
                    await budget.wait_and_look()
        finally:
            self._waits_for_room = False
        await self._turn.begin()

    def _has_large_frame(self) -> bool:
        return self._frames.held > ALWAYS_GRANTED // 2

    # What :class:`bbipc.server.budget.Holder` wants.

    def may_yield(self) -> bool:
        """See :class:`~bbipc.server.budget.Holder`."""
        return (self._has_large_frame() and not self._waits_for_room) or self._replies.held > ALWAYS_GRANTED

    def mark_progress(self) -> tuple[int, int]:
        """Bytes received and sent since the last call."""
        received, sent = self._received - self._marked[0], self._sent - self._marked[1]
        self._marked = self._received, self._sent
        self._periods_unread = 0 if sent or self._replies.held <= ALWAYS_GRANTED else self._periods_unread + 1
        return received, sent

    def yield_without_progress(self) -> None:
        """See :class:`~bbipc.server.budget.Holder`."""
        received, _ = self.mark_progress()
        if self._has_large_frame() and not self._waits_for_room and received < MIN_PROGRESS:
            log.info("%s: memory is short, and its unfinished frame makes no progress", self.name)
            self._frames.discard()
            self._settle()
        if self._periods_unread >= READER_PATIENCE:
            log.info("%s: memory is short, and it does not read its responses; closing", self.name)
            self._end = End.LOST
            self._scope.cancel()


def _list_bytes(fields: Fields) -> int:
    """What the lists among `fields` take beside what they had in the frame."""
    total = 0
    for value in fields.values():
        if type(value) is list and value:
            total += len(value) * (STRUCTURE_BYTES if type(value[0]) is dict else ITEM_BYTES)
    return total

"""``ChonkBatchVerifierStart``, ``Queue`` and ``Stop``: proofs come one by one, verdicts go to a named FIFO.

There is one such service in a server, as in bb, and all its clients share it. Its proofs are verified like any others, by
the scheduler; `batch_size` bounds how many of them are there at a time, and so how many are in one batch.

Calls are carried out in the order in which they come. While one takes its time (Start, which looks at the keys in a worker
thread, and Stop) the next ones wait.
"""

from __future__ import annotations

import logging
import struct
from collections import OrderedDict, deque
from collections.abc import Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

import msgpack
import trio

from bbipc.chonk.sizes import FIXED_WORDS
from bbipc.server.backend import Task
from bbipc.server.batch_report import concerns_ipa
from bbipc.server.budget import Budget
from bbipc.server.config import MIB
from bbipc.server.errors import CommandError
from bbipc.server.fifo import FifoWriter, check_fifo
from bbipc.server.jobs import Computation, ServiceCall, Verification
from bbipc.server.scheduler import INTERNAL_ERROR, Scheduler
from bbipc.server.steps import Steps
from bbipc.wire.dialect import ErrorResponse, error_response, response_encoder
from bbipc.wire.schema import published
from bbipc.wire.values import WORD, Fields

if TYPE_CHECKING:
    from bbipc.chonk import Verdict

START: Final = "ChonkBatchVerifierStart"
QUEUE: Final = "ChonkBatchVerifierQueue"
STOP: Final = "ChonkBatchVerifierStop"

MAX_RESULT_BYTES: Final = 4 * MIB
"""Results that nobody has read, in bytes (some 30,000): above it, Queue is refused."""
CALLS_PER_TURN: Final = 64
"""Calls that are carried out before other tasks get a turn."""
RESULT_OVERHEAD: Final = 512
"""Bytes that a result takes beside its frame, and a key or a proof beside its bytes: measured, rounded up."""
MAX_REASON: Final = 512
"""Characters of an error message in a result: a result is written to the FIFO as a whole or not at all."""

_STATUS_OK: Final = 0
_STATUS_FAILED: Final = 1

_length: Final = struct.Struct(">I")

log = logging.getLogger("bbipc.batch_service")


class _Proof:
    """A proof in the service, since the time `queued` of Trio's clock; with a job once the scheduler has it."""

    __slots__ = ("job", "queued", "request_id", "task")

    def __init__(self, request_id: int, task: Task, queued: float) -> None:
        self.request_id, self.task, self.queued = request_id, task, queued
        self.job: Verification | None = None

    @property
    def size(self) -> int:
        return RESULT_OVERHEAD + sum(map(len, self.task.parts))

    def result(self, verdicts: Sequence[Verdict]) -> bytes:
        """What goes to the FIFO."""
        return self.frame(_STATUS_OK if verdicts[0].valid else _STATUS_FAILED, _message(verdicts[0]))

    def frame(self, status: int, message: str) -> bytes:
        """A result: 4 bytes of length, big-endian, and a map."""
        assert self.job is not None
        fields: dict[str, Any] = {
            "request_id": self.request_id,
            "status": status,
            "error_message": message,
            "time_in_queue_ms": 1000 * (self.job.started - self.queued),
            "time_in_verify_ms": 1000 * (trio.current_time() - self.job.started),
            "batch_failure_count": sum(self.job.failed_checks[:1]),  # none, if there was no verdict by a defect
        }
        packed: bytes = msgpack.packb(fields)
        return _length.pack(len(packed)) + packed


class _Session:
    """What happens between Start and Stop. `proof_sizes`: words of a proof, for each key."""

    def __init__(
        self, keys: Sequence[bytes], proof_sizes: Sequence[int], threads: int | None, batch_size: int, fifo: FifoWriter
    ) -> None:
        self.keys, self.proof_sizes, self.threads, self.batch_size, self.fifo = keys, proof_sizes, threads, batch_size, fifo
        self.waiting: deque[_Proof] = deque()
        self.verifying = 0
        self.results: dict[bytes, int] = {}  # not yet written: frame -> request_id
        self.ids: set[int] = set()  # of all proofs and results
        self.stopping = False

    @property
    def key_bytes(self) -> int:
        """What the keys take."""
        return sum(map(len, self.keys)) + RESULT_OVERHEAD * len(self.keys)

    @property
    def verified(self) -> bool:
        """Whether no proof waits for a verdict."""
        return not self.waiting and not self.verifying


@cache
def done(name: str) -> bytes:
    """The ``Response`` to the command `name` when it was carried out."""
    response = published().response_name(name)
    return response_encoder(response, published().response(response))({})


class BatchService:
    """The service. Its methods are called in the Trio thread only.

    Args:
        scheduler: verifies.
        budget: counts the bytes of its proofs and results.
    """

    def __init__(self, scheduler: Scheduler, budget: Budget) -> None:
        self._scheduler = scheduler
        self._budget = budget
        for name in (START, QUEUE, STOP):
            done(name)  # not made when descriptors or memory may be short
        self._session: _Session | None = None
        self._session_began = trio.Event()
        self._current: ServiceCall | None = None  # a Start or Stop that takes its time
        self._calls: OrderedDict[ServiceCall, None] = OrderedDict()  # those behind it
        self._calls_of: dict[object, OrderedDict[ServiceCall, None]] = {}  # the same by client, so that drop() finds them
        self._call_ended = trio.Event()
        self._more_calls = trio.Event()
        self._proof_bytes = 0
        self._result_bytes = 0

    # ---- What it is doing ----

    @property
    def running(self) -> bool:
        """Whether it has been started and not stopped."""
        return self._session is not None

    @property
    def waiting(self) -> int:
        """Proofs without a verdict."""
        return 0 if self._session is None else len(self._session.waiting) + self._session.verifying

    @property
    def results(self) -> int:
        """Results that were not written to the FIFO yet."""
        return 0 if self._session is None else len(self._session.results)

    @property
    def full(self) -> bool:
        """Whether its proofs take as much memory as one connection may: those who feed it are not read for a while."""
        return self._proof_bytes >= self._budget.limits.connection

    # ---- Calls ----

    def submit(self, call: ServiceCall) -> None:
        """Carry out `call` when its turn comes."""
        self._calls[call] = None
        self._calls_of.setdefault(call.client, OrderedDict())[call] = None
        self._next_calls()

    def cancel(self, call: ServiceCall) -> bool:
        """Nobody waits for `call`; True if it had not started, in which case it never will."""
        call.cancel()
        if call not in self._calls:
            return False
        self._forget(call)
        return True

    def drop(self, client: object) -> None:
        """`client` is gone: forget those of its calls that have not started. The service goes on, it belongs to all."""
        for call in list(self._calls_of.get(client, ())):
            self.cancel(call)
        if self._current is not None and self._current.client is client:
            self._current.cancel()

    def _forget(self, call: ServiceCall) -> None:
        """`call` does not wait any more."""
        del self._calls[call]
        of_client = self._calls_of[call.client]
        del of_client[call]
        if not of_client:
            del self._calls_of[call.client]

    def _next_calls(self) -> None:
        """Carry out what can be carried out now, but so much at a time that others are not kept waiting."""
        for _ in range(CALLS_PER_TURN):
            if not self._calls or self._current is not None:
                return
            call = next(iter(self._calls))
            self._forget(call)
            try:
                response = self._carry_out(call)
            except CommandError as error:
                response = error_response(f"{call.name}: {error}")
            except Exception:
                log.exception("%s failed", call.name)
                response = error_response(f"{call.name}: {INTERNAL_ERROR}")
                self._current = None
            if response is not None:
                call.respond(response)
        self._more_calls.set()

    async def _carry_on(self) -> None:
        """Carry out what _next_calls() left, for ever."""
        while True:
            await self._more_calls.wait()
            self._more_calls = trio.Event()
            self._next_calls()

    def _carry_out(self, call: ServiceCall) -> bytes | None:
        """The ``Response``, or None if it takes its time. Raises CommandError."""
        if call.name == START:
            self._start(call)
            return None
        session = self._session
        if call.name == STOP:
            if session is None:
                raise CommandError("service not running.")
            self._current = call
            self._stop(session)
            return None
        if session is None:
            raise CommandError(f"service not running. Call {START} first.")
        self._queue(session, call.fields)
        return done(QUEUE)

    def _finish_current(self, response: bytes) -> None:
        call, self._current = self._current, None
        if call is not None:
            call.respond(response)
        self._call_ended.set()
        self._call_ended = trio.Event()
        self._next_calls()

    # ---- Start ----

    def _start(self, call: ServiceCall) -> None:
        if self._session is not None:
            raise CommandError(f"service already running. Call {STOP} first.")
        check_fifo(call.fields["fifo_path"])
        keys = call.fields["vks"]
        sizes: list[int] = []
        self._current = call
        self._scheduler.submit(Computation(self, _look_at_keys(keys, sizes), partial(self._started, call, sizes)))

    def _started(self, call: ServiceCall, sizes: Sequence[int], response: bytes) -> None:
        if not isinstance(response, ErrorResponse):
            fields = call.fields
            fifo = FifoWriter(fields["fifo_path"], self._result_is_gone)
            batch_size = max(fields["batch_size"], 1)
            self._session = _Session(fields["vks"], sizes, fields["num_cores"] or None, batch_size, fifo)
            self._budget.change(self._session.key_bytes)
            self._session_began.set()
            log.info("started, fifo=%s", fifo.path)
        self._finish_current(response)

    # ---- Queue ----

    def _queue(self, session: _Session, fields: Fields) -> None:
        request_id, index, words = fields["request_id"], fields["vk_index"], fields["proof_fields"]
        if index >= len(session.keys):
            raise CommandError(f"invalid vk_index: {index}, the service was started with {len(session.keys)} keys")
        expected, count = session.proof_sizes[index], len(words) // WORD
        if count != expected:
            raise CommandError(f"proof has wrong size: expected {expected}, got {count}")
        if request_id in session.ids:
            raise CommandError(f"request_id {request_id} is already in use: its result was not written to the FIFO yet")
        if self._result_bytes >= MAX_RESULT_BYTES:
            raise CommandError(
                f"{len(session.results)} results wait because nobody reads the FIFO {session.fifo.path!r}; "
                "read it, then queue again"
            )
        proof = _Proof(request_id, Task((words,), session.keys[index]), trio.current_time())
        session.ids.add(request_id)
        session.waiting.append(proof)
        self._proof_bytes += proof.size
        self._budget.change(proof.size)
        self._submit_more(session)

    def _submit_more(self, session: _Session) -> None:
        """Hand the next proofs to the scheduler, if it has none of ours."""
        if session.verifying:
            return
        while session.waiting and session.verifying < session.batch_size:
            session.verifying += 1
            proof = session.waiting.popleft()
            proof.job = Verification(self, [proof.task], proof.result, partial(self._verified, session, proof), session.threads)
            self._scheduler.submit(proof.job)

    # ---- Results ----

    def _verified(self, session: _Session, proof: _Proof, frame: bytes) -> None:
        if isinstance(frame, ErrorResponse):  # the scheduler's, after a defect
            frame = proof.frame(_STATUS_FAILED, INTERNAL_ERROR)
        session.verifying -= 1
        self._proof_bytes -= proof.size
        self._result_bytes += len(frame)
        session.results[frame] = proof.request_id
        self._budget.change(RESULT_OVERHEAD + len(frame))
        self._budget.change(-proof.size)
        session.fifo.put(frame)
        self._submit_more(session)
        if session.stopping and session.verified:
            session.fifo.finish()

    def _result_is_gone(self, frame: bytes) -> None:
        session = self._session
        assert session is not None
        session.ids.discard(session.results.pop(frame))
        self._result_bytes -= len(frame)
        self._budget.change(-RESULT_OVERHEAD - len(frame))

    async def run(self) -> None:
        """Carry out calls and deliver results, for ever."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._carry_on)
            await self._deliver()

    async def _deliver(self) -> None:
        while True:
            await self._session_began.wait()
            self._session_began = trio.Event()
            session = self._session
            assert session is not None
            lost = await session.fifo.deliver()
            self._ended(session, lost)

    # ---- Stop ----

    def _stop(self, session: _Session) -> None:
        session.stopping = True
        if session.verified:
            session.fifo.finish()

    def _ended(self, session: _Session, lost: int) -> None:
        self._session = None
        self._budget.change(-session.key_bytes)
        response = done(STOP)
        if lost:
            message = f"stopped, but {lost} results are lost: nobody reads the FIFO {session.fifo.path!r}"
            log.error("%s", message)
            response = error_response(f"{STOP}: {message}")
        log.info("stopped, fifo=%s", session.fifo.path)
        self._finish_current(response)

    async def wait_idle(self) -> None:
        """Stop if it is running: verify what was queued and deliver the results, as far as somebody reads them."""
        while self._current is not None or self._session is not None:
            if self._session is not None:
                self._stop(self._session)
            await self._call_ended.wait()


def _look_at_keys(keys: Sequence[bytes], sizes: list[int]) -> Steps[bytes]:
    """Find out how many words proofs for each key have. The ``Response`` to Start: an error if a key cannot be decoded."""
    from bbipc.chonk import ChonkFormatError, VerificationKey  # noqa: PLC0415 - loaded when it is needed

    for index, key in enumerate(keys):
        try:
            sizes.append(FIXED_WORDS + VerificationKey(key).num_public_inputs)
        except ChonkFormatError as error:
            return error_response(f"{START}: vks[{index}]: {error}")
        yield
    return done(START)


def _message(verdict: Verdict) -> str:
    """What bb says. It tells the checks before the IPA, which it makes for each proof alone, from the IPA itself, for which
    it makes no difference between a wrong and an undecodable one."""
    if verdict.valid:
        return ""
    if concerns_ipa(verdict):
        return "batch check failed (bisected to individual)"
    if verdict.reason is not None:
        return f"reduce_to_ipa_claim threw: {verdict.reason[:MAX_REASON]}"
    return "reduction failed"

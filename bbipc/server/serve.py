"""The life of a server: start, transports, signals, end."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import trio

from bbipc.server import early, memory
from bbipc.server.backend import Backend
from bbipc.server.batch_service import BatchService
from bbipc.server.budget import Budget
from bbipc.server.cheap import CheapAnswers
from bbipc.server.commands import table
from bbipc.server.commands.table import commands, decoders
from bbipc.server.config import Address, Config
from bbipc.server.connection import Connection, End, Services
from bbipc.server.deadlines import Deadlines
from bbipc.server.decoding import DecodingThreads
from bbipc.server.door import Door, max_connections
from bbipc.server.errors import StartError
from bbipc.server.lane import Lanes
from bbipc.server.lifetime import PARENT_DIED, ParentWatch, client_of, peer_of, started_on_a_pipe
from bbipc.server.logs import LogCounters
from bbipc.server.scheduler import Scheduler
from bbipc.server.stats import Reporter, Statistics
from bbipc.server.streams import ByteStream
from bbipc.server.transport import replay_stream, socket_stream, standard_stream, unix_listener
from bbipc.server.turns import Crowd, Crowds, Turns

if TYPE_CHECKING:
    from bbipc.server.shm import ShmStream
    from bbipc.server.upstream import Upstream

EXIT_OK: Final = 0
EXIT_BROKEN_INPUT: Final = 1
EXIT_CANNOT_START: Final = 1
EXIT_DEFECT: Final = 70
EXIT_BROKEN_PIPE: Final = 141
"""128 + SIGPIPE: whoever should have read the responses went away."""

_EXIT_CODES: Final = {
    End.CLOSED: EXIT_OK,
    End.STOPPED: EXIT_OK,
    End.BROKEN_FRAME: EXIT_BROKEN_INPUT,
    End.LOST: EXIT_BROKEN_PIPE,
    End.DEFECT: EXIT_DEFECT,
}

SWITCH_INTERVAL: Final = 0.001
"""Seconds after which a thread that runs Python must let another one run."""

log = logging.getLogger("bbipc.server")


class Server:
    """Serves until its input ends, a client sends Shutdown, or a signal arrives."""

    def __init__(self, config: Config, backend: Backend, log_counters: LogCounters | None = None) -> None:
        self.config = config
        self._budget = Budget(config.limits)
        self._scheduler = Scheduler(backend, config.threads, on_idle=self._budget.wake)
        self._upstream = self._make_upstream()
        self._batch_service = BatchService(self._scheduler, self._budget)
        self._deadlines = Deadlines()
        self._cheap = CheapAnswers(commands(config.threads))
        statistics = Statistics()
        self._services = Services(
            scheduler=self._scheduler,
            budget=self._budget,
            commands=commands(config.threads),
            decoders=decoders(),
            envelope=config.envelope,
            upstream=self._upstream,
            batch_service=self._batch_service,
            deadlines=self._deadlines,
            reporter=Reporter(
                statistics=statistics,
                scheduler=self._scheduler,
                budget=self._budget,
                batch_service=self._batch_service,
                upstream=self._upstream,
                arithmetic=backend.arithmetic,
                started=trio.current_time(),
                logs=log_counters or LogCounters(),
            ),
            shut_down=self.drain,
            decode=DecodingThreads(self._budget),
            turns=Turns(),
            cheap=self._cheap,
            lanes=Lanes(self._cheap, statistics, self._scheduler, len(os.sched_getaffinity(0))),
        )
        self._backend = backend
        self._crowded = trio.Event()
        self._loaded = trio.Event()
        self._number = 0  # of the last client
        self._parent = ParentWatch()
        self._client = client_of(config.input)
        self._shm: ShmStream | None = None
        self._connections: set[Connection] = set()
        self._crowds = Crowds()
        self._accepting = trio.CancelScope()
        self._ready = trio.Event()
        self._draining = trio.Event()

    def drain(self) -> None:
        """Take no more requests; answer those in flight, then end."""
        self._draining.set()
        self._accepting.cancel()
        for connection in self._connections:
            connection.stop_reading()

    def _make_upstream(self) -> Upstream | None:
        if self.config.bb is None:
            return None
        from bbipc.server.upstream import Upstream  # noqa: PLC0415 - most servers have none

        return Upstream(self.config.bb, self.config.limits.frame, on_idle=self._budget.wake)

    async def run(self) -> int:
        """Serve; the exit code of the process."""
        code = EXIT_OK
        async with trio.open_nursery() as nursery:
            # The handlers are in place before the first request, and before the parent may be missed.
            await nursery.start(self._watch_signals, nursery.cancel_scope)
            nursery.start_soon(self._scheduler.run)
            nursery.start_soon(self._batch_service.run)
            nursery.start_soon(self._deadlines.run)
            if self._upstream is not None:
                nursery.start_soon(self._upstream.run)
            nursery.start_soon(self._limit_draining, nursery.cancel_scope)
            nursery.start_soon(self._watch_client)
            nursery.start_soon(self._load)
            nursery.start_soon(memory.give_back_now_and_then, self._budget, lambda: self._scheduler.idle)
            try:
                self._tell_supervisor(nursery)
                await self._serve_metrics(nursery)
                code = await self._serve_input()
            except StartError as error:
                log.error("%s", error)
                code = EXIT_CANNOT_START
            await self._batch_service.wait_idle()
            nursery.cancel_scope.cancel()
        return code

    async def _serve_metrics(self, nursery: trio.Nursery) -> None:
        """Let Prometheus fetch metrics in the background, if that is wanted, and supervisors the state. Raises StartError."""
        address = self.config.metrics
        if address is None:
            return
        from bbipc.server import metrics, scrape  # noqa: PLC0415 - they and what they need are loaded by who wants them only

        listeners = await scrape.open_listeners(address)
        for listener in listeners:
            place = Address(*listener.socket.getsockname()[:2])
            log.info("metrics at http://%s%s", place, scrape.METRICS)
            if not place.is_loopback:
                log.warning("--metrics %s is not a loopback address: whoever reaches it can read the metrics", address)
        health = scrape.health(self._ready.is_set, self._draining.is_set)
        pages = {scrape.METRICS: metrics.page(self._services.reporter), scrape.HEALTH: health}
        nursery.start_soon(scrape.serve, listeners, pages)

    def _tell_supervisor(self, nursery: trio.Nursery) -> None:
        """Keep systemd informed, if it has started this process and wants to know."""
        if "NOTIFY_SOCKET" not in os.environ:
            return
        from bbipc.server import notify  # noqa: PLC0415 - as above

        supervisor = notify.take_supervisor(os.environ)
        if supervisor is not None:
            nursery.start_soon(notify.inform, supervisor, self._ready, self._draining)

    # ---- Transports ----

    async def _serve_input(self) -> int:
        path = self.config.input
        if path is None or not path.endswith((".sock", ".shm")):
            for number, name in ((0, "standard input"), (1, "standard output")):
                if number in self.config.closed_descriptors and (number or path in (None, "-")):
                    raise StartError(f"{name} is closed, and requests or responses go there; use --input X.sock, or open it")
        if path is None or path == "-":
            with standard_stream() as stream:
                self._ready.set()
                return _EXIT_CODES[await self._serve_client(stream, "standard input")]
        if path.endswith(".sock"):
            return await self._serve_socket(path)
        if path.endswith(".shm"):
            return await self._serve_shm(path)
        with replay_stream(path) as stream:
            self._ready.set()
            return _EXIT_CODES[await self._serve_client(stream, path)]

    async def _serve_socket(self, path: str) -> int:
        with unix_listener(path, self.config.backlog, self.config.socket_mode) as listener:
            log.info("listening at %s", path)
            _tell_terminal(f"bbipc: listening at {path}, Ctrl-C ends")
            self._ready.set()
            door = Door(
                listener, max_connections(), envelope=self.config.envelope is True, crowded=self._crowded, loaded=self._loaded
            )
            try:
                async with trio.open_nursery() as clients:
                    with self._accepting:
                        await door.admit(lambda accepted: clients.start_soon(self._serve_accepted, door, accepted))
            finally:
                door.close()
        return EXIT_OK

    async def _serve_accepted(self, door: Door, accepted: socket.socket) -> None:
        self._number += 1
        name = f"client {self._number}"
        try:
            if self._parent.is_at_other_end(accepted):
                self._parent.ask_for_signal()
            with accepted, socket_stream(accepted) as stream, self._crowds.member(peer_of(accepted)) as crowd:
                await self._serve_client(stream, name, crowd=crowd)
        except Exception:
            log.exception("%s: closing", name)  # whatever one client provokes, the others have nothing to do with it
        finally:
            accepted.close()
            door.one_less()

    async def _load(self) -> None:
        """Load what requests may need, so that no request meets a shortage of descriptors or memory while it is loaded."""
        try:
            await trio.to_thread.run_sync(memory.keep_little, self.config.threads, abandon_on_cancel=True)
            await trio.to_thread.run_sync(table.load, self.config.threads, abandon_on_cancel=True)
            await trio.to_thread.run_sync(self._backend.load, abandon_on_cancel=True)
            gc.freeze()  # what was loaded stays: to look for garbage among it would keep all clients waiting
            await self._crowded.wait()
            await trio.to_thread.run_sync(self._backend.load_rest, abandon_on_cancel=True)
            gc.freeze()
        except Exception:
            log.exception("the verifier could not be loaded; the first request that needs it tries again")
        finally:
            self._loaded.set()

    async def _serve_shm(self, path: str) -> int:
        from bbipc.server.shm import ShmStream  # noqa: PLC0415 - only who uses it loads it
        from bbipc.shm.files import ShmError, created, name_of  # noqa: PLC0415

        try:
            with created(name_of(path), self.config.request_ring_size, self.config.response_ring_size) as rings:
                log.info("waiting at %s", path)
                self._ready.set()
                stream = self._shm = ShmStream(rings, self._cheap)
                end = await self._serve_client(stream, path, stream)
                return EXIT_BROKEN_INPUT if stream.broken else EXIT_OK if stream.peer_is_gone() else _EXIT_CODES[end]
        except ShmError as error:
            raise StartError(str(error)) from None

    async def _serve_client(
        self, stream: ByteStream, name: str, shm: ShmStream | None = None, crowd: Crowd | None = None
    ) -> End:
        log.debug("%s: connected", name)
        connection = Connection(self._services, stream, name, shm, crowd)
        self._connections.add(connection)
        if self._draining.is_set():
            connection.stop_reading()
        try:
            return await connection.run()
        finally:
            self._connections.discard(connection)

    # ---- The end ----

    async def _watch_client(self) -> None:
        """End with a client whose number is in the path, even if it died before this began or another process started us."""
        if self._client is None:
            return
        try:
            descriptor = os.pidfd_open(self._client)
        except ProcessLookupError:
            self._client_has_ended()
            return
        except OSError:
            return  # not possible here: the parent's signal remains
        try:
            await trio.lowlevel.wait_readable(descriptor)
        finally:
            os.close(descriptor)
        self._client_has_ended()

    def _client_has_ended(self) -> None:
        log.warning("the client, process %d, has ended", self._client)
        if self._shm is not None:
            self._shm.abandon()
        self.drain()

    async def _watch_signals(
        self, everything: trio.CancelScope, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        ending = [signal.SIGTERM, signal.SIGINT]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup wants it
            ending.append(signal.SIGHUP)
        with trio.open_signal_receiver(*ending, PARENT_DIED) as signals:
            task_status.started()
            early.hand_over_signals()
            if self._client is not None or started_on_a_pipe():
                self._parent.ask_for_signal()
            await self._obey(signals, everything)

    async def _obey(self, signals: AsyncIterator[int], everything: trio.CancelScope) -> None:
        async for number in signals:
            if number == PARENT_DIED:
                if (self._client is not None or self._parent.parent_died()) and not self._draining.is_set():
                    log.warning("the parent process ended")
                    self.drain()
            elif self._draining.is_set():
                log.warning("%s again: ending at once", signal.Signals(number).name)
                everything.cancel()
                return
            else:
                log.info("signal %d: answering what is in flight", number)
                self.drain()

    async def _limit_draining(self, everything: trio.CancelScope) -> None:
        await self._draining.wait()
        await trio.sleep(self.config.grace_period)
        log.warning("the grace period of %g s is over: ending with requests in flight", self.config.grace_period)
        everything.cancel()


def run(config: Config, backend: Backend, log_counters: LogCounters | None = None) -> int:
    """Serve as `config` says; the exit code of the process."""

    async def serve() -> int:
        return await Server(config, backend, log_counters).run()

    # A thread that decodes must not keep the event loop waiting for long.
    sys.setswitchinterval(SWITCH_INTERVAL)
    memory.look_for_garbage_at_quiet_moments()
    try:
        return trio.run(serve)
    except Exception:
        log.critical("ending by a defect", exc_info=True)
        # At once: whatever is still running serves nobody any more.
        os._exit(EXIT_DEFECT)


def _tell_terminal(text: str) -> None:
    """Tell somebody who started the server by hand that it is there."""
    with suppress(OSError, ValueError):
        if sys.stderr is not None and sys.stderr.isatty():
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

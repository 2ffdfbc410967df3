"""Lanes: a client that asks for one cheap thing after the other gets a thread for a while.

Such a client waits for each response before it sends the next request, so that every request costs it a wake-up of the Trio
thread, several times what the answer takes. After :data:`IN_STEP` such requests its reader lends the descriptors to a thread,
which stays in the core (csrc/wire/lane.cpp) until anything else comes: another request, a second one before the first is
answered, a response for which there is no room, the end of the input, silence, or the wish of the server to end. What was read
and not answered then goes the ordinary way. So this changes no response, no order and no statistics.

Nothing of the connection is in flight meanwhile. There are at most :data:`MAX_LANES`, and no more than the processors that the
scheduler's workers leave: a lane and its client keep two busy, which would slow down verifications. So none is opened while
workers claim them all, and those that are open end when they do. Other connections go on as without lanes, and get their
chance after :data:`LONGEST`.

The environment variable BBIPC_LANES=never turns them off, and BBIPC_LANES=always gives one to every client after its first
request: for tests and measurements.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

import trio

from bbipc.server.stats import RequestOutcome, Statistics

if TYPE_CHECKING:
    from bbipc.chonk.lane import Lane, Left
    from bbipc.server.cheap import CheapAnswers
    from bbipc.server.scheduler import Scheduler
    from bbipc.server.streams import Descriptors

IN_STEP: Final = 8
"""Cheap requests, one by one, before a lane is worth while: to open and leave one costs about as much as four of them."""
MOST_IN_STEP: Final = 1024
"""The same for clients that were silent in lanes before."""
MAX_LANES: Final = 4
IDLE: Final = 20
"""Milliseconds without a request after which a lane ends."""
LONGEST: Final = 500
"""Milliseconds after which it ends in any case, so that others get their chance."""

log = logging.getLogger("bbipc.lane")


class Lanes:
    """The lanes of all connections; for the Trio thread.

    Args:
        cheap: answers cheap requests.
        statistics: where requests are counted.
        scheduler: whose workers come first.
        processors: how many there are.
    """

    def __init__(self, cheap: CheapAnswers, statistics: Statistics, scheduler: Scheduler, processors: int) -> None:
        wanted = os.environ.get("BBIPC_LANES")
        self._cheap = cheap
        self._statistics = statistics
        self._scheduler = scheduler
        self._processors = processors
        self._most = 0 if wanted == "never" else MAX_LANES
        self._limiter = trio.CapacityLimiter(MAX_LANES)
        self._free: list[Lane] = []
        self._open: list[Lane] = []
        self.in_step = 0 if wanted == "always" else IN_STEP
        statistics.settle = self.settle
        scheduler.on_submit = self._make_room

    @property
    def _room(self) -> int:
        """How many may be open now."""
        return max(0, min(self._most, self._processors - self._scheduler.claimed))

    def _make_room(self) -> None:
        """End those that workers leave no processor."""
        for lane in self._open[self._room :]:
            lane.interrupt(on=True)

    def open(self) -> Lane | None:
        """A lane for one connection, which close() must follow; None if there is none."""
        if len(self._open) >= self._room:
            return None
        lane = self._free.pop() if self._free else self._new()
        if lane is not None:
            self._open.append(lane)
        return lane

    def _new(self) -> Lane | None:
        try:
            lane = self._cheap.lane()
        except OSError as error:
            log.debug("%s", error)  # not now
            return None
        if lane is None:
            self._most = 0
        return lane

    def close(self, lane: Lane) -> None:
        """Nobody uses it any more."""
        self._count(lane)
        self._open.remove(lane)
        self._free.append(lane)

    def settle(self) -> None:
        """Count all requests that were answered so far."""
        for lane in self._open:
            self._count(lane)

    def _count(self, lane: Lane) -> None:
        for name, requests in lane.take_counts():
            self._statistics.count(name, RequestOutcome.ANSWERED, requests)

    async def run(self, serve: Callable[[], Left]) -> Left | None:
        """Call what blocks a thread; it is not cancelled. None if there is no thread."""
        try:
            return await trio.to_thread.run_sync(serve, limiter=self._limiter)
        except RuntimeError as error:
            log.debug("no thread for a lane: %s", error)
            return None


class InStep:
    """Whether the client of one connection is in step, and the lane that it has then.

    Args:
        lanes: those of all connections.
        descriptors: of the connection.
    """

    def __init__(self, lanes: Lanes, descriptors: Descriptors) -> None:
        self._lanes = lanes
        self._descriptors = descriptors
        self._needed = lanes.in_step
        self._seen = 0

    def saw(self, requests: int, cheap: int) -> None:
        """So many requests came at once, and so many of them were answered at once."""
        if requests:
            self._seen = self._seen + 1 if requests == cheap == 1 else 0

    @property
    def wants_lane(self) -> bool:
        """Whether one is worth while."""
        return self._seen >= self._needed

    async def serve(self, take_over: Callable[[Left], None], *, envelope: bool) -> bool:
        """Have requests answered until one comes that is not for a lane, or this is cancelled; in either case, `take_over` is
        then told what is left. False: there was no lane. Raises trio.BrokenResourceError, as reading does."""
        lane = self._lanes.open()
        if lane is None:
            return False
        left: Left | None = None
        serve = partial(lane.serve, *self._descriptors, envelope=envelope, idle=IDLE, longest=LONGEST)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_interrupt_at_end, lane)
                left = await self._lanes.run(serve)
                nursery.cancel_scope.cancel()
        finally:
            lane.interrupt(on=False)
            self._lanes.close(lane)
            self._judge(0 if left is None else left.requests)
            if left is not None:
                take_over(left)
        if left is not None and left.error:
            raise trio.BrokenResourceError(f"cannot read: {os.strerror(left.error)}")
        return left is not None

    def _judge(self, requests: int) -> None:
        """When the next lane is worth while, after one that has answered so many."""
        self._seen = 0
        worth_while = requests >= IN_STEP or not self._lanes.in_step
        self._needed = self._lanes.in_step if worth_while else min(2 * self._needed, MOST_IN_STEP)


async def _interrupt_at_end(lane: Lane) -> None:
    try:
        await trio.sleep_forever()
    finally:
        lane.interrupt(on=True)

"""Cheap requests that the core answers by itself, many in one call.

The rules stand in :mod:`bbipc.wire` and :mod:`bbipc.server.commands`; the core (csrc/wire/) follows them for the requests that
it knows, and leaves the others, and all that would be answered by an error, to them. So this changes no response, no order and
no statistics, only the time that it takes.

The environment variable BBIPC_CHEAP=python turns it off, for tests and measurements.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from bbipc.chonk.shared import default_core
from bbipc.server.commands.kinds import Command, Computed

if TYPE_CHECKING:
    from bbipc.chonk.cheap import Answered, Answerer
    from bbipc.chonk.lane import Lane
    from bbipc.shm.files import Rings
    from bbipc.shm.serving import RingServer

MAX_IDS: Final = 64
"""Ids in flight with which requests are still answered this way: each request is compared with all of them."""

log = logging.getLogger("bbipc.cheap")


class CheapAnswers:
    """Answers the cheap requests of all connections; for the Trio thread.

    Args:
        commands: what is served; of these only those that are answered at once.
    """

    def __init__(self, commands: dict[str, Command]) -> None:
        self._commands = [name for name, command in commands.items() if isinstance(command, Computed) and command.cheap]
        self._answerers: dict[bool, Answerer] = {}
        self._works = os.environ.get("BBIPC_CHEAP") != "python"

    def load(self) -> None:
        """Load the core; if that fails, everything goes the ordinary way."""
        if not self._answerers and self._works:
            try:
                from bbipc.chonk.cheap import Answerer  # noqa: PLC0415 - not before the server listens

                core = default_core()
                self._answerers = {which: Answerer(core, self._commands, envelope=which) for which in (False, True)}
            except Exception:
                log.exception("the core answers no cheap requests")
                self._works = False

    def answer(
        self, data: bytes, start: int, *, plain: bool, in_flight: Collection[int], seconds: float, envelope: bool
    ) -> Answered | None:
        """Answer the requests at the beginning of `data[start:]`, where a frame begins; None if the first is not for the core.

        Args:
            data: frames; the last one may be cut.
            start: where they begin.
            plain: whether plain requests may be answered: no earlier one of the connection waits for its response.
            in_flight: ids of the connection's requests that are not answered yet.
            seconds: about how long this may take.
            envelope: whether all requests come in envelopes.
        """
        if len(in_flight) > MAX_IDS:
            return None
        if not self._answerers:
            self.load()
            if not self._answerers:
                return None
        answerer = self._answerers[envelope]
        return answerer.answer(data, start, plain=plain, in_flight=in_flight, max_work=int(1e6 * seconds))

    def ring_server(self, rings: Rings, *, envelope: bool) -> RingServer | None:
        """What answers the requests of a ring in a thread of its own; None if everything goes the ordinary way."""
        self.load()
        if not self._answerers:
            return None
        from bbipc.shm.serving import RingServer  # noqa: PLC0415

        return RingServer(rings, default_core(), self._commands, envelope=envelope)

    def lane(self) -> Lane | None:
        """What answers the requests of a connection in a thread of its own, see :mod:`bbipc.server.lane`; None as above.

        Raises:
            OSError: there is no descriptor for it.
        """
        self.load()
        if not self._answerers:
            return None
        from bbipc.chonk.lane import Lane  # noqa: PLC0415 - as above

        return Lane(default_core(), self._commands)

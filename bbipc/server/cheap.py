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

from bbipc.server.commands import Command, Computed

if TYPE_CHECKING:
    from bbipc.chonk.cheap import Answered, Answerer

MAX_IDS: Final = 64
"""Ids in flight with which requests are still answered this way: each request is compared with all of them."""

log = logging.getLogger("bbipc.cheap")


class CheapAnswers:
    """Answers the cheap requests of all connections; for the Trio thread.

    Args:
        commands: what is served; of these only those that are answered at once.
        envelope: whether all requests come in envelopes.
    """

    def __init__(self, commands: dict[str, Command], *, envelope: bool) -> None:
        self._commands = [name for name, command in commands.items() if isinstance(command, Computed) and command.cheap]
        self._envelope = envelope
        self._answerer: Answerer | None = None
        self._works = os.environ.get("BBIPC_CHEAP") != "python"

    def load(self) -> None:
        """Load the core; if that fails, everything goes the ordinary way."""
        if self._answerer is None and self._works:
            try:
                from bbipc.chonk.cheap import Answerer  # noqa: PLC0415 - not before the server listens
                from bbipc.chonk.verifier import default_core  # noqa: PLC0415

                self._answerer = Answerer(default_core(), self._commands, envelope=self._envelope)
            except Exception:
                log.exception("the core answers no cheap requests")
                self._works = False

    def answer(self, data: bytes, start: int, *, plain: bool, in_flight: Collection[int], seconds: float) -> Answered | None:
        """Answer the requests at the beginning of `data[start:]`, where a frame begins; None if the first is not for the core.

        Args:
            data: frames; the last one may be cut.
            start: where they begin.
            plain: whether plain requests may be answered: no earlier one of the connection waits for its response.
            in_flight: ids of the connection's requests that are not answered yet.
            seconds: about how long this may take.
        """
        if len(in_flight) > MAX_IDS:
            return None
        if self._answerer is None:
            self.load()
            if self._answerer is None:
                return None
        return self._answerer.answer(data, start, plain=plain, in_flight=in_flight, max_work=int(1e6 * seconds))

"""Looking for a conversation that breaks the law."""

import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import trio
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Flaky, HypothesisWarning

from bbipc.conform.case import Broken
from bbipc.conform.judge import Expectation, Turn
from bbipc.conform.script import MAX_CLIENTS, Script
from bbipc.fuzzing.sandbox import Sandbox
from bbipc.fuzzing.strategies import proof_turns, scripts

__all__ = ["Campaign", "Finding"]

EXAMPLES: Final = 100
"""Examples of one round; then a new seed."""


class _TimeIsUp(Exception):  # noqa: N818 - not an error
    """The time of the campaign is over, which is no failure."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A conversation that breaks the law, as small as it could be made."""

    script: Script
    expected: str
    got: str


@dataclass
class Campaign:
    """A search.

    Attributes:
        sandbox: the server under test.
        others: servers whose outcome classes must be the same.
        tags: whether the server knows tagged requests.
        seed: where the random numbers begin.
        seconds: how long to search.
        examples: conversations held so far.
        compared: outcomes compared so far.
        findings: what was found.
    """

    sandbox: Sandbox
    others: Sequence[Sandbox]
    tags: bool
    seed: int
    seconds: float
    examples: int = 0
    compared: int = 0
    findings: list[Finding] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)
    _last: Finding | None = None

    async def run(self, on_finding: Callable[[Finding], None], *, most: int = 1, rounds: float = math.inf) -> None:
        """Search until the time is up, `most` findings were made, or `rounds` rounds of `EXAMPLES` examples are over."""
        round_number = 0
        try:
            while not self._is_over() and len(self.findings) < most and round_number < rounds:
                search = self._compare_outcomes if self.others and round_number % 2 else self._keep_the_law
                finding = await trio.to_thread.run_sync(self._search, search, self.seed + round_number)
                if finding is not None:
                    self.findings.append(finding)
                    on_finding(finding)
                round_number += 1
        finally:
            with trio.CancelScope(shield=True):
                for sandbox in (self.sandbox, *self.others):
                    await sandbox.close()

    def _is_over(self) -> bool:
        return time.monotonic() - self._started > self.seconds

    def _search(self, search: Callable[[int], None], number: int) -> Finding | None:
        """One round, in a thread; the smallest failure that Hypothesis comes to."""
        self._last = None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", HypothesisWarning)  # that an example with a proof is long to print: nobody does
                search(number)
        except _TimeIsUp:
            return None
        except (Broken, Flaky):
            # Flaky: the failure did not come again in the same way, for instance because of timing. It still happened.
            return self._last
        return None

    def _settings(self) -> settings:
        return settings(
            max_examples=EXAMPLES,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
            report_multiple_bugs=False,
        )

    def _check_time(self) -> None:
        # While a failure is being shrunk, time does not matter: Hypothesis bounds that itself.
        if self._last is None and self._is_over():
            raise _TimeIsUp

    def _keep_the_law(self, number: int) -> None:
        """Any conversation gets the responses that the law demands."""
        target = self.sandbox.target

        @seed(number)
        @self._settings()
        @given(scripts(tags=self.tags, setup=target.setup, clients=MAX_CLIENTS if target.transport == "socket" else 1))
        def law(script: Script) -> None:
            self._check_time()
            self.examples += 1
            failure = trio.from_thread.run(self._play, script)
            if failure is not None:
                self._last = Finding(self._named(script, number), failure.expected, failure.got)
                raise Broken(failure.expected, failure.got)

        law()

    async def _play(self, script: Script) -> Broken | None:
        """The way in which the law was broken; as a value, since Hypothesis tells failures apart by where they come from."""
        try:
            await self.sandbox.play(script)
        except Broken as failure:
            return failure
        return None

    def _compare_outcomes(self, number: int) -> None:
        """Servers agree about a proof."""

        @seed(number)
        @self._settings()
        @given(proof_turns(tags=False, setup=self.sandbox.target.setup))
        def agree(turn: Turn) -> None:
            self._check_time()
            ours = trio.from_thread.run(self.sandbox.outcome, turn)
            for other in self.others:
                theirs = trio.from_thread.run(other.outcome, turn)
                self.compared += 1
                if ours != theirs:
                    script = Script((Turn(turn.payload, turn.note, Expectation(outcomes=(theirs,))),))
                    names = " ".join(other.target.command)
                    self._last = Finding(self._named(script, number), f"{theirs}, as {names} finds", ours)
                    raise Broken(self._last.expected, ours)

        agree()

    def _named(self, script: Script, number: int) -> Script:
        target = self.sandbox.target
        socket = "" if target.transport == "pipe" else f" --{target.transport}"
        origin = f"bbipc fuzz{socket} --seed {number} -- {' '.join(target.command)}"
        return replace(script, origin=origin, setup=target.setup)

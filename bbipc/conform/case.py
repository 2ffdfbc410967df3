"""What a conformance case is, and what it finds."""

from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from bbipc.conform.lab import Lab

__all__ = [
    "STREAMS",
    "SUITES",
    "TRANSPORTS",
    "Broken",
    "Case",
    "CaseOutcome",
    "Event",
    "NotApplicable",
    "Result",
    "Suite",
    "broken",
]

SUITES: Final = {
    "framing": "Bytes become frames, frames become requests",
    "plain": "Commands answered as bb answers them",
    "tagged": "Requests with an id",
    "envelope": "Requests behind an id of eight bytes",
    "ordering": "Which response comes when",
    "errors": "Malformed requests: one error each, and nothing else is lost",
    "limits": "Sizes that a client announces or provokes",
    "lifecycle": "Start, end of input, Shutdown, signals",
    "faults": "Clients that misbehave or vanish",
    "verdicts": "Which proofs are valid, invalid, or an error",
    "service": "The batch verifier service and its FIFO",
    "transactions": "Which Aztec transactions are valid: the extension command VerifyTx",
}
"""The suites and what they are about."""

TRANSPORTS: Final = {
    "pipe": "standard input and output",
    "socket": "Unix socket",
    "shm": "shared memory",
}
"""The ways to a server."""
STREAMS: Final = ("pipe", "socket")
"""Those on which the client cuts the bytes as it likes, and can end its input."""


class CaseOutcome(Enum):
    """What a case found."""

    PASS = "pass"
    FAIL = "fail"
    NOT_APPLICABLE = "not applicable"


class Broken(Exception):  # noqa: N818 - the rule is broken, the harness is not
    """The server broke the rule of the case.

    Attributes:
        expected: what the rule demands.
        got: what came instead.
    """

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"expected {expected}; got {got}")
        self.expected = expected
        self.got = got


class NotApplicable(Exception):  # noqa: N818 - not an error
    """The case cannot be judged for this server; the text says why."""


def broken(expected: str, got: object) -> NoReturn:
    """Raise Broken."""
    raise Broken(expected, str(got))


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the record of a case.

    Attributes:
        who: "harness", "server", or the name of a client where there are several.
        what: "sent", "received", "end of output", ...
        text: for people.
        data: the bytes, if there are any.
    """

    who: str
    what: str
    text: str = ""
    data: bytes = b""


CaseFunction = Callable[["Lab"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Case:
    """A rule, and how to find out whether a server keeps it.

    Attributes:
        id: suite and name, `framing.split-writes`.
        rule: the rule in one sentence.
        source: the place where the rule is written: a file of docs/, with the anchor or the section.
        recorded: names of recorded exchanges with bb 5.0.0 that show the input; may be empty.
        run: judges a server; raises Broken or NotApplicable.
        transports: those of TRANSPORTS on which it can be judged.
        tagged: whether it needs a server that knows tagged requests.
    """

    id: str
    rule: str
    source: str
    run: CaseFunction
    recorded: tuple[str, ...] = ()
    transports: frozenset[str] = frozenset(TRANSPORTS)
    tagged: bool = False

    @property
    def suite(self) -> str:
        """The part of the id before the point."""
        return self.id.split(".", 1)[0]


@dataclass(frozen=True, slots=True)
class Result:
    """What a case found.

    Attributes:
        case: the case.
        outcome: the outcome.
        seconds: how long it took.
        expected: what the rule demands, if it was broken.
        got: what came instead, or why the case is not applicable.
        events: what was sent and what came, in order.
    """

    case: Case
    outcome: CaseOutcome
    seconds: float = 0.0
    expected: str = ""
    got: str = ""
    events: tuple[Event, ...] = ()


@dataclass(slots=True)
class Suite:
    """Collects the cases of one suite: `suite = Suite("framing")`, then `@suite.case(...)` above each function."""

    name: str
    source: str
    cases: list[Case] = field(default_factory=list)

    def case(
        self,
        name: str,
        rule: str,
        *,
        source: str | None = None,
        recorded: tuple[str, ...] = (),
        transport: str | Collection[str] = tuple(TRANSPORTS),
        tagged: bool = False,
    ) -> Callable[[CaseFunction], CaseFunction]:
        """Register the decorated function as a case. `source` defaults to that of the suite."""

        def register(function: CaseFunction) -> CaseFunction:
            transports = frozenset({transport} if isinstance(transport, str) else transport)
            self.cases.append(Case(f"{self.name}.{name}", rule, source or self.source, function, recorded, transports, tagged))
            return function

        return register

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)

"""The kinds of commands, by what is done with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bbipc.server.errors import CommandError
from bbipc.server.jobs import Computation, Finish, ServiceCall, Verification
from bbipc.server.late import Late
from bbipc.server.steps import Steps
from bbipc.wire.dialect import error_response, response_encoder
from bbipc.wire.schema import extended
from bbipc.wire.values import Fields

if TYPE_CHECKING:
    from bbipc.chonk import Verdict
    from bbipc.server.backend import AnyTask

INLINE_BYTES: Final = 4096
"""The longest request that a cheap command answers without a worker thread: its work stays below a millisecond."""


class Computed(NamedTuple):
    """A command whose response is a function of its fields.

    Attributes:
        name: the command.
        encode: fields of the response -> ``Response``.
        compute: fields of the command -> fields of the response; raises CommandError.
        steps: as `compute`, for requests that may take long; at least one of the two is there.
        cheap: whether a request of at most :data:`INLINE_BYTES` is answered in the Trio thread, by `compute`.
        factor: bytes that a byte of the request takes while it is worked on, beside itself.
    """

    name: str
    encode: Callable[[Fields], bytes]
    compute: Late[[Fields], Fields] | None
    steps: Late[[Fields], Steps[Fields]] | None = None
    cheap: bool = False
    factor: int = 0

    def answer(self, fields: Fields) -> bytes:
        """The ``Response`` of a cheap command; never raises CommandError."""
        assert self.compute is not None, "what is cheap is computed at once"
        try:
            return self.encode(self.compute(fields))
        except CommandError as error:
            return error_response(str(error))

    def answer_in_steps(self, fields: Fields) -> Steps[bytes]:
        """The same for a request that may take long."""
        try:
            if self.steps is not None:
                return self.encode((yield from self.steps(fields)))
            assert self.compute is not None, "there is one of them"
            return self.encode(self.compute(fields))
        except CommandError as error:
            return error_response(str(error))

    def job(self, client: object, fields: Fields, finish: Finish) -> Computation:
        """What answers a request that may take long."""
        return Computation(client, self.answer_in_steps(fields), finish)


class Verified(NamedTuple):
    """A command that asks for proofs to be verified.

    Attributes:
        name: the command.
        tasks: the proofs; raises CommandError.
        conclude: the verdicts, in the order of the tasks -> ``Response``.
    """

    name: str
    tasks: Late[[Fields], Sequence[AnyTask]]
    conclude: Late[[Sequence[Verdict]], bytes]

    def job(self, client: object, tasks: Sequence[AnyTask], finish: Finish) -> Verification:
        """What answers a request with these proofs."""
        return Verification(client, tasks, self.conclude, finish)


class Shutdown(NamedTuple):
    """The command that ends the server."""

    name: str
    response: bytes


class ToService(NamedTuple):
    """A command to the batch verifier service."""

    name: str

    def job(self, client: object, fields: Fields, finish: Finish) -> ServiceCall:
        """What answers a request."""
        return ServiceCall(client, self.name, fields, finish)


class Cancellation(NamedTuple):
    """The command that cancels a request of the same connection. `encode`: fields of the response -> ``Response``."""

    name: str
    encode: Callable[[Fields], bytes]


class Report(NamedTuple):
    """The command that asks what the server has done so far."""

    name: str


Command = Computed | Verified | Shutdown | ToService | Cancellation | Report


def late_functions(command: Command) -> Iterator[Late[..., Any]]:
    """The functions of `command` that are loaded late."""
    return (part for part in command if isinstance(part, Late))


def encoder(name: str) -> Callable[[Fields], bytes]:
    """What makes a ``Response`` of the fields of the response to command `name`."""
    response = extended().response_name(name)
    return response_encoder(response, extended().response(response))

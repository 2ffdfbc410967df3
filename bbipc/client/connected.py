"""What both clients tell about their connection."""

from typing import TYPE_CHECKING, TypeAlias

from bbipc.chonk import ChonkProof, VerificationKey
from bbipc.client.probe import Dialect

if TYPE_CHECKING:
    from bbipc.client.connection import Connection

__all__ = ["Connected", "Pair"]

Pair: TypeAlias = tuple[ChonkProof, bytes | VerificationKey]
"""A proof, and the key that it is to be verified with."""


class Connected:
    """A client with a connection."""

    _connection: "Connection"

    def __repr__(self) -> str:
        return f"<Client of {self.server}, {self.dialect.value}>"

    @property
    def dialect(self) -> Dialect:
        """What is spoken on this connection."""
        return self._connection.dialect

    @property
    def supports_tagged(self) -> bool:
        """Whether responses come in the order in which they are ready. If not, `call_tagged` is the same as `call`."""
        return self.dialect is not Dialect.PLAIN

    @property
    def server(self) -> str:
        """The server's command or socket, for messages."""
        return self._connection.server

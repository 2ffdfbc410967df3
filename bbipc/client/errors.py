"""What can go wrong for a client."""

# ruff: noqa: N818 - these names say what happened, as those of Trio do

__all__ = ["ClientClosed", "ClientError", "ProtocolViolation", "ServerError", "ServerGone", "ServerUnreachable"]


class ClientError(Exception):
    """Base of all errors of this package. Except for `ServerError`, the connection is lost with any of them."""


class ServerError(ClientError):
    """The server answered a request with an ErrorResponse; the connection lives on. Its text is the server's message.

    Attributes:
        command: the name of the command that was refused.
        message: what the server said.
    """

    def __init__(self, command: str, message: str) -> None:
        super().__init__(command, message)
        self.command = command
        self.message = message

    def __str__(self) -> str:
        return self.message


class ServerUnreachable(ClientError):
    """The server could not be started, or nobody listens at the socket."""


class ServerGone(ClientError):
    """The server ended the connection, or its process ended, while or before a request waited for its response."""


class ProtocolViolation(ClientError):
    """The server sent what no server may send: bytes that are not a response, or a response that nobody asked for.

    Nothing that it sent can be trusted to belong to a request any more, so every request that waits fails with this error.
    """


class ClientClosed(ClientError):
    """The client was closed while the request waited, or before it was made."""

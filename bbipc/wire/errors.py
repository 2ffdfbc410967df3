"""What can be wrong with bytes from the other side of a connection."""

from __future__ import annotations


class WireError(ValueError):
    """Base of all errors of this package; ``str()`` of it is fit to be sent to the peer."""


class DecodeError(WireError):
    """A value that is not what the schema asks for: where it is, what it is, what was expected.

    ``path`` grows from the inside out while the error travels through the decoders of the enclosing values, so that
    a value that is in order costs nothing.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = ""

    def within(self, step: str) -> None:
        """Prepend one step, ``name`` or ``[index]``, to the path."""
        joint = "." if self.path and not self.path.startswith("[") else ""
        self.path = f"{step}{joint}{self.path}"

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}" if self.path else self.problem


class EncodeError(WireError):
    """A value given to an encoder does not have the type the schema demands."""

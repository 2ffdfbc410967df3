"""What can be wrong with the bytes of a proof, a key, a setup or an operand."""

__all__ = ["ChonkFormatError", "NoResultError", "NotCanonicalError", "NotOnCurveError", "PrimitiveError", "require_bytes"]


class ChonkFormatError(ValueError):
    """Bytes that are not a proof, key or setup.

    Attributes:
        position: where, for example `proof.merge_proof[3]` (the fourth 32-byte word of that part), `vk`, or `setup.g2_x`.
    """

    def __init__(self, message: str, position: str = "") -> None:
        super().__init__(message)
        self.position = position

    @classmethod
    def at(cls, position: str, problem: str) -> "ChonkFormatError":
        """An error whose message starts with its position."""
        return cls(f"{position}: {problem}", position)

    def __reduce__(self) -> tuple[type["ChonkFormatError"], tuple[str, str]]:
        return type(self), (str(self), self.position)


class PrimitiveError(ValueError):
    """An operand that a primitive operation cannot take, or an operation without a result."""


class NotCanonicalError(PrimitiveError):
    """A field element that is not below its modulus (chapter 01 section 1)."""


class NotOnCurveError(PrimitiveError):
    """Coordinates that satisfy no curve equation (chapter 01 sections 2 to 4)."""


class NoResultError(PrimitiveError):
    """The inverse of zero, the square root of a non-square, or a compressed point whose x is on no point."""


def require_bytes(data: object, name: str = "data", hint: str = "from_file reads a file") -> None:
    """Name the argument that is not bytes, and what to do.

    Raises:
        TypeError: `data` is something else.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"{name}: {type(data).__name__}, expected bytes; {hint}")

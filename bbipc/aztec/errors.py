"""What can be wrong with the bytes or the JSON of a transaction."""

__all__ = ["TxFormatError"]


class TxFormatError(ValueError):
    """Bytes or JSON that are not a transaction of a known layout (chapter 15).

    Attributes:
        field: what was being read, for example `data.constants.vk_tree_root`; empty if nothing is recognised.
        offset: index of the first byte of that field within the transaction (or, in JSON, within the decoded member); None if
            there is none.
    """

    def __init__(self, message: str, field: str = "", offset: int | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.offset = offset

    @classmethod
    def at(cls, field: str, offset: int | None, problem: str) -> "TxFormatError":
        """An error whose message starts with its place."""
        where = field if offset is None else f"{field} at byte {offset}"
        return cls(f"{where}: {problem}", field, offset)

    def __reduce__(self) -> tuple[type["TxFormatError"], tuple[str, str, int | None]]:
        return type(self), (str(self), self.field, self.offset)

"""The two forms of a transaction's `data`: their bytes, and from these the public inputs (chapter 15 section 2)."""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final

from bbipc.aztec.layout import Place, leaves, members, read, size, write
from bbipc.aztec.records import (
    PrivateToPublicKernelCircuitPublicInputs,
    PrivateToRollupKernelCircuitPublicInputs,
    TxData,
)
from bbipc.chonk.words import WORD

__all__ = ["FORMS", "PUBLIC", "ROLLUP", "Form", "form_of"]


@dataclass(frozen=True)
class Form:
    """One form of `data`.

    Attributes:
        name: `rollup` or `public`; so the registry names the keys.
        circuit: the hiding kernel that proves transactions of this form.
        flag: the first byte of `data`.
        record: the class of its values, whose members stand in the order of the public inputs.
        separator: what a transaction hash of this form begins with.
    """

    name: str
    circuit: str
    flag: int
    record: type[TxData]
    separator: int

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The members in the order of their bytes."""
        body = self.record.BODY
        return *(name for name, _ in members(self.record) if name not in body), *body

    @cached_property
    def size(self) -> int:
        """The bytes of `data`, the flag included."""
        return 1 + size(self.record)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """All leaves in the order of the public inputs; offsets count from the start of `data`."""
        kinds = dict(members(self.record))
        offset, starts = 1, {}
        for name in self.order:
            starts[name] = offset
            offset += size(kinds[name])
        return tuple(place for name, kind in kinds.items() for place in leaves(kind, name, starts[name]))

    @cached_property
    def flags(self) -> tuple[int, ...]:
        """The offsets of all leaves that are booleans, which have one bit in a byte."""
        return tuple(place.offset for place in self.places if place.leaf.python is bool)

    def place_at(self, offset: int) -> Place | None:
        """The leaf that the byte at `offset` belongs to; None for the flag and for what lies behind `data`."""
        for place in self.places:
            if place.offset <= offset < place.offset + place.leaf.size:
                return place
        return None

    @cached_property
    def _pieces(self) -> tuple[slice | bytes, ...]:
        """Slices of `data` and zeros which, joined, are the public inputs: neighbouring words are one slice."""
        pieces: list[slice | bytes] = []
        for place in self.places:
            end = place.offset + place.leaf.size
            last = pieces[-1] if pieces else None
            if place.leaf.size < WORD:
                pieces += [bytes(WORD - place.leaf.size), slice(place.offset, end)]
            elif isinstance(last, slice) and last.stop == place.offset:
                pieces[-1] = slice(last.start, end)
            else:
                pieces.append(slice(place.offset, end))
        return tuple(pieces)

    def public_inputs(self, data: bytes) -> bytes:
        """The public inputs, 32 bytes each, of `data`, whose size must be right; they are not checked."""
        return b"".join([piece if isinstance(piece, bytes) else data[piece] for piece in self._pieces])

    def locate(self, path: str) -> tuple[Any, int]:
        """The kind and the offset of a part of `data`, for example of `constants.tx_context`."""
        return _located(self.flag, path)

    def read(self, data: bytes) -> TxData:
        """The values in `data`, whose size must be right."""
        kinds = dict(members(self.record))
        offset, values = 1, {}
        for name in self.order:
            values[name] = read(kinds[name], data, offset)
            offset += size(kinds[name])
        return self.record(**values)

    def write(self, values: Any) -> bytes:
        """`data` of these values.

        Raises:
            TxFormatError: a value that cannot be written.
        """
        kinds = dict(members(self.record))
        parts = [write(kinds[name], getattr(values, name), f"data.{name}") for name in self.order]
        return bytes([self.flag]) + b"".join(parts)


ROLLUP: Final = Form("rollup", "hiding_kernel_to_rollup", 0, PrivateToRollupKernelCircuitPublicInputs, 1971680439)
"""Without public calls."""
PUBLIC: Final = Form("public", "hiding_kernel_to_public", 1, PrivateToPublicKernelCircuitPublicInputs, 1630108851)
"""With public calls."""
FORMS: Final = (ROLLUP, PUBLIC)


@cache
def _located(flag: int, path: str) -> tuple[Any, int]:
    form = FORMS[flag]
    kind: Any = form.record
    offset, order = 1, form.order
    for wanted in path.split("."):
        kinds = dict(members(kind))
        for name in order or kinds:
            if name == wanted:
                break
            offset += size(kinds[name])
        kind, order = kinds[wanted], ()
    return kind, offset


def form_of(values: TxData) -> Form:
    """The form that values of this class have."""
    return PUBLIC if isinstance(values, PrivateToPublicKernelCircuitPublicInputs) else ROLLUP

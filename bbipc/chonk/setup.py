"""The trusted setup as a value (chapter 01 section 8)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bbipc.chonk.errors import ChonkFormatError, require_bytes

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Setup"]

_G2_KEY = "g2_x_hex_128_bytes_order_xc0_xc1_yc0_yc1"
_TRANSLATOR_KEY = "translator_vk_commitment_test"


@dataclass(frozen=True, slots=True, repr=False)
class Setup:
    """The two constants that depend on the trusted setup.

    Attributes:
        g2_x: the point [x]_2, 128 bytes: x.c0, x.c1, y.c0, y.c1, each 32 bytes big-endian (chapter 01 section 4).
        translator_key: the commitment of chapter 10.3, 64 bytes: x, y.

    That the points lie on their curves is checked when a `Verifier` is made.
    """

    g2_x: bytes
    translator_key: bytes

    AZTEC: ClassVar[Setup]
    """The setup of the Aztec network."""

    def __post_init__(self) -> None:
        for name, value, size in (("g2_x", self.g2_x, 128), ("translator_key", self.translator_key, 64)):
            require_bytes(value, name, "from_json reads a file")
            if len(value) != size:
                raise ChonkFormatError.at(f"setup.{name}", f"{len(value)} bytes, expected {size}")

    def __repr__(self) -> str:
        if self == Setup.AZTEC:
            return "Setup.AZTEC"
        return f"Setup(g2_x={self.g2_x[:4].hex()}.., translator_key={self.translator_key[:4].hex()}..)"

    @classmethod
    def from_json(cls, path: str | Path) -> Setup:
        """Read a setup from a JSON file.

        The file is an object with `g2_x_hex_128_bytes_order_xc0_xc1_yc0_yc1` (256 hex digits) and
        `translator_vk_commitment_test` (an object with `x` and `y`, hex numbers of up to 64 digits); other members are
        ignored.

        Raises:
            OSError: the file cannot be read.
            ChonkFormatError: it does not hold a setup.
            TypeError: `path` is not a path.
        """
        if not isinstance(path, str | os.PathLike):
            raise TypeError(f"path: {type(path).__name__}, expected str or a path")
        import json  # noqa: PLC0415 - most verify under Aztec's setup

        try:
            with open(path, "rb") as file:  # noqa: PTH123 - the same
                document = json.loads(file.read())
        except ValueError as error:  # of UTF-8 or of JSON
            raise ChonkFormatError.at("setup", f"not a JSON document: {error}") from None
        g2_x = _hex(_member(document, _G2_KEY, "setup"), 128, f"setup.{_G2_KEY}")
        commitment = _member(document, _TRANSLATOR_KEY, "setup")
        position = f"setup.{_TRANSLATOR_KEY}"
        return cls(g2_x, b"".join(_hex(_member(commitment, axis, position), 32, f"{position}.{axis}") for axis in "xy"))


def _member(container: object, name: str, position: str) -> object:
    if not isinstance(container, dict):
        raise ChonkFormatError.at(position, f"{type(container).__name__}, expected an object")
    if name not in container:
        raise ChonkFormatError.at(position, f'no member "{name}"')
    return container[name]


def _hex(value: object, size: int, position: str) -> bytes:
    """Bytes of a hex number of at most `size` bytes, with or without 0x."""
    if not isinstance(value, str):
        raise ChonkFormatError.at(position, f"{type(value).__name__}, expected a string of hex digits")
    digits = value.removeprefix("0x")
    if not digits or not digits.isascii() or not digits.isalnum() or len(digits) > 2 * size:
        raise ChonkFormatError.at(position, f"expected 1 to {2 * size} hex digits")
    try:
        return bytes.fromhex(digits.zfill(2 * size))
    except ValueError:
        raise ChonkFormatError.at(position, "not a hex number") from None


Setup.AZTEC = Setup(
    g2_x=bytes.fromhex(
        "0118c4d5b837bcc2bc89b5b398b5974e9f5944073b32078b7e231fec938883b0"
        "260e01b251f6f1c7e7ff4e580791dee8ea51d87a358e038b4efe30fac09383c1"
        "22febda3c0c0632a56475b4214e5615e11e6dd3f96e6cea2854a87d4dacc5e55"
        "04fc6369f7110fe3d25156c1bb9a72859cf2a04641f99ba4ee413c80da6a5fe4"
    ),
    translator_key=bytes.fromhex(
        "1ddbff0e1f0999f88ffa959e9505e5f489b57d6a7937c17a4d69fc871d5e9221"
        "14149055853422bf016065386e8ea0ffb9425b454048e1cd14cfdca457aa7e17"
    ),
)

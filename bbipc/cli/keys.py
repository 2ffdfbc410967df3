"""The key that a command verifies under: where it comes from, and what it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from bbipc import chonk
from bbipc.aztec.key_names import KEY_NAMES
from bbipc.cli.escape import file_name
from bbipc.cli.inputs import InputError, read_input, shown

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["KEY", "TrustedKey", "described_setup", "load_key", "named_key", "pin_option", "setup_as_json"]

_REGISTRY: str = "aztec:"


class TrustedKey(NamedTuple):
    """A key that the caller trusts.

    Attributes:
        key: the key.
        source: the file or the name in the registry that it was read from.
        name: what it is in the registry of Aztec's keys; None if it is not there.
    """

    key: chonk.VerificationKey
    source: str
    name: str | None

    def __str__(self) -> str:
        digits = self.key.hash.hex()
        return f"key 0x{digits} (not in the registry)" if self.name is None else f"key 0x{digits[:8]}.. ({self.name})"

    def as_json(self) -> dict[str, Any]:
        """For JSON."""
        return {"hash": f"0x{self.key.hash.hex()}", "name": self.name, "source": self.source}


class _Key(click.ParamType[str]):
    """A file, or a name in the registry; shells complete both."""

    name = "key"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """Names that begin so; files otherwise."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - for shells only

        if not incomplete or not _REGISTRY.startswith(incomplete[: len(_REGISTRY)]):
            return [CompletionItem(incomplete, type="file")]
        from bbipc.aztec.registry import aztec  # noqa: PLC0415 - for shells only

        return [CompletionItem(name) for name in aztec().key_names() if name.startswith(incomplete)]


KEY = _Key()
"""The type of parameters that name a key."""


def pin_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--vk-hash`, whose value is for `load_key`."""
    return click.option(
        "--vk-hash",
        "pins",
        metavar="0xHASH",
        multiple=True,
        callback=_checked_pins,
        help="Accept only a key with this hash (as in bbipc's output and in Aztec's circuit artifacts). Repeatable.",
    )(command)


def _checked_pins(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[bytes, ...]:
    for value in values:
        if not re.fullmatch(r"0x[0-9a-fA-F]{64}", value):
            raise click.BadParameter(f"{value[:80]} is not 0x and 64 hex digits")
    return tuple(bytes.fromhex(value[2:]) for value in values)


def load_key(source: str, pins: tuple[bytes, ...] = ()) -> TrustedKey:
    """The key that `source` names: `aztec:5.2.0/to_public`, a file in any form that bbipc.chonk.detect_key reads, or `-`.

    Raises:
        InputError: it cannot be read, is not a key, or has a hash that is not among `pins`.
    """
    trusted = _load(source)
    if pins and trusted.key.hash not in pins:
        wanted = " or ".join(f"0x{pin.hex()}" for pin in pins)
        raise InputError(f"{shown(source)}: the key has the hash 0x{trusted.key.hash.hex()}, not {wanted} as --vk-hash demands")
    return trusted


@lru_cache(maxsize=64)
def _load(source: str) -> TrustedKey:
    if source.startswith(_REGISTRY):
        from bbipc.aztec.registry import aztec  # noqa: PLC0415 - reads files of its own

        try:
            key = aztec().key(source)
        except ValueError as error:
            raise InputError(str(error)) from None
    else:
        try:
            key = chonk.detect_key(read_input(source)).key
            key.hash  # noqa: B018 - decodes its commitments
        except chonk.ChonkFormatError as error:
            raise InputError(f"{shown(source)}: {error}") from None
    return named_key(key, source)


def named_key(key: chonk.VerificationKey, source: str) -> TrustedKey:
    """A key with its name in the registry."""
    return TrustedKey(key, source, KEY_NAMES.get(key.hash))


def described_setup(setup: chonk.Setup, file: str | None) -> str:
    """The setup as the verdict's line names it."""
    return "setup Aztec" if setup == chonk.Setup.AZTEC else f"setup of {file_name(str(file))} (NOT Aztec's)"


def setup_as_json(setup: chonk.Setup, file: str | None) -> dict[str, Any]:
    """The setup for JSON."""
    return {"setup": "aztec" if setup == chonk.Setup.AZTEC else "custom", "setup_file": file}

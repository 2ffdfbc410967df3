"""The msgpack form of a proof (chapter 03 section 4), read strictly."""

from typing import Any, Final

import msgpack

from bbipc.chonk.errors import ChonkFormatError
from bbipc.chonk.sizes import PARTS

__all__ = ["unpack"]


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


_PART_OF_KEY: Final = {key: name for name in PARTS for key in (name, _camel_case(name))}


def unpack(data: bytes) -> dict[str, Any]:
    """The parts of the msgpack map `data` by the names of `PARTS`; what they hold is not checked yet.

    Raises:
        ChonkFormatError: `data` is not exactly one msgpack map, or gives a part twice.
    """
    try:
        value = msgpack.unpackb(data, object_pairs_hook=_Pairs, strict_map_key=False)
    except msgpack.ExtraData as error:
        raise ChonkFormatError.at("proof", f"{len(error.extra)} bytes after the msgpack map") from None
    except (ValueError, RecursionError) as error:  # msgpack's own errors and bad UTF-8 are ValueErrors
        raise ChonkFormatError.at("proof", f"not a msgpack map: {error or type(error).__name__}") from None
    if not isinstance(value, _Pairs):
        raise ChonkFormatError.at("proof", f"{type(value).__name__}, expected a map")
    return _named(value)


class _Pairs(list[tuple[Any, Any]]):
    """A msgpack map as its pairs: a dict would hide a repeated key."""


def _named(pairs: _Pairs) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    for key, value in pairs:
        name = _PART_OF_KEY.get(key) if isinstance(key, str) else None
        if name is None:
            continue
        if name in parts:
            raise ChonkFormatError.at(f"proof.{name}", "given twice")
        parts[name] = value
    return parts

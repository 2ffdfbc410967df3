"""Fields of commands and responses as JSON, for people and scripts.

Bytes are strings with a prefix: `hex:00ff`, `base64:AP8=`, or `@FILE` for the content of a file. Field elements may also be
numbers, or strings that start with 0x. Points are objects with x and y, or their bytes together.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from bbipc.cli.inputs import InputError, read_input
from bbipc.wire.schema import published
from bbipc.wire.values import WORD

__all__ = ["fields_from_json", "to_json"]


def fields_from_json(command: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `command` as `bbipc.client` takes them.

    Raises:
        InputError: a value is not what the command wants; the message says where and what is wanted.
    """
    if not published().knows(command):
        return {name: _untyped(item, name) for name, item in value.items()}
    spelling = published().command(command).describe(set())
    wanted = {name: item for name, item in spelling.items() if name != "__typename"}
    _check_names(command, wanted, value)
    return {name: _typed(item, value[name], name) for name, item in wanted.items()}


def to_json(value: Any) -> Any:
    """A value of a response for `json.dumps`: bytes as `hex:..`."""
    if isinstance(value, bytes | bytearray):
        return f"hex:{value.hex()}"
    if isinstance(value, Mapping):
        return {str(name): to_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value


def _check_names(where: str, wanted: Mapping[str, Any], given: object) -> None:
    if not isinstance(given, Mapping):
        raise InputError(f"{where}: {_json_type(given)}, expected an object")
    missing = [name for name in wanted if name not in given]
    unknown = [name for name in given if name not in wanted]
    if missing or unknown:
        raise InputError(
            f"{where}: "
            + "; ".join(
                [f"missing {', '.join(missing)}"] * bool(missing) + [f"there is no {', '.join(unknown)}"] * bool(unknown)
            )
            + f"; its fields are: {', '.join(wanted) or 'none'}"
        )


def _typed(spelling: Any, value: object, where: str) -> Any:
    """`value` as the type that the schema spells so."""
    if isinstance(spelling, dict):
        return _structure(spelling, value, where)
    if isinstance(spelling, str):
        return _named(spelling, value, where)
    kind, arguments = spelling
    if kind == "alias":
        return _element(value, where)
    if arguments[0] == "unsigned char":
        return _bytes(value, where)
    if isinstance(arguments[0], list) and arguments[0][0] == "alias":
        return _elements(value, where)
    return [_typed(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(_list(value, where))]


def _named(name: str, value: object, where: str) -> Any:
    if name == "field2":
        return _elements(value, where)
    if name in ("string", "bool") or name.startswith("unsigned"):
        return value  # the encoder checks these, with as good a message
    return _structure(_definition(name), value, where)


def _definition(name: str) -> Any:
    """A structure that the schema spells out elsewhere."""
    schema = published()
    for command in schema.command_names:
        found = _find(schema.command(command).describe(set()), name)
        if found is not None:
            return found
    raise AssertionError(f"the schema defines {name}")


def _find(spelling: Any, name: str) -> Any:
    if isinstance(spelling, dict):
        if spelling.get("__typename") == name:
            return spelling
        spelling = list(spelling.values())
    if isinstance(spelling, list):
        return next((found for found in (_find(item, name) for item in spelling) if found is not None), None)
    return None


def _structure(spelling: Mapping[str, Any], value: object, where: str) -> Any:
    is_point = spelling["__typename"].endswith("Point")
    if is_point and isinstance(value, str):
        return _bytes(value, where)
    wanted = {name: item for name, item in spelling.items() if name != "__typename"}
    _check_names(where, wanted, value)
    assert isinstance(value, Mapping)
    items = {name: _typed(item, value[name], f"{where}.{name}") for name, item in wanted.items()}
    return b"".join(items.values()) if is_point else items


def _element(value: object, where: str) -> bytes:
    """A field element of 32 bytes; whether it is below the modulus is for the server to say."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise InputError(f"{where}: {_json_type(value)}, expected a field element: a number, 0x.., hex:.., base64:.. or @FILE")
    if isinstance(value, str) and not value.startswith(("0x", "0X")):
        return _bytes(value, where)
    try:
        return (value if isinstance(value, int) else int(value, 16)).to_bytes(WORD, "big")
    except (ValueError, OverflowError):
        raise InputError(f"{where}: {value} is not a number from 0 to 2^256 - 1") from None


def _elements(value: object, where: str) -> bytes:
    """A list of field elements, or all their bytes together."""
    if not isinstance(value, list):
        return _bytes(value, where)
    return b"".join(_element(item, f"{where}[{index}]") for index, item in enumerate(value))


def _bytes(value: object, where: str) -> bytes:
    if isinstance(value, str):
        for prefix, decode in _DECODERS.items():
            if value.startswith(prefix):
                try:
                    return decode(value.removeprefix(prefix))
                except (ValueError, binascii.Error) as error:
                    raise InputError(f"{where}: {prefix} {error}") from None
    shown = f"{value[:40]!r}" if isinstance(value, str) else _json_type(value)
    raise InputError(f'{where}: {shown}, expected bytes: "hex:..", "base64:.." or "@FILE"')


def _untyped(value: Any, where: str) -> Any:
    """A value for a command that the schema does not know: strings with a prefix of bytes are bytes."""
    if isinstance(value, str) and value.startswith(tuple(_DECODERS)):
        return _bytes(value, where)
    if isinstance(value, list):
        return [_untyped(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {name: _untyped(item, f"{where}.{name}") for name, item in value.items()}
    return value


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise InputError(f"{where}: {_json_type(value)}, expected an array")
    return value


_JSON_TYPES: Final[Mapping[type, str]] = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}


def _json_type(value: object) -> str:
    return _JSON_TYPES.get(type(value), "number")


_DECODERS: Final = {
    "hex:": lambda text: bytes.fromhex(text.removeprefix("0x")),
    "base64:": lambda text: base64.b64decode(text, validate=True),
    "@": read_input,
}

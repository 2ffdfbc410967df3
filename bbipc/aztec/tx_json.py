"""The JSON of a transaction, as a node gives it (chapter 15 section 6)."""

import base64
import binascii
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from bbipc.aztec.errors import TxFormatError
from bbipc.aztec.parts import CLASS_LOG_WORDS, HashedValues, TxParts
from bbipc.chonk.words import FR_MODULUS, WORD, split

__all__ = ["read_json", "write_json"]

_HASH: Final = "txHash"
_DATA: Final = "data"
_PROOF: Final = "chonkProof"
_LOGS: Final = "contractClassLogFields"
_CALLDATA: Final = "publicFunctionCalldata"
_REQUIRED: Final = (_DATA, _PROOF, _LOGS, _CALLDATA)
_SHOWN: Final = 200


def write_json(tx: TxParts) -> str:
    """The JSON text of a transaction, without its hash if there is none."""
    document = {
        **({} if tx.tx_hash is None else {_HASH: _hex(tx.tx_hash)}),
        _DATA: _base64(tx.data),
        _PROOF: _base64(tx.proof),
        _LOGS: [{"fields": [_hex(word) for word in split(log)]} for log in tx.contract_class_logs],
        _CALLDATA: [
            {"values": [_hex(word) for word in split(calldata.values)], "hash": _hex(calldata.hash)}
            for calldata in tx.public_calldata
        ],
    }
    return json.dumps(document)


def read_json(document: str | bytes | Mapping[str, Any]) -> TxParts:
    """The parts of the transaction in a JSON text or object, which may be a JSON-RPC answer.

    Raises:
        TxFormatError: it is something else; the message says what it looks like.
    """
    members = _members(_parsed(document) if isinstance(document, str | bytes) else document)
    logs = tuple(
        _words(_member(log, "fields", f"{_LOGS}[{index}]"), f"{_LOGS}[{index}].fields", CLASS_LOG_WORDS)
        for index, log in enumerate(_list(members[_LOGS], _LOGS))
    )
    calldata = tuple(
        _calldata(item, f"{_CALLDATA}[{index}]") for index, item in enumerate(_list(members[_CALLDATA], _CALLDATA))
    )
    return TxParts(
        _word(members[_HASH], _HASH) if _HASH in members else None,
        _bytes(members[_DATA], _DATA),
        _bytes(members[_PROOF], _PROOF),
        logs,
        calldata,
    )


def _parsed(text: str | bytes) -> object:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise TxFormatError("JSON that is nested too deeply") from None
    except TxFormatError:
        raise
    except ValueError as error:  # of UTF-8, of JSON, or a number with too many digits
        raise TxFormatError(f"not a JSON document: {error}") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object whose keys differ: two programs that disagree about which of two counts would be an attack."""
    members = dict(pairs)
    if len(members) != len(pairs):
        repeated = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise TxFormatError(f"JSON in which the member {repeated[:_SHOWN]!r} is given twice")
    return members


def _members(document: object) -> Mapping[str, Any]:
    """The object that has the transaction's members."""
    if isinstance(document, Mapping) and _DATA not in document:
        if document.get("error") is not None:
            raise TxFormatError(f"the error of a JSON-RPC answer, not a transaction: {_message(document['error'])}")
        if "result" in document:
            document = document["result"]
            if document is None:
                raise TxFormatError("a JSON-RPC answer without a transaction: the node does not have it (any more)")
    if isinstance(document, list):
        raise TxFormatError(f"a JSON list of {len(document)} items, expected one transaction")
    if not isinstance(document, Mapping):
        raise TxFormatError(f"a JSON {_json_name(document)}, expected the object of a transaction")
    missing = [name for name in _REQUIRED if name not in document]
    if missing:
        found = ", ".join(map(str, list(document)[:8]))[:_SHOWN] or "none"
        raise TxFormatError(f"JSON that is not a transaction: no member {missing[0]!r} (its members: {found})", missing[0])
    return document


def _message(error: object) -> str:
    message = error.get("message", error) if isinstance(error, Mapping) else error
    return " ".join(str(message)[:_SHOWN].split())


def _json_name(value: object) -> str:
    names = {str: "string", bool: "boolean", int: "number", float: "number", dict: "object", list: "list"}
    return "null" if value is None else names.get(type(value), type(value).__name__)


def _list(value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise TxFormatError.at(name, None, f"a JSON {_json_name(value)}, expected a list")
    return value


def _member(value: object, name: str, where: str) -> Any:
    if not isinstance(value, Mapping) or name not in value:
        raise TxFormatError.at(where, None, f"a JSON {_json_name(value)}, expected an object with the member {name!r}")
    return value[name]


def _calldata(value: object, name: str) -> HashedValues:
    values = _words(_member(value, "values", name), f"{name}.values")
    return HashedValues(values, _word(_member(value, "hash", name), f"{name}.hash"))


def _words(value: object, name: str, count: int | None = None) -> bytes:
    items = _list(value, name)
    if count is not None and len(items) != count:
        raise TxFormatError.at(name, None, f"{len(items)} elements, expected {count}")
    return b"".join([_word(item, f"{name}[{index}]") for index, item in enumerate(items)])


def _word(value: object, name: str) -> bytes:
    """An element given as up to 64 hex digits behind 0x."""
    digits = value.removeprefix("0x") if isinstance(value, str) else ""
    if not 0 < len(digits) <= 2 * WORD or not digits.isascii() or not digits.isalnum():
        found = f"a JSON {_json_name(value)}" if not isinstance(value, str) else f"{value[:70]!r}"
        raise TxFormatError.at(name, None, f"{found}, expected an element as 0x and up to 64 hex digits")
    try:
        number = int(digits, 16)
    except ValueError:
        raise TxFormatError.at(name, None, f"{value!r}, expected an element as 0x and up to 64 hex digits") from None
    if number >= FR_MODULUS:
        raise TxFormatError.at(name, None, "non-canonical field element: value >= the modulus of Fr")
    return number.to_bytes(WORD, "big")


def _bytes(value: object, name: str) -> bytes:
    if not isinstance(value, str):
        raise TxFormatError.at(name, None, f"a JSON {_json_name(value)}, expected a string in base64")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise TxFormatError.at(name, None, f"not base64: {error}") from None


def _hex(word: bytes) -> str:
    return "0x" + word.hex()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")

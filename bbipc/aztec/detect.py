"""In which encoding a file holds a transaction; and what it looks like if it holds none."""

import base64
import binascii
import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bbipc.aztec.errors import TxFormatError
from bbipc.aztec.forms import FORMS
from bbipc.aztec.registry import RELEASE_4_KEY_SIZE
from bbipc.aztec.tx import Tx
from bbipc.chonk.sizes import KEY_SIZE
from bbipc.chonk.unwrap import unhex

__all__ = ["DetectedTx", "TxEncoding", "detect_tx", "is_tx", "looks_like"]


class TxEncoding(Enum):
    """The encodings of a transaction (chapter 15)."""

    BINARY = "binary"
    JSON = "json"
    HEX = "hex"
    BASE64 = "base64"


@dataclass(frozen=True, slots=True)
class DetectedTx:
    """A transaction, how it was written, and the size of its binary form as it came (None: it did not come in that form)."""

    tx: Tx
    encoding: TxEncoding
    size: int | None


_EXPECTED: Final = "expected a transaction: its binary form (also as hex digits or base64), or a node's JSON (or RPC answer)"
_PREFIX: Final = 512
_MIN_SIZE: Final = 32 + min(form.size for form in FORMS) + 6
_ARCHIVES: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]+={0,2}")


def detect_tx(data: bytes, *, strict: bool = False) -> DetectedTx:
    """Read a transaction in whichever encoding it is.

    A text is told from a binary transaction by its first bytes: hex digits, base64 and JSON are printable, and 64 printable
    bytes in a row do not begin a transaction.

    Args:
        data: the content of a file.
        strict: see `Tx.from_bytes`.

    Raises:
        TxFormatError: it is something else; the message says what it looks like, and what was expected.
    """
    text = data.removeprefix(b"\xef\xbb\xbf").strip()
    if not _is_text(text):
        return _binary(data, strict)
    if text[:1] in (b"{", b"[", b'"') or text in (b"null", b"true", b"false"):
        return DetectedTx(Tx.from_json(text, strict=strict), TxEncoding.JSON, None)
    digits = unhex(text)
    if digits is not None:
        return DetectedTx(_encoded(digits, "hex digits", strict), TxEncoding.HEX, len(digits))
    packed = b"".join(text.split())
    if len(packed) > _PREFIX and _BASE64.fullmatch(packed) is not None:
        try:
            decoded = base64.b64decode(packed, validate=True)
        except (binascii.Error, ValueError) as error:
            raise TxFormatError(f"looks like base64, but is not: {error}; {_EXPECTED}") from None
        return DetectedTx(_encoded(decoded, "base64", strict), TxEncoding.BASE64, len(decoded))
    raise TxFormatError(f"{looks_like(data)}; {_EXPECTED}")


def is_tx(data: bytes) -> bool:
    """Whether `detect_tx` reads it."""
    try:
        detect_tx(data)
    except TxFormatError:
        return False
    return True


def looks_like(data: bytes) -> str:
    """What data that are not a transaction look like, in a few words."""
    text = data[:_PREFIX].removeprefix(b"\xef\xbb\xbf").strip()
    if not data:
        return "an empty file"
    if not text:
        return "nothing but white space"
    if text[:1] == b"<":
        return "looks like an HTML or XML page, such as the error page of a proxy"
    for magic, name in _ARCHIVES.items():
        if data.startswith(magic):
            return f"looks like {name}: unpack it first"
    if len(data) in (KEY_SIZE, RELEASE_4_KEY_SIZE):
        return f"{len(data)} bytes, as a verification key has"
    if _is_text(text):
        shown = text.decode("ascii", "replace").split("\n")[0][:40]
        return f"looks like text: {shown!r}"
    return f"{len(data)} bytes"


def _is_text(data: bytes) -> bool:
    head = data[:64]
    return bool(head) and all(0x20 <= byte < 0x7F or byte in b"\t\r\n" for byte in head)


def _binary(data: bytes, strict: bool) -> DetectedTx:
    try:
        return DetectedTx(Tx.from_bytes(data, strict=strict), TxEncoding.BINARY, len(data))
    except TxFormatError as error:
        raise _explained(error, data) from None


def _encoded(data: bytes, how: str, strict: bool) -> Tx:
    try:
        return Tx.from_bytes(data, strict=strict)
    except TxFormatError as error:
        problem = _explained(error, data)
        raise TxFormatError(f"as {how}: {problem}", problem.field, problem.offset) from None


def _explained(error: TxFormatError, data: bytes) -> TxFormatError:
    """The error, or what the bytes look like if they are something else altogether."""
    hint = looks_like(data)
    if hint == f"{len(data)} bytes" and len(data) < _MIN_SIZE:
        hint = f"{len(data)} bytes, but a transaction has at least {_MIN_SIZE}"
        return TxFormatError(f"{hint}: {error}", error.field, error.offset)
    if hint == f"{len(data)} bytes" or not hint.startswith(("looks like", "an empty", "nothing", f"{len(data)} bytes, as")):
        return TxFormatError(f"not a transaction: {error}", error.field, error.offset)
    return TxFormatError(f"{hint}; {_EXPECTED}", error.field, error.offset)

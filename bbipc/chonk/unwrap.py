"""What bytes are wrapped in: gzip, text of several kinds, JSON, a length in front. Aztec's tools write all of these.

Layers are taken off from the outside until bytes are left. Nothing is verified here, and no layer can make an invalid proof
valid: whatever comes out is judged as if it had come without any.
"""

import json
import re
from binascii import a2b_base64
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from bbipc.chonk.errors import ChonkFormatError
from bbipc.chonk.sizes import PARTS
from bbipc.chonk.words import WORD

__all__ = ["MAX_CONTENT", "Unwrapped", "described", "unhex", "unwrap"]

MAX_CONTENT: Final = 64 << 20
"""Bytes that gzip may give: as many as a frame of the wire may have."""

_MAX_LAYERS: Final = 8
_MIN_BYTE_LIST: Final = 3000
"""A JSON array of at least so many numbers below 256 is one of bytes: keys have fewer words, and proofs larger ones."""

_HEX_DIGITS: Final = b"0123456789abcdefABCDEF"
_BASE64: Final = rb"[A-Za-z0-9+/_-]{16,}={0,2}"
_WORD_LINES: Final = rb"(0[xX][0-9a-fA-F]{1,64}[\s,]+)+0[xX][0-9a-fA-F]{1,64},?"
_GZIP: Final = b"\x1f\x8b\x08"
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_JSON_STARTS: Final = b'{["'
_LENGTH: Final = 4


class Unwrapped(NamedTuple):
    """Bytes, and what they were wrapped in.

    Attributes:
        content: the bytes inside.
        layers: the names of the layers, from the outside: `byte-order mark`, `gzip`, `hex`, `base64`, `0x-words`, `JSON`,
            `length prefix`.
        claimed_hash: the hash of a key, if JSON named one beside it.
    """

    content: bytes
    layers: tuple[str, ...] = ()
    claimed_hash: bytes | None = None

    @property
    def how(self) -> str:
        """The layers as words before a noun: `base64 of gzip of `; nothing if there are none."""
        return "".join(f"{layer} of " for layer in self.layers)


class _Peeled(NamedTuple):
    name: str
    content: bytes
    claimed_hash: bytes | None = None


def unwrap(data: bytes) -> Unwrapped:
    """Take off all layers.

    Raises:
        ChonkFormatError: a layer is damaged, or there are too many, or the content is larger than `MAX_CONTENT`; the message
            says in which layer.
    """
    layers: list[str] = []
    claimed_hash = None
    while (peeled := _peel(data, layers)) is not None:
        layers.append(peeled.name)
        data = peeled.content
        claimed_hash = peeled.claimed_hash or claimed_hash
        if len(layers) > _MAX_LAYERS:
            raise ChonkFormatError(f"more than {_MAX_LAYERS} layers of encodings: {', '.join(layers)}")
    return Unwrapped(data, tuple(layers), claimed_hash)


def _peel(data: bytes, outer: list[str]) -> _Peeled | None:
    for layer in (_byte_order_mark, _gzip, _text, _length_prefix):
        try:
            peeled = layer(data)
        except ChonkFormatError as error:
            if not outer:
                raise
            raise ChonkFormatError(f"{''.join(f'{name} of ' for name in outer)}{error}", error.position) from None
        if peeled is not None:
            return peeled
    return None


def _byte_order_mark(data: bytes) -> _Peeled | None:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return _Peeled("byte-order mark", data[len(mark) :].decode(encoding).encode())
            except UnicodeDecodeError:
                return None
    return None


def _gzip(data: bytes) -> _Peeled | None:
    if not data.startswith(_GZIP):
        return None
    import zlib  # noqa: PLC0415

    inflater = zlib.decompressobj(wbits=31)
    try:
        content = inflater.decompress(data, MAX_CONTENT + 1)
    except zlib.error as error:
        if len(data) % WORD == 0:
            return None  # words that begin in the same way
        raise ChonkFormatError(f"damaged gzip: {error}") from None
    if len(content) > MAX_CONTENT:
        raise ChonkFormatError(f"gzip of more than {MAX_CONTENT >> 20} MiB")
    if not inflater.eof:
        raise ChonkFormatError("gzip that ends too early")
    if inflater.unused_data:
        raise ChonkFormatError(f"gzip with {len(inflater.unused_data)} bytes after it")
    return _Peeled("gzip", content)


def _length_prefix(data: bytes) -> _Peeled | None:
    """A length in front, 4 bytes big-endian, as Aztec serialises vectors: of words, or of bytes."""
    length, content = int.from_bytes(data[:_LENGTH], "big"), data[_LENGTH:]
    return _Peeled("length prefix", content) if content and len(content) in (length, WORD * length) else None


# ---- Text -----------------------------------------------------------------------------------------------------------


def _text(data: bytes) -> _Peeled | None:
    text = data.strip()
    if text[:1] and text[0] in _JSON_STARTS:
        return _json(text)
    if not text.isascii():
        return None
    if re.fullmatch(_WORD_LINES, text):
        numbers = text.replace(b",", b" ").split()
        return _Peeled("0x-words", b"".join(bytes.fromhex(number[2:].decode().zfill(2 * WORD)) for number in numbers))
    digits = unhex(text)
    if digits is not None:
        return _Peeled("hex", digits)
    return _base64(text)


def unhex(data: bytes) -> bytes | None:
    """The bytes written as hex digits in `data`, with or without 0x, spaces and line ends; None if it is no such text."""
    digits = b"".join(data.split())
    digits = digits[2:] if digits[:2] in (b"0x", b"0X") else digits
    if not digits or len(digits) % 2 or digits.strip(_HEX_DIGITS):
        return None
    return bytes.fromhex(digits.decode("ascii"))


def _base64(text: bytes) -> _Peeled | None:
    """Of either alphabet, in one line or in many, with padding or without."""
    letters = b"".join(line.strip() for line in text.splitlines())
    if not re.fullmatch(_BASE64, letters):
        return None
    bare = letters.rstrip(b"=")
    if len(bare) % 4 == 1:
        return None
    padded = bare.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(bare) % 4)
    return _Peeled("base64", a2b_base64(padded, strict_mode=True))


# ---- JSON -----------------------------------------------------------------------------------------------------------

_PART_KEYS: Final = frozenset({*PARTS, "hidingOinkProof", "mergeProof", "eccvmProof", "ipaProof", "jointProof"})
_CONTAINERS: Final = ("verificationKey", "verification_key", "vk", "chonkProof", "proof")
"""Members that hold what is looked for, in the order of preference."""
_BYTES: Final = ("bytes", "keyAsBytes")
_FIELDS: Final = ("fields", "keyAsFields", "fieldsWithPublicInputs", "key", "proofFields")


class _Given(dict[str, Any]):
    """An object in which no member was given twice: readers differ about which of the two counts."""


def _pairs(pairs: list[tuple[str, Any]]) -> _Given:
    given = _Given()
    for name, value in pairs:
        if name in given:
            raise ChonkFormatError(f'JSON in which the member "{name}" is given twice')
        given[name] = value
    return given


def _json(text: bytes) -> _Peeled | None:
    try:
        value = json.loads(text, object_pairs_hook=_pairs)
    except ChonkFormatError:
        raise
    except (ValueError, RecursionError) as error:
        if len(text) % WORD == 0 and not text.isascii():
            return None  # words that begin in the same way
        problem = "too many digits or levels" if isinstance(error, RecursionError) else str(error)
        raise ChonkFormatError(f"damaged JSON: {problem}") from None
    return _Peeled("JSON", *_value(value))


def _value(value: Any) -> tuple[bytes, bytes | None]:
    """The bytes that a JSON value stands for, and the hash that it claims for them."""
    if isinstance(value, str):
        return value.encode(errors="surrogatepass"), None
    if isinstance(value, list):
        return _array(value, "the JSON array"), None
    if isinstance(value, Mapping):
        return _object(value)
    raise ChonkFormatError(f"JSON that is {'null' if value is None else type(value).__name__}, neither proof nor key")


def _object(value: Mapping[str, Any]) -> tuple[bytes, bytes | None]:
    if not _PART_KEYS.isdisjoint(value):
        return _parts(value), None
    if value.get("type") == "Buffer" and isinstance(value.get("data"), list):  # JSON.stringify of a Buffer
        return _array(value["data"], "the JSON Buffer"), None
    if value and all(name == str(index) for index, name in enumerate(value)):  # JSON.stringify of a Uint8Array
        return _array(list(value.values()), "the JSON typed array"), None
    if isinstance(value.get("publicInputs"), list) and isinstance(value.get("proof"), list):
        return _array(value["publicInputs"] + value["proof"], "publicInputs and proof"), None
    direct = _key(value)
    if direct is not None:
        return direct
    for name in _CONTAINERS:
        if isinstance(value.get(name), Mapping | list | str):
            return _value(value[name])
    names = ", ".join(list(value)[:6]) or "none"
    raise ChonkFormatError(f"a JSON object that is neither proof nor key; its members: {names}{', ...' * (len(value) > 6)}")


def _key(value: Mapping[str, Any]) -> tuple[bytes, bytes | None] | None:
    """Bytes or words, or both, which must then say the same, and the hash beside them."""
    found = [_value(value[name])[0] for name in _FIELDS if isinstance(value.get(name), list | Mapping)]
    for name in _BYTES:
        if isinstance(value.get(name), str | list):
            content = _value(value[name])[0]
            found.append(unwrap(content).content if isinstance(value[name], str) else content)
    if not found:
        return None
    if any(one != found[0] for one in found):
        raise ChonkFormatError("JSON whose bytes and fields are not the same")
    claimed = value.get("hash", value.get("vkHash"))
    return found[0], _word(claimed, "hash") if isinstance(claimed, str) and claimed[:2] == "0x" else None


def _parts(value: Mapping[str, Any]) -> bytes:
    import msgpack  # noqa: PLC0415 - most inputs are bytes

    parts = {
        name: [_word(word, f"{name}[{index}]") for index, word in enumerate(words)] if isinstance(words, list) else words
        for name, words in value.items()
        if name in _PART_KEYS
    }
    packed: bytes = msgpack.packb(parts)
    return packed


def _array(values: list[Any], name: str) -> bytes:
    if len(values) >= _MIN_BYTE_LIST and all(type(value) is int and 0 <= value < 256 for value in values):
        return bytes(values)
    return b"".join(_word(value, f"{name}, item {index}") for index, value in enumerate(values))


def _word(value: Any, name: str) -> bytes:
    """32 bytes from a number, a string of `0x` and hex digits, of 64 hex digits, or of decimal digits."""
    number = None
    if type(value) is int:
        number = value
    elif isinstance(value, str) and value.isascii() and value.isalnum() and len(value) <= 78:
        try:
            number = int(value, 16 if value[:2] in ("0x", "0X") or len(value) == 2 * WORD else 10)
        except ValueError:
            number = None
    if number is None:
        raise ChonkFormatError(f"{name}: {type(value).__name__} that is not a number; JSON of proofs and keys has numbers")
    if not 0 <= number < 1 << 8 * WORD:
        raise ChonkFormatError(f"{name}: a number that does not fit in {WORD} bytes")
    return number.to_bytes(WORD, "big")


# ---- What is left ---------------------------------------------------------------------------------------------------

_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x7fELF", "a program"),
    (b"PK\x03\x04", "a zip archive"),
    (b"BZh", "bzip2, which is not read"),
    (b"\xfd7zXZ\x00", "xz, which is not read"),
    (b"\x28\xb5\x2f\xfd", "zstd, which is not read"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"version https://git-lfs", "a pointer of Git LFS; `git lfs pull` fetches the file"),
)


def described(data: bytes) -> str:
    """What unwrapped bytes seem to be, as a noun."""
    if not data:
        return "nothing"
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    printable = all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in data[:512])
    return f"{len(data)} bytes of text" if printable else f"{len(data)} bytes"

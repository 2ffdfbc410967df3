"""Names and messages as text that stays where it is put: one line, and no control of the terminal."""

from typing import Final

__all__ = ["error_line", "file_name", "one_line"]

_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def one_line(text: str) -> str:
    """`text` with everything escaped that is not printable: line ends, control characters, changes of direction, lone bytes."""
    return text if text.isprintable() else "".join(one if one.isprintable() else _escape(one) for one in text)


def file_name(name: str) -> str:
    """The name of a file as it is shown: itself if that is clear, else in double quotes and with escapes.

    Verdicts are told as `NAME: VERDICT`, a line each. Two names never look the same, no name adds a line, and none looks like
    a name and a verdict.
    """
    if name and name.isprintable() and not any(mark in name for mark in ('"', "\\", ": ")):
        return name
    text = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{one_line(text)}"'


def error_line(message: str) -> str:
    """The one line, with its end, by which all commands say what is wrong."""
    return f"bbipc: error: {one_line(message)}\n"


def _escape(one: str) -> str:
    code = ord(one)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a name that is not UTF-8 (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return _SHORT.get(one, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

"""Files that workers read themselves."""

import errno
from pathlib import Path
from typing import Final

__all__ = ["MAX_FILE", "content"]

MAX_FILE: Final = 64 << 20
"""Bytes of a file, at most: as many as a frame of the wire may have. A proof has about 40 thousand."""


def content(source: bytes | Path) -> bytes:
    """The bytes, or those of the file.

    Raises:
        OSError: the file cannot be read, or has more than `MAX_FILE` bytes.
    """
    if not isinstance(source, Path):
        return source
    with source.open("rb") as file:
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise OSError(errno.EFBIG, f"more than {MAX_FILE >> 20} MiB", str(source))
    return data

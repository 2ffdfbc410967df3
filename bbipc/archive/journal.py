"""A journal of results, so that a run that ended early goes on where it stopped.

JSON Lines: the first line says what was asked, each other one names an item, the digest of its bytes, and its result:

    {"bbipc": "0.2.0", "asked": {"command": "verify-many", "setup": "Aztec", "strict": false}}
    {"item": "proofs/17/proof", "sha256": "5f0c...", "result": {"outcome": "valid", "step": null, "reason": null}}

What stands in the file was fsynced before anybody was told. A last line without an end (the machine stopped while it was
written) is dropped and its item done again; anything else that is not a journal is an error, and the file is left as it is.

Results stay in the file. What is in memory is where the line of each item begins: some 200 bytes an item.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import bbipc

__all__ = ["Journal", "JournalError", "Record"]

_MAX_LINE: Final = 1 << 20
_HEADER: Final = b'{"bbipc":'
_NO_JOURNAL: Final = "not a journal of bbipc; name a new file, or one that --resume wrote"


class JournalError(Exception):
    """A file that cannot be used as a journal; the message is one line."""


@dataclass(frozen=True, slots=True)
class Record:
    """One line.

    Attributes:
        item: its name.
        sha256: hexadecimal, of the bytes that were judged; None if they were not seen here.
        result: as JSON.
    """

    item: str
    sha256: str | None
    result: dict[str, Any]


class Journal:
    """A journal that is open for one process.

    Args:
        file: made if it is not there.
        asked: what every result depends on beside its item (command, setup, options), as JSON.

    Raises:
        JournalError: it cannot be opened, another process uses it, it is not a journal, or the results in it were asked for
            with other options.
    """

    def __init__(self, file: Path, asked: Mapping[str, Any]) -> None:
        self._file = file
        self._lines: dict[bytes, int] = {}  # where the last line on an item begins, by the digest of its name
        try:
            self._stream: BinaryIO = file.open("a+b")
        except OSError as error:
            raise JournalError(f"{file}: {error.strerror or error}") from None
        try:
            self._lock()
            self._read(dict(asked))
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.close()

    def __len__(self) -> int:
        return len(self._lines)

    def known(self, item: str, sha256: str | None) -> dict[str, Any] | None:
        """The result for this item, if there was one for the same bytes when the journal was opened.

        Raises:
            JournalError: it cannot be read any more.
        """
        start = self._lines.get(_digest(item))
        if start is None:
            return None
        try:
            self._stream.seek(start)
            line = self._stream.readline(_MAX_LINE)
        except OSError as error:
            raise JournalError(f"{self._file}: {error.strerror or error}") from None
        record = self._record(line, "a line")
        return record.result if (record.item, record.sha256) == (item, sha256) else None

    def add(self, records: Iterable[Record]) -> None:
        """Append records. They are on the disk when this returns.

        Raises:
            JournalError: they could not be written.
        """
        lines = [_line({"item": one.item, "sha256": one.sha256, "result": one.result}) for one in records]
        self._write(b"".join(lines))

    def _lock(self) -> None:
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise JournalError(f"{self._file}: another process writes this journal") from None

    def _read(self, asked: dict[str, Any]) -> None:
        self._stream.seek(0)
        complete = 0
        for number, line in enumerate(iter(lambda: self._stream.readline(_MAX_LINE), b"")):
            if not line.endswith(b"\n"):
                if len(line) == _MAX_LINE:
                    raise JournalError(f"{self._file}: line {number + 1} is too long for a journal")
                if number == 0 and not _HEADER.startswith(line[: len(_HEADER)]):
                    raise JournalError(f"{self._file}: {_NO_JOURNAL}")
                break  # written when the machine stopped
            if number == 0:
                self._check_header(line, asked)
            else:
                self._lines[_digest(self._record(line, f"line {number + 1}").item)] = complete
            complete += len(line)
        self._stream.truncate(complete)
        if complete == 0:
            self._write(_line({"bbipc": bbipc.__version__, "asked": asked}))

    def _check_header(self, line: bytes, asked: dict[str, Any]) -> None:
        header = self._object(line, "line 1")
        before = header.get("asked")
        if not isinstance(before, dict) or "bbipc" not in header:
            raise JournalError(f"{self._file}: {_NO_JOURNAL}")
        changed = sorted(name for name in {*before, *asked} if before.get(name) != asked.get(name))
        if changed:
            changes = ", ".join(
                f"{name} {json.dumps(before.get(name))} there, {json.dumps(asked.get(name))} now" for name in changed
            )
            raise JournalError(f"{self._file}: made with other options ({changes}); name another file")

    def _record(self, line: bytes, where: str) -> Record:
        document = self._object(line, where)
        item, sha256, result = (document.get(name) for name in ("item", "sha256", "result"))
        if not isinstance(item, str) or not isinstance(sha256, str | None) or not isinstance(result, dict):
            raise JournalError(f"{self._file}: {where} is not a line of a journal")
        return Record(item, sha256, result)

    def _object(self, line: bytes, where: str) -> dict[str, Any]:
        try:
            document = json.loads(line)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise JournalError(f"{self._file}: {where} is not a line of a journal")
        return document

    def _write(self, data: bytes) -> None:
        try:
            self._stream.write(data)
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise JournalError(f"{self._file}: {error.strerror or error}") from None


def _line(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _digest(item: str) -> bytes:
    return hashlib.blake2b(item.encode("utf-8", "surrogatepass"), digest_size=16).digest()

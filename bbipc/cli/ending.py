"""How every command ends that does not end well: one line on standard error, and an exit code.

Nothing here needs click: `bbipc msgpack run` ends so, too.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from bbipc.cli import exit_codes
from bbipc.cli.escape import error_line, file_name

__all__ = ["abandon_output", "defect", "ended_by", "flush_output", "open_standard_streams", "report"]

_UNWRITABLE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EROFS})
_DEFECT: Final = "this is a defect of bbipc; please report it with the lines above"


def report(message: str, *, as_json: bool = False) -> None:
    """Say what is wrong: on standard error or, to programs that asked for JSON, on standard output."""
    with suppress(OSError, ValueError):  # nobody is there to be told
        if as_json:
            import json  # noqa: PLC0415 - few ask for it

            sys.stdout.write(json.dumps({"error": message}) + "\n")
            sys.stdout.flush()
        else:
            sys.stderr.write(error_line(message))
            sys.stderr.flush()


def open_standard_streams() -> None:
    """Let no other file take the place of a standard stream that is closed, and let names of any bytes be written.

    To use a closed stream is then the error that it is without Python, instead of an attribute that is None.
    """
    for number, name, mode, opened in ((0, "stdin", "r", os.O_WRONLY), (1, "stdout", "w", os.O_RDONLY), (2, "stderr", "w", 1)):
        if getattr(sys, name) is None:
            placeholder = os.open(os.devnull, opened)
            if placeholder != number:
                os.dup2(placeholder, number)
                os.close(placeholder)
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - a descriptor, for good
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a test may have put another file there
            stream.reconfigure(errors="backslashreplace")


def flush_output() -> None:
    """Write what is still buffered, while its failure can be told."""
    sys.stdout.flush()


def abandon_output() -> None:
    """Python flushes standard output once more when it exits: let that succeed."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def ended_by(error: BaseException, *, as_json: bool = False) -> int | None:
    """Report what ended a command, and return its exit code; None if nobody but a developer can make sense of it.

    Nurseries wrap what ends them in groups: of several reasons, what the user did counts before what followed from it.
    """
    leaves = list(_leaves(error))
    for kind in (KeyboardInterrupt, BrokenPipeError, OSError, MemoryError):
        for leaf in leaves:
            if isinstance(leaf, kind):
                return _known(leaf, as_json)
    client = sys.modules.get("bbipc.client.errors")  # whoever has not loaded it has no such error
    for leaf in leaves:
        if client is not None and isinstance(leaf, client.ClientError):
            report(str(leaf), as_json=as_json)
            return exit_codes.UNAVAILABLE
    return None


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _known(error: BaseException, as_json: bool) -> int:
    if isinstance(error, KeyboardInterrupt):
        report("interrupted")
        return exit_codes.INTERRUPTED
    if isinstance(error, MemoryError):
        report("no memory is left", as_json=as_json)
        return exit_codes.EXHAUSTED
    assert isinstance(error, OSError)
    abandon_output()
    if isinstance(error, BrokenPipeError):
        return exit_codes.BROKEN_PIPE
    where = file_name(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
    if where is None:
        where = "output cannot be written" if error.errno in _UNWRITABLE else "the system refuses"
        if error.errno == errno.EBADF:
            report("a standard stream that is needed is closed")
            return exit_codes.UNWRITABLE
    report(f"{where}: {error.strerror or error}")
    return exit_codes.UNWRITABLE


def defect() -> int:
    """Report the exception that is being handled as a defect."""
    import traceback  # noqa: PLC0415 - hardly ever needed

    with suppress(OSError, ValueError):
        traceback.print_exc()
    report(_DEFECT)
    return exit_codes.DEFECT

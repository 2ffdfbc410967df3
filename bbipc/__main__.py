"""``python -m bbipc``, and the entry point of the command ``bbipc``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

TYPE_CHECKING = False  # type checkers take it for true; what comes first need not import `typing`
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> None:
    """Run ``bbipc`` with the arguments of this process, and exit.

    ``msgpack run`` goes its own way: clients start it and wait for it, and it needs nothing of the other commands.
    """
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        # Before the command was there to end in its own way.
        sys.stderr.write("bbipc: error: interrupted\n")
        code = 130
    if sys.argv[1:3] == ["msgpack", "run"]:
        _end_at_once(code)
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run ``bbipc`` with these arguments; the exit code."""
    if arguments[:2] == ["msgpack", "run"]:
        from bbipc.cli.msgpack import run as serve  # noqa: PLC0415 - see above

        return serve(arguments[2:])
    if arguments and not arguments[0].startswith("-"):
        from bbipc.cli.bb_words import forward, in_words_of_bb, is_for_bb  # noqa: PLC0415

        words = in_words_of_bb(arguments)
        if words is not None:
            if is_for_bb(words):
                return forward(words)
            if words[0] == "msgpack":
                return run(words)
            arguments = ["bb", "--", *words]
    from bbipc.cli.main import run as run_any  # noqa: PLC0415

    return run_any(arguments)


def _end_at_once(code: int) -> NoReturn:
    """End the process. Everything has been answered and released: taking the interpreter apart as well would only let those
    wait who wait for the end."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # it is closed, or nobody reads it: the exit code tells of that
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()

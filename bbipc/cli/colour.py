"""When output may be coloured."""

import os
from typing import IO, Any

__all__ = ["colour"]


def colour(stream: IO[Any] | None) -> bool:
    """Whether `stream` is a terminal whose user did not ask for plain text (https://no-color.org). None: it was closed before
    the program started."""
    return stream is not None and stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

"""The exit codes of `bbipc`."""

from typing import Final

SUCCESS: Final = 0
"""Done; for `verify`: the proof is valid."""

INVALID: Final = 1
"""A proof was read and is invalid; for other commands: something was found that is not right."""

UNREADABLE: Final = 2
"""Wrong usage, or an input that cannot be read or decoded."""

UNDECIDED: Final = 3
"""Nothing was found invalid, or not by all: it cannot be decided here, or two verifiers do not agree. Do not rely on it."""

UNAVAILABLE: Final = 69
"""A server cannot be reached, went away, or did not answer in time."""

DEFECT: Final = 70
"""A defect of bbipc itself; a traceback is on stderr."""

EXHAUSTED: Final = 71
"""The machine has no memory left."""

UNWRITABLE: Final = 74
"""Output cannot be written, for instance because the disk is full."""

INTERRUPTED: Final = 130
"""Ended by Ctrl-C."""

BROKEN_PIPE: Final = 141
"""Whoever read the output went away."""

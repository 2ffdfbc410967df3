"""Descriptors that we were given, without touching what others see of them."""

from __future__ import annotations

import os
import stat


def open_anew(descriptor: int, flags: int) -> int | None:
    """A non-blocking descriptor of our own of the pipe, FIFO or terminal that `descriptor` is; None if there cannot be one: it
    is something else, or belongs to another user."""
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISFIFO(mode) and not (stat.S_ISCHR(mode) and os.isatty(descriptor)):
        return None
    try:
        return os.open(f"/proc/self/fd/{descriptor}", flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None


def never_waits(descriptor: int) -> bool:
    """Whether it is a file, or a device such as /dev/null: reading and writing them wait for nobody else."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISREG(mode) or stat.S_ISBLK(mode) or (stat.S_ISCHR(mode) and not os.isatty(descriptor))


def close_gaps() -> set[int]:
    """Let standard descriptors that are closed refer to /dev/null, so that nothing else gets their numbers and is written to
    by accident. Which they were."""
    gaps = set()
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            gaps.add(descriptor)
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)
    return gaps

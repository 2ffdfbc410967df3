"""Ways to a server: a process of our own, a Unix socket, or any stream that already exists."""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from os import PathLike, fspath
from subprocess import PIPE
from typing import Final

import trio

from bbipc.client.errors import ServerUnreachable

__all__ = ["GRACE", "Transport", "connected", "exit_text", "given", "spawned"]

GRACE: Final = 5.0
"""Seconds that a server gets to end by itself after its input was closed, and again after SIGTERM."""

_STATUS_PATIENCE: Final = 1.0
"""Seconds that an error message waits for the exit status of a process that closed its output."""


async def _nothing() -> str:
    return ""


@dataclass(frozen=True)
class Transport:
    """A stream to a server. `why_ended` says, when the server has ended it, what is known about the reason."""

    stream: trio.abc.Stream
    name: str
    why_ended: Callable[[], Awaitable[str]] = _nothing


@asynccontextmanager
async def spawned(
    command: Sequence[str | PathLike[str]], grace: float = GRACE, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Transport]:
    """Start `command` and talk to its standard input and output; what it writes to standard error goes to ours.

    At the end its input is closed; a process that does not end by itself within `grace` seconds is sent SIGTERM, and SIGKILL
    after `grace` more seconds. This takes its time even if the surrounding scope was cancelled. Without an `environment` the
    process gets ours.

    Raises:
        ServerUnreachable: it cannot be started.
    """
    words = [fspath(word) for word in command]
    if not words:
        raise ServerUnreachable("the command of the server is empty")
    try:
        process = await trio.lowlevel.open_process(words, stdin=PIPE, stdout=PIPE, env=environment)
    except OSError as error:
        raise ServerUnreachable(f"cannot start {words[0]}: {error.strerror}") from None
    assert process.stdin is not None
    assert process.stdout is not None
    stream = trio.StapledStream(process.stdin, process.stdout)

    async def why_ended() -> str:
        with trio.move_on_after(_STATUS_PATIENCE):
            return f": {words[0]} {exit_text(await process.wait())}"
        return ""

    try:
        yield Transport(stream, words[0], why_ended)
    finally:
        with trio.CancelScope(shield=True):
            await _end(process, stream, grace)


@asynccontextmanager
async def connected(path: str | PathLike[str]) -> AsyncIterator[Transport]:
    """Connect to the Unix socket at `path`.

    Raises:
        ServerUnreachable: nobody listens there.
    """
    try:
        stream = await trio.open_unix_socket(fspath(path))
    except OSError as error:
        raise ServerUnreachable(f"cannot connect to {fspath(path)}: {error.strerror}") from None
    async with stream:
        yield Transport(stream, fspath(path))


@asynccontextmanager
async def given(stream: trio.abc.Stream) -> AsyncIterator[Transport]:
    """A stream that somebody else made; it is closed at the end."""
    async with stream:
        yield Transport(stream, "the server")


def exit_text(status: int) -> str:
    """An exit status of `subprocess` in words."""
    if status >= 0:
        return f"exited with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


async def _end(process: trio.Process, stream: trio.abc.Stream, grace: float) -> None:
    await trio.aclose_forcefully(stream)
    for insist in (process.terminate, process.kill):
        with trio.move_on_after(grace):
            await process.wait()
            return
        insist()
    await process.wait()

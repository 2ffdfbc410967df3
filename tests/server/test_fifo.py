"""Frames for a FIFO whose reader is as fast as the server, or is not there."""

import os
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from bbipc.server import fifo
from bbipc.server.fifo import IN_A_ROW, FifoWriter

FRAMES = 20 * IN_A_ROW


@pytest.mark.parametrize("reader", [True, False])
async def test_others_have_turns_while_many_frames_go(
    *, reader: bool, tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK) if reader else None
    if reader:
        monkeypatch.setattr(fifo.os, "write", lambda _descriptor, data: len(data))  # a reader who is never too slow
    gone, turns, begun = list[bytes](), 0, trio.Event()

    def is_gone(frame: bytes) -> None:
        gone.append(frame)
        begun.set()

    writer = FifoWriter(str(path), is_gone)
    for number in range(FRAMES):
        writer.put(str(number).encode())
    writer.finish()
    lost = None

    async def deliver() -> None:
        nonlocal lost
        lost = await writer.deliver()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(deliver)
        await begun.wait()
        while lost is None:
            await trio.sleep(0)
            turns += 1
    if descriptor is not None:
        os.close(descriptor)
    assert gone == [str(number).encode() for number in range(FRAMES)]
    assert lost == (0 if reader else FRAMES)
    assert turns >= FRAMES // IN_A_ROW - 3  # it may begin late, and the order within a round is left to Trio

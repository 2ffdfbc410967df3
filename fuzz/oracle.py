"""The real bb, asked one request at a time."""

import os
import subprocess

import trio

from bbipc.conform.messages import FrameCutter, Reply, verdict_of

__all__ = ["Bb"]


class Bb:
    """A bb process that answers one request at a time, and is started again when it has died."""

    def __init__(self, path: str) -> None:
        self._command = [path, "msgpack", "run"]
        self._process: trio.Process | None = None
        self._cutter = FrameCutter()
        self.deaths = 0

    async def ask(self, request: bytes) -> str:
        """The outcome class; "death" if the process ended instead."""
        process = self._process or await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            await process.stdin.send_all(request)
            while data := await process.stdout.receive_some(1 << 16):
                for payload in self._cutter.feed(bytes(data)):
                    return verdict_of(Reply(payload))
        except trio.BrokenResourceError:
            pass
        await self.close()
        self.deaths += 1
        return "death"

    async def _start(self) -> trio.Process:
        self._cutter = FrameCutter()
        self._process = await trio.lowlevel.open_process(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HARDWARE_CONCURRENCY": "1"},
        )
        return self._process

    async def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    await trio.aclose_forcefully(stream)

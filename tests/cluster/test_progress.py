"""What archives show on a terminal while they run."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from cli.running import SETUP
from samples import CORPUS

FILES = [str(sample.folder / "proof_fields.bin") for sample in CORPUS] * 6
DASK = ("--dask", "local:1x1")


def shown(columns: int, *options: str) -> str:
    """What a terminal of this width gets."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 40, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    words = [sys.executable, "-P", "-m", "bbipc", "verify-many", *FILES, "--setup", SETUP, "--quiet", *options]
    seen = b""
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=environment | {"TERM": "xterm"}) as running:
        os.close(theirs)
        try:
            while read := os.read(ours, 1 << 16):
                seen += read
        except OSError:  # EIO: nobody holds the other side
            pass
    os.close(ours)
    assert running.returncode == 0, seen
    return seen.decode()


@pytest.mark.parametrize(("columns", "options"), [(60, ()), (60, DASK), (120, DASK)])
def test_progress_stays_on_one_line(columns: int, options: tuple[str, ...]) -> None:
    text = shown(columns, *options)
    before, _, after = text.partition(f"\x1b[1m{len(FILES)} proofs")
    assert after
    warning, _, progress = before.partition("\r\n")
    assert "not Aztec's" in warning
    painted = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", part) for part in re.split(r"[\r\n]|\x1b\[2K", progress)]
    painted = [part for part in painted if part.strip()]
    assert len(painted) > 1
    assert all(len(part) < columns for part in painted), painted
    assert progress.count("\n") == 1  # when it goes away, however often it was painted
    assert any(f"/{len(FILES)}" in part for part in painted)
    if options:
        assert any("1 worker" in part for part in painted), painted

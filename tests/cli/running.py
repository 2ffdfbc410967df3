"""Runs `bbipc` as a user does."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from samples import DATA

SETUP = str(DATA / "test_setup.json")
TIMEOUT = 300.0


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


def bbipc(*arguments: str | Path, stdin: bytes = b"", **environment: str) -> Done:
    """`bbipc` with these arguments, in a pipe."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bbipc", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env={name: value for name, value in os.environ.items() if name not in ("BB_PATH", "NO_COLOR")} | environment,
        timeout=TIMEOUT,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def output(*arguments: str | Path, stdin: bytes = b"") -> bytes:
    """The bytes that a successful `bbipc` writes."""
    command = [sys.executable, "-P", "-m", "bbipc", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=TIMEOUT, check=True).stdout

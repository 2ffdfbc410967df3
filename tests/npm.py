"""Packages of npm that tests talk to, unchanged."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "bbipc-tests"


def installed(name: str, version: str, *, entry: str) -> Path:
    """The folder of a package, which has the file `entry`; it is kept from one run to the next. Skips if there is no npm."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip(f"npm and node are needed to run {name}")
    folder = CACHE / f"{name.rpartition('/')[2]}-{version}"
    package = folder.joinpath("node_modules", *name.split("/"))
    if not (package / entry).exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", f"{name}@{version}"]
        subprocess.run(command, cwd=folder, check=True)
    return package

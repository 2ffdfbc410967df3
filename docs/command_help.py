"""A hook of mkdocs: puts the help of all commands of the installed `bbipc` into reference-cli.md."""

import os
import subprocess
import sys
from typing import Any, Final

from mkdocs.exceptions import PluginError

from bbipc.cli.main import COMMANDS

PAGE: Final = "reference-cli.md"
MARK: Final = "<!-- the help of all commands -->"
GROUPS: Final = {"msgpack": ("run", "schema")}


def on_page_markdown(markdown: str, *, page: Any, **_: object) -> str:
    """Called by mkdocs for every page."""
    if page.file.src_uri != PAGE:
        return markdown
    if MARK not in markdown:
        raise PluginError(f"{PAGE} lacks the line {MARK!r}")
    names = [[name, *rest] for name in sorted(COMMANDS) for rest in ([[part] for part in GROUPS.get(name, ())] or [[]])]
    return markdown.replace(MARK, "\n\n".join(_section(words) for words in names))


def _section(words: list[str]) -> str:
    environment = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}
    command = [sys.executable, "-P", "-m", "bbipc", *words, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise PluginError(f"bbipc {' '.join(words)} --help failed: {done.stderr}")
    return f"## bbipc {' '.join(words)}\n\n```text\n{done.stdout.strip()}\n```"

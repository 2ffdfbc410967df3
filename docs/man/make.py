#!/usr/bin/env python3
"""Writes the manual pages from the commands themselves, one for each; `tests/cli/test_man.py` checks that they are up to date.

    python docs/man/make.py

The pages are kept in the repository, because the command cannot be imported while a wheel is built. A wheel installs them into
share/man/man1.
"""

import ast
import re
from collections.abc import Iterator
from inspect import cleandoc
from itertools import pairwise
from pathlib import Path

import click

import bbipc
from bbipc.cli import exit_codes
from bbipc.cli.main import COMMANDS, cli

FOLDER = Path(__file__).parent
VERBATIM = "\b"
"""By this mark click leaves a paragraph as it is."""
ENVIRONMENT = {
    "BB_PATH": "The bb that answers what bbipc does not: proving, for example.",
    "BBIPC_OPTIONS": "Options of bbipc msgpack run, for those whose client starts the server.",
    "BBIPC_ARITH": "portable, adx or ifma: the arithmetic path, instead of the fastest one here. For measurements.",
    "HARDWARE_CONCURRENCY": "Upper bound on the threads that a server takes by default, as for bb.",
    "NO_COLOR": "If it is set, output has no colours.",
}


def pages() -> dict[str, str]:
    """File name -> page, for the command and all of its subcommands."""
    context = click.Context(cli, info_name="bbipc")
    return {f"{'-'.join(words)}.1": page(words, one) for words, one in commands(("bbipc",), context)}


def commands(words: tuple[str, ...], context: click.Context) -> Iterator[tuple[tuple[str, ...], click.Context]]:
    """A command and those below it, by the words that call them."""
    yield words, context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            assert command is not None, f"{name} is in the list"
            yield from commands((*words, name), click.Context(command, info_name=name, parent=context))


def page(words: tuple[str, ...], context: click.Context) -> str:
    """The page of one command."""
    command = context.command
    paragraphs = cleandoc(command.help or "").split("\n\n")
    ends = [one for one in paragraphs if one.startswith("Exit status:")]
    summary = COMMANDS.get(words[-1], "") if len(words) == 2 else " ".join(paragraphs[0].split())
    usage = " ".join(command.collect_usage_pieces(context))
    parts = [
        f'.TH "{"-".join(words).upper()}" 1 "" "bbipc {bbipc.__version__}" "bbipc manual"',
        section("NAME", f"{text('-'.join(words))} \\- {text(summary.rstrip('.'))}"),
        section("SYNOPSIS", f".B {text(' '.join(words))}\n{text(usage)}"),
        section("DESCRIPTION", "\n.PP\n".join(map(paragraph, (one for one in paragraphs if one not in ends)))),
        section("OPTIONS", "\n".join(options(context))),
    ]
    if isinstance(command, click.Group):
        parts.append(section("COMMANDS", "\n".join(below(words, context))))
    if len(words) == 1:
        parts.append(section("ENVIRONMENT", "\n".join(item(text(name), text(about)) for name, about in ENVIRONMENT.items())))
        parts.append(section("EXIT STATUS", "\n".join(item(str(code), text(about)) for code, about in statuses())))
    elif ends:
        parts.append(section("EXIT STATUS", "\n.PP\n".join(paragraph(one.removeprefix("Exit status:")) for one in ends)))
    if len(words) > 1:
        parts.append(section("SEE ALSO", reference(words[:-1])))
    return "\n".join(part for part in parts if part) + "\n"


def options(context: click.Context) -> Iterator[str]:
    """Each option, with its names and what it does."""
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            names, about = record
            # The number of processors is that of the machine which writes the page.
            yield item(f"\\fB{text(names)}\\fP", text(re.sub(r"(HARDWARE_CONCURRENCY): \d+", r"\1", about)))


def below(words: tuple[str, ...], context: click.Context) -> Iterator[str]:
    """Each subcommand, with the name of its page."""
    assert isinstance(context.command, click.Group)
    for name in context.command.list_commands(context):
        command = context.command.get_command(context, name)
        assert command is not None, f"{name} is in the list"
        about = COMMANDS.get(name) if len(words) == 1 else command.get_short_help_str(200)
        yield item(reference((*words, name)), text(about or ""))


def statuses() -> Iterator[tuple[int, str]]:
    """The exit statuses of all commands, as they are documented where they are defined."""
    nodes = ast.parse(Path(exit_codes.__file__).read_text(encoding="utf-8")).body
    for node, documentation in pairwise(nodes):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            assert isinstance(documentation, ast.Expr)
            yield getattr(exit_codes, node.target.id), " ".join(str(ast.literal_eval(documentation.value)).split())


# ---- roff -----------------------------------------------------------------------------------------------------------


def section(title: str, body: str) -> str:
    """A section; nothing if it is empty."""
    return f".SH {title}\n{body}" if body else ""


def item(tag: str, body: str) -> str:
    """A paragraph with a tag that hangs out."""
    return f".TP\n{tag}\n{body}"


def reference(words: tuple[str, ...]) -> str:
    """The name of another page."""
    return f".BR {text('-'.join(words))} (1)"


def paragraph(source: str) -> str:
    """Text that may be filled, or lines that stay as they are."""
    if source.startswith(VERBATIM):
        return ".nf\n" + "\n".join(map(text, source.lstrip(f"{VERBATIM}\n").splitlines())) + "\n.fi"
    return text(" ".join(source.split()))


def text(source: str) -> str:
    """Text in which nothing is an instruction."""
    escaped = source.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped


def main() -> None:
    """Write the pages, and remove those of commands that are no more."""
    written = pages()
    for old in FOLDER.glob("*.1"):
        if old.name not in written:
            old.unlink()
    for name, content in written.items():
        (FOLDER / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()

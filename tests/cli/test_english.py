"""What users read is plain English: idioms that are not English, long sentences and slips of the pen, in help and in errors."""

import ast
import re
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import bbipc
from bbipc.cli.main import COMMANDS, cli
from bbipc.cli.msgpack import _run_parser

ROOT = Path(bbipc.__file__).parent
LONGEST = 40
"""Words of a sentence."""

FOREIGN = {
    r"(?<!there )\b(is|are|was|were) no (?!longer\b|more\b|less\b|room\b)[a-z]": "is not a",
    r"\bknows? no\b": "does not know",
    r"\bbytes behind\b": "bytes after",
    r"\bbehind --": "after --",
    r"\bexcludes? each other\b": "cannot be used together",
    r"\bgoes with neither\b": "cannot be used with",
    r"\btells? the usage\b": "for usage, see",
    r"\bhas to be \w+ before\b": "first",
    r"\bso many\.": "this many",
    r"\bwhoever (read|should)\b": "the reader",
    r", for [a-z]+ (is|are) ": "because",
}
"""Patterns, and what to write instead."""
SLIPS = (r"\b([a-z]+) \1\b", r" [,;.:?]( |$)", r"[,;:]{2}", r"\ba [aeio]\w", r"\ban [bcdfgjkpqtvwz]\w")
FIXED = r"`[^`]*`|\[::1\]|'[^']*'|\"[^\"]*\"|\{\}|--\S+"
"""Words of programs, which are not English."""


def problems(text: str) -> list[str]:
    found = [f"{pattern}: write {better!r}" for pattern, better in FOREIGN.items() if re.search(pattern, text)]
    plain = re.sub(FIXED, "X", text)
    found += [pattern for pattern in SLIPS if re.search(pattern, plain)]
    return found


def sentences(text: str) -> list[list[str]]:
    """Words of each sentence; the parts of a list with semicolons are sentences, too."""
    return [part.split() for part in re.split(r"(?<=[.;:?])\s", text)]


def paragraphs(text: str | None) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text or ""):
        if paragraph and "\b" not in paragraph:  # which has examples
            yield " ".join(paragraph.split())


def texts_of(name: str) -> Iterator[str]:
    context = click.Context(cli, info_name="bbipc")
    command = cli.get_command(context, name)
    assert command is not None
    for each in (command, *(command.commands.values() if isinstance(command, click.Group) else ())):
        yield from paragraphs(each.help)
        for parameter in each.params:
            yield from paragraphs(getattr(parameter, "help", None))


def texts_of_server(parser: ArgumentParser) -> Iterator[str]:
    for text in (parser.description, parser.epilog, *(action.help for action in parser._actions)):
        yield from paragraphs((text or "").replace("%(default)s", "0").replace("%(default)g", "0"))


HELP = {
    **{name: list(texts_of(name)) for name in sorted(COMMANDS)},
    "the list of commands": [*COMMANDS.values(), *paragraphs(cli.help)],
    "msgpack run": list(texts_of_server(_run_parser(2))),
}


@pytest.mark.parametrize("name", HELP)
def test_help_is_plain_english(name: str) -> None:
    assert HELP[name]
    for text in HELP[name]:
        assert problems(text) == [], text
        for words in sentences(text):
            assert len(words) <= LONGEST, " ".join(words)


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"msgpack"}))  # argparse's habit is another
def test_help_of_options_is_whole_sentences(name: str) -> None:
    for text in HELP[name]:
        assert text.endswith((".", "?")), text
        assert text[0].isupper() or text.startswith(("chonk", "bb")), text


def errors() -> Iterator[tuple[str, str]]:
    """The texts of all exceptions and reports of the package, with {} where a value stands."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            call = node.exc if isinstance(node, ast.Raise) else node
            if not isinstance(call, ast.Call):
                continue
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if isinstance(node, ast.Raise) or name in {"report", "_unavailable", "broken", "warning", "error", "info"}:
                for argument in call.args:
                    text = literal(argument)
                    if text is not None and " " in text:
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def literal(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def test_errors_are_plain_english() -> None:
    every = list(errors())
    assert len(every) > 300
    wrong = [(where, text, found) for where, text in every if (found := problems(text))]
    assert wrong == []
    long = [(where, text) for where, text in every if any(len(words) > LONGEST for words in sentences(text))]
    assert long == []


@pytest.mark.parametrize(
    "text",
    ["-1 is no number", "it knows no Stats", "3 bytes behind it", "--a and --b exclude each other", "the the", "a error"],
)
def test_what_is_not_english_is_seen(text: str) -> None:
    assert problems(text)


@pytest.mark.parametrize("text", ["there is no socket", "it is no longer there", "-1 is not a number", "an error of a server"])
def test_what_is_english_passes(text: str) -> None:
    assert problems(text) == []

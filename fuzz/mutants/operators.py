"""Mutants made by rule, beside those written by hand: one operator, constant, condition or statement of a function changed.

As universalmutator does it, by regular expressions over the source, but only in the bodies of functions, where a run-time
switch can choose among them (switch.py), and with rules for this project's code: a condition is made always true and always
false, `x` and `y` are exchanged, `one()` and `zero()` too. A mutant is known by its line before and after.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mutants.switch import bodies, masked

FOLDERS: Final = ("csrc/chonk", "csrc/run", "csrc/transcript", "csrc/curve")

_OPERATORS: Final = {
    "+": "-", "-": "+", "*": "+", "/": "*", "%": "/", "<<": ">>", ">>": "<<", "&": "|", "|": "&", "^": "&",
    "==": "!=", "!=": "==", "<": "<= >=", "<=": "< >", ">": ">= <=", ">=": "> <", "&&": "||", "||": "&&",
    "+=": "-= =", "-=": "+= =", "*=": "+= =",
}  # fmt: skip
_KEYWORDS: Final = "return|throw|delete|goto|break|continue|case|default"
_STATEMENT: Final = re.compile(rf"^[ ]+(?!{_KEYWORDS})(?:\+\+)?[\w.\[\]>:()-]+(?:\(.*\)|\s[-+*|^&]?=\s.*)?;$", re.MULTILINE)
"""A whole line: a call, an assignment or an increment."""
_UNTOUCHED: Final = re.compile(r"\bconstexpr\b|\bstatic_assert\b|\bcase\b|\busing\b|\btemplate\b|\.reserve\(")
"""Lines that are evaluated by the compiler, and those that change no more than how much memory is taken ahead."""


@dataclass(frozen=True)
class Change:
    """A mutant made by rule."""

    file: str
    start: int
    end: int
    new: str
    line: str
    """The line before ..."""
    becomes: str
    """... and after."""


def changes(file: str, source: str) -> Iterator[Change]:
    """All mutants of a C++ file."""
    text = masked(source)
    seen: set[tuple[int, int, str]] = set()
    for body in bodies(source):
        for start, end, new in sorted(_edits(text, source, body.start, body.end)):
            first = source.rfind("\n", 0, start) + 1
            last = source.find("\n", end)
            if _UNTOUCHED.search(text, first, last) or (start, end, new) in seen:
                continue
            seen.add((start, end, new))
            line, becomes = source[first:last].strip(), (source[first:start] + new + source[end:last]).strip()
            yield Change(file, start, end, new, line, becomes)


def _edits(text: str, source: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    for rule in (_operators, _numbers, _names, _negations, _conditions, _statements):
        yield from rule(text, source, start, end)


def _find(pattern: str, text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    return re.compile(pattern, re.MULTILINE).finditer(text, start, end)


def _operators(text: str, _source: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    for found in _find(r"(?<= )(<<|>>|[-+*]=|[=!<>]=|&&|\|\||[-+*/%&|^<>])(?= )", text, start, end):
        for other in _OPERATORS[found[1]].split():
            yield *found.span(1), other


def _numbers(text: str, _source: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    for found in _find(r"(?<![\w.'])(\d+)(?![\w.'])", text, start, end):
        number = int(found[1])
        yield *found.span(1), str(number + 1)
        if number > 0:
            yield *found.span(1), str(number - 1)


def _names(text: str, _source: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    for found in _find(rf"\b({'|'.join(_OTHER)})\b", text, start, end):
        if found[1] in ("true", "false") or text[found.start() - 1] in ".:":
            yield *found.span(1), _OTHER[found[1]]


def _negations(text: str, _source: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    for found in _find(r"!(?=[\w(])|((?<=[(,=] )|(?<=[(\[])|(?<=return ))-(?=[\w(])", text, start, end):
        yield *found.span(), ""


def _conditions(text: str, source: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    for found in _find(r"\bif \(", text, start, end):
        condition_end = _closing(text, found.end() - 1)
        condition = source[found.end() : condition_end]
        if re.match(r"(?:const )?[\w:<>]+[&*]? \w+ = ", condition):
            yield condition_end, condition_end, "; false"
        else:
            yield found.end(), condition_end, f"false && ({condition})"
            yield found.end(), condition_end, f"true || ({condition})"


def _statements(text: str, _source: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    for found in _STATEMENT.finditer(text, start, end):
        if text[start : found.start()].rstrip()[-1:] in ("", ";", "{", "}"):
            yield found.start() + len(found[0]) - len(found[0].lstrip()), found.end(), ";"


_PAIRS: Final = "true false, one zero, x y, low high, lo hi, left right, begin end, front back, first last"
_OTHER: Final = {
    name: other for one, two in (pair.split() for pair in _PAIRS.split(", ")) for name, other in ((one, two), (two, one))
}


def _closing(text: str, opening: int) -> int:
    depth = 0
    for at in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise ValueError("a parenthesis is not closed")


def all_changes(root: Path, folders: Sequence[str] = FOLDERS) -> list[Change]:
    """All mutants of the files in these folders."""
    return [
        change
        for folder in folders
        for path in sorted((root / folder).rglob("*.[ch]pp"))
        for change in changes(str(path.relative_to(root)), path.read_text())
    ]

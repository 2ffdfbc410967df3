"""Many mutants of a C++ file in one compilation: BBIPC_MUTANT, a variable of the environment, says which of them runs.

A function in whose body mutants stand begins with a switch that has a copy of the body for each:

    bool f(int a) { return a < 3; }
    bool f(int a) { switch (bbipc_mutant::current()) { case 7: { return a <= 3; } default: break; } return a < 3; }

So a thousand mutants cost one compilation. What stands outside of bodies (constants, types, lists of initialisers) cannot be
switched, and is compiled by itself. In constant expressions no mutant runs. A mutant whose copy begins to run says so on
standard error (`REACHED`), so that one that no test reaches can be told from one that no test notices.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

REACHED: Final = "the mutant is reached"

HEADER: Final = f"""#ifndef BBIPC_MUTANT_SWITCH
#define BBIPC_MUTANT_SWITCH
#include <cstdlib>
#include <type_traits>
#include <unistd.h>
namespace bbipc_mutant {{
inline long from_environment(const char* name) {{
    const char* value = std::getenv(name);
    return value ? std::strtol(value, nullptr, 10) : -1;
}}
inline const long number = from_environment("BBIPC_MUTANT"), member = from_environment("BBIPC_MUTANT_MEMBER");
constexpr long current() {{
    if (std::is_constant_evaluated()) return -1;
    return number;
}}
inline void reached() {{
    static const bool said = write(2, "{REACHED}\\n", {len(REACHED) + 1}) > 0;
    (void)said;
}}
}}
#endif
"""

_SKIPPED: Final = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])' | ^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
_NO_FUNCTION: Final = re.compile(r"\b(namespace|class|struct|enum|union)\b[^()]*$")
_FUNCTION: Final = re.compile(r"\)\s*(const|noexcept|override|final|mutable|->\s*[\w:<>, ]+|\s)*$", re.DOTALL)


@dataclass(frozen=True)
class Edit:
    """A mutant of one file: its number, and which text becomes which."""

    number: int
    start: int
    end: int
    new: str


@dataclass(frozen=True)
class Body:
    """A function's body, without its braces."""

    start: int
    end: int
    ends_with_value: bool


def masked(source: str) -> str:
    """The source with blanks for comments, literals of text, and directives; all places stay."""
    return _SKIPPED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)


def bodies(source: str) -> list[Body]:
    """The bodies of all functions and member functions; lambdas belong to the function around them."""
    text = masked(source)
    found: list[Body] = []
    open_braces: list[tuple[int, str, bool]] = []
    head_start = 0
    inside = False
    for at, char in enumerate(text):
        if char == "{":
            head = text[head_start:at]
            is_function = not inside and _FUNCTION.search(head) is not None and not _NO_FUNCTION.search(head)
            open_braces.append((at, head, is_function))
            inside = inside or is_function
            head_start = at + 1
        elif char == "}":
            start, head, is_function = open_braces.pop()
            if is_function:
                found.append(Body(start + 1, at, _returns_value(head)))
                inside = False
            head_start = at + 1
        elif char == ";" and not inside:
            head_start = at + 1
    return found


def _returns_value(head: str) -> bool:
    before = head.split("(", maxsplit=1)[0].strip()
    if "operator" in before:
        before = before.split("operator", maxsplit=1)[0]
        return re.search(r"\bvoid\b", before) is None
    words = re.sub(r"<[^<>]*>", "", before).replace("public:", "").replace("private:", "").split()
    is_constructor = len([word for word in words if word not in ("explicit", "constexpr", "inline", "template")]) <= 1
    return not is_constructor and re.search(r"\bvoid\b(?!\s*\*)", before) is None


def switched(source: str, edits: Iterable[Edit]) -> tuple[str, list[Edit], list[tuple[int, int, int]]]:
    """The source with a switch in each function concerned, the edits that stand in none, and where the others went: number,
    first and last line, counted from 1."""
    by_body: dict[Body, list[Edit]] = {}
    left: list[Edit] = []
    known = bodies(source)
    for edit in edits:
        body = next((body for body in known if body.start <= edit.start and edit.end <= body.end), None)
        if body is None:
            left.append(edit)
        else:
            by_body.setdefault(body, []).append(edit)
    pieces: list[str] = [HEADER]
    places: list[tuple[int, int, int]] = []
    line = HEADER.count("\n") + 1
    position = 0

    def put(text: str) -> None:
        nonlocal line
        pieces.append(text)
        line += text.count("\n")

    for body, inside in sorted(by_body.items(), key=lambda item: item[0].start):
        put(source[position : body.start])
        position = body.start
        original = source[body.start : body.end]
        put("\nswitch (bbipc_mutant::current()) {\n")
        for edit in inside:
            copy = source[body.start : edit.start] + edit.new + source[edit.end : body.end]
            first = line
            put(f"case {edit.number}: {{ bbipc_mutant::reached();\n{{{copy}}}\n{'' if body.ends_with_value else 'return;'}}}\n")
            places.append((edit.number, first, line))
        put("default: break;\n}\n")
        put(original)
        position = body.end
    put(source[position:])
    return "".join(pieces), left, places


def at_fault(output: str, names: Mapping[str, Sequence[tuple[int, int, int]]]) -> set[int]:
    """The mutants at which a compiler's errors point; the keys are ends of the paths of files."""
    numbers: set[int] = set()
    for path, line in re.findall(r"^([^\s:]+):(\d+)(?::\d+)?:? (?:fatal )?(?:error|note|  )", output, re.MULTILINE):
        for name, places in names.items():
            if path.endswith(name):
                numbers |= {number for number, first, last in places if first <= int(line) <= last}
    return numbers

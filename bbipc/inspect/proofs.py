"""Proofs and keys, element by element, as far as they make sense."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bbipc.aztec.registry import aztec
from bbipc.chonk import ChonkFormatError, ChonkProof, VerificationKey
from bbipc.chonk.proof_msgpack import unpack
from bbipc.chonk.sizes import COMPRESSED_FIXED_WORDS, FIXED_WORDS, KEY_SIZE, OINK_FIXED_WORDS
from bbipc.chonk.words import WORD
from bbipc.inspect.elements import display, problem
from bbipc.inspect.layout import KEY_LAYOUT, PART_MEANINGS, Element, fixed_words, part_layout

__all__ = [
    "Explained",
    "KeyReport",
    "PartReport",
    "ProofReport",
    "compressed_proof",
    "flat_proof",
    "key",
    "msgpack_proof",
    "part",
    "parts_proof",
]


@dataclass(frozen=True, slots=True)
class Explained:
    """One element with its value.

    Attributes:
        element: what it is.
        position: index of its first word.
        value: how it reads; None if there is a problem.
        problem: why it makes no sense; None if it does.
    """

    element: Element
    position: int
    value: str | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class PartReport:
    """One part of a proof.

    Attributes:
        name: a name of `ChonkProof.PARTS`.
        words: how many 32-byte words it has.
        expected: how many proofs made by bb have there.
        elements: what was found, up to the end of the words.
        problem: the first thing that makes no sense, and where; None if there is none.
    """

    name: str
    words: int
    expected: int
    elements: tuple[Explained, ...]
    problem: str | None


@dataclass(frozen=True, slots=True)
class ProofReport:
    """A proof.

    Attributes:
        encoding: `fields`, `msgpack` or `compressed`.
        num_public_inputs: by its length; negative if it is too short for any proof.
        parts: its parts; none of them if they cannot be told apart.
        problems: everything that makes no sense, first things first.
    """

    encoding: str
    num_public_inputs: int
    parts: tuple[PartReport, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyReport:
    """A verification key; `hash` is None if the key cannot be decoded, `name` if it is not in the registry."""

    elements: tuple[Explained, ...] = field(default=())
    hash: str | None = None
    problems: tuple[str, ...] = ()
    name: str | None = None


def flat_proof(data: bytes) -> ProofReport:
    """A proof as its flat list of elements; the number of public inputs follows from the length (chapter 03 section 3)."""
    total, rest = divmod(len(data), WORD)
    count = total - FIXED_WORDS
    if rest:
        return ProofReport("fields", count, problems=(f"{len(data)} bytes are not a multiple of {WORD}: {rest} too many",))
    if count < 0:
        short = f"{total} words; a proof has at least {FIXED_WORDS}, so these cannot be told apart"
        return ProofReport("fields", count, problems=(short,))
    parts, start = [], 0
    for name in ChonkProof.PARTS:
        end = start + WORD * (fixed_words(name) + (count if not start else 0))
        parts.append(part(name, data[start:end], count))
        start = end
    return _report("fields", count, parts)


def msgpack_proof(data: bytes) -> ProofReport:
    """A proof as a msgpack map of its parts."""
    try:
        found = unpack(data)
    except ChonkFormatError as error:
        return ProofReport("msgpack", -OINK_FIXED_WORDS, problems=(str(error),))
    return parts_proof(found)


def parts_proof(found: Mapping[str, object]) -> ProofReport:
    """A proof as its parts by name, each a list of words (or, for a part that is already checked, all its bytes)."""
    first = found.get(ChonkProof.PARTS[0], ())
    words = len(first) // WORD if isinstance(first, bytes) else len(first) if isinstance(first, list | tuple) else 0
    count = words - OINK_FIXED_WORDS
    reports, missing = [], []
    for name in ChonkProof.PARTS:
        if name not in found:
            missing.append(f"{name} is missing")
            continue
        content, trouble = _join(name, found[name])
        missing += [trouble] if trouble else []
        reports.append(part(name, content, count))
    report = _report("msgpack", count, reports)
    return ProofReport(report.encoding, count, report.parts, (*missing, *report.problems))


def compressed_proof(data: bytes) -> ProofReport:
    """A compressed proof (chapter 03 section 5)."""
    count = len(data) // WORD - COMPRESSED_FIXED_WORDS
    try:
        report = flat_proof(ChonkProof.from_compressed(data).to_fields())
    except ChonkFormatError as error:
        return ProofReport("compressed", count, problems=(_name_compressed_word(str(error), error.position, count),))
    return ProofReport("compressed", count, report.parts, report.problems)


def key(data: bytes) -> KeyReport:
    """A verification key (chapter 03 section 1)."""
    if len(data) != KEY_SIZE:
        return KeyReport(problems=(f"{len(data)} bytes; the key of a hiding kernel has {KEY_SIZE}",))
    elements, trouble = _explain(KEY_LAYOUT, data)
    if trouble is not None:
        return KeyReport(elements, problems=(trouble,))
    return KeyReport(elements, "0x" + VerificationKey(data).hash.hex(), name=aztec().name_of_key(data))


def part(name: str, data: bytes, num_public_inputs: int) -> PartReport:
    """One part of a proof, given as whole words."""
    layout = part_layout(name, max(num_public_inputs, 0))
    expected = sum(element.kind.words for element in layout)
    elements, trouble = _explain(layout, data)
    words = len(data) // WORD
    if trouble is None and words > expected:
        trouble = f"word {expected}: {words - expected} words more than such a part has (see chapter 00 section 6)"
    return PartReport(name, words, expected, elements, trouble)


def _report(encoding: str, count: int, parts: Sequence[PartReport]) -> ProofReport:
    problems = tuple(f"{report.name}, {report.problem}" for report in parts if report.problem is not None)
    return ProofReport(encoding, count, tuple(parts), problems)


def _explain(layout: Sequence[Element], data: bytes) -> tuple[tuple[Explained, ...], str | None]:
    """The elements in `data`, and the first problem."""
    words = [int.from_bytes(data[start : start + WORD], "big") for start in range(0, len(data), WORD)]
    explained: list[Explained] = []
    first_problem: str | None = None
    position = 0
    for element in layout:
        piece = words[position : position + element.kind.words]
        if len(piece) < element.kind.words:
            first_problem = first_problem or f"word {len(words)}: the words end inside or before {element.name}"
            break
        trouble = problem(element.kind, piece)
        explained.append(Explained(element, position, None if trouble else display(element.kind, piece), trouble))
        if trouble is not None and first_problem is None:
            first_problem = f"word {position}, {element.name} ({element.kind.value}): {trouble}"
        position += element.kind.words
    return tuple(explained), first_problem


def _join(name: str, content: object) -> tuple[bytes, str | None]:
    """The words of a part up to the first that is none, and what is wrong with that one."""
    if isinstance(content, bytes):
        return content, None
    if not isinstance(content, list | tuple):
        return b"", f"{name} is of type {type(content).__name__}, expected an array"
    for index, word in enumerate(content):
        if not isinstance(word, bytes) or len(word) != WORD:
            shown = f"{len(word)} bytes" if isinstance(word, bytes) else type(word).__name__
            return b"".join(content[:index]), f"{name}, word {index}: {shown}, expected {WORD} bytes"
    return b"".join(content), None


def _name_compressed_word(message: str, position: str, num_public_inputs: int) -> str:
    """`message` with the name of the element whose word it complains about; every element is one word there."""
    found = re.fullmatch(r"[^\[]*\[([0-9]+)\]", position) or re.match(r"[^\[]*\[([0-9]+)\]:", message)
    if found is None or num_public_inputs < 0:
        return message
    names = [f"{part_name}: {item.name}" for part_name in PART_MEANINGS for item in part_layout(part_name, num_public_inputs)]
    return f"{message} (this is {_compressed_names(num_public_inputs, names)[int(found[1])]})"


def _compressed_names(num_public_inputs: int, names: list[str]) -> list[str]:
    """Public inputs are compressed one by one, also those that together are a point."""
    others = len(list(part_layout("hiding_oink_proof", num_public_inputs))) - len(part_layout("hiding_oink_proof", 0))
    return [f"hiding_oink_proof: public input {index}" for index in range(num_public_inputs)] + names[others:]

"""What the words of a proof and of a key are, in order (chapters 03 to 07, 09, 10, 13 and 14)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bbipc.chonk.sizes import IO_WORDS
from bbipc.inspect import columns
from bbipc.inspect.elements import Kind

__all__ = ["KEY_LAYOUT", "PART_MEANINGS", "Element", "fixed_words", "part_layout"]


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a proof or key.

    Attributes:
        name: its name in the specification.
        kind: what it is.
        meaning: what it is for.
        chapter: where the specification speaks of it.
    """

    name: str
    kind: Kind
    meaning: str
    chapter: str


PART_MEANINGS: Final[Mapping[str, str]] = {
    "hiding_oink_proof": "public inputs of the hiding kernel and commitments to its witness (chapter 04)",
    "merge_proof": "the op-queue table of the hiding kernel is appended to that of all earlier circuits (chapter 06)",
    "eccvm_proof": "the group operations of the op queue were carried out correctly; without its last opening (chapter 07)",
    "ipa_proof": "inner-product opening of the ECCVM's polynomial, with a transcript of its own (chapter 09)",
    "joint_proof": "translator commitments, one sumcheck for MegaZK and translator, one opening (chapters 10, 13 and 14)",
}


def part_layout(part: str, num_public_inputs: int) -> tuple[Element, ...]:
    """The elements of the part of that name; `num_public_inputs` matters for the first part only."""
    if part == "hiding_oink_proof":
        return (*_public_inputs(num_public_inputs), *_OINK)
    return _FIXED[part]


def fixed_words(part: str) -> int:
    """The words of a part, without public inputs."""
    return sum(element.kind.words for element in part_layout(part, 0))


def _public_inputs(count: int) -> Iterator[Element]:
    users = max(count - IO_WORDS, 0)
    for index in range(users):
        yield Element(f"PUBLIC_INPUT_{index}", Kind.FR, "public input of the user's circuit", "05")
    if count < IO_WORDS:
        for index in range(count):
            yield Element(f"PUBLIC_INPUT_{index}", Kind.FR, "too few for the 28 that every hiding kernel has", "05")
        return
    yield Element("P0", Kind.G1, "accumulated pairing point, paired with [1]_2", "05")
    yield Element("P1", Kind.G1, "accumulated pairing point, paired with [x]_2", "05")
    yield Element("kernel_return_data", Kind.G1, "must equal KERNEL_CALLDATA: what the previous kernel returned", "05")
    for index in range(4):
        yield Element(f"T_prev_{index}", Kind.G1, f"column {index} of the op-queue table of all earlier circuits", "05")


def _commitments(names: tuple[str, ...], kind: Kind, chapter: str) -> Iterator[Element]:
    for name in names:
        yield Element(name, kind, f"commitment to the column {name}", chapter)


def _evaluations(names: tuple[str, ...], kind: Kind, what: str, chapter: str) -> Iterator[Element]:
    for name in names:
        yield Element(f"{name}_EVAL", kind, f"evaluation of {what}'s {name} at the sumcheck point", chapter)


def _round(index: int, point: Kind, scalar: Kind, chapter: str) -> Iterator[Element]:
    yield Element(f"S_{index}", point, f"commitment to the polynomial of sumcheck round {index}", chapter)
    for at in (0, 1):
        yield Element(f"S_{index}({at})", scalar, f"its value at {at}", chapter)


def _small_subgroup(name: str, at: str, kind: Kind, chapter: str) -> Iterator[Element]:
    """The four evaluations of an inner-product check in a small subgroup (chapters 07.5 and 14.5)."""
    for value, meaning in (
        (f"G({at})", "of the committed secret vector"),
        (f"A(g*{at})", "of the grand sum, one step further"),
        (f"A({at})", "of the grand sum"),
        (f"Q({at})", "of the quotient"),
    ):
        yield Element(f"{name}_{value}", kind, f"evaluation {meaning}", chapter)


def _oink() -> Iterator[Element]:
    for name in (
        *("W_L", "W_R", "W_O", "ECC_OP_WIRE_1", "ECC_OP_WIRE_2", "ECC_OP_WIRE_3", "ECC_OP_WIRE_4"),
        *("KERNEL_CALLDATA", "KERNEL_CALLDATA_READ_COUNTS", "W_4", "KERNEL_CALLDATA_INVERSES", "Z_PERM"),
    ):
        yield Element(name, Kind.G1, f"commitment to the witness column {name}", "04")


def _merge() -> Iterator[Element]:
    for index in range(4):
        yield Element(f"MERGED_TABLE_{index}", Kind.G1, f"commitment to column {index} of the complete table", "06")
    yield Element("REVERSED_BATCHED_LEFT_TABLES", Kind.G1, "bounds the degree of the earlier table", "06")
    for name, meaning in (
        ("LEFT_TABLE", "the earlier table"),
        ("RIGHT_TABLE", "the hiding kernel's own rows"),
        ("MERGED_TABLE", "the complete table"),
    ):
        for index in range(4):
            yield Element(f"{name}_EVAL_{index}", Kind.FR, f"column {index} of {meaning} at kappa", "06")
    yield Element("REVERSED_BATCHED_LEFT_TABLES_EVAL", Kind.FR, "its value at 1/kappa", "06")
    yield Element("SHPLONK_BATCHED_QUOTIENT", Kind.G1, "quotient of the batched opening", "06")
    yield Element("KZG:W", Kind.G1, "quotient of the KZG opening", "06")


def _eccvm() -> Iterator[Element]:
    point, scalar = Kind.GRUMPKIN, Kind.FQ
    yield Element("gemini_masking_poly", point, "commitment to the random polynomial that hides the others", "07.3")
    yield from _commitments(columns.ECCVM_WIRES, point, "07.2")
    yield from _commitments(("lookup_inverses", "z_perm"), point, "07.2")
    yield Element("LIBRA_CONCATENATION", point, "commitment to the masks of the sumcheck", "07.3")
    yield Element("LIBRA_SUM", scalar, "sum of the masks over the cube", "07.3")
    for index in range(15):
        yield from _round(index, point, scalar, "07.4")
    yield from _evaluations(columns.ECCVM, scalar, "the ECCVM", "07.2")
    yield Element("LIBRA_CLAIMED_EVAL", scalar, "claimed value of the masks at the sumcheck point", "07.3")
    yield Element("LIBRA_GRAND_SUM", point, "running sum that proves the claimed value", "07.5")
    yield Element("LIBRA_QUOTIENT", point, "quotient of the same check", "07.5")
    for index in range(1, 15):
        yield Element(f"GEMINI_FOLD_{index}", point, f"commitment to fold {index} of the batched columns", "07.6")
    for index in range(15):
        yield Element(f"GEMINI_m_{index}", scalar, f"value of fold {index} at -r^(2^{index})", "07.6")
    yield from _small_subgroup("LIBRA", "r", scalar, "07.5")
    yield Element("SHPLONK_Q1", point, "quotient of the batched opening", "07.6")
    yield Element("TRANSLATION_CONCATENATION", point, "commitment to the masking rows of the translated columns", "07.5")
    for name in ("op", "Px", "Py", "z1", "z2"):
        yield Element(f"TRANSLATION_{name}", scalar, f"value of the column {name} at x, for the translator", "07.7")
    yield Element("TRANSLATION_MASKING_EVAL", scalar, "what the masking rows contribute to these values", "07.5")
    yield Element("TRANSLATION_GRAND_SUM", point, "running sum that proves the contribution", "07.5")
    yield Element("TRANSLATION_QUOTIENT", point, "quotient of the same check", "07.5")
    yield from _small_subgroup("TRANSLATION", "w", scalar, "07.5")
    yield Element("SHPLONK_Q2", point, "quotient of the final opening", "07.7")


def _ipa() -> Iterator[Element]:
    for index in range(15):
        for side in "LR":
            yield Element(f"{side}_{index}", Kind.GRUMPKIN, f"cross term of folding round {index}", "09.1")
    yield Element("G_0", Kind.GRUMPKIN, "the generators folded by the challenges", "09.4")
    yield Element("a_0", Kind.FQ, "the coefficients folded by the challenges", "09.1")


def _joint() -> Iterator[Element]:
    point, scalar = Kind.G1, Kind.FR
    yield Element("gemini_masking_poly", point, "commitment to the random polynomial that hides the others", "10.3")
    names = tuple(f"concatenated_range_constraints_{index}" for index in range(4))
    yield from _commitments((*names, "concatenated_non_range"), point, "10.5")
    yield from _commitments(tuple(f"ordered_range_constraints_{index}" for index in range(5)), point, "10.5")
    yield from _commitments(("z_perm",), point, "10.5")
    yield Element("LIBRA_CONCATENATION", point, "commitment to the masks of the sumcheck", "13.1")
    yield Element("LIBRA_SUM", scalar, "sum of the masks over the cube", "13.1")
    for index in range(13):
        yield from _round(index, point, scalar, "13.1")
    yield from _evaluations(columns.MINI_CIRCUIT, scalar, "the mini-circuit", "13.2")
    for index in range(13, 17):
        yield from _round(index, point, scalar, "13.1")
    yield from _evaluations(columns.MEGA, scalar, "MegaZK", "11.1")
    yield from _evaluations(columns.TRANSLATOR, scalar, "the translator", "13.3")
    yield Element("LIBRA_CLAIMED_EVAL", scalar, "claimed inner product of the masks", "13.1")
    yield Element("LIBRA_GRAND_SUM", point, "running sum that proves the claim", "14.5")
    yield Element("LIBRA_QUOTIENT", point, "quotient of the same check", "14.5")
    for index in range(1, 17):
        yield Element(f"GEMINI_FOLD_{index}", point, f"commitment to fold {index} of the batched columns", "14.2")
    for index in range(17):
        yield Element(f"GEMINI_n_{index}", scalar, f"value of fold {index} at -r^(2^{index})", "14.2")
    yield from _small_subgroup("LIBRA", "r", scalar, "14.5")
    yield Element("SHPLONK_Q", point, "quotient of the batched opening", "14.2")
    yield Element("KZG:W", point, "quotient of the KZG opening", "14.2")


_OINK: Final = tuple(_oink())
_FIXED: Final = {
    "merge_proof": tuple(_merge()),
    "eccvm_proof": tuple(_eccvm()),
    "ipa_proof": tuple(_ipa()),
    "joint_proof": tuple(_joint()),
}

KEY_LAYOUT: Final = (
    Element("log_circuit_size", Kind.FR, "binary logarithm of the number of rows", "03.1"),
    Element("num_public_inputs", Kind.FR, "number of public inputs", "03.1"),
    Element("pub_inputs_offset", Kind.FR, "row of the first public input", "03.1"),
    *(Element(name, Kind.G1, f"commitment to the selector {name}", "03.1") for name in columns.KEY),
)
"""The elements of a verification key."""

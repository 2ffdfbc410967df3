"""Forgeries that need challenges: changed answers for which an identity of the verifier still holds.

The challenges are those of the vectors of docs/spec for two proofs of tests/data; what is changed comes after them, so they
stay the same. The identity that decides first is kept, and a later check (an opening, or the next part) must find the change.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Final

from bbipc.conform.elements import FR, GRUMPKIN, Item, modulus
from bbipc.conform.samples import Sample
from bbipc.fuzzing.mutant import Mutant

__all__ = ["FLOWS", "FORGERIES", "forge_known"]

SPEC: Final = Path(__file__).parent.parent / "docs" / "spec"
FLOWS: Final = ("flow1", "flow4")
JOINT_ORDER: Final = 256
JOINT_INVERSE: Final = 0x204BD3277422FAD364751AD938E2B5E6A54CF8C68712848A692C553D0329F5D6
ECCVM_ORDER: Final = 87
ECCVM_INVERSE: Final = 0x0C68E27477B5E78CFAB790BD3B59806FA871771F71EC7452CDE5384F6E3A1988
"""Orders of the small subgroups and inverses of their generators (chapters 14.5 and 7.1)."""


Forgery = Callable[[Mutant, Random, str], Mutant]


def _vectors(name: str) -> Any:
    return json.loads((SPEC / f"{name}.json").read_text())


def _value(mutant: Mutant, item: Item) -> int:
    value = mutant.value(item)
    assert isinstance(value, int)
    return value


def _plus(mutant: Mutant, item: Item, shift: int) -> Mutant:
    return mutant.with_value(item, (_value(mutant, item) + shift) % modulus(item.kind), "")


def _behind(item: Item, words: int) -> Item:
    """The item of the same kind that many words behind."""
    return Item(item.part, item.start + words, item.kind)


def _inner_product(mutant: Mutant, random: Random, grand_sum: Item, y: int, order: int, inverse: int) -> Mutant:
    """A(g y) and the quotient Q(y) change together, so that the inner-product check of chapters 7.5 and 14.5 holds."""
    p = modulus(grand_sum.kind)
    shift = random.randrange(1, FR)
    quotient = _behind(grand_sum, 2 * grand_sum.size)
    once = _plus(mutant, grand_sum, shift)
    return _plus(once, quotient, (y - inverse) * shift * pow(y**order - 1, -1, p))


def forge_joint_libra(mutant: Mutant, random: Random, flow: str) -> Mutant:
    """The masking check of the joint sumcheck holds; its pairing must fail."""
    r = int(_vectors(f"joint_vectors_{flow}")["gemini_r"], 16)
    forged = _inner_product(mutant, random, Item("joint_proof", 466, "s"), r, JOINT_ORDER, JOINT_INVERSE)
    return replace(forged, what="joint Libra evaluations, their check kept")


def forge_translation(mutant: Mutant, random: Random, flow: str) -> Mutant:
    """The masking check of the ECCVM's translation holds; what the joint part derives from the transcript must not."""
    events = _vectors(f"vectors-eccvm-{flow}")["events"]
    (w,) = (int(event["values"][0], 16) for event in events if event["label"] == "Translation:small_ipa_evaluation_challenge")
    forged = _inner_product(mutant, random, Item("eccvm_proof", 604, "S"), w, ECCVM_ORDER, ECCVM_INVERSE)
    return replace(forged, what="translation evaluations, their check kept")


def forge_merge(mutant: Mutant, random: Random, _flow: str) -> Mutant:
    """Both identities of the merge hold for changed evaluations of a column (chapter 06); its pairing must fail."""
    events = _vectors("vectors-front-flow1")["events"]
    factors = [int(values[0], 16) for name, _, values in events if name.startswith("LEFT_TABLE_DEGREE_CHECK")]
    left = [Item("merge_proof", 20 + column, "s") for column in range(4)]
    last = Item("merge_proof", 32, "s")
    # kappa^(l - 1) follows from the degree check of the valid proof.
    total = sum(factor * _value(mutant, item) for factor, item in zip(factors, left, strict=True))
    power = total * pow(_value(mutant, last), -1, FR)
    column, shift = random.randrange(4), random.randrange(1, FR)
    once = _plus(_plus(mutant, left[column], shift), _behind(left[column], 8), shift)
    twice = _plus(once, last, factors[column] * shift * pow(power, -1, FR))
    return replace(twice, what=f"merge evaluations of column {column}, both identities kept")


def forge_ipa_scalar(mutant: Mutant, random: Random, flow: str) -> Mutant:
    """Another a0, and G0 so that check 2 of chapter 09 holds; check 1 must fail."""
    argument = _vectors(f"vectors-eccvm-{flow}")["ipa"]
    order = modulus("S")
    inner = int(argument["b_0"], 16) * int(argument["generator_challenge"], 16) % order  # b0 U, as a multiple of the generator
    final, scalar = Item("ipa_proof", 60, "C"), Item("ipa_proof", 62, "S")
    old, point = _value(mutant, scalar), mutant.value(final)
    assert not isinstance(point, int)
    new = random.choice((1, order - 1, -old % order, random.randrange(1, order)))
    inverse = pow(new, -1, order)
    scaled = GRUMPKIN.times(point, old * inverse % order)
    shift = GRUMPKIN.times(GRUMPKIN.generator, inner * (old - new) * inverse % order)
    once = mutant.with_value(final, GRUMPKIN.add(scaled, shift), "")
    return replace(once.with_value(scalar, new, ""), what=f"a0 is {new:#x}, G0 so that the last equation of the argument holds")


FORGERIES: Final[Mapping[Forgery, str]] = {
    forge_ipa_scalar: "IPA",
    forge_joint_libra: "batched translator+joint pairing",
    forge_translation: "batched translator+joint reduction",
    forge_merge: "Merge pairing",
}
"""The forgeries, and the step that must find each."""


def forge_known(base: Sample, random: Random) -> Mutant:
    """One of the forgeries of a proof of `FLOWS`."""
    possible = [forgery for forgery in FORGERIES if forgery is not forge_merge or base.name == "flow1"]
    return random.choice(possible)(Mutant(base.parts, base.key, "", base), random, base.name)

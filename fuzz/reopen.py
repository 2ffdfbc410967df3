"""Changes of a proof after which whoever knows the secret of the test setup opens everything anew (forge.py).

`bbipc.fuzzing` changes words; most of those changes break many equations, and none leaves the proof valid. Here the joint part
becomes any other one of which all equations hold, so that a mutant is *valid* in a form that no prover makes (infinite, equal
and opposite points, any evaluations); or it breaks one equation alone; or what comes before is changed, key and public
inputs included, and everything but the inner-product argument put right. The proofs of the corpus that are valid in spite of
their form are bases of the campaign, too.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from forge import (
    GENERATOR,
    INFINITY,
    JOINT,
    JOINT_POINTS,
    MERGE,
    MERGE_POINTS,
    OINK,
    VALID,
    Forgery,
    G1Point,
    Proof,
    Q,
    R,
    combine,
    load_corpus,
    negative,
    rebuild,
    set_key_point,
)

from bbipc.conform.samples import PARTS, WORD, Sample, split
from bbipc.fuzzing.mutant import Mutant

__all__ = ["KINDS", "reopen", "reopened", "valid_forms"]

_JOINT_SCALARS: Final = (
    52,
    *range(57, 131, 6),
    *range(58, 131, 6),
    *range(131, 285),
    *range(289, 309, 6),
    *range(290, 309, 6),
    *range(309, 376),
    *range(448, 469),
)
_MERGE_SCALARS: Final = range(20, 28)
"""The others of the merge follow from these."""


def valid_forms() -> list[Sample]:
    """The valid proofs of the corpus."""
    return [_sample(rebuild(case), f"{case['flow']}, {case['name']}") for case in load_corpus() if case["step"] == VALID]


def _sample(proof: Proof, name: str) -> Sample:
    return Sample(name, split(proof.chonk().to_fields()), proof.key_bytes())


def _proof(sample: Sample) -> Proof:
    parts = {name: [int.from_bytes(item, "big") for item in sample.parts[name]] for name in PARTS}
    key = [int.from_bytes(sample.key[at : at + WORD], "big") for at in range(0, len(sample.key), WORD)]
    return Proof(parts, key)


# ---- Random edits --------------------------------------------------------------------------------------------------


def _a_point(proof: Proof, part: str, random: Random) -> G1Point:
    """A point that may stand anywhere: of the proof, its negative, special, or any."""
    choice = random.randrange(6)
    if choice < 2:
        return (INFINITY, GENERATOR)[choice]
    if choice == 2:
        return combine([GENERATOR], [random.randrange(R)])
    at = random.choice({JOINT: JOINT_POINTS, MERGE: MERGE_POINTS}.get(part, MERGE_POINTS))
    found = proof.g1(JOINT if part == JOINT else MERGE, at)
    if choice == 3 or found == INFINITY:
        return found
    return negative(found) if choice == 4 else combine([found, GENERATOR], [random.randrange(R), random.randrange(3)])


def _a_scalar(random: Random) -> int:
    return random.choice((0, 1, R - 1, 2**128, random.randrange(R), random.randrange(R)))


def _edit_points(proof: Proof, part: str, places: tuple[int, ...], random: Random) -> None:
    count = random.choice((1, 1, 2, 3, len(places)))
    same = _a_point(proof, part, random) if random.random() < 0.3 else None
    for at in random.sample(places, count):
        proof.set_g1(part, at, same or _a_point(proof, part, random))


def _edit_joint(proof: Proof, random: Random) -> str:
    """Any points and scalars of the joint part but W, and but what the forger puts right."""
    done = []
    if random.random() < 0.7:
        _edit_points(proof, JOINT, JOINT_POINTS, random)
        done.append("points")
    if not done or random.random() < 0.6:
        value = _a_scalar(random) if random.random() < 0.3 else None
        for at in random.sample(_JOINT_SCALARS, random.choice((1, 2, 5, len(_JOINT_SCALARS)))):
            proof.parts[JOINT][at] = _a_scalar(random) if value is None else value
        done.append("scalars")
    return f"joint {' and '.join(done)}"


def _edit_merge(proof: Proof, random: Random) -> str:
    _edit_points(proof, MERGE, MERGE_POINTS, random)
    for at in random.sample(_MERGE_SCALARS, random.randrange(9)):
        proof.parts[MERGE][at] = _a_scalar(random)
    return "merge points and scalars"


def _edit_witness(proof: Proof, random: Random) -> str:
    """Commitments of the first part but the calldata, tables so far, and public inputs of the user."""
    n = proof.num_public_inputs
    places = [n + 4 * i for i in range(12) if i != 7] + [proof.public_point(3 + j) for j in range(4)]
    for at in random.sample(places, random.choice((1, 2, len(places)))):
        proof.set_g1(OINK, at, _a_point(proof, OINK, random))
    for at in range(n - 28):
        if random.random() < 0.1:
            proof.parts[OINK][at] = _a_scalar(random)
    return "witness and public inputs"


def _edit_key(proof: Proof, random: Random) -> str:
    for index in (0, 2):
        if random.random() < 0.5:
            proof.key[index] = random.choice((0, 1, 2**32, 2**63, 2**64 - 1, 2**64 - 2, random.randrange(2**64)))
    for index in random.sample(range(28), random.choice((0, 1, 2, 28))):
        set_key_point(proof, index, _a_point(proof, MERGE, random))
    return "key"


# ---- What is made of them ------------------------------------------------------------------------------------------


def reopened(base: Sample, random: Random) -> Sample:
    """Another valid proof of the same key: the joint part is another one."""
    proof = _proof(base)
    what = _edit_joint(proof, random)
    return _sample(Forgery(proof, {}, first=JOINT).run(), f"{base.name}, {what} opened anew")


def _valid(base: Sample, random: Random) -> Mutant:
    sample = reopened(base, random)
    return Mutant(sample.parts, sample.key, "as it is", sample)


def _one_equation(base: Sample, random: Random) -> Mutant:
    """One or two equations of the joint part are wrong, in another valid form of it."""
    source = reopened(base, random) if random.random() < 0.5 else base
    names = random.sample(("A", "B", "joint pairing"), random.choice((1, 1, 1, 2)))
    wrong = {name: random.choice((1, R - 1, random.randrange(1, R))) for name in names}
    forged = _sample(Forgery(_proof(source), wrong, first=JOINT).run(), source.name)
    return Mutant(forged.parts, forged.key, f"wrong: {', '.join(names)}", source)


_WRONG: Final = ("C0", "C1", "C2", "C3", "D", "merge pairing", "check 1", "check 2", "check 3", "A", "B", "joint pairing")


def _early(base: Sample, random: Random) -> Mutant:
    """What stands before the ECCVM part is changed; everything is put right but the argument, and often one equation more."""
    proof = _proof(base)
    edits: list[Callable[[Proof, Random], str]] = random.sample([_edit_merge, _edit_witness, _edit_key], random.randrange(1, 4))
    if random.random() < 0.4:
        edits.append(_edit_joint)
    what = [edit(proof, random) for edit in edits]
    wrong = {random.choice(_WRONG): random.choice((1, R - 1, random.randrange(1, Q)))} if random.random() < 0.5 else {}
    forged = _sample(Forgery(proof, wrong).run(), base.name)
    return Mutant(forged.parts, forged.key, f"{', '.join([*what, *(f'{name} wrong' for name in wrong)])}; opened anew", base)


KINDS: Final[Mapping[Callable[[Sample, Random], Mutant], int]] = {_valid: 3, _one_equation: 4, _early: 3}
"""What is made, and how often, relative to all."""


def reopen(base: Sample, random: Random) -> Mutant:
    """One of the kinds."""
    (kind,) = random.choices(tuple(KINDS), tuple(KINDS.values()))
    return kind(base, random)

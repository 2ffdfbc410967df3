"""What the mutations promise: forgeries decode, mirror images cancel, a seed reproduces."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbipc.conform.elements import BN254, FQ, FR, GRUMPKIN, curve_of, decode, encode, items, modulus
from bbipc.conform.samples import PARTS, SAMPLES, WORD, Sample, sample
from bbipc.fuzzing import forgery
from bbipc.fuzzing.mutant import Mutant
from bbipc.fuzzing.mutation import FORGERIES, MUTATIONS, Mutation, mutate
from reference.curves import G1
from reference.curves import GRUMPKIN as REFERENCE_GRUMPKIN

ALL = [sample(name) for name in SAMPLES]
samples = st.sampled_from(ALL)
seeds = st.integers(0, 2**32)


def unchanged(base: Sample) -> Mutant:
    return Mutant(base.parts, base.key, "", base)


@pytest.mark.parametrize("mutation", FORGERIES, ids=lambda mutation: mutation.__name__)
@given(base=samples, seed=seeds)
def test_forgeries_decode(mutation: Mutation, base: Sample, seed: int) -> None:
    mutant = mutation(unchanged(base), Random(seed), ALL)
    assert mutant.has_shape
    assert all(int.from_bytes(word, "big") < FR for name in PARTS for word in mutant.parts[name])
    key = [mutant.key[at : at + WORD] for at in range(0, len(mutant.key), WORD)]
    for kind, words in [(item.kind, mutant.words(item)) for item in items(base.num_public_inputs)] + [
        ("c", key[at : at + 4]) for at in range(3, 115, 4)
    ]:
        value = decode(kind, words)
        assert encode(kind, value) == words
        if isinstance(value, int):
            assert value < modulus(kind)
        else:
            assert curve_of(kind).holds(value)
            assert value is None or max(value) < curve_of(kind).p


@given(samples, seeds)
def test_a_seed_reproduces(base: Sample, seed: int) -> None:
    assert mutate(base, Random(seed), ALL) == mutate(base, Random(seed), ALL)


@given(samples, seeds, st.sampled_from([forgery.shift_item, forgery.move_error, forgery.forge_tail, forgery.forge_ipa]))
def test_mirror_images_cancel(base: Sample, seed: int, mutation: Mutation) -> None:
    mutant = mutation(unchanged(base), Random(seed), ALL)
    mirror = mutant.mirrored()
    assert mirror.mirrored().parts == mutant.parts
    assert mirror.is_base == mutant.is_base
    for item in items(base.num_public_inputs):
        old, one, two = (part.value(item) for part in (unchanged(base), mutant, mirror))
        if isinstance(old, int):
            assert isinstance(one, int)
            assert isinstance(two, int)
            assert (one + two - 2 * old) % modulus(item.kind) == 0
        else:
            assert not isinstance(one, int)
            assert not isinstance(two, int)
            assert curve_of(item.kind).add(one, two) == curve_of(item.kind).add(old, old)


@given(samples, seeds)
def test_merge_evaluations_keep_their_equation(base: Sample, seed: int) -> None:
    def power(mutant: Mutant, column: int) -> int:
        left, right, merged = (int.from_bytes(mutant.parts["merge_proof"][at + column], "big") for at in (20, 24, 28))
        return (merged - left) * pow(right, -1, FR) % FR

    mutant = forgery.forge_merge_evaluations(unchanged(base), Random(seed), ALL)
    assert not mutant.is_base
    # kappa^l of one proof is the same in all columns, before and after.
    assert len({power(either, column) for either in (unchanged(base), mutant) for column in range(4)}) == 1


@given(samples, seeds)
def test_rounds_keep_their_sum(base: Sample, seed: int) -> None:
    mutant = forgery.forge_rounds(unchanged(base), Random(seed), ALL)
    changed = [item for item in items(base.num_public_inputs) if mutant.words(item) != unchanged(base).words(item)]
    assert len(changed) == 2
    first, second = changed
    assert second.start == first.start + first.size
    before, after = ([int(str(either.value(item))) for item in changed] for either in (unchanged(base), mutant))
    assert (sum(before) - sum(after)) % modulus(first.kind) == 0


@given(samples, seeds, st.sampled_from(list(MUTATIONS)))
def test_only_another_split_reads_the_same(base: Sample, seed: int, mutation: Mutation) -> None:
    mutant = mutation(unchanged(base), Random(seed), ALL)
    if mutant.is_base:
        assert mutant.reads_as_base
    elif mutant.reads_as_base and mutant.key == base.key:
        flat = [word for name in PARTS for word in mutant.parts[name]]
        assert "re-split" in mutant.what
        assert flat == base.fields


@given(st.sampled_from(["c", "C"]), st.integers(0, 2**256), st.integers(0, 2**256))
def test_curves(kind: str, one: int, other: int) -> None:
    curve, reference = (BN254, G1) if kind == "c" else (GRUMPKIN, REFERENCE_GRUMPKIN)
    assert curve.generator == reference.generator
    points = [curve.times(curve.generator, scalar) for scalar in (one, other)]
    assert points == [reference.mul(scalar, reference.generator) for scalar in (one, other)]
    assert curve.add(*points) == reference.add(*points) == curve.times(curve.generator, one + other)
    assert curve.add(points[0], curve.negate(points[0])) is None
    assert all(map(curve.holds, points))
    assert curve.times(curve.generator, FR if kind == "c" else FQ) is None

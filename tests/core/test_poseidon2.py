"""Poseidon2 of the core against chapter 02 in Python, and against values from bb."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbipc.chonk import NotCanonicalError, PrimitiveError, primitives
from bbipc.chonk.core import Core
from reference.curves import R
from reference.poseidon2 import hash_list, permute
from samples import word
from strategies import elements, not_below

FROM_BB = {
    (): 0x18DFB8DC9B82229CFF974EFEFC8DF78B1CE96D9D844236B496785C698BC6732E,
    (0,): 0x2710144414C3A5F2354F4C08D52ED655B9FE253B4BF12CB9AD3DE693D9B1DB11,
    (1,): 0x168758332D5B3E2D13BE8048C8011B454590E06C44BCE7F702F09103EEF5A373,
    (1, 2, 3): 0x23864ADB160DDDF590F1D3303683EBCB914F828E2635F6E85A32F0A1AECD3DD8,
    (1, 2, 3, 4): 0x130BF204A32CAC1F0ACE56C78B731AA3809F06DF2731EBCF6B3464A15788B1B9,
    (1, 2, 3, 4, 5, 6, 7): 0x16F929BC0D216DF4B05BDC44222463EDF2B9791BD949AB926EEBDA06A502D238,
}


@given(st.lists(elements(R), min_size=4, max_size=4))
def test_permutation(core: Core, state: list[int]) -> None:
    assert core.poseidon2_permute(b"".join(map(word, state))) == b"".join(map(word, permute(state)))


@given(st.lists(elements(R), max_size=40))
def test_hash(core: Core, values: list[int]) -> None:
    assert core.poseidon2_hash(b"".join(map(word, values))) == word(hash_list(values))


@given(st.lists(st.lists(elements(R), max_size=20), max_size=20))
def test_many_hashes(core: Core, messages: list[list[int]]) -> None:
    encoded = [b"".join(map(word, message)) for message in messages]
    assert core.poseidon2_hash_many(encoded) == [core.poseidon2_hash(message) for message in encoded]


@pytest.mark.parametrize("values", FROM_BB)
def test_hashes_from_bb(core: Core, values: tuple[int, ...]) -> None:
    assert core.poseidon2_hash(b"".join(map(word, values))) == word(FROM_BB[values])
    assert primitives.poseidon2_hash([word(value) for value in values]) == word(FROM_BB[values])
    assert primitives.poseidon2_hash_many([[word(value) for value in values]] * 3) == [word(FROM_BB[values])] * 3


@given(st.integers(0, 3), not_below(R))
def test_inputs_must_be_canonical(core: Core, index: int, bad: int) -> None:
    words = [word(1)] * 4
    words[index] = word(bad)
    with pytest.raises(NotCanonicalError):
        core.poseidon2_permute(b"".join(words))
    with pytest.raises(NotCanonicalError):
        core.poseidon2_hash(b"".join(words))
    with pytest.raises(NotCanonicalError):
        core.poseidon2_hash_many([b"", b"".join(words)])


def test_sizes_are_checked() -> None:
    assert primitives.poseidon2_permutation([word(i) for i in range(4)]) == [word(value) for value in permute(range(4))]
    with pytest.raises(PrimitiveError, match="96 bytes, expected 128"):
        primitives.poseidon2_permutation([word(0)] * 3)
    with pytest.raises(PrimitiveError, match="item 1 has 31 bytes, expected 32"):
        primitives.poseidon2_hash([word(0), bytes(31)])

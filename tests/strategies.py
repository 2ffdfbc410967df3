"""Hypothesis strategies for field elements and points that go to the edges."""

from hypothesis import strategies as st

from reference.curves import Curve


def elements(modulus: int) -> st.SearchStrategy[int]:
    """Integers below `modulus`: uniform ones, tiny ones, those near the modulus, and those near limb boundaries."""
    edges = [0, 1, 2, 3, modulus - 1, modulus - 2, (modulus - 1) // 2, (modulus + 1) // 2]
    edges += [pow(2, 256, modulus), pow(2, -256, modulus)]
    for bits in (51, 52, 63, 64, 127, 128, 136, 191, 192, 252, 253):
        edges += [2**bits - 1, 2**bits, 2**bits + 1]
    sparse = st.lists(st.sampled_from([0, 1, 2**63, 2**64 - 1]), min_size=4, max_size=4).map(
        lambda limbs: sum(limb << (64 * i) for i, limb in enumerate(limbs)) % modulus
    )
    return st.one_of(st.sampled_from([edge % modulus for edge in edges]), sparse, st.integers(0, modulus - 1))


def not_below(modulus: int) -> st.SearchStrategy[int]:
    """256-bit integers that are not canonical."""
    return st.one_of(st.sampled_from([modulus, modulus + 1, 2**255, 2**256 - 1]), st.integers(modulus, 2**256 - 1))


def logarithms(curve: Curve) -> st.SearchStrategy[int]:
    """Discrete logarithms of points to the base of the generator: small ones collide often, 0 is infinity."""
    return st.one_of(st.integers(0, 4), st.sampled_from([curve.order - 1, curve.order - 2]), st.integers(0, curve.order - 1))

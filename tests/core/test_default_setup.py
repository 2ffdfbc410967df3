"""The built-in trusted setup is Aztec's: three facts that do not depend on each other (chapters 01 section 4 and 10.3)."""

import hashlib

from bbipc.chonk import Setup, primitives
from bbipc.chonk.core import Curve
from reference.bn254_pairing import G2_BYTES
from reference.curves import G1, to_bytes
from samples import word

X_G1 = (
    0x2D360628289FF943FF6BD1A87BBE4E62ABE7FB61BA83EFFD266F22BDCF31E6F9,
    0x26B92A79E563C3F48252CCE7FEECA2F0F8D33DCB4EF7B0643BF07BD405700AAA,
)
"""[x]_1, the second point of the published reference string."""


def test_g2_point_belongs_to_the_published_reference_string() -> None:
    """e([x]_1, [1]_2) = e(G, [x]_2)."""
    minus_g = to_bytes(G1.neg(G1.generator))
    assert primitives.pairing_check([to_bytes(X_G1), minus_g], [G2_BYTES, Setup.AZTEC.g2_x])
    assert not primitives.pairing_check([to_bytes(X_G1), minus_g], [G2_BYTES, G2_BYTES])


def test_g2_point_is_the_file_that_bb_demands() -> None:
    digest = "01797bfc4de5a96f0e516a9ea4537d18786dc30cb991aca4274c95822b69c32f"
    assert hashlib.sha256(Setup.AZTEC.g2_x).hexdigest() == digest


def test_translator_key_hashes_to_the_constant_of_the_transcript() -> None:
    limbs = []
    for coordinate in (Setup.AZTEC.translator_key[:32], Setup.AZTEC.translator_key[32:]):
        high, low = divmod(int.from_bytes(coordinate, "big"), 2**136)
        limbs += [word(low), word(high)]
    expected = 0x281228E56FBFB62A424C94BDA780104C9B5E758B8A02F148CE5E98C2867FDFC1
    assert primitives.poseidon2_hash(limbs) == word(expected)
    assert primitives.point_is_on_curve(Curve.G1, Setup.AZTEC.translator_key)

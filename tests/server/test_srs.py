"""Compressed reference strings: accepted exactly if they are the powers of the secret of [x]_2."""

import json

import pytest

from bbipc.chonk import Setup
from bbipc.chonk.core import Curve
from bbipc.chonk.primitives import point_mul
from bbipc.server import srs
from bbipc.server.errors import CommandError
from bbipc.server.steps import finish
from bbipc.wire.values import FR_MODULUS
from samples import DATA, word

TAU = int(json.loads((DATA / "test_setup.json").read_text())["tau"], 16)
COUNT = 8


class TestSetup:
    """The test setup in the place of Aztec's: of that one nobody knows the secret."""

    __test__ = False
    AZTEC = Setup.from_json(DATA / "test_setup.json")


@pytest.fixture(autouse=True)
def small_and_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(srs, "Setup", TestSetup)
    monkeypatch.setattr(srs, "_COMPRESSED_UNIT", 4 * 32)
    for points_in_one_step in ("_CHECKED", "_DECOMPRESSED", "_COMBINED"):
        monkeypatch.setattr(srs, points_in_one_step, 3)


def powers(factor: int = 1) -> list[bytes]:
    generator = word(1) + word(2)
    return [point_mul(Curve.G1, generator, word(factor * pow(TAU, i, FR_MODULUS) % FR_MODULUS)) for i in range(COUNT)]


def compress(point: bytes) -> bytes:
    return bytes([point[0] | (point[63] & 1) << 7]) + point[1:32]


def check(points: list[bytes]) -> bytes:
    return check_words(b"".join(map(compress, points)))


def check_words(words: bytes) -> bytes:
    return finish(srs.check_bn254(words, len(words) // 32, TestSetup.AZTEC.g2_x, 2))


def test_the_powers_are_accepted_and_returned_uncompressed() -> None:
    assert check(powers()) == b"".join(powers())
    assert finish(srs.check_bn254(b"".join(powers()), COUNT, TestSetup.AZTEC.g2_x, 2)) == b""


@pytest.mark.parametrize("index", range(COUNT))
def test_one_wrong_point_is_found(index: int) -> None:
    points = powers()
    points[index] = point_mul(Curve.G1, points[index], word(2))
    with pytest.raises(CommandError):
        check(points)


def test_other_strings_are_refused() -> None:
    for points in (powers(2), powers()[::-1], [powers()[0]] * COUNT, powers()[:3]):
        with pytest.raises(CommandError):
            check(points)
    with pytest.raises(CommandError, match=r"points_buf\[5\] is not on the curve"):
        check_words(b"".join(map(compress, powers()[:5])) + word(4) * 3)

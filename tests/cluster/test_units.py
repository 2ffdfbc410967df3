"""Cutting a stream into units."""

import pickle
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbipc.archive.cut import cut
from bbipc.archive.fingerprint import Fingerprint, own_fingerprint
from bbipc.archive.proofs import ProofJudge
from bbipc.archive.unit import BuildMismatchError, Unit, decide
from bbipc.chonk import ChonkProof, Outcome, Setup, Verdict, verify
from bbipc.cli.archive import ArchiveOptions
from bbipc.cli.many import Item, key_beside
from bbipc.cli.verify_many import _archive
from samples import CORPUS, FLOW1, FLOW4, copy_parts, flow1_parts, raw_proof


def _invalid() -> ChonkProof:
    parts = copy_parts(flow1_parts())
    parts["merge_proof"][20], parts["merge_proof"][21] = parts["merge_proof"][21], parts["merge_proof"][20]
    return raw_proof(parts)


INVALID = _invalid()
JUDGE = ProofJudge(Setup.AZTEC, strict=False)


@given(st.lists(st.binary(max_size=40)), st.integers(1, 5), st.integers(1, 60))
def test_units_are_the_stream_in_pieces_within_the_limits(items: list[bytes], most: int, size: int) -> None:
    pairs = [(item, b"") for item in items]
    units = list(cut(pairs, JUDGE, unit_items=most, unit_bytes=size))
    assert [item for unit in units for item in unit.items] == pairs
    assert [index for unit in units for index in unit.indices] == list(range(len(items)))
    for unit in units:
        assert 1 <= len(unit) <= most
        assert len(unit) == 1 or sum(len(proof) for proof, _ in unit.items) <= size
    for unit, following in pairwise(units):
        assert len(unit) == most or sum(len(proof) for proof, _ in (*unit.items, following.items[0])) > size


def test_a_decoded_proof_counts_with_its_bytes() -> None:
    proof = ChonkProof.from_fields(FLOW1.fields)
    pairs = [(proof, FLOW1.vk)] * 3
    assert len(list(cut(pairs, JUDGE, unit_bytes=len(FLOW1.fields)))) == 3
    assert len(list(cut(pairs, JUDGE, unit_bytes=4 * len(FLOW1.fields)))) == 1


@given(st.integers(0, 30), st.integers(1, 5), st.integers(0, 7))
def test_no_item_is_taken_before_its_unit_is_asked_for(count: int, most: int, asked: int) -> None:
    taken = 0

    def stream() -> Iterator[tuple[bytes, bytes]]:
        nonlocal taken
        for _ in range(count):
            taken += 1
            yield b"", b""

    units = cut(stream(), JUDGE, unit_items=most)
    got = sum(1 for _ in zip(range(asked), units, strict=False))
    assert taken <= got * most + 1


@given(st.integers(2, 100))
def test_halves_are_the_unit(count: int) -> None:
    unit = Unit(tuple(range(count)), tuple(map(str, range(count))), JUDGE, 1)
    first, second = unit.halves()
    assert first.indices + second.indices == unit.indices
    assert first.items + second.items == unit.items
    assert min(len(first), len(second)) >= 1


@pytest.mark.parametrize("limits", [{"unit_items": 0}, {"unit_bytes": 0}, {"threads": -1}])
def test_impossible_limits(limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"must not|room"):
        cut([], JUDGE, **limits)


def test_a_unit_of_another_build_is_refused_before_any_work() -> None:
    own = own_fingerprint()
    for other in (
        Fingerprint("0.0", own.abi, own.generators),
        Fingerprint(own.version, 1, own.generators),
        Fingerprint(own.version, own.abi, "00"),
    ):
        with pytest.raises(BuildMismatchError, match="instead of"):
            decide(Unit((0,), ((b"", b""),), JUDGE, 1, other))


def test_each_item_gets_the_verdict_that_it_has_alone(setup: Setup) -> None:
    judge = ProofJudge(setup, strict=False)
    items = (
        (FLOW1.fields, FLOW1.vk),
        (INVALID, FLOW1.vk),
        (b"nothing", FLOW1.vk),
        (FLOW1.folder / "proof.msgpack", FLOW1.folder / "vk"),
        Verdict(Outcome.ERROR, reason="as it was"),
        (FLOW1.folder / "nowhere", FLOW1.vk),
        (CORPUS[0].fields, CORPUS[0].vk),
        (FLOW1.fields, b"no key"),
        (FLOW4.fields, FLOW1.vk),
    )
    verdicts = decide(Unit(tuple(range(len(items))), items, judge, 1, own_fingerprint()))
    assert [verdict.outcome.value for verdict in verdicts] == [
        "valid",
        "invalid",
        "error",
        "valid",
        "error",
        "error",
        "valid",
        "error",
        "error",
    ]
    assert "with the 32 public inputs of this key" in str(verdicts[8].reason)
    assert verdicts[1] == verify(INVALID, FLOW1.vk, setup=setup)
    assert "nowhere" in str(verdicts[5].reason)
    assert verdicts[4].reason == "as it was"
    other = bytearray(FLOW1.vk)
    other[-1] ^= 1  # a key of the same size is another one
    pairs = tuple((FLOW1.fields, key) for key in (FLOW1.vk, bytes(other), FLOW1.vk))
    outcomes = [verdict.outcome.value for verdict in decide(Unit((0, 1, 2), pairs, judge, 1))]
    assert outcomes == ["valid", "error", "valid"]
    assert decide(Unit((0,), items[:1], ProofJudge(Setup.AZTEC, strict=False), 1))[0].step == "PI pairing points"


def test_a_key_of_many_files_travels_once_in_a_unit(tmp_path: Path) -> None:
    files = [tmp_path / f"proof_{number}" for number in range(8)]
    for number, file in enumerate(files):
        file.write_bytes(FLOW1.fields)
        (tmp_path / f"vk_{number}").write_bytes(FLOW1.vk)
    options = ArchiveOptions("local:1", None, 1, shared_files=True, resume=None)
    reads = [_archive(options, Setup.AZTEC, False, ()).read(Item(0, str(file), key_beside(str(file)))) for file in files]
    assert [read.for_unit[0] for read in reads] == files
    (unit,) = cut((read.for_unit for read in reads), JUDGE)
    assert len(pickle.dumps(unit)) < 2 * len(FLOW1.vk)

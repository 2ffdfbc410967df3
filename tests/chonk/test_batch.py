"""Batch verification (chapter 09 section 5, chapter 00 section 7): every proof of a batch gets the verdict it gets alone."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbipc.chonk import STEPS, CancelFlag, ChonkProof, Outcome, Setup, Verdict, Verifier, verify_many
from bbipc.chonk.core import Claim
from samples import CORPUS, DATA, FLOW1, FLOW2, FLOW4, FLOW8, copy_parts, raw_proof, word

R = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
LIMB_BITS = 136


@dataclass(frozen=True)
class Entry:
    """A proof, its key, and what both come to alone."""

    name: str
    proof: ChonkProof
    key: bytes
    claim: Claim
    verdict: Verdict

    def __repr__(self) -> str:
        return self.name


@cache
def shared_verifier() -> Verifier:
    return Verifier(Setup.from_json(DATA / "test_setup.json"))


def entry(name: str, proof: ChonkProof, key: bytes) -> Entry:
    verifier = shared_verifier()
    return Entry(name, proof, key, verifier.reduce(proof, key), verifier.verify(proof, key))


def negated_g1(words: list[bytes], at: int) -> None:
    q = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
    y = int.from_bytes(words[at + 2], "big") + (int.from_bytes(words[at + 3], "big") << LIMB_BITS)
    words[at + 2 : at + 4] = [word((q - y) % (1 << LIMB_BITS)), word((q - y) >> LIMB_BITS)]


def negated_grumpkin(words: list[bytes], at: int) -> None:
    words[at + 1] = word(R - int.from_bytes(words[at + 1], "big"))


def flipped(words: list[bytes], at: int) -> None:
    words[at] = words[at][:-1] + bytes([words[at][-1] ^ 1])


CHANGES: dict[str, Callable[[dict[str, list[bytes]]], object]] = {
    "a PI pairing point negated": lambda p: negated_g1(p["hiding_oink_proof"], len(p["hiding_oink_proof"]) - 48 - 28),
    "databus differs": lambda p: negated_g1(p["hiding_oink_proof"], len(p["hiding_oink_proof"]) - 48 - 20),
    "merge evaluation": lambda p: flipped(p["merge_proof"], 20),
    "merge W negated": lambda p: negated_g1(p["merge_proof"], 37),
    "ECCVM evaluation": lambda p: flipped(p["eccvm_proof"], 300),
    "joint evaluation": lambda p: flipped(p["joint_proof"], 310),
    "joint W negated": lambda p: negated_g1(p["joint_proof"], 473),
    "IPA L_0 negated": lambda p: negated_grumpkin(p["ipa_proof"], 0),
    "IPA G_0 negated": lambda p: negated_grumpkin(p["ipa_proof"], 60),
    "IPA G_0 infinite": lambda p: p["ipa_proof"].__setitem__(slice(60, 62), [word(0), word(0)]),
    "IPA a_0 changed": lambda p: flipped(p["ipa_proof"], 62),
    "IPA a_0 out of range": lambda p: p["ipa_proof"].__setitem__(62, word(1 << LIMB_BITS)),
    "IPA off the curve": lambda p: flipped(p["ipa_proof"], 4),
    "IPA of another proof": lambda p: p.__setitem__("ipa_proof", FLOW2.proof.to_words()["ipa_proof"]),
    "joint too short": lambda p: p["joint_proof"].pop(),
    "not canonical": lambda p: p["joint_proof"].__setitem__(0, word(R)),
}


@cache
def pool() -> tuple[Entry, ...]:
    """Valid proofs, and one that fails in each of the ways a batch has to keep apart."""
    entries = [entry(str(sample), sample.proof, sample.vk) for sample in (FLOW1, FLOW2, FLOW4, FLOW8, *CORPUS[:4])]
    for sample in (FLOW1, FLOW4):
        for name, change in CHANGES.items():
            parts = copy_parts(sample.proof.to_words())
            change(parts)
            entries.append(entry(f"{sample}: {name}", raw_proof(parts), sample.vk))
    entries.append(entry("key of another circuit", FLOW8.proof, FLOW1.vk))
    entries.append(entry("short key", FLOW8.proof, FLOW8.vk[:-1]))
    return tuple(entries)


def test_the_pool_has_every_outcome() -> None:
    verdicts = [item.verdict for item in pool()]
    assert sum(verdict.valid for verdict in verdicts) == 8
    assert {verdict.step for verdict in verdicts if verdict.outcome is Outcome.INVALID} == set(STEPS) - {"Oink"}
    assert sum(verdict.outcome is Outcome.ERROR for verdict in verdicts) >= 8


def entries(*, only: str | None = None) -> st.SearchStrategy[Entry]:
    return st.deferred(lambda: st.sampled_from([item for item in pool() if only is None or only in item.name]))


@settings(max_examples=40)
@given(batch=st.lists(entries(), min_size=1, max_size=24), threads=st.integers(1, 3))
def test_batch_verdicts_equal_single_verdicts(batch: list[Entry], threads: int) -> None:
    verdicts = shared_verifier().check([item.claim for item in batch], threads=threads)
    assert verdicts == [item.verdict for item in batch]


@settings(max_examples=4)
@given(batch=st.lists(entries(), min_size=33, max_size=64))
def test_large_batches(batch: list[Entry]) -> None:
    assert shared_verifier().check([item.claim for item in batch], threads=2) == [item.verdict for item in batch]


@settings(max_examples=25)
@given(valid=st.integers(0, 11), bad=st.lists(st.tuples(st.integers(0, 11), entries(only="IPA")), min_size=1, max_size=3))
def test_bad_arguments_do_not_spoil_their_neighbours(valid: int, bad: list[tuple[int, Entry]]) -> None:
    good = [item for item in pool() if item.verdict.valid]
    batch = [good[i % len(good)] for i in range(valid)]
    for at, item in bad:
        batch.insert(min(at, len(batch)), item)
    assert shared_verifier().check([item.claim for item in batch]) == [item.verdict for item in batch]


@pytest.mark.parametrize("size", [2, 3, 8])
@pytest.mark.parametrize("where", ["first", "last", "adjacent", "all"])
@pytest.mark.parametrize("kind", ["IPA G_0 negated", "joint W negated"])
def test_positions_of_bad_proofs(size: int, where: str, kind: str) -> None:
    good = [item for item in pool() if item.verdict.valid]
    bad = next(item for item in pool() if kind in item.name)
    places = {"first": {0}, "last": {size - 1}, "adjacent": {size // 2 - 1, size // 2}, "all": set(range(size))}[where]
    batch = [bad if i in places else good[i % len(good)] for i in range(size)]
    verdicts = shared_verifier().check([item.claim for item in batch], threads=2)
    assert [verdict.valid for verdict in verdicts] == [i not in places for i in range(size)]
    assert verdicts == [item.verdict for item in batch]


def pairs_of(batch: list[Entry]) -> list[tuple[ChonkProof, bytes]]:
    return [(item.proof, item.key) for item in batch]


@settings(max_examples=25)
@given(batch=st.lists(entries(), min_size=1, max_size=24), threads=st.integers(1, 3))
def test_proofs_reduced_side_by_side_get_their_single_verdicts(batch: list[Entry], threads: int) -> None:
    assert shared_verifier().verify_many(pairs_of(batch), threads=threads) == [item.verdict for item in batch]
    claims = shared_verifier().reduce_many(pairs_of(batch))
    assert shared_verifier().check(claims, threads=threads) == [item.verdict for item in batch]


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 17, 64, 65])
@given(data=st.data())
@settings(max_examples=2)
def test_groups_of_every_size(size: int, data: st.DataObject) -> None:
    batch = data.draw(st.lists(entries(), min_size=size, max_size=size))
    assert shared_verifier().verify_many(pairs_of(batch), threads=2) == [item.verdict for item in batch]


@pytest.mark.parametrize("lane", [0, 3, 7])
def test_a_failure_of_any_kind_in_one_lane_leaves_the_others_alone(lane: int) -> None:
    good = [item for item in pool() if item.verdict.valid]
    for bad in pool():
        if not bad.verdict.valid and bad.name.startswith(("flow1", "key", "short")):
            batch = [*good[:lane], bad, *good[: 7 - lane]]
            claims = shared_verifier().reduce_many(pairs_of(batch))
            assert shared_verifier().check(claims) == [item.verdict for item in batch], bad


def test_a_failure_in_all_lanes() -> None:
    for bad in pool():
        if not bad.verdict.valid and bad.name.startswith("flow4"):
            assert shared_verifier().verify_many(pairs_of([bad] * 8)) == [bad.verdict] * 8, bad


@settings(max_examples=10)
@given(batch=st.lists(st.tuples(entries(), st.booleans()), min_size=1, max_size=17))
def test_cancelled_lanes_leave_the_others_alone(batch: list[tuple[Entry, bool]]) -> None:
    flags = [CancelFlag() for _ in batch]
    for flag, (_, is_cancelled) in zip(flags, batch, strict=True):
        if is_cancelled:
            flag.set()
    items = [item for item, _ in batch]
    claims = shared_verifier().reduce_many(pairs_of(items), cancels=flags)
    expected = [Verdict(Outcome.CANCELLED) if is_cancelled else item.verdict for item, is_cancelled in batch]
    assert shared_verifier().check(claims, cancels=flags) == expected


def test_lanes_that_are_cancelled_at_any_moment_leave_the_others_alone() -> None:
    good = [item for item in pool() if item.verdict.valid]
    pairs = pairs_of(good[:8])
    for turns in range(0, 40, 3):
        flags: list[CancelFlag | None] = [CancelFlag() if lane in (2, 5) else None for lane in range(8)]

        def cancel(turns: int = turns, flags: list[CancelFlag | None] = flags) -> None:
            for _ in range(turns):
                os.sched_yield()
            for flag in flags:
                if flag is not None:
                    flag.set()

        with ThreadPoolExecutor(1) as other:
            other.submit(cancel)
            claims = shared_verifier().reduce_many(pairs, cancels=flags)
        verdicts = shared_verifier().check(claims)
        for lane, verdict in enumerate(verdicts):
            assert verdict.valid or (lane in (2, 5) and verdict.outcome is Outcome.CANCELLED)


def test_wrong_numbers_of_flags() -> None:
    with pytest.raises(ValueError, match="1 cancel flags for 2 proofs"):
        shared_verifier().reduce_many(pairs_of(list(pool()[:2])), cancels=[None])
    assert shared_verifier().reduce_many([]) == []


def test_forged_g0_is_refused_in_a_batch_of_one_and_of_two() -> None:
    """bb 5.0.0's own batch command accepts this proof (chapter 09 section 5)."""
    forged = next(item for item in pool() if item.name == "flow1: IPA G_0 negated")
    good = next(item for item in pool() if item.name == "flow2")
    assert [v.step for v in shared_verifier().check([forged.claim])] == ["IPA"]
    assert [v.step for v in shared_verifier().check([forged.claim, good.claim])] == ["IPA", None]


def test_two_errors_that_cancel_each_other_are_found() -> None:
    """Two proofs with opposite errors would pass a batch without random weights."""
    item = next(item for item in pool() if item.name == "flow1: joint W negated")
    assert [v.valid for v in shared_verifier().check([item.claim, item.claim])] == [False, False]


def test_cancelled_claims_leave_the_others_alone() -> None:
    good = [item for item in pool() if item.verdict.valid][:3]
    flag = CancelFlag()
    flag.set()
    verdicts = shared_verifier().check([item.claim for item in good], cancels=[None, flag, None])
    assert [verdict.outcome for verdict in verdicts] == [Outcome.VALID, Outcome.CANCELLED, Outcome.VALID]


@pytest.mark.parametrize("batch", [1, 5, 64])
@pytest.mark.parametrize("threads", [1, 2])
def test_verify_many_streams_the_same_verdicts(batch: int, threads: int) -> None:
    taken = 0

    def pairs() -> Iterator[tuple[ChonkProof, bytes]]:
        nonlocal taken
        for item in pool():
            taken += 1
            yield item.proof, item.key

    verdicts = verify_many(pairs(), setup=shared_verifier().setup, threads=threads, batch=batch)
    assert next(verdicts) == pool()[0].verdict
    assert taken <= batch
    assert list(verdicts) == [item.verdict for item in pool()[1:]]

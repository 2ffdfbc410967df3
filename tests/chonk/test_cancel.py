"""Cancellation at any moment: a proof's verdict is the one it has, or that it was cancelled, and its neighbours keep theirs."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbipc.chonk import CancelFlag, ChonkProof, Outcome, Setup, Verdict, Verifier
from samples import DATA, FLOW1, FLOW2, FLOW4, flow1_parts, raw_proof

VERIFIER = Verifier(Setup.from_json(DATA / "test_setup.json"))


def broken(part: str) -> ChonkProof:
    """flow1's proof with zeros at the end of a part: decodable, and wrong at a check of that part."""
    parts = {name: list(words) for name, words in flow1_parts().items()}
    parts[part][-4:] = [bytes(32)] * 4
    return raw_proof(parts)


PAIRS = [
    (FLOW1.proof, FLOW1.vk),
    (broken("joint_proof"), FLOW1.vk),
    (FLOW2.proof, FLOW2.vk),
    (broken("ipa_proof"), FLOW1.vk),
    (FLOW4.proof, FLOW4.vk),
]
VERDICTS = [VERIFIER.verify(proof, key) for proof, key in PAIRS]


def cancelled_after(yields: int, flag: CancelFlag, ready: threading.Barrier) -> None:
    ready.wait()
    for _ in range(yields):
        os.sched_yield()
    flag.set()


@pytest.fixture(scope="module")
def canceller() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_the_samples() -> None:
    assert [str(verdict) for verdict in VERDICTS] == [
        "valid",
        "invalid: batched translator+joint pairing check failed",
        "valid",
        "invalid: IPA check failed",
        "valid",
    ]


@settings(max_examples=40, deadline=None)
@given(which=st.integers(0, 4), yields=st.integers(0, 60_000), threads=st.integers(1, 3))
def test_alone(canceller: ThreadPoolExecutor, which: int, yields: int, threads: int) -> None:
    flag, ready = CancelFlag(), threading.Barrier(2)
    future = canceller.submit(cancelled_after, yields, flag, ready)
    ready.wait()
    verdict = VERIFIER.verify(*PAIRS[which], threads=threads, cancel=flag)
    future.result()
    assert verdict in (VERDICTS[which], Verdict(Outcome.CANCELLED))


@settings(max_examples=40, deadline=None)
@given(which=st.integers(0, 4), yields=st.integers(0, 60_000), threads=st.integers(1, 3))
def test_in_a_batch(canceller: ThreadPoolExecutor, which: int, yields: int, threads: int) -> None:
    flags = [CancelFlag() for _ in PAIRS]
    claims = [VERIFIER.reduce(proof, key) for proof, key in PAIRS]
    ready = threading.Barrier(2)
    future = canceller.submit(cancelled_after, yields, flags[which], ready)
    ready.wait()
    verdicts = VERIFIER.check(claims, threads=threads, cancels=flags)
    future.result()
    assert verdicts[which] in (VERDICTS[which], Verdict(Outcome.CANCELLED))
    verdicts[which] = VERDICTS[which]
    assert verdicts == VERDICTS


@settings(max_examples=20, deadline=None)
@given(yields=st.integers(0, 60_000), threads=st.integers(1, 3))
def test_a_whole_batch(canceller: ThreadPoolExecutor, yields: int, threads: int) -> None:
    flag, ready = CancelFlag(), threading.Barrier(2)
    future = canceller.submit(cancelled_after, yields, flag, ready)
    ready.wait()
    verdicts = VERIFIER.verify_many(PAIRS, threads=threads, cancel=flag)
    future.result()
    for verdict, alone in zip(verdicts, VERDICTS, strict=True):
        assert verdict in (alone, Verdict(Outcome.CANCELLED))

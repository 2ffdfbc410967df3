"""The verifier as an object: claims and batches, cancellation, threads, the values it takes and gives."""

import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbipc.chonk import (
    STEPS,
    CancelFlag,
    ChonkProof,
    Outcome,
    Setup,
    Verdict,
    VerificationKey,
    Verifier,
    verify,
    verify_many,
)
from samples import FLOW1, FLOW2, FLOWS, copy_parts, flow1_parts, raw_proof, word

Pair = tuple[ChonkProof, bytes]


def changed(part: str, index: int, value: int) -> ChonkProof:
    parts = copy_parts(flow1_parts())
    parts[part][index] = word(value)
    return raw_proof(parts)


PAIRS: list[Pair] = [
    *((flow.proof, flow.vk) for flow in FLOWS),
    (replace(FLOW1.proof, ipa_proof=FLOW2.proof.ipa_proof), FLOW1.vk),  # fails at the check of its claim only
    (replace(FLOW2.proof, ipa_proof=FLOW1.proof.ipa_proof), FLOW1.vk),
    (changed("ipa_proof", 62, 5), FLOW1.vk),
    (changed("ipa_proof", 0, 5), FLOW1.vk),  # no point
    (changed("hiding_oink_proof", 0, 7), FLOW1.vk),
    (changed("eccvm_proof", 180, 5), FLOW1.vk),
    (changed("joint_proof", 200, 5), FLOW1.vk),
    (changed("merge_proof", 3, 2**256 - 1), FLOW1.vk),
    (FLOW1.proof, FLOW1.vk[1:]),
    (FLOW1.proof, b""),
]
"""Valid proofs, and proofs that are wrong in different places, in the ways that a batch must tell apart."""


@pytest.fixture(scope="module")
def alone(verifier: Verifier) -> list[Verdict]:
    return [verifier.verify(proof, key) for proof, key in PAIRS]


def test_the_pairs_are_what_they_are_meant_to_be(alone: list[Verdict]) -> None:
    outcomes = [verdict.outcome for verdict in alone]
    assert (
        outcomes == [Outcome.VALID] * 4 + [Outcome.INVALID] * 3 + [Outcome.ERROR] + [Outcome.INVALID] * 3 + [Outcome.ERROR] * 3
    )
    assert [verdict.step for verdict in alone[4:7]] == ["IPA"] * 3
    assert [verdict.part for verdict in alone if verdict.outcome is Outcome.ERROR] == ["ipa_proof", "merge_proof", "vk", "vk"]


@settings(max_examples=15)
@given(st.lists(st.integers(0, len(PAIRS) - 1), max_size=12), st.integers(1, 3))
def test_a_batch_gives_each_proof_its_own_verdict(
    verifier: Verifier, alone: list[Verdict], chosen: list[int], threads: int
) -> None:
    claims = [verifier.reduce(*PAIRS[index]) for index in chosen]
    assert verifier.check(claims, threads=threads) == [alone[index] for index in chosen]


def test_a_claim_can_be_checked_again(verifier: Verifier, alone: list[Verdict]) -> None:
    claims = [verifier.reduce(*pair) for pair in PAIRS]
    assert verifier.check(claims) == verifier.check(claims) == alone
    assert verifier.check(claims[::-1], threads=2) == alone[::-1]
    assert verifier.check([claims[0], claims[0], claims[4]]) == [alone[0], alone[0], alone[4]]


def test_a_claim_keeps_what_it_needs(setup: Setup) -> None:
    """Proof, key, verifier: all gone before the claim is."""
    own = Verifier(setup)
    claim = own.reduce(FLOW1.proof, bytes(bytearray(FLOW1.vk)))
    claim_of_dead_verifier = Verifier(setup).reduce(FLOW1.proof, FLOW1.vk)
    assert own.check([claim]) == [Verdict(Outcome.VALID)]
    del own, claim, claim_of_dead_verifier


def test_claims_belong_to_their_verifier(verifier: Verifier) -> None:
    with pytest.raises(ValueError, match="must be checked by the verifier that made it"):
        Verifier().check([verifier.reduce(FLOW1.proof, FLOW1.vk)])


def test_an_empty_batch(verifier: Verifier) -> None:
    assert verifier.check([]) == []


def test_strict_claims(verifier: Verifier) -> None:
    parts = copy_parts(flow1_parts())
    parts["merge_proof"].append(parts["eccvm_proof"].pop(0))
    lenient, strict = (verifier.reduce(ChonkProof.from_words(parts), FLOW1.vk, strict=strict) for strict in (False, True))
    lenient_verdict, strict_verdict = verifier.check([lenient, strict])
    assert lenient_verdict.valid
    assert strict_verdict.outcome is Outcome.ERROR


def test_strict_in_every_way_to_verify(verifier: Verifier, setup: Setup) -> None:
    parts = copy_parts(flow1_parts())
    parts["merge_proof"].append(parts["eccvm_proof"].pop(0))
    pair = ChonkProof.from_words(parts), FLOW1.vk
    for strict, outcome in ((False, Outcome.VALID), (True, Outcome.ERROR)):
        verdicts = [
            verifier.verify(*pair, strict=strict),
            *verifier.verify_many([pair] * 2, strict=strict),
            *verifier.check([verifier.reduce(*pair, strict=strict)]),
            *verifier.check(verifier.reduce_many([pair] * 2, strict=strict)),
            verify(*pair, setup=setup, strict=strict),
            *verify_many([pair] * 2, setup=setup, strict=strict),
        ]
        assert [verdict.outcome for verdict in verdicts] == [outcome] * 9


# ---- Cancellation ----


def cancelled_flag() -> CancelFlag:
    flag = CancelFlag()
    flag.set()
    return flag


def test_cancel_flags() -> None:
    flag = CancelFlag()
    assert not flag.is_set()
    flag.set()
    flag.set()
    assert flag.is_set()


def test_a_cancelled_verification(verifier: Verifier) -> None:
    assert verifier.verify(FLOW1.proof, FLOW1.vk, cancel=cancelled_flag()) == Verdict(Outcome.CANCELLED)
    assert verifier.verify(FLOW1.proof, FLOW1.vk, cancel=CancelFlag()).valid
    [verdict] = verifier.check([verifier.reduce(FLOW1.proof, FLOW1.vk, cancel=cancelled_flag())])
    assert verdict == Verdict(Outcome.CANCELLED)
    assert not verdict.valid


def test_cancelling_some_of_a_batch(verifier: Verifier, alone: list[Verdict]) -> None:
    claims = [verifier.reduce(*pair) for pair in PAIRS[:8]]
    flags = [cancelled_flag(), None, CancelFlag(), cancelled_flag(), None, cancelled_flag(), None, None]
    expected = [
        Verdict(Outcome.CANCELLED) if flag is not None and flag.is_set() else verdict
        for flag, verdict in zip(flags, alone, strict=False)
    ]
    assert verifier.check(claims, cancels=flags) == expected
    with pytest.raises(ValueError, match="2 cancel flags for 8 claims"):
        verifier.check(claims, cancels=[None, None])


# ---- Threads ----


def test_many_threads_share_a_verifier(verifier: Verifier, alone: list[Verdict]) -> None:
    with ThreadPoolExecutor(4) as pool:
        verdicts = pool.map(
            lambda index: verifier.verify(*PAIRS[index % len(PAIRS)], threads=1 + index % 2), range(3 * len(PAIRS))
        )
        assert list(verdicts) == alone * 3


def test_the_interpreter_runs_on_during_a_verification(verifier: Verifier) -> None:
    """With an endless switch interval, another thread sees `inside` set only if the core's call itself lets go of the GIL."""
    proof, key, seen, stop = FLOW1.proof, FLOW1.vk, threading.Event(), threading.Event()
    inside = [False]

    def work() -> None:
        while not stop.is_set():
            inside[0] = True
            verifier.verify(proof, key)
            inside[0] = False
            if seen.is_set():
                return

    interval = sys.getswitchinterval()
    worker = threading.Thread(target=work)
    sys.setswitchinterval(1e6)
    try:
        worker.start()
        while worker.is_alive() and not seen.is_set():
            if inside[0]:
                seen.set()
            time.sleep(0)
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        worker.join()
    assert seen.is_set()


@pytest.mark.parametrize("threads", [0, -1])
def test_threads_are_positive(verifier: Verifier, threads: int) -> None:
    with pytest.raises(ValueError, match="threads must be at least 1"):
        verifier.verify(FLOW1.proof, FLOW1.vk, threads=threads)
    with pytest.raises(ValueError, match="threads must be at least 1"):
        verifier.check([], threads=threads)
    with pytest.raises(ValueError, match="threads must be at least 1"):
        verify_many([], threads=threads)


# ---- The functions of the module ----


def test_verify(setup: Setup) -> None:
    assert verify(FLOW1.proof, FLOW1.vk, setup=setup)
    assert verify(FLOW1.proof, VerificationKey(FLOW1.vk), setup=setup, threads=2, strict=True)
    assert not verify(FLOW1.proof, FLOW1.vk)


@pytest.mark.parametrize("batch", [1, 3, 16, 1000])
@pytest.mark.parametrize("threads", [1, 2])
def test_verify_many(setup: Setup, alone: list[Verdict], batch: int, threads: int) -> None:
    assert list(verify_many(PAIRS, setup=setup, batch=batch, threads=threads)) == alone
    assert list(verify_many([], setup=setup, batch=batch)) == []


def test_verify_many_takes_no_more_than_it_needs(setup: Setup) -> None:
    taken = []

    def endless() -> Iterator[Pair]:
        while True:
            taken.append(None)
            yield FLOW1.proof, FLOW1.vk[1:]

    verdicts = verify_many(endless(), setup=setup, batch=4)
    assert len(taken) == 0
    for expected in (4, 4, 4, 4, 8):
        assert next(verdicts).outcome is Outcome.ERROR
        assert len(taken) == expected


def test_verify_many_refuses_empty_batches() -> None:
    with pytest.raises(ValueError, match="batch must be at least 1, not 0"):
        verify_many([], batch=0)


# ---- Values ----


def test_arithmetic_paths_by_name() -> None:
    assert Verifier(arithmetic="portable").arithmetic == "portable"
    with pytest.raises(ValueError, match="'abacus' cannot run here"):
        Verifier(arithmetic="abacus")


def test_values_are_immutable_and_compare_by_value(setup: Setup) -> None:
    for value, name in (
        (FLOW1.proof, "merge_proof"),
        (VerificationKey(FLOW1.vk), "_data"),
        (setup, "g2_x"),
        (Verdict(Outcome.VALID), "step"),
    ):
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, None)
        assert not hasattr(value, "__dict__")
    assert FLOW1.proof == FLOW1.proof
    assert hash(FLOW1.proof) == hash(FLOW1.proof)
    assert FLOW1.proof != FLOW2.proof
    assert VerificationKey(FLOW1.vk) == VerificationKey(FLOW2.vk)
    assert setup != Setup.AZTEC


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (Verdict(Outcome.VALID), "valid"),
        (Verdict(Outcome.INVALID, step="IPA"), "invalid: IPA check failed"),
        (Verdict(Outcome.ERROR, reason="vk[3]: bad"), "error: vk[3]: bad"),
        (Verdict(Outcome.CANCELLED), "cancelled"),
    ],
)
def test_text_of_a_verdict(verdict: Verdict, text: str) -> None:
    assert str(verdict) == text
    assert bool(verdict) is verdict.valid is (text == "valid")


def test_errors_say_where(alone: list[Verdict]) -> None:
    assert "ipa_proof[0]: point is not on the curve" in str(alone[7])
    assert (alone[7].part, alone[7].position) == ("ipa_proof", 0)
    assert (alone[11].part, alone[11].position) == ("merge_proof", 3)
    assert "merge_proof[3]: non-canonical field element" in str(alone[11])
    assert str(alone[12]) == "error: verification key has wrong size: expected 3680, got 3679"
    assert alone[12].position is None


def test_steps_are_in_order() -> None:
    assert next(iter(STEPS)) == "Oink"
    assert list(STEPS)[-1] == "IPA"
    assert len(STEPS) == 9

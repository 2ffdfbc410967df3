"""The forged proofs: made anew they are those of tests/data, and each joint subrelation has one that only it refuses."""

import pytest
from forge import (
    CASES,
    JOINT,
    MERGE,
    OINK,
    VALID,
    Case,
    Forgery,
    Proof,
    described,
    expected_of_bb,
    found_by,
    load_corpus,
    rebuild,
)

from bbipc.chonk import ChonkProof, Setup, Verifier
from bbipc.conform.samples import TEST_SETUP

CORPUS = load_corpus()
SUBRELATIONS = 44 + 154


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier(Setup.from_json(TEST_SETUP))


@pytest.mark.parametrize("flow", ["flow1", "flow2", "flow4", "flow8"])
@pytest.mark.parametrize("first", [OINK, MERGE, JOINT])
def test_the_forger_leaves_a_valid_proof_as_it_is(flow: str, first: str) -> None:
    # So every answer that it puts right is the answer of the protocol: an error in a formula of its own would show here.
    assert Forgery(Proof.of(flow), {}, first=first).run() == Proof.of(flow)


def is_made_anew(case: Case) -> bool:
    """To prove takes two seconds: one of each outcome here, all of them by `fuzz/forge.py --check` (fuzz/night.py)."""
    return not case.proved or case.name in ("a large hiding row", "CHECK 2 holds for another G0, nothing else")


PAIRS = [(case, stored) for case, stored in zip(CASES, CORPUS, strict=True) if is_made_anew(case)]


@pytest.mark.parametrize(("case", "stored"), PAIRS, ids=lambda case: getattr(case, "name", ""))
def test_the_corpus_is_what_the_script_makes(case: Case, stored: dict[str, object]) -> None:
    assert case.make(case.base()) == rebuild(stored) != case.base()


def test_the_corpus_says_what_the_script_says() -> None:
    assert [{name: stored[name] for name in described(case)} for case, stored in zip(CASES, CORPUS, strict=True)] == [
        described(case) for case in CASES
    ]


def test_errors_of_a_group_cancel_each_other() -> None:
    groups = [stored["group"] for stored in CORPUS if stored["group"]]
    assert len(groups) >= 11
    assert all(groups.count(group) >= 2 for group in groups)


@pytest.mark.parametrize("stored", CORPUS, ids=lambda case: f"{case['flow']}: {case['name']}")
def test_the_check_of_the_broken_rule_finds_it(verifier: Verifier, stored: dict[str, object]) -> None:
    forged = rebuild(stored)
    assert found_by(verifier.verify(forged.chonk(), forged.key_bytes())) == stored["step"], stored["rule"]


def test_all_of_them_in_one_batch(verifier: Verifier) -> None:
    proofs = [rebuild(case) for case in CORPUS]
    verdicts = verifier.verify_many([(proof.chonk(), proof.key_bytes()) for proof in proofs])
    assert [found_by(verdict) for verdict in verdicts] == [case["step"] for case in CORPUS]


def test_valid_ones_stay_the_same_when_compressed() -> None:
    for case in CORPUS:
        if case["step"] == VALID:
            proof = rebuild(case).chonk()
            assert ChonkProof.from_compressed(proof.compress()) == proof


def test_bb_finds_the_same() -> None:
    assert [case["bb"] for case in CORPUS] == [expected_of_bb(case) for case in CORPUS]


def test_each_joint_subrelation_refuses_a_proof_that_all_others_accept(verifier: Verifier) -> None:
    # The proof is the one that a verifier without the subrelation would find valid.
    base = Proof.of("flow1")
    key = base.key_bytes()
    for index in range(SUBRELATIONS):
        forged = Forgery(base.copy(), {}, dropped=index, first=JOINT).run()
        assert forged != base, f"subrelation {index} is zero in this proof"
        assert verifier.verify(forged.chonk(), key).step == "batched translator+joint pairing", f"subrelation {index}"

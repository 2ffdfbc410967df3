"""The forged proofs: made anew they are those of tests/data, and each joint subrelation has one that only it refuses."""

import pytest
from forge import CASES, JOINT, MERGE, OINK, Forgery, Proof, expected_of_bb, found_by, load_corpus, rebuild

from bbipc.chonk import Setup, Verifier
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


@pytest.mark.parametrize(("case", "stored"), list(zip(CASES, CORPUS, strict=True)), ids=lambda case: getattr(case, "name", ""))
def test_the_corpus_is_what_the_script_makes(case: object, stored: dict[str, object]) -> None:
    assert isinstance(case, type(CASES[0]))
    made = case.make(Proof.of(case.flow))
    assert made == rebuild(stored) != Proof.of(case.flow)
    assert {name: stored[name] for name in ("name", "flow", "rule", "step", "also", "group")} == {
        name: getattr(case, name) for name in ("name", "flow", "rule", "step", "also", "group")
    }


@pytest.mark.parametrize("stored", CORPUS, ids=lambda case: f"{case['flow']}: {case['name']}")
def test_the_check_of_the_broken_rule_finds_it(verifier: Verifier, stored: dict[str, object]) -> None:
    forged = rebuild(stored)
    assert found_by(verifier.verify(forged.chonk(), forged.key_bytes())) == stored["step"], stored["rule"]


def test_bb_refuses_all_of_them() -> None:
    assert [case["bb"] for case in CORPUS] == [expected_of_bb(case) for case in CORPUS]


def test_each_joint_subrelation_refuses_a_proof_that_all_others_accept(verifier: Verifier) -> None:
    # The proof is the one that a verifier without the subrelation would find valid.
    base = Proof.of("flow1")
    key = base.key_bytes()
    for index in range(SUBRELATIONS):
        forged = Forgery(base.copy(), {}, dropped=index, first=JOINT).run()
        assert forged != base, f"subrelation {index} is zero in this proof"
        assert verifier.verify(forged.chonk(), key).step == "batched translator+joint pairing", f"subrelation {index}"

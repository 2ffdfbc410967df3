"""The verifier behind the server."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bbipc.chonk import CancelFlag, ChonkProof, Claim, Outcome
from bbipc.server.backend import LateBackend, Task
from bbipc.server.chonk_backend import ChonkBackend
from samples import CORPUS, DATA, FLOW1, copy_parts, flow1_parts

SETUP = str(DATA / "test_setup.json")


def test_threads_that_come_first_share_one_verifier() -> None:
    """Claims that were reduced at the same time can be checked together."""
    made = []

    def make() -> ChonkBackend:
        for _ in range(1000):  # let the others come here too, if they can
            os.sched_yield()
        made.append(ChonkBackend())
        return made[-1]

    backend = LateBackend(make)
    task = Task(FLOW1.proof.parts(), FLOW1.vk)
    together = threading.Barrier(4)

    def reduce(_: int) -> Claim:
        together.wait()
        [claim] = backend.reduce([task], cancels=[CancelFlag()])
        assert isinstance(claim, Claim)
        return claim

    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(reduce, range(4)))
    assert len(made) == 1
    verdicts = backend.check(claims, threads=1, cancels=[CancelFlag() for _ in claims])
    # The proof was made under the test setup.
    assert [(verdict.outcome, verdict.step) for verdict in verdicts] == [(Outcome.INVALID, "PI pairing points")] * 4


def test_strict_alone_and_in_a_batch() -> None:
    """Chapter 00 section 6: the parts are joined before they are read, unless one is strict."""
    parts = copy_parts(flow1_parts())
    parts["merge_proof"].append(parts["eccvm_proof"].pop(0))
    task = Task(ChonkProof.from_words(parts).parts(), FLOW1.vk)
    for strict, outcome in ((False, Outcome.VALID), (True, Outcome.ERROR)):
        backend = ChonkBackend(SETUP, strict=strict)
        flags = [backend.new_cancel() for _ in range(3)]
        verdicts = [
            backend.verify(task, threads=1, cancel=flags[0]),
            *backend.check(backend.reduce([task, task], cancels=flags[1:]), threads=1, cancels=flags[1:]),
        ]
        assert [verdict.outcome for verdict in verdicts] == [outcome] * 3


@pytest.mark.parametrize("when", ["while they are reduced", "while they are checked"])
@pytest.mark.parametrize("which", range(4))
def test_a_flag_cancels_its_own_proof_and_no_other(when: str, which: int) -> None:
    """Chapter 00 section 5. One that cannot be split, and so has no claim, stands in front."""
    backend = ChonkBackend(SETUP)
    tasks = [Task((b"",), FLOW1.vk), *(Task(sample.proof.parts(), sample.vk) for sample in (FLOW1, *CORPUS[:3]))]
    flags, others = ([backend.new_cancel() for _ in tasks] for _ in range(2))
    flags[1 + which].set()
    reduced, checked = (flags, others) if when == "while they are reduced" else (others, flags)
    verdicts = backend.check(backend.reduce(tasks, cancels=reduced), threads=1, cancels=checked)
    expected = [Outcome.ERROR] + [Outcome.CANCELLED if index == which else Outcome.VALID for index in range(4)]
    assert [verdict.outcome for verdict in verdicts] == expected


@pytest.mark.parametrize("change", [-1243, -32, -1, 1, 32])
def test_a_flat_proof_has_as_many_words_as_its_key_says(change: int) -> None:
    """Chapter 03 section 3: their number is compared before anything is split."""
    words = FLOW1.fields + bytes(32 * 32)
    count = 1274 + change
    backend = ChonkBackend(SETUP)
    verdict = backend.verify(Task((words[: 32 * count],), FLOW1.vk), threads=1, cancel=backend.new_cancel())
    assert str(verdict) == f"error: proof has wrong field count: expected 1274, got {count}"

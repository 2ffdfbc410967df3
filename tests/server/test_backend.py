"""The verifier behind the server."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bbipc.chonk import CancelFlag, Claim, Outcome, Verifier
from bbipc.server.backend import ChonkBackend, Task
from samples import FLOW1


def test_threads_that_come_first_share_one_verifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims that were reduced at the same time can be checked together."""
    makes_one = ChonkBackend._load
    loaded = []

    def load(backend: ChonkBackend) -> Verifier:
        for _ in range(1000):  # let the others come here too, if they can
            os.sched_yield()
        loaded.append(makes_one(backend))
        return loaded[-1]

    monkeypatch.setattr(ChonkBackend, "_load", load)
    backend = ChonkBackend()
    task = Task(FLOW1.proof.parts(), FLOW1.vk)
    together = threading.Barrier(4)

    def reduce(_: int) -> Claim:
        together.wait()
        [claim] = backend.reduce([task], cancels=[CancelFlag()])
        assert isinstance(claim, Claim)
        return claim

    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(reduce, range(4)))
    assert len(loaded) == 1
    verdicts = backend.check(claims, threads=1, cancels=[CancelFlag() for _ in claims])
    # The proof was made under the test setup.
    assert [(verdict.outcome, verdict.step) for verdict in verdicts] == [(Outcome.INVALID, "PI pairing points")] * 4

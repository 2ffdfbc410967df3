"""The verifier behind the server."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

from bbipc.chonk import CancelFlag, Claim, Outcome
from bbipc.server.backend import LateBackend, Task
from bbipc.server.chonk_backend import ChonkBackend
from samples import FLOW1


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

"""Many verifications at once over a pipe and over a socket: each is answered once, with its id and its verdict.

BBIPC_LOAD tells how many: 200 by default, 1000 and more for a night.
"""

import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgpack
import pytest

from samples import CORPUS, FLOWS, Sample
from server import recorded_proofs as requests
from server.live import BLAKE2S, BLAKE2S_RESPONSE, TIMEOUT, Peer, frame

TOTAL = int(os.environ.get("BBIPC_LOAD", "200"))
CLIENTS = 4
SAMPLES = [*FLOWS, *CORPUS]
BAD, CANCELLED = 0.05, 0.08
SCALARS = {"merge_proof": 22, "ipa_proof": 62}
"""A word of a part that is no coordinate: changed, it makes the proof invalid, not undecodable."""

VALID = ["ChonkVerifyResponse", {"valid": True}]


def command(sample: Sample, bad: str | None, *, flat: bool) -> list[Any]:
    """A verification of a proof that is valid, or has one changed word in part `bad`, a scalar."""
    parts = requests.parts(sample)
    if bad is not None:
        index = SCALARS[bad]
        parts[bad][index] = requests.word(requests.number(parts[bad][index]) ^ 1)
    if not flat:
        return ["ChonkVerify", {"proof": parts, "vk": sample.vk}]
    words = [word for name in requests.PARTS for word in parts[name]]
    return ["ChonkVerifyFromFields", {"proof": words, "vk": sample.vk}]


@dataclass
class Plan:
    """What one client sends, and what must come back."""

    seed: int
    count: int
    plain_too: bool
    stream: list[bytes] = field(default_factory=list)
    verdicts: dict[int, Any] = field(default_factory=dict)
    cancels: dict[int, int] = field(default_factory=dict)  # id of the CancelRequest -> id of its target
    plain: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        choose = random.Random(self.seed)
        for number in range(1, self.count + 1):
            request_id = choose.choice([number, 2**32 + number, 2**64 - number])
            request, verdict = self._verification(choose)
            self.verdicts[request_id] = verdict
            self.stream.append(msgpack.packb([request_id, request]))
            if choose.random() < CANCELLED:
                self.cancels[2**63 + number] = request_id
                self.stream.append(msgpack.packb([2**63 + number, ["CancelRequest", {"request_id": request_id}]]))
            if self.plain_too and choose.random() < 0.2:
                request, verdict = self._verification(choose)
                self.stream += [msgpack.packb([request]), BLAKE2S]
                self.plain += [verdict, msgpack.unpackb(BLAKE2S_RESPONSE)]

    @staticmethod
    def _verification(choose: random.Random) -> tuple[list[Any], list[Any]]:
        size = choose.choice([1, 1, 1, 1, 1, 2, 3])
        bad = [choose.choice(list(SCALARS)) if choose.random() < BAD else None for _ in range(size)]
        flat = choose.random() < 0.3
        made = [command(choose.choice(SAMPLES), part, flat=flat and size == 1) for part in bad]
        name = made[0][0]
        valid = {"valid": all(part is None for part in bad)}
        if size == 1:
            return made[0], [f"{name}Response", valid]
        fields = {"proofs": [one["proof"] for _, one in made], "vks": [one["vk"] for _, one in made]}
        return ["ChonkBatchVerify", fields], ["ChonkBatchVerifyResponse", valid]

    def run(self, peer: Peer) -> None:
        """Send everything at once and check everything that comes back."""
        writing = peer.send_in_background(b"".join(map(frame, self.stream)))
        tagged: dict[int, Any] = {}
        plain = []
        for _ in self.stream:
            payload = peer.receive()
            assert payload is not None
            response = msgpack.unpackb(payload)
            if isinstance(response[0], int):
                assert response[0] not in tagged, "answered twice"
                tagged[response[0]] = response[1]
            else:
                plain.append(response)
        writing.join()
        peer.is_served()  # and nothing is left over
        self._check(tagged, plain)

    def _check(self, tagged: dict[int, Any], plain: list[Any]) -> None:
        assert plain == self.plain
        assert set(tagged) == set(self.verdicts) | set(self.cancels)
        was_cancelled = set()
        for request_id, target in self.cancels.items():
            name, fields = tagged[request_id]
            assert name == "CancelRequestResponse"
            if fields["cancelled"]:
                was_cancelled.add(target)
        for request_id, verdict in self.verdicts.items():
            if request_id in was_cancelled:
                assert tagged[request_id] == ["ErrorResponse", {"message": "cancelled by CancelRequest"}]
            else:
                assert tagged[request_id] == verdict


class Threads:
    """Functions in threads; the first exception is raised when all have ended."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []

    def start(self, function: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                function()
            except BaseException as error:
                self._errors.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self._threads.append(thread)
        return thread

    def join(self) -> None:
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]


def legacy_client(peer: Peer, done: threading.Event, verified: list[Sample]) -> None:
    """A client of bb: one request after the other, as long as the others work."""
    while not done.is_set() or not verified:
        sample = SAMPLES[len(verified) % len(SAMPLES)]
        peer.request(requests.verify(requests.parts(sample), sample.vk), BLAKE2S)
        assert msgpack.unpackb(peer.receive() or b"") == VALID
        assert peer.receive() == BLAKE2S_RESPONSE
        verified.append(sample)


def counters(peer: Peer) -> Any:
    return peer.call(msgpack.packb([["Stats", {}]]))[1]


@pytest.mark.parametrize("seed", [2026])
def test_many_clients(start: Callable[..., Any], seed: int) -> None:
    with start(patience=max(TIMEOUT, TOTAL)) as server:
        on_socket = server.path is not None
        if not on_socket:
            plan = Plan(seed, TOTAL, plain_too=True)
            plan.run(server.connect())
            verifications, cancelled = len(plan.verdicts) + len(plan.plain) // 2, len(plan.cancels)
        else:
            plans = [Plan(seed + number, TOTAL // CLIENTS, plain_too=False) for number in range(CLIENTS)]
            workers, legacy, done = Threads(), Threads(), threading.Event()
            rounds: list[Sample] = []
            for plan in plans:
                workers.start(partial(plan.run, server.connect()))
            legacy.start(partial(legacy_client, server.connect(), done, rounds))
            try:
                workers.join()
            finally:
                done.set()
            legacy.join()
            verifications = sum(len(plan.verdicts) for plan in plans) + len(rounds)
            cancelled = sum(len(plan.cancels) for plan in plans)
        stats = counters(server.connect())
        by_name = {entry["name"]: entry for entry in stats["commands"]}
        names = ("ChonkVerify", "ChonkVerifyFromFields", "ChonkBatchVerify")
        assert sum(sum(by_name[name][key] for key in ("answered", "cancelled")) for name in names) == verifications
        assert sum(by_name[name]["cancelled"] for name in names) <= cancelled == by_name["CancelRequest"]["answered"]
        assert stats["malformed"] == stats["waiting"] == stats["running"] == stats["in_flight_bytes"] == 0
        assert any(entry["max_proofs"] > 8 for entry in stats["batches"])

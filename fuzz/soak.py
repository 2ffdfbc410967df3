"""Mixed load for a long time, among clients that die: nothing is lost, nothing goes to the wrong client, nothing leaks.

    python fuzz/soak.py [--minutes N] [--frames N] [--verifications N] [--seed S] [--bbipc PROGRAM] [--json FILE]

Goes on until all that was asked for is reached. Clients send bursts of mixed requests in pieces of any size: cheap ones, long
ones, proofs, malformed ones, deadlines, cancellations, plain and tagged. Their data is their own, so that an answer that is
lost, doubled, or went to another client is noticed. Beside them connections die anywhere in their requests, or before their
answers. After each round everybody pauses, and the server is looked at while it has nothing to do: it must have counted what
clients have sent, and nothing may be in flight. The growth of its memory is the median of the slopes between all such moments
but the first quarter (Theil and Sen).

`--bbipc` names another bbipc to be judged. Exit status: 0 nothing found, 1 something found, 2 wrong usage.
"""

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from hashlib import blake2s
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgpack
from hostile import MIB, Connection, Target, serving

from bbipc.chonk.primitives import poseidon2_hash
from samples import CORPUS, FLOWS, Sample, word
from server import recorded_proofs as requests
from server.live import frame

CLIENTS: Final = 6
EXCHANGES: Final = 60
"""Bursts of each client in a round."""
SLOPE_BAR: Final = 0.2
"""KiB that memory may grow by in 1,000 requests."""
SETTLE: Final = 40
"""Looks at the memory of a server at rest; the smallest counts."""
SCALAR: Final = ("merge_proof", 22)
"""A word of a proof that is no coordinate: changed, it makes the proof invalid, not undecodable."""
OF_STATS: Final = ("answered", "failed", "cancelled", "expired")

Check = Callable[[Any], bool]


def exactly(response: Any) -> Check:
    return lambda got: bool(got == response)


def is_error(text: str) -> Check:
    return lambda got: bool(got[0] == "ErrorResponse" and text in got[1]["message"])


class Burst:
    """Requests that are sent together, and what must come back."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.plain: deque[Check] = deque()
        self.tagged: dict[int, Check] = {}
        self.verifications = 0
        self.commands: Counter[str] = Counter()
        self.malformed = 0

    def add(self, request_id: int | None, name: str, fields: dict[str, Any], check: Check) -> None:
        command = [name, fields]
        self.data += frame(msgpack.packb([command] if request_id is None else [request_id, command]))
        self.commands[name] += 1
        self.expect(request_id, check)

    def expect(self, request_id: int | None, check: Check) -> None:
        if request_id is None:
            self.plain.append(check)
        else:
            self.tagged[request_id] = check

    @property
    def owed(self) -> int:
        return len(self.plain) + len(self.tagged)

    def take(self, payload: bytes) -> None:
        response = msgpack.unpackb(payload)
        if isinstance(response[0], int):
            request_id, response = response
            check = self.tagged.pop(request_id, None)
        else:
            check = self.plain.popleft() if self.plain else None
        assert check is not None, f"nobody asked for {response!r:.200}"
        assert check(response), f"a wrong answer: {response!r:.200}"


class Maker:
    """Makes bursts; of one client."""

    def __init__(self, choose: random.Random, client: int) -> None:
        self.choose, self.client = choose, client
        self.number = 0
        self.samples = [*FLOWS, *CORPUS]

    def burst(self) -> Burst:
        burst = Burst()
        kinds: list[tuple[float, Callable[[Burst], None]]] = [
            (0.55, self.hashes),
            (0.15, self.ordinary),
            (0.10, self.malformed),
            (0.10, self.verification),
            (0.04, self.several),
            (0.03, self.ended_early),
            (0.03, self.long),
        ]
        makers = self.choose.choices([make for _, make in kinds], [weight for weight, _ in kinds], k=self.choose.randint(1, 6))
        for make in makers:
            make(burst)
        return burst

    def id(self) -> int | None:
        self.number += 1
        return self.choose.choice([None, self.number, 2**64 - self.number])

    def own(self, size: int = 24) -> bytes:
        return b"%d %d %s" % (self.client, self.number, self.choose.randbytes(size))

    def hash(self, burst: Burst, data: bytes, **more: Any) -> None:
        burst.add(self.id(), "Blake2s", {"data": data, **more}, exactly(["Blake2sResponse", {"hash": blake2s(data).digest()}]))

    def hashes(self, burst: Burst) -> None:
        for _ in range(self.choose.randint(1, 200)):
            self.hash(burst, self.own())

    def ordinary(self, burst: Burst) -> None:
        """What the core does not answer by itself."""
        for _ in range(self.choose.randint(1, 40)):
            self.hash(burst, self.own(), nobody_asked_for=[1, 2, 3])
        words = [b"\0" + self.own(31)[:31].ljust(31, b"\0") for _ in range(self.choose.choice([1, 3, 200]))]
        burst.add(
            self.id(), "Poseidon2Hash", {"inputs": words}, exactly(["Poseidon2HashResponse", {"hash": poseidon2_hash(words)}])
        )

    def malformed(self, burst: Burst) -> None:
        for _ in range(self.choose.randint(1, 20)):
            which = self.choose.randrange(3)
            if which == 0:
                name = f"NoSuch{self.client}x{self.number}"
                burst.add(self.id(), name, {}, is_error(name))
                burst.commands["(others)"] += burst.commands.pop(name)
            elif which == 1:
                burst.data += frame(b"\xc1" + self.own())
                burst.malformed += 1
                burst.expect(None, is_error(""))
            else:
                request_id = self.id()
                burst.add(request_id, "Blake2s", {"data": 5}, is_error("data"))
                burst.commands["Blake2s"] -= 1
                burst.malformed += 1

    def proof(self) -> tuple[Sample, dict[str, list[bytes]], bool]:
        sample = self.choose.choice(self.samples)
        parts, valid = requests.parts(sample), self.choose.random() > 0.1
        if not valid:
            part, index = SCALAR
            parts[part][index] = word(requests.number(parts[part][index]) ^ 1)
        return sample, parts, valid

    def verification(self, burst: Burst) -> None:
        sample, parts, valid = self.proof()
        burst.verifications += 1
        burst.add(
            self.id(), "ChonkVerify", {"proof": parts, "vk": sample.vk}, exactly(["ChonkVerifyResponse", {"valid": valid}])
        )

    def several(self, burst: Burst) -> None:
        proofs = [self.proof() for _ in range(self.choose.choice([2, 3, 20]))]
        valid = {"valid": all(valid for _, _, valid in proofs)}
        fields = {"proofs": [parts for _, parts, _ in proofs], "vks": [sample.vk for sample, _, _ in proofs]}
        burst.verifications += len(proofs)
        burst.add(self.id(), "ChonkBatchVerify", fields, exactly(["ChonkBatchVerifyResponse", valid]))

    def ended_early(self, burst: Burst) -> None:
        """By a deadline or a cancellation, or not: that depends on who is first."""
        sample, parts, valid = self.proof()
        verdict = exactly(["ChonkVerifyResponse", {"valid": valid}])
        fields = {"proof": parts, "vk": sample.vk}
        if self.choose.random() < 0.5:
            late = is_error("not done within")
            limit = self.choose.choice([0, 1, 20])
            burst.add(self.id(), "ChonkVerify", {**fields, "deadline_ms": limit}, lambda got: late(got) or verdict(got))
        else:
            self.number += 1
            target = self.number
            cancelled = is_error("cancelled")
            burst.add(target, "ChonkVerify", fields, lambda got: cancelled(got) or verdict(got))
            known = (["CancelRequestResponse", {"cancelled": flag}] for flag in (True, False))
            answers = list(known)
            burst.add(self.id(), "CancelRequest", {"request_id": target}, lambda got: got in answers)

    def long(self, burst: Burst) -> None:
        size = self.choose.choice([70_000, 200_000, 3 * MIB])
        self.hash(burst, self.own(size))

    def pieces(self, data: bytes | bytearray) -> Iterator[bytes]:
        """Data as it is sent: at once, or in pieces of any size."""
        if self.choose.random() < 0.7:
            yield bytes(data)
            return
        start = 0
        while start < len(data):
            size = self.choose.choice([1, 3, 1000, 100_000])
            yield bytes(data[start : start + size])
            start += size


class Totals:
    """What all clients have seen."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.frames = self.verifications = self.malformed = self.died = 0
        self.commands: Counter[str] = Counter()

    def add(self, burst: Burst, frames: int) -> None:
        with self.lock:
            self.frames += frames
            self.verifications += burst.verifications
            self.malformed += burst.malformed
            self.commands += burst.commands


def client(path: str, maker: Maker, totals: Totals) -> None:
    """One round of one client."""
    connection = Connection(path)
    for _ in range(EXCHANGES):
        burst = maker.burst()
        owed = burst.owed
        writer = threading.Thread(target=lambda burst=burst: [connection.send(piece) for piece in maker.pieces(burst.data)])
        writer.start()
        while burst.owed:
            payload = connection.receive()
            assert payload is not None, "the connection ended"
            burst.take(payload)
        writer.join()
        totals.add(burst, owed)
    connection.close()


def dying(path: str, choose: random.Random, totals: Totals, done: threading.Event) -> None:
    """Connections that end anywhere."""
    maker = Maker(choose, 99)
    while not done.is_set():
        connection, burst = Connection(path), maker.burst()
        data = bytes(burst.data[: choose.randrange(len(burst.data)) + 1] if choose.random() < 0.5 else burst.data)
        connection.send(data, 0.05)
        if choose.random() < 0.3:
            connection.drain()
        connection.close()
        totals.died += 1
        time.sleep(0.005)


def one_round(target: Target, makers: list[Maker], totals: Totals, seed: int) -> list[str]:
    """All clients do their part; what was wrong."""
    wrong: list[str] = []
    done = threading.Event()

    def guarded(function: Callable[..., None], *arguments: Any) -> None:
        try:
            function(target.path, *arguments)
        except (AssertionError, OSError) as error:
            wrong.append(f"{function.__name__}: {error or type(error).__name__}")

    reaper = threading.Thread(target=guarded, args=[dying, random.Random(seed), totals, done], daemon=True)
    workers = [threading.Thread(target=guarded, args=[client, maker, totals], daemon=True) for maker in makers]
    for thread in (reaper, *workers):
        thread.start()
    for thread in workers:
        thread.join()
    done.set()
    reaper.join()
    return wrong


def at_rest(target: Target) -> tuple[int, int, dict[str, Any]]:
    """Memory, descriptors and `Stats` of a server that has nothing to do any more."""
    connection = Connection(target.path)
    while True:
        assert connection.send(frame(msgpack.packb([["Stats", {}]])))
        stats = msgpack.unpackb(connection.receive() or b"")[1]
        if stats["connections"] == 1 and not any(stats[name] for name in ("waiting", "running", "in_flight_bytes")):
            break
        time.sleep(0.05)
    memory = []
    for _ in range(SETTLE):
        time.sleep(0.02)
        memory.append(target.memory())
    # With this connection: when the server has seen its end is not known.
    descriptors = len(list(Path(f"/proc/{target.process.pid}/fd").iterdir()))
    connection.close()
    return min(memory), descriptors, stats


def miscounted(stats: dict[str, Any], totals: Totals) -> list[str]:
    """Commands of which the server has counted fewer than clients have sent; those that died sent some as well."""
    counted = {entry["name"]: sum(entry[name] for name in OF_STATS) for entry in stats["commands"]}
    return [
        f"{name}: {counted.get(name, 0)} counted, {sent} answered"
        for name, sent in totals.commands.items()
        if counted.get(name, 0) < sent
    ]


def slope(looks: list[tuple[int, int]]) -> float:
    """KiB for 1,000 requests; `looks`: requests answered, and bytes."""
    later = looks[len(looks) // 4 :]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(later, 2)]
    return 1000 * median(slopes) / 1024 if slopes else 0.0


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Mixed load for a long time.")
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--frames", type=int, default=0)
    parser.add_argument("--verifications", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write what was measured")
    parser.add_argument("--bbipc", type=Path, help="another bbipc to be judged")
    options = parser.parse_args(arguments)
    choose, totals, looks, found = random.Random(options.seed), Totals(), list[tuple[int, int]](), list[str]()
    makers = [Maker(random.Random(choose.random()), number) for number in range(CLIENTS)]
    began = time.monotonic()
    descriptors = 0
    with serving(["--threads", "2"], [options.bbipc] if options.bbipc else []) as target:
        while True:
            found += one_round(target, makers, totals, choose.getrandbits(32))
            if found or target.process.poll() is not None:
                break
            memory, now, stats = at_rest(target)
            looks.append((totals.frames, memory))
            found += miscounted(stats, totals)
            if descriptors and now > descriptors:
                found.append(f"{now} descriptors, {descriptors} before")
            descriptors = descriptors or now
            seconds = time.monotonic() - began
            sys.stdout.write(
                f"{seconds:7.0f} s {totals.frames:9} frames {totals.verifications:7} verifications {totals.died:7} died, "
                f"{memory / MIB:6.1f} MiB, slope {slope(looks):6.3f} KiB per 1,000\n"
            )
            sys.stdout.flush()
            reached = (
                seconds >= 60 * options.minutes,
                totals.frames >= options.frames,
                totals.verifications >= options.verifications,
            )
            if found or all(reached):
                break
    growth = slope(looks)
    if len(looks) >= 40 and growth > SLOPE_BAR:  # a few say more of the allocator than of the server
        found.append(f"memory grows by {growth:.3f} KiB in 1,000 requests")
    if options.json is not None:
        options.json.write_text(json.dumps({"looks": looks, "slope": growth, "found": found}, indent=1) + "\n")
    for finding in found:
        sys.stdout.write(f"FOUND: {finding}\n")
    sys.stdout.write(
        f"soak: seed {options.seed}, {totals.frames} frames, {totals.verifications} verifications, "
        f"{totals.died} connections died, {time.monotonic() - began:.0f} s, slope {growth:.3f} KiB per 1,000 requests: "
        f"{'something' if found else 'nothing'} found\n"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

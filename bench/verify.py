"""Time one verification: our core and our server beside the real `bb`, in turn, in one run.

    python bench/verify.py [--bb PATH --bb-env CRS_PATH=DIR] [--rounds N] [--threads 1 2] [--flow flow1]

`--bb` is a bb 5.0.0 that accepts the proofs of the test setup. Without it only our own figures are printed. Each round times
every contestant once, so that whatever else the machine does meets all of them alike; the figures are medians, and only ratios
mean much.

warm: requests to a running process, after one that is not counted.  cold: process start, one request, its response.
peak: the largest resident size of the process (VmHWM) after its requests.
"""

import argparse
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import msgpack

from bbipc.chonk import ChonkProof, Setup, Verifier, primitives

DATA = Path(__file__).parent.parent / "tests" / "data"
SETUP = DATA / "test_setup.json"
Contestants = dict[str, Callable[[], object]]


def request(proof: ChonkProof, key: bytes) -> bytes:
    """A plain ChonkVerify frame."""
    payload: bytes = msgpack.packb([["ChonkVerify", {"proof": proof.to_words(), "vk": key}]])
    return struct.pack("<I", len(payload)) + payload


class Server:
    """A child that speaks the pipe."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | environment
        )

    def send(self, data: bytes) -> None:
        """Write bytes; what comes back meanwhile must fit into the pipe."""
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def receive(self) -> object:
        """The next response."""
        assert self._process.stdout is not None
        (length,) = struct.unpack("<I", self._process.stdout.read(4))
        response: object = msgpack.unpackb(self._process.stdout.read(length))
        return response

    def call(self, frame: bytes) -> None:
        """One verification that must come out valid."""
        self.send(frame)
        if (response := self.receive()) != ["ChonkVerifyResponse", {"valid": True}]:
            raise SystemExit(f"unexpected response: {response}")

    def peak_mib(self) -> float:
        """VmHWM of the child."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def close(self) -> None:
        """End of file, and wait."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def terminate(self) -> None:
        """SIGTERM, and wait."""
        self._process.terminate()
        self.close()


def first_call(start: Callable[[], Server], frame: bytes) -> None:
    """Process start, one verification, and the end of the process."""
    server = start()
    server.call(frame)
    server.close()


def race(contestants: Contestants, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of every contestant in every round; one more round before them does not count."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            if turn:
                times[name].append(1e3 * (time.perf_counter() - start))
    return times


def report(title: str, times: dict[str, list[float]], reference: str) -> None:
    """Medians, and their ratio to the reference if that took part."""
    print(f"\n{title}")
    base = median(times[reference]) if reference in times else None
    for name, values in times.items():
        ratio = f"   ratio to {reference}: {median(values) / base:.2f}" if base and name != reference else ""
        print(f"  {name:<12} median {median(values):8.1f} ms   min {min(values):8.1f} ms{ratio}")


def breakdown(verifier: Verifier, proof: ChonkProof, key: bytes, rounds: int) -> None:
    """Where the time of one verification on one thread goes."""
    scalars = [b"\x0f" + os.urandom(31) for _ in range(1 << 15)]  # below both moduli
    words = [b"\x0f" + os.urandom(31) for _ in range(300)]
    generator = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")
    g2 = verifier.setup.g2_x
    arithmetic = verifier.arithmetic
    contestants: Contestants = {
        "verify": lambda: verifier.verify(proof, key),
        "reduce": lambda: verifier.reduce(proof, key),
        "msm 2^15": lambda: primitives.generators_msm(scalars),
        "poseidon2": lambda: primitives.poseidon2_hash(words),
        "pairing": lambda: primitives.pairing_check([generator, generator], [g2, g2]),
    }
    times = race(contestants, rounds)
    print(f"\nparts of a verification, {arithmetic} arithmetic, 1 thread (medians)")
    print(f"  whole verification                       {median(times['verify']):8.2f} ms")
    print(f"  multiplication over the 2^15 generators  {median(times['msm 2^15']):8.2f} ms")
    print(f"  steps 0 to 8 and the IPA transcript      {median(times['reduce']):8.2f} ms")
    print(f"  one Poseidon2 permutation                {1e3 * median(times['poseidon2']) / 100:8.2f} us")
    print(f"  product of two pairings (with their preparation)  {median(times['pairing']):8.2f} ms")


def main() -> None:
    """Run everything and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bb", help="the bb to compare with")
    parser.add_argument("--bb-env", nargs="*", default=[], metavar="NAME=VALUE", help="its environment")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--flow", default="flow1", help="a folder of tests/data")
    arguments = parser.parse_args()

    folder = DATA / arguments.flow
    proof = ChonkProof.from_fields((folder / "proof_fields.bin").read_bytes())
    key = (folder / "vk").read_bytes()
    frame = request(proof, key)
    verifier = Verifier(Setup.from_json(SETUP))
    bb_environment = dict(item.split("=", 1) for item in arguments.bb_env)

    def start(name: str, threads: int) -> Server:
        environment = {"HARDWARE_CONCURRENCY": str(threads)}
        if name == "bb":
            return Server([arguments.bb, "msgpack", "run"], environment | bb_environment)
        return Server([sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--setup", str(SETUP)], environment)

    names = ["ours", "bb"] if arguments.bb else ["ours"]
    for threads in arguments.threads:
        servers = {name: start(name, threads) for name in names}
        contestants: Contestants = {f"{name} (pipe)": partial(server.call, frame) for name, server in servers.items()}
        contestants["core"] = partial(verifier.verify, proof, key, threads=threads)
        report(f"warm, {threads} thread(s)", race(contestants, arguments.rounds), "bb (pipe)")
        for name, server in servers.items():
            print(f"  {name:<12} peak resident size {server.peak_mib():.1f} MiB")
            server.close()

        cold: Contestants = {f"{name} (pipe)": partial(first_call, partial(start, name, threads), frame) for name in names}
        report(f"cold, {threads} thread(s)", race(cold, max(3, arguments.rounds // 3)), "bb (pipe)")
    breakdown(verifier, proof, key, arguments.rounds)


if __name__ == "__main__":
    main()

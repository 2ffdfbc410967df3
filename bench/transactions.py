"""Time transactions: what their checks cost beside the bare hash, and beside the bare verification of their proofs.

    python bench/transactions.py [--rounds N] [--count N] [--threads N]

Two ratios, each of contestants that take turns in one run, so that whatever else the machine does meets both alike:

one: parse, public inputs and hash of one transaction, over the bare Poseidon2 hash of as many elements in the core.
many: `verify_txs` over `--count` transactions with plain or compressed proofs, over the sum of `verify_many` over the same
    proofs, decoded as `verify-many` does, and the bare Poseidon2 hashes of the same elements, one after the other.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bbipc.aztec import Registry, Tx, verify_txs
from bbipc.aztec.hashes import element
from bbipc.chonk import ChonkProof, Setup, verify_many
from bbipc.chonk.shared import default_core

DATA = Path(__file__).parent.parent / "tests" / "data"
AZTEC = DATA / "aztec"
E2E = AZTEC / "e2e-test-setup"


def timed(*contestants: Callable[[], object], rounds: int) -> list[float]:
    """The median seconds of each contestant."""
    seconds: list[list[float]] = [[] for _ in contestants]
    for _ in range(rounds + 1):
        for own, contestant in zip(seconds, contestants, strict=True):
            start = time.perf_counter()
            contestant()
            own.append(time.perf_counter() - start)
    return [median(own[1:]) for own in seconds]


def one(name: str, rounds: int) -> None:
    """The first ratio."""
    data = (AZTEC / "py-5x" / f"{name}.tx.bin").read_bytes()
    tx = Tx.from_bytes(data)
    message = element(tx.form.separator) + tx.public_inputs()
    core = default_core()
    bare, whole = timed(lambda: core.poseidon2_hash(message), lambda: Tx.from_bytes(data).hash(), rounds=rounds)
    print(f"one, {name}: {1000 * whole:.2f} ms, the bare hash {1000 * bare:.2f} ms, ratio {whole / bare:.3f}")


def many(name: str, rounds: int, count: int, threads: int) -> None:
    """The second ratio."""
    setup, registry = Setup.from_json(DATA / "test_setup.json"), Registry.from_json(E2E / "registry-test.json")
    data = (E2E / f"rollup.{name}.tx.bin").read_bytes()
    tx = Tx.from_bytes(data)
    key = registry.releases[0].keys["rollup"]
    message = element(tx.form.separator) + tx.public_inputs()
    core = default_core()
    content = tx.proof.content

    def proofs() -> None:
        if name == "compressed":
            decoded = (ChonkProof.from_compressed(content) for _ in range(count))
        else:
            flat = tx.public_inputs() + content
            decoded = (ChonkProof.from_fields(flat, key.num_public_inputs) for _ in range(count))
        pairs = ((proof, key) for proof in decoded)
        assert all(verify_many(pairs, setup=setup, threads=threads, batch=32))

    def hashes() -> None:
        for _ in range(count):
            core.poseidon2_hash(message)

    def transactions() -> None:
        assert all(verify_txs((data for _ in range(count)), registry=registry, setup=setup, threads=threads))

    verified, hashed, whole = timed(proofs, hashes, transactions, rounds=rounds)
    ratio = whole / (verified + hashed)
    parts = f"verify-many {verified:.2f} s, bare hashes {hashed:.2f} s"
    print(f"many, {name}: {count} in {whole:.2f} s, {parts}, ratio {ratio:.3f}")


def main() -> None:
    """Both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    for name in ("private.noproof", "public.noproof", "private.uncompressed", "public.compressed"):
        one(name, 20 * options.rounds)
    for name in ("uncompressed", "compressed"):
        many(name, options.rounds, options.count, options.threads)


if __name__ == "__main__":
    main()

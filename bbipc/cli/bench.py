"""`bbipc bench`: how fast is this machine?"""

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import click

from bbipc.chonk import Verifier
from bbipc.cli import exit_codes, known_proof
from bbipc.cli.colour import colour

__all__ = ["command"]

_BATCHES: Final = (1, 4, 16, 64)


@click.command("bench")
@click.option("--threads", type=click.IntRange(min=1), default=lambda: len(os.sched_getaffinity(0)), help="Default: all CPUs.")
@click.option("--seconds", type=click.FloatRange(min=0), default=2.0, show_default=True, help="About how long each line takes.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(threads: int, seconds: float, as_json: bool) -> int:
    """Measure how fast proofs are verified here, alone and in batches, with the proof that comes with bbipc.

    A figure is the best of all repetitions, so that other work on the machine spoils it as little as possible.

    Exit status: 0.
    """
    item = known_proof.load()
    verifier = Verifier(item.setup)
    verifier.verify(item.proof, item.key)  # warms caches
    pair = (item.proof, item.key)
    rows = [
        (count, used, _best(partial(verifier.verify_many, [pair] * count, threads=used), seconds))
        for count in _BATCHES
        for used in sorted({1, threads})
    ]
    if as_json:
        lines = [{"batch": count, "threads": used, "ms_per_proof": 1000 * best / count} for count, used, best in rows]
        click.echo(json.dumps({"arithmetic": verifier.arithmetic, "results": lines}))
        return exit_codes.SUCCESS
    click.secho(f"arithmetic: {verifier.arithmetic}", bold=True, color=colour(sys.stdout))
    for count, used, best in rows:
        click.echo(f"{count:3} at once, {used:2} threads: {1000 * best / count:8.2f} ms a proof, {count / best:7.1f} proofs/s")
    return exit_codes.SUCCESS


def _best(work: Callable[[], object], seconds: float) -> float:
    """The shortest duration of `work`, repeated for about `seconds`, in seconds."""
    best, end = float("inf"), time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        work()
        now = time.perf_counter()
        best = min(best, now - start)
        if now >= end:
            return best

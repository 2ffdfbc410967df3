"""Differential soundness campaign: mutated proofs judged by us and by the real `bb`; any disagreement is a failure.

    python fuzz/differential.py --bb PATH [--minutes M] [--count N] [--seed S] [--workers W] [--resume FILE]

PATH is a `bb` that verifies under the test setup (tests/data/test_setup.json), run as `PATH msgpack run`. With `--aztec-bb` one
mutant in fifty is also judged under Aztec's setup, by the published binary and by us. Disagreements are saved for
`bbipc conform --replay` (`--save DIRECTORY`).

Each mutant has a number; number and seed reproduce it (`--start I --count 1 -v` shows it again). It is judged

* by our verifier alone, as the server would: elements are checked, then the core decides;
* by our verifier in a batch of random size with other mutants and a valid proof, where the verdict must be the same as
  alone. A mutant that fails in a check which a batch adds up comes with its mirror image (the opposite error), so that sums
  without weights cancel;
* by bb's ChonkVerify, and, where it is informative, by its ChonkBatchVerify together with a valid proof, or its mirror image.

The outcome classes are valid, invalid and error. What is known to differ is listed in `RULES`, by rule. Two more things are
failures: a mutant that we find valid although it is not the proof it was made from in another split, and any exception.

SIGINT and SIGTERM end a campaign early, with its summary. With `--resume FILE` the same command goes on where it ended, also
after the program was killed: the summary is then of all runs.

Exit status: 0 no failure, 1 at least one, 2 wrong usage or a bb that does not run.
"""

import argparse
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Final

import trio
from known_challenges import FLOWS, forge_known
from oracle import Bb
from reopen import reopen, valid_forms

from bbipc.chonk import STEPS, ChonkFormatError, ChonkProof, Outcome, Setup, Verifier
from bbipc.conform.judge import Expectation, Turn
from bbipc.conform.messages import call
from bbipc.conform.samples import PARTS, TEST_SETUP, Sample, split
from bbipc.conform.script import Script
from bbipc.fuzzing.mutant import Mutant
from bbipc.fuzzing.mutation import mutate

DATA: Final = Path(__file__).parent.parent / "tests" / "data"
MAX_BATCH: Final = 64
AZTEC_EVERY: Final = 50
BATCH_COMMAND_EVERY: Final = 20

RULES: Final[Mapping[str, str]] = {
    "death": "bb ends its process on some inputs (an element >= r, a missing part); that is its outcome class error.",
    "batch-G0": "bb's batch command does not bind G0 (docs/spec/09-ipa.md section 9.5): a proof whose only fault is another "
    "point of the curve as G0 is valid there, invalid alone and for us.",
}
"""What is known to differ from bb, and why we do not count it."""

G0: Final = slice(60, 62)
KNOWN_SHARE: Final = 0.3
"""How often a proof whose challenges are known is forged by means of them."""
REOPENED_SHARE: Final = 0.15
"""How often a proof is changed and opened anew by the secret of the setup."""
ADDED_UP: Final = ("PI pairing points", "Merge pairing", "batched translator+joint pairing", "IPA")
"""Checks that a batch may make for several proofs at once."""


_COUNTS: Final = ("judged", "batched", "mirrors", "batch_commands", "aztec_judged", "deaths")
_COUNTERS: Final = ("outcomes", "steps", "by_rule")


@dataclass
class Campaign:
    """What was asked for, and what was found."""

    arguments: argparse.Namespace
    samples: list[Sample]
    test: Verifier
    aztec: Verifier
    started: float = field(default_factory=time.perf_counter)
    next_index: int = 0
    interrupted: bool = False
    judged: int = 0
    batched: int = 0
    mirrors: int = 0
    batch_commands: int = 0
    aztec_judged: int = 0
    deaths: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    by_rule: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, Any]] = field(default_factory=list)
    at_work: set[int] = field(default_factory=set)
    """Mutants that were begun and not judged yet."""
    seconds_before: float = 0
    """Of earlier runs of the same campaign."""

    def resume(self) -> None:
        """Go on where the state file of `--resume` ends; raises ValueError if it is of another campaign."""
        path = self.arguments.resume
        if path is None or not path.exists():
            return
        state = json.loads(path.read_text())
        if (state["seed"], state["start"]) != (self.arguments.seed, self.arguments.start):
            raise ValueError(f"{path} is of seed {state['seed']}, start {state['start']}")
        self.next_index, self.seconds_before = state["next_index"], state["seconds"]
        for name in _COUNTS:
            setattr(self, name, state[name])
        for name in _COUNTERS:
            setattr(self, name, Counter(state[name]))
        self.failures = state["failures"]

    def save_state(self) -> None:
        """Write the state file. A mutant that was at work when the program was killed is judged again."""
        path = self.arguments.resume
        if path is None:
            return
        state = {
            "seed": self.arguments.seed,
            "start": self.arguments.start,
            "next_index": min(self.at_work, default=self.next_index),
            "seconds": self.seconds,
            "failures": self.failures,
            **{name: getattr(self, name) for name in (*_COUNTS, *_COUNTERS)},
        }
        partial = path.with_name(f"{path.name}.partial")
        partial.write_text(json.dumps(state))
        partial.replace(path)

    @property
    def seconds(self) -> float:
        """How long the campaign has run, earlier runs included."""
        return self.seconds_before + time.perf_counter() - self.started

    def take(self) -> int | None:
        """The number of the next mutant; None if it is time to stop."""
        options = self.arguments
        if self.interrupted:
            return None
        if options.minutes is not None and time.perf_counter() - self.started > 60 * options.minutes:
            return None
        if options.count is not None and self.next_index >= options.start + options.count:
            return None
        self.next_index += 1
        self.at_work.add(self.next_index - 1)
        return self.next_index - 1

    def mutant(self, index: int) -> Mutant:
        """The mutant with that number."""
        random = Random(f"{self.arguments.seed}:{index}")
        base = self.samples[index % len(self.samples)]
        while True:
            if random.random() < REOPENED_SHARE:
                return reopen(base, random)
            if base.name in FLOWS and random.random() < KNOWN_SHARE:
                mutant = forge_known(base, random)
            else:
                mutant = mutate(base, random, random.sample(self.samples, 3))
            if not reaches_ipa(mutant) or random.randrange(self.arguments.ipa_one_in) == 0:
                return mutant

    def fail(self, index: int, mutant: Mutant, what: str, *, request: bytes = b"", **found: str) -> None:
        """Note a failure, and save the request for which bb's answer is what we should have said."""
        failure = {"index": index, "base": mutant.base.name, "mutation": mutant.what, "failure": what, **found}
        if request:
            outcomes = (found["bb"],)
            turn = Turn(
                request[4:], f"mutant {index} of seed {self.arguments.seed}: {mutant.what}", Expectation(outcomes=outcomes)
            )
            origin = f"fuzz/differential.py --seed {self.arguments.seed} --start {index} --count 1"
            failure["saved"] = str(
                Script((turn,), rule=f"Verdicts are bb's; {what}.", origin=origin).save_in(self.arguments.save)
            )
        self.failures.append(failure)
        sys.stdout.write(f"FAILURE {json.dumps(failure)}\n")
        sys.stdout.flush()


def load_samples() -> list[Sample]:
    """Every different proof of tests/data, those of the corpus that are valid in an unusual form included."""
    found: dict[bytes, Sample] = {}
    for file in sorted(DATA.glob("**/proof_fields.bin")):
        fields = file.read_bytes()
        found.setdefault(fields, Sample(file.parent.name, split(fields), (file.parent / "vk").read_bytes()))
    return [*found.values(), *valid_forms()]


def our_outcome(verifier: Verifier, mutant: Mutant) -> tuple[str, str]:
    """Our outcome class and the failing step or the message."""
    raw = verifier.verify(_raw(mutant), mutant.key)
    try:
        ChonkProof.from_words(mutant.parts)
    except ChonkFormatError as error:
        # The server refuses it while it decodes the request; the core alone must not accept it either.
        return ("valid" if raw.valid else "error"), str(error)
    return raw.outcome.value, raw.step or raw.reason or ""


def _raw(mutant: Mutant) -> ChonkProof:
    return ChonkProof(*(b"".join(mutant.parts[name]) for name in PARTS))


def differs_in_g0_only(mutant: Mutant) -> bool:
    """Whether nothing but the point G0 was changed."""
    words = list(mutant.parts["ipa_proof"])
    if len(words) != len(mutant.base.parts["ipa_proof"]):
        return False
    words[G0] = mutant.base.parts["ipa_proof"][G0]
    repaired = Mutant({**mutant.parts, "ipa_proof": words}, mutant.key, "", mutant.base)
    return repaired.reads_as_base


def reaches_ipa(mutant: Mutant) -> bool:
    """Whether all that differs is read by the last step alone, or nothing is read otherwise; bb then needs 200 ms, not 6."""
    repaired = replace(mutant, parts={**mutant.parts, "ipa_proof": mutant.base.parts["ipa_proof"]})
    return repaired.reads_as_base


def has_mirror(mutant: Mutant, step: str) -> bool:
    """Whether the opposite error could hide this one in a batch that adds up."""
    return step in ADDED_UP and mutant.has_shape


async def judge(campaign: Campaign, index: int, mutant: Mutant, bb: Bb) -> tuple[str, str]:
    """Judge one mutant alone; our outcome class and the failing step or the message."""
    ours: list[tuple[str, str]] = []

    async def judge_it() -> None:
        ours.append(await trio.to_thread.run_sync(our_outcome, campaign.test, mutant))

    request = call("ChonkVerify", {"proof": mutant.parts, "vk": mutant.key})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(judge_it)
        theirs = await bb.ask(request)
    outcome, why = ours[0]
    if theirs == "death":
        campaign.by_rule["death"] += 1
        theirs = "error"
    campaign.judged += 1
    campaign.outcomes[outcome] += 1
    campaign.steps[why if outcome == "invalid" else outcome] += 1
    if outcome != theirs:
        campaign.fail(index, mutant, "single verdicts differ", request=request, ours=outcome, why=why, bb=theirs)
    if outcome == "valid" and not mutant.reads_as_base:
        campaign.fail(index, mutant, "valid, but not the proof it was made from", ours=outcome, bb=theirs)
    if campaign.arguments.verbose:
        sys.stdout.write(f"{index}: {mutant.base.name}: {mutant.what}: {outcome} ({why}), bb {theirs}\n")
    if outcome == "invalid" and (is_informative(campaign, index, why) or index % BATCH_COMMAND_EVERY == 0):
        await judge_batch_command(campaign, index, mutant, why, bb)
    return outcome, why


def is_informative(campaign: Campaign, index: int, why: str) -> bool:
    """Whether bb's batch command is asked as well: it adds up what decided."""
    options = campaign.arguments
    one_in = options.ipa_one_in if why == "IPA" else options.batch_one_in
    return why in ADDED_UP and index // 2 % one_in == 0  # even: with a valid proof, odd: with its mirror image


async def judge_batch_command(campaign: Campaign, index: int, mutant: Mutant, why: str, bb: Bb) -> None:
    """bb's batch command must find the same as its single one, or differ by rule."""
    base = mutant.base
    mirror = mutant.mirrored() if has_mirror(mutant, why) and index % 2 else Mutant(base.parts, base.key, "", base)
    request = call("ChonkBatchVerify", {"proofs": [mirror.parts, mutant.parts], "vks": [mirror.key, mutant.key]})
    theirs = await bb.ask(request)
    campaign.batch_commands += 1
    if theirs == "error" and mirror.what:
        return  # the mirror image does not decode
    if theirs == "valid" and differs_in_g0_only(mutant):
        campaign.by_rule["batch-G0"] += 1
    elif theirs != "invalid":
        campaign.fail(index, mutant, "bb's batch verdict differs", ours="invalid", bb=theirs)


async def judge_under_aztec(campaign: Campaign, index: int, mutant: Mutant, bb: Bb | None) -> None:
    """The same under the other setup, where no proof may be valid."""
    ours, why = await trio.to_thread.run_sync(our_outcome, campaign.aztec, mutant)
    campaign.aztec_judged += 1
    theirs = ours if bb is None else await bb.ask(call("ChonkVerify", {"proof": mutant.parts, "vk": mutant.key}))
    theirs = "error" if theirs == "death" else theirs
    if ours != theirs or ours == "valid":
        campaign.fail(index, mutant, "verdicts under Aztec's setup differ", ours=ours, why=why, bb=theirs)


@dataclass(frozen=True)
class Judged:
    """A mutant and what single verification found."""

    index: int
    mutant: Mutant
    outcome: str


async def judge_batch(campaign: Campaign, batch: list[Judged]) -> None:
    """Our batch verification of mutants and one valid proof must find what single verification found."""

    def check() -> list[str]:
        valid = campaign.samples[batch[0].index % len(campaign.samples)]
        proofs = [(_raw(item.mutant), item.mutant.key) for item in batch]
        proofs.insert(place, (ChonkProof.from_words(valid.parts), valid.key))
        return [verdict.outcome.value for verdict in campaign.test.verify_many(proofs)]

    place = batch[0].index % (len(batch) + 1)
    verdicts = await trio.to_thread.run_sync(check)
    first = verdicts.pop(place)
    campaign.batched += len(batch)
    if first != Outcome.VALID.value:
        campaign.fail(batch[0].index, batch[0].mutant, "a valid proof was spoiled by its batch", ours=first)
    for item, verdict in zip(batch, verdicts, strict=True):
        if verdict != item.outcome and not (item.outcome == "error" and verdict != "valid"):
            campaign.fail(item.index, item.mutant, "our batch verdict differs", single=item.outcome, batch=verdict)


async def judge_with_mirror(campaign: Campaign, index: int, mutant: Mutant, bb: Bb) -> list[Judged]:
    """Judge a mutant, and its mirror image by us if a batch could add up the errors of both."""
    outcome, why = await judge(campaign, index, mutant, bb)
    judged = [Judged(index, mutant, outcome)]
    if outcome == "invalid" and has_mirror(mutant, why):
        mirror = mutant.mirrored()
        found, _ = await trio.to_thread.run_sync(our_outcome, campaign.test, mirror)
        campaign.mirrors += 1
        if found == "valid":
            campaign.fail(index, mirror, "valid, but not the proof it was made from", ours=found)
        judged.append(Judged(index, mirror, found))
    return judged


async def work(campaign: Campaign) -> None:
    """Judge mutants until it is time to stop."""
    options = campaign.arguments
    bb, aztec_bb = Bb(options.bb), Bb(options.aztec_bb) if options.aztec_bb else None
    batch: list[Judged] = []
    size = 1
    try:
        while (index := campaign.take()) is not None:
            if not batch:
                # Half of the batches have at most eight proofs with the valid one: as many as are reduced side by side.
                random = Random(f"{options.seed} {index}")
                size = random.randint(1, random.choice([7, MAX_BATCH]))
            mutant = campaign.mutant(index)
            batch += await judge_with_mirror(campaign, index, mutant, bb)
            if len(batch) >= size:
                await judge_batch(campaign, batch)
                campaign.at_work -= {item.index for item in batch}
                batch.clear()
                campaign.save_state()
            if index % AZTEC_EVERY == 0:
                await judge_under_aztec(campaign, index, mutant, aztec_bb)
        if batch:
            await judge_batch(campaign, batch)
            campaign.at_work -= {item.index for item in batch}
    finally:
        campaign.deaths += bb.deaths
        with trio.CancelScope(shield=True):
            await bb.close()
            if aztec_bb is not None:
                await aztec_bb.close()


async def stop_at_signal(campaign: Campaign, task_status: trio.TaskStatus[None]) -> None:
    """Begin no more mutants after SIGINT or SIGTERM; what was judged so far is reported."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            campaign.interrupted = True


async def check_bb(path: str, sample: Sample) -> bool:
    """Whether this bb finds a fixture valid: otherwise it has another setup, and nothing would be tested."""
    bb = Bb(path)
    try:
        return await bb.ask(call("ChonkVerify", sample.verify)) == "valid"
    finally:
        await bb.close()


async def main(campaign: Campaign) -> int:
    """Run the campaign; the exit status."""
    options = campaign.arguments
    try:
        if not await check_bb(options.bb, campaign.samples[0]):
            sys.stderr.write(f"{options.bb} does not find {campaign.samples[0].name} valid: it needs the test setup\n")
            return 2
    except OSError as error:
        sys.stderr.write(f"{options.bb}: {error.strerror}\n")
        return 2
    async with trio.open_nursery() as nursery:
        await nursery.start(stop_at_signal, campaign)
        async with trio.open_nursery() as workers:
            for _ in range(options.workers):
                workers.start_soon(work, campaign)
        nursery.cancel_scope.cancel()
    campaign.save_state()
    report(campaign)
    return 1 if campaign.failures else 0


def report(campaign: Campaign) -> None:
    """The summary; its last line is for logs."""
    seconds = campaign.seconds
    sys.stdout.write("What decided about the mutants:\n")
    for step in ("error", *STEPS, "valid"):
        share = 100 * campaign.steps[step] / max(campaign.judged, 1)
        sys.stdout.write(f"  {campaign.steps[step]:>7}  {share:5.1f} %  {step}\n")
    for rule, count in campaign.by_rule.items():
        sys.stdout.write(f"By rule {rule}, {count} times: {RULES[rule]}\n")
    outcomes = ", ".join(f"{campaign.outcomes[name]} {name}" for name in ("valid", "invalid", "error"))
    sys.stdout.write(
        f"differential: seed {campaign.arguments.seed}, {campaign.judged} mutants of {len(campaign.samples)} proofs judged "
        f"({outcomes}), {campaign.batched} in our batches ({campaign.mirrors} of them mirror images), "
        f"{campaign.batch_commands} in bb's, {campaign.aztec_judged} under Aztec's setup, "
        f"{campaign.deaths} deaths of bb, {seconds:.0f} s, {campaign.judged / seconds:.1f}/s: "
        f"{len(campaign.failures)} failures\n"
    )


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Judge mutated proofs by bbipc and by the real bb.")
    parser.add_argument("--bb", required=True, metavar="PATH", help="a bb that verifies under the test setup")
    parser.add_argument("--aztec-bb", metavar="PATH", help="the published bb, for mutants under Aztec's setup")
    parser.add_argument("--minutes", type=float, metavar="M", help="stop after this time")
    parser.add_argument("--count", type=int, metavar="N", help="stop after this many mutants")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--start", type=int, default=0, metavar="I", help="number of the first mutant")
    parser.add_argument(
        "--workers", type=int, default=1, metavar="W", help="mutants judged at the same time, each by its own bb"
    )
    parser.add_argument(
        "--ipa-one-in",
        type=int,
        default=1,
        metavar="N",
        help="take only one in N of the mutants that reach the IPA whatever happens, and draw others instead: they cost bb "
        "thirty times as much as the rest",
    )
    parser.add_argument(
        "--batch-one-in",
        type=int,
        default=1,
        metavar="N",
        help="ask bb's batch command about one in N only of the mutants about which it is informative",
    )
    parser.add_argument(
        "--save", type=Path, default=Path("fuzz-findings"), metavar="DIRECTORY", help="where disagreements go (fuzz-findings)"
    )
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help="go on where this file says that an earlier run ended, and keep it up to date",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="a line for each mutant")
    arguments = parser.parse_args()
    if arguments.minutes is None and arguments.count is None:
        arguments.minutes = 1.0
    if min(arguments.ipa_one_in, arguments.batch_one_in) < 1:
        parser.error("--ipa-one-in and --batch-one-in must be at least 1")
    return arguments


if __name__ == "__main__":
    parsed = parse_arguments()
    setup = Setup.from_json(TEST_SETUP)
    plan = Campaign(parsed, load_samples(), Verifier(setup), Verifier(Setup.AZTEC), next_index=parsed.start)
    try:
        plan.resume()
    except (ValueError, KeyError) as error:
        sys.exit(f"--resume: {error}")
    sys.exit(trio.run(main, plan))

"""`bbipc verify`: the verdict on one proof."""

import json
import sys
import time
from dataclasses import dataclass
from typing import Any, Final

import click

from bbipc.chonk import STEPS, ChonkFormatError, Outcome, Setup, Verdict, VerificationKey, Verifier
from bbipc.chonk.detect import DetectedProof, detect_proof, unhex
from bbipc.chonk.key import KEY_SIZE
from bbipc.cli import exit_codes
from bbipc.cli.colour import colour
from bbipc.cli.inputs import InputError, load_setup, read_input, setup_option

__all__ = ["command"]

_EXIT_CODES: Final = {
    Outcome.VALID: exit_codes.SUCCESS,
    Outcome.INVALID: exit_codes.INVALID,
    Outcome.ERROR: exit_codes.UNREADABLE,
}
_COLOURS: Final = {Outcome.VALID: "green", Outcome.INVALID: "red", Outcome.ERROR: "red"}
_UNDECODED: Final = "The bytes are not a proof of this kind, or not for this key; nothing was decided about what they claim."


@dataclass(frozen=True, slots=True)
class _Report:
    """What is known after a verification; only the verdict if the inputs could not be read."""

    verdict: Verdict
    setup: Setup
    detected: DetectedProof | None = None
    milliseconds: float | None = None


@click.command("verify")
@click.argument("proof")
@click.argument("vk")
@setup_option
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Upper bound on threads used.")
@click.option(
    "--strict", is_flag=True, help="Refuse proofs whose parts do not have their exact lengths, and non-canonical keys."
)
@click.option("--explain", is_flag=True, help="Say what the failing step means.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(proof: str, vk: str, setup_file: str | None, threads: int, strict: bool, explain: bool, as_json: bool) -> int:
    """Verify one Chonk proof.

    PROOF is a file with a proof as flat field elements, as a msgpack map of its five parts, compressed, or as hex digits of
    one of these; the format is detected. VK is a file with the 3680 bytes of the verification key of the hiding kernel, or
    their hex digits. One of the two may be - for standard input.

    Exit status: 0 the proof is valid; 1 it is invalid; 2 it, the key or the setup cannot be read or decoded.
    """
    if proof == vk == "-":
        raise click.UsageError("PROOF and VK cannot both be standard input")
    setup = load_setup(setup_file)
    try:
        report = _verify(read_input(proof), read_input(vk), setup, threads=threads, strict=strict)
    except (InputError, ChonkFormatError) as error:
        reason = error.format_message() if isinstance(error, InputError) else str(error)
        report = _Report(Verdict(Outcome.ERROR, reason=reason), setup)
    if as_json:
        click.echo(json.dumps(_as_json(report)))
    else:
        _print(report.verdict, explain)
    return _EXIT_CODES[report.verdict.outcome]


def _verify(proof: bytes, vk: bytes, setup: Setup, *, threads: int, strict: bool) -> _Report:
    if len(proof) == KEY_SIZE != len(vk):
        raise InputError("the first file is a verification key: name the proof first, then its key")
    key = VerificationKey.from_bytes(vk if len(vk) == KEY_SIZE else unhex(vk) or vk)
    detected = detect_proof(proof, key.num_public_inputs)
    verifier = Verifier(setup)
    start = time.perf_counter()
    verdict = verifier.verify(detected.proof, key, threads=threads, strict=strict)
    return _Report(verdict, setup, detected, 1000 * (time.perf_counter() - start))


def _print(verdict: Verdict, explain: bool) -> None:
    failed_to_read = verdict.outcome is Outcome.ERROR
    stream = sys.stderr if failed_to_read else sys.stdout
    click.secho(str(verdict), fg=_COLOURS[verdict.outcome], err=failed_to_read, color=colour(stream))
    if explain and not verdict.valid:
        click.echo(_meaning(verdict), err=failed_to_read)


def _meaning(verdict: Verdict) -> str:
    if verdict.step is None:
        return _UNDECODED
    number = list(STEPS).index(verdict.step) + 1
    return f"Check {number} of {len(STEPS)}, {verdict.step}: {STEPS[verdict.step]}"


def _as_json(report: _Report) -> dict[str, Any]:
    verdict, detected = report.verdict, report.detected
    return {
        "valid": verdict.valid,
        "outcome": verdict.outcome.value,
        "step": verdict.step,
        "meaning": None if verdict.step is None else STEPS[verdict.step],
        "reason": verdict.reason,
        "part": verdict.part,
        "position": verdict.position,
        "setup": "aztec" if report.setup == Setup.AZTEC else "custom",
        "encoding": None if detected is None else detected.encoding.value,
        "hexadecimal": None if detected is None else detected.hexadecimal,
        "public_inputs": None if detected is None else detected.proof.num_public_inputs,
        "milliseconds": None if report.milliseconds is None else round(report.milliseconds, 3),
    }

"""`bbipc verify`: the verdict on one proof.

Names of the library stand behind its package, which loads each when it is used: --help needs none of them.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from typing import Any, Final, NamedTuple

import click

from bbipc import chonk
from bbipc.cli import exit_codes
from bbipc.cli.colour import colour
from bbipc.cli.ending import report as report_error
from bbipc.cli.escape import one_line
from bbipc.cli.inputs import INPUT, InputError, load_setup, read_input, setup_option, shown
from bbipc.cli.keys import KEY, TrustedKey, described_setup, load_key, pin_option, setup_as_json

__all__ = ["command"]

_EXIT_CODES: Final = {"valid": exit_codes.SUCCESS, "invalid": exit_codes.INVALID, "error": exit_codes.UNREADABLE}
_COLOURS: Final = {"valid": "green", "invalid": "red", "error": "red"}
_UNDECODED: Final = "The bytes are not a proof of this kind, or not for this key; nothing was decided about what they claim."


class _Report(NamedTuple):
    """What is known after a verification; only the verdict and the setup if the inputs could not be read."""

    verdict: chonk.Verdict
    setup: chonk.Setup
    setup_file: str | None
    key: TrustedKey | None = None
    detected: chonk.DetectedProof | None = None
    milliseconds: float | None = None


@click.command("verify")
@click.argument("proof", type=INPUT)
@click.argument("vk", type=KEY, required=False)
@click.option("--vk", "vk_option", type=KEY, metavar="KEY", help="The key, instead of the argument VK.")
@pin_option
@setup_option
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Upper bound on threads used.")
@click.option(
    "--strict", is_flag=True, help="Refuse proofs whose parts do not have their exact lengths, and non-canonical keys."
)
@click.option("--explain", is_flag=True, help="Say what the failing step means.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    proof: str,
    vk: str | None,
    vk_option: str | None,
    pins: tuple[bytes, ...],
    setup_file: str | None,
    threads: int,
    strict: bool,
    explain: bool,
    as_json: bool,
) -> int:
    """Verify one Chonk proof.

    PROOF is a file with a proof as flat field elements, as a msgpack map of its five parts, or compressed; as bytes, hex
    digits, base64, JSON, 0x-words or gzip, with or without a length in front; the format is detected. VK is the verification
    key of the hiding kernel: a file with its 3680 bytes, also as hex digits, base64, JSON, or Aztec's circuit artifact
    hiding_kernel_to_*.json; or aztec:5.2.0/to_public, aztec:5.2.0/to_rollup, which are built in. One of the two may be - for
    standard input.

    Exit status: 0 the proof is valid; 1 it is invalid; 2 it, the key or the setup cannot be read or decoded.
    """
    if (vk is None) == (vk_option is None):
        raise click.UsageError("which key? Name one, as VK or by --vk")
    source = str(vk or vk_option)
    if proof == source == "-":
        raise click.UsageError("PROOF and VK cannot both be standard input")
    setup = load_setup(setup_file)
    try:
        report = _verify(proof, source, pins, setup, setup_file, threads=threads, strict=strict)
    except (InputError, chonk.ChonkFormatError) as error:  # ChonkFormatError: of the setup
        reason = error.format_message() if isinstance(error, InputError) else str(error)
        report = _Report(chonk.Verdict(chonk.Outcome.ERROR, reason=reason), setup, setup_file)
    if as_json:
        click.echo(json.dumps(_as_json(report)))
    else:
        _print(report, explain)
    return _EXIT_CODES[report.verdict.outcome.value]


def _verify(
    proof: str, vk: str, pins: tuple[bytes, ...], setup: chonk.Setup, setup_file: str | None, *, threads: int, strict: bool
) -> _Report:
    data = read_input(proof)
    try:
        key = load_key(vk, pins)
    except InputError:
        if _is_key(data):
            raise InputError(f"{shown(proof)} is a verification key: name the proof first, then its key") from None
        raise
    try:
        detected = chonk.detect_proof(data, key.key.num_public_inputs)
    except chonk.ChonkFormatError as error:
        raise InputError(f"{shown(proof)}: {_or_transaction(data) or error}") from None
    verifier = chonk.Verifier(setup)
    start = time.perf_counter()
    verdict = verifier.verify(detected.proof, key.key, threads=threads, strict=strict)
    if verdict.outcome is chonk.Outcome.ERROR:
        hint = " words; is this the key of another circuit?" if str(verdict.reason).startswith("proof has wrong size") else ""
        verdict = replace(verdict, reason=f"{shown(proof)}: {verdict.reason}{hint}")
    return _Report(verdict, setup, setup_file, key, detected, 1000 * (time.perf_counter() - start))


def _or_transaction(data: bytes) -> str | None:
    """What to do with a transaction, if `data` is one."""
    from bbipc.aztec.detect import is_tx  # noqa: PLC0415 - of no use for proofs

    return "an Aztec transaction, not a proof alone: bbipc verify-tx judges it as a whole" if is_tx(data) else None


def _is_key(data: bytes) -> bool:
    try:
        chonk.detect_key(data)
    except chonk.ChonkFormatError:
        return False
    return True


def _print(report: _Report, explain: bool) -> None:
    verdict = report.verdict
    if verdict.outcome is chonk.Outcome.ERROR:
        report_error(str(verdict.reason))
        if explain:
            click.echo(_UNDECODED, err=True)
        return
    told = click.style(one_line(str(verdict)), fg=_COLOURS[verdict.outcome.value])
    click.echo(f"{told}  {report.key}  {described_setup(report.setup, report.setup_file)}", color=colour(sys.stdout))
    if explain and verdict.step is not None:
        number = list(chonk.STEPS).index(verdict.step) + 1
        click.echo(f"Check {number} of {len(chonk.STEPS)}, {verdict.step}: {chonk.STEPS[verdict.step]}")


def _as_json(report: _Report) -> dict[str, Any]:
    verdict, detected = report.verdict, report.detected
    return {
        "valid": verdict.valid,
        "outcome": verdict.outcome.value,
        "step": verdict.step,
        "meaning": None if verdict.step is None else chonk.STEPS[verdict.step],
        "reason": verdict.reason,
        "part": verdict.part,
        "position": verdict.position,
        "key": None if report.key is None else report.key.as_json(),
        **setup_as_json(report.setup, report.setup_file),
        "encoding": None if detected is None else detected.encoding.value,
        "hexadecimal": None if detected is None else detected.hexadecimal,
        "layers": None if detected is None else detected.layers,
        "public_inputs": None if detected is None else detected.proof.num_public_inputs,
        "milliseconds": None if report.milliseconds is None else round(report.milliseconds, 3),
    }

"""`bbipc inspect`: explain a file."""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final

import click

from bbipc.aztec import TxFormatError
from bbipc.chonk import ChonkFormatError, ChonkProof
from bbipc.cli import exit_codes
from bbipc.cli.colour import colour
from bbipc.cli.escape import one_line
from bbipc.cli.inputs import INPUT, InputError, read_input, shown
from bbipc.cli.values import to_json
from bbipc.inspect import frames, proofs, protocol
from bbipc.inspect.detect import Content, Detected, detect
from bbipc.inspect.layout import PART_MEANINGS

__all__ = ["command"]

_TITLES: Final = {
    Content.KEY: "verification key of a hiding kernel",
    Content.FLAT_PROOF: "Chonk proof, flat field elements",
    Content.MSGPACK_PROOF: "Chonk proof, msgpack map of its parts",
    Content.COMPRESSED_PROOF: "Chonk proof, compressed",
    Content.FRAMES: "frames of the bb wire",
    Content.MESSAGE: "one message of the bb wire, without a frame",
}
_TRANSACTION: Final = "transaction"
_NAMES: Final = {content.value: content for content in Content}
_SHOWN_BYTES: Final = 24


@click.command("inspect")
@click.argument("file", type=INPUT)
@click.option("--as", "kind", type=click.Choice([*_NAMES, _TRANSACTION]), help="What the file is, if the guess is wrong.")
@click.option("--elements", is_flag=True, help="List every element of a proof, a key or a transaction.")
@click.option("--envelope", is_flag=True, help="Messages are in the envelope dialect (a file of frames does not tell).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with all elements.")
def command(file: str, kind: str | None, elements: bool, envelope: bool, as_json: bool) -> int:
    """Explain a proof, a verification key, a transaction, a circuit's artifact, or frames of the wire.

    It says where they stop making sense. FILE is a file with the bytes, also as hex digits, base64, JSON or gzip; - for
    standard input. A proof may be flat, a msgpack map, or compressed. That everything makes sense does not mean that the proof
    or the transaction is valid: ask `bbipc verify` and `bbipc verify-tx`.

    Exit status: 0 everything makes sense; 1 something does not; 2 the file cannot be read, or is of no known kind.
    """
    data = read_input(file)
    if kind is None or kind == _TRANSACTION:
        of_protocol = _of_protocol(file, data, forced=kind is not None)
        if of_protocol is not None:
            _show_protocol(of_protocol, elements=elements, as_json=as_json)
            return exit_codes.SUCCESS
    try:
        detected = detect(data)
    except ChonkFormatError as error:
        raise InputError(f"{shown(file)}: {error}") from None
    content = detected.content if kind is None else _NAMES[kind]
    if content is None:
        raise InputError(
            f"{shown(file)}: {len(detected.data)} bytes that are not a key, a proof, a transaction or frames; "
            f"--as {'|'.join(_NAMES)} explains them as what you know they are"
        )
    report = _explain(content, detected.data, envelope=envelope)
    problems = _problems(report)
    if as_json:
        click.echo(json.dumps(_as_json(content, detected, report, problems)))
    else:
        _print(content, detected, report, problems, elements)
    return exit_codes.INVALID if problems else exit_codes.SUCCESS


def _of_protocol(file: str, data: bytes, *, forced: bool) -> protocol.ProtocolReport | None:
    if not forced:
        return protocol.explain(data)
    try:
        return protocol.transaction(data)
    except TxFormatError as error:
        raise InputError(f"{shown(file)}: {error}") from None


def _show_protocol(report: protocol.ProtocolReport, *, elements: bool, as_json: bool) -> None:
    if as_json:
        names = ("name", "offset", "kind", "value")
        listed = [dict(zip(names, element, strict=True)) for element in report.elements]
        head = {"content": report.content, "bytes": report.size, "makes_sense": True, "problems": []}
        click.echo(json.dumps(head | {"facts": dict(report.facts), "elements": listed}))
        return
    click.secho(f"{report.title}: {report.size} bytes", bold=True, color=colour(sys.stdout))
    for name, value in report.facts:
        click.echo(f"  {name}: {one_line(value)}")
    for name, offset, kind, value in report.elements if elements else ():
        click.echo(f"    [{offset}] {name} ({kind}): {value}")


_Report = proofs.ProofReport | proofs.KeyReport | frames.StreamReport


def _explain(content: Content, data: bytes, *, envelope: bool) -> _Report:
    if content is Content.KEY:
        return proofs.key(data)
    if content is Content.FLAT_PROOF:
        return proofs.flat_proof(data)
    if content is Content.MSGPACK_PROOF:
        return proofs.msgpack_proof(data)
    if content is Content.COMPRESSED_PROOF:
        return proofs.compressed_proof(data)
    if content is Content.FRAMES:
        return frames.stream(data, envelope=envelope)
    return frames.StreamReport((frames.message(data, envelope=envelope),), None)


def _problems(report: _Report) -> list[str]:
    if not isinstance(report, frames.StreamReport):
        return list(report.problems)
    found = [
        f"{_place(number, message)}: {message.problem}" for number, message in enumerate(report.messages) if message.problem
    ]
    return found + ([report.problem] if report.problem else [])


def _place(number: int, message: frames.MessageReport) -> str:
    return "message" if message.offset is None else f"frame {number} at byte {message.offset}"


# ---- Text -----------------------------------------------------------------------------------------------------------


def _print(content: Content, detected: Detected, report: _Report, problems: list[str], elements: bool) -> None:
    colourful = colour(sys.stdout)
    how = f", as {' of '.join(detected.layers)}".replace("as hex", "as hex digits") if detected.layers else ""
    click.secho(f"{_TITLES[content]}: {len(detected.data)} bytes{how}", bold=True, color=colourful)
    if isinstance(report, frames.StreamReport):
        _print_messages(report)
    elif isinstance(report, proofs.KeyReport):
        _print_key(report, elements)
    else:
        _print_proof(report, elements)
    for problem in problems:
        click.secho(f"makes no sense: {problem}", fg="red", color=colourful)


def _print_messages(report: frames.StreamReport) -> None:
    for number, message in enumerate(report.messages):
        tag = "" if message.request_id is None else f" with id {message.request_id}"
        what = f"{message.dialect} {message.direction}{tag}"
        click.echo(f"{_place(number, message)}: {message.size} bytes, {what}{': ' + message.name if message.name else ''}")
        for name, value in message.fields.items():
            click.echo(f"    {name}: {_shown(value)}")
            for part in _parts_of(value):
                click.echo(f"        {_part_line(part)}")


def _print_key(report: proofs.KeyReport, elements: bool) -> None:
    for item in report.elements[:3]:
        click.echo(f"  {item.element.name}: {item.value or item.problem}")
    if report.hash:
        click.echo(f"  hash: {report.hash}")
    if report.name:
        click.echo(f"  registry: {report.name}")
    if elements:
        _print_elements(report.elements)


def _print_proof(report: proofs.ProofReport, elements: bool) -> None:
    if report.num_public_inputs >= 0:
        click.echo(f"  public inputs: {report.num_public_inputs}, the last 28 of them made by the hiding kernel (chapter 05)")
    for part in report.parts:
        click.echo(f"  {_part_line(part)}")
        if elements:
            _print_elements(part.elements)


def _part_line(part: proofs.PartReport) -> str:
    words = f"{part.words} words" if part.words == part.expected else f"{part.words} words instead of {part.expected}"
    return f"{part.name}: {words}, {PART_MEANINGS[part.name]}"


def _print_elements(elements: Iterable[proofs.Explained]) -> None:
    for item in elements:
        click.echo(f"    [{item.position}] {item.element.name} ({item.element.kind.value}): {item.value or item.problem}")
        click.echo(f"        {item.element.meaning} (chapter {item.element.chapter})")


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        text = value[:_SHOWN_BYTES].hex() + ("..." if len(value) > _SHOWN_BYTES else "")
        return f"{len(value)} bytes {text}".rstrip()
    if isinstance(value, Mapping):
        return f"map of {', '.join(map(str, value))}"
    if isinstance(value, list):
        return f"list of {len(value)}" + (f", the first: {_shown(value[0])}" if value else "")
    return repr(value)


def _parts_of(value: Any) -> tuple[proofs.PartReport, ...]:
    """The parts of a proof inside of a message."""
    if isinstance(value, Mapping) and set(value) == set(ChonkProof.PARTS):
        return proofs.parts_proof(value).parts
    return ()


# ---- JSON -----------------------------------------------------------------------------------------------------------


def _as_json(content: Content, detected: Detected, report: _Report, problems: list[str]) -> dict[str, Any]:
    head = {
        "content": content.value,
        "bytes": len(detected.data),
        "hexadecimal": detected.hexadecimal,
        "layers": detected.layers,
        "makes_sense": not problems,
        "problems": problems,
    }
    if isinstance(report, frames.StreamReport):
        return head | {"messages": [_message_json(message) for message in report.messages]}
    if isinstance(report, proofs.KeyReport):
        return head | {
            "hash": report.hash,
            "registry": report.name,
            "elements": [_element_json(item) for item in report.elements],
        }
    return head | {
        "public_inputs": report.num_public_inputs if report.num_public_inputs >= 0 else None,
        "parts": [_part_json(part) for part in report.parts],
    }


def _message_json(message: frames.MessageReport) -> dict[str, Any]:
    return {
        "offset": message.offset,
        "bytes": message.size,
        "direction": message.direction,
        "dialect": message.dialect,
        "request_id": message.request_id,
        "name": message.name,
        "fields": to_json(message.fields),
        "problem": message.problem,
    }


def _part_json(part: proofs.PartReport) -> dict[str, Any]:
    return {
        "name": part.name,
        "words": part.words,
        "expected": part.expected,
        "meaning": PART_MEANINGS[part.name],
        "problem": part.problem,
        "elements": [_element_json(item) for item in part.elements],
    }


def _element_json(item: proofs.Explained) -> dict[str, Any]:
    return {
        "name": item.element.name,
        "kind": item.element.kind.value,
        "position": item.position,
        "value": item.value,
        "problem": item.problem,
        "meaning": item.element.meaning,
        "chapter": item.element.chapter,
    }

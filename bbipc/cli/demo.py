"""`bbipc demo`: real proofs go through the pipe, and who is answered when."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2s
from typing import Any, Final

import anyio
import click

from bbipc.chonk import ChonkProof
from bbipc.cli import exit_codes
from bbipc.cli.colour import colour
from bbipc.cli.ending import report
from bbipc.client import ClientError, Dialect
from bbipc.client.messages import ERROR_RESPONSE, Answer
from bbipc.client.session import Request, Session
from bbipc.client.transport import Transport, spawned
from bbipc.client.verification import verification_fields
from bbipc.conform.samples import TEST_SETUP, sample
from bbipc.wire.values import Fields

__all__ = ["Exchange", "command", "overtaken", "plain_in_order"]

_SERVER: Final = (sys.executable, "-P", "-m", "bbipc", "msgpack", "run", "--setup", str(TEST_SETUP))
_PATIENCE: Final = 120.0
_BAR: Final = 20
_ONE: Final = (1).to_bytes(32, "big")
_POSEIDON2_OF_ONE: Final = "168758332d5b3e2d13be8048c8011b454590e06c44bce7f702f09103eef5a373"
"""As bb 5.0.0 answers (bbipc/conform/data/known_answers.json)."""


@dataclass(slots=True)
class Exchange:
    """A request, what must be answered, and what was. Times are in ms, from the first request on."""

    title: str
    request: Request
    expected: str
    sent_ms: float = 0.0
    answered_ms: float = 0.0
    position: int = 0  # among the answers, from 1
    answer: str = ""

    @property
    def dialect(self) -> str:
        """With the id, if it has one."""
        return "plain" if self.request.request_id is None else f"tagged {self.request.request_id}"


@click.command("demo")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> int:
    """Send real proofs and small requests to a server, and show who is answered when.

    A `bbipc msgpack run` is started. Plain and tagged requests go into its pipe, without waiting for answers. The proofs come
    with bbipc; they were made under a TEST setup whose secret is known, so they prove nothing, and the server is told to
    accept them with --setup.

    Exit status: 0 every answer was right; 1 one was not; 69 the server went away.
    """
    exchanges = _requests()
    try:
        anyio.run(_converse, exchanges)
    except ClientError as error:
        report(str(error), as_json=as_json)
        return exit_codes.UNAVAILABLE
    except TimeoutError:
        report(f"the server did not answer within {_PATIENCE:.0f} s", as_json=as_json)
        return exit_codes.UNAVAILABLE
    right = all(one.answer == one.expected for one in exchanges) and plain_in_order(exchanges)
    if as_json:
        click.echo(json.dumps(_as_json(exchanges, right)))
    else:
        _print(exchanges, right)
    return exit_codes.SUCCESS if right else exit_codes.INVALID


# ---- The conversation -----------------------------------------------------------------------------------------------


def _requests() -> list[Exchange]:
    """In the order in which they are sent: slow plain ones first, so that there is something to overtake."""
    return [
        _verification("proof A", "flow4", tagged=False),
        _verification("proof B", "flow1", tagged=True),
        _verification("proof C", "flow2", tagged=True),
        _verification("proof B, changed", "flow1", tagged=True, changed=True),
        _digest(b"plain, behind a proof", tagged=False),
        _digest(b"tagged, behind nobody", tagged=True),
        Exchange("Poseidon2Hash", Request("Poseidon2Hash", {"inputs": _ONE}, tagged=True), _POSEIDON2_OF_ONE),
        _verification("proof C", "flow2", tagged=False),
        _digest(b"plain, behind two proofs", tagged=False),
    ]


def _verification(title: str, name: str, *, tagged: bool, changed: bool = False) -> Exchange:
    chosen = sample(name)
    fields = bytearray(b"".join(chosen.fields))
    if changed:
        fields[31] ^= 1  # the lowest bit of the first public input
    proof = ChonkProof.from_fields(bytes(fields))
    request = Request("ChonkVerify", verification_fields(proof, chosen.key), tagged=tagged)
    return Exchange(f"ChonkVerify {title}", request, "invalid" if changed else "valid")


def _digest(data: bytes, *, tagged: bool) -> Exchange:
    return Exchange("Blake2s", Request("Blake2s", {"data": data}, tagged=tagged), blake2s(data).hexdigest())


async def _converse(exchanges: Sequence[Exchange]) -> None:
    with anyio.fail_after(_PATIENCE):
        async with spawned(_SERVER) as transport:
            session = Session(Dialect.TAGGED)
            await _wait_until_ready(transport, session)
            start = time.perf_counter()
            try:
                # Receiving while sending: the pipe holds less than all requests together.
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(_receive, transport, session, exchanges, start)
                    tasks.start_soon(_send, transport, session, exchanges, start)
            except* ClientError as group:
                errors = group.exceptions
            else:
                return
        # Sending and receiving may both have failed, for the same reason.
        raise errors[0]


async def _wait_until_ready(transport: Transport, session: Session) -> None:
    """Until the server has started and loaded its core, which is not what is shown here."""
    request = Request("Poseidon2Hash", {"inputs": _ONE}, tagged=False)
    try:
        await transport.stream.send(session.start(request))
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        raise session.end() from None
    while not list(session.receive(await _some_bytes(transport, session))):
        continue


async def _send(transport: Transport, session: Session, exchanges: Sequence[Exchange], start: float) -> None:
    for one in exchanges:
        frame = session.start(one.request)
        one.sent_ms = _since(start)
        try:
            await transport.stream.send(frame)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise session.end() from None


async def _receive(transport: Transport, session: Session, exchanges: Sequence[Exchange], start: float) -> None:
    waiting = {one.request: one for one in exchanges}
    while waiting:
        data = await _some_bytes(transport, session)
        now = _since(start)
        for request, answer in session.receive(data):
            one = waiting.pop(request)
            one.answered_ms = now
            one.position = len(exchanges) - len(waiting)
            one.answer = _text(answer)


async def _some_bytes(transport: Transport, session: Session) -> bytes:
    try:
        return await transport.stream.receive()
    except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        error = session.end()
        raise type(error)(f"{error}{await transport.why_ended()}") from None


def _since(start: float) -> float:
    return 1000 * (time.perf_counter() - start)


def _text(answer: Answer) -> str:
    fields: Fields = answer.fields
    if answer.name == ERROR_RESPONSE:
        return f"error: {fields['message']}"
    if "valid" in fields:
        return "valid" if fields["valid"] else "invalid"
    digest: bytes = fields["hash"]
    return digest.hex()


# ---- The report -----------------------------------------------------------------------------------------------------


def overtaken(exchanges: Sequence[Exchange]) -> int:
    """How many requests were answered after a tagged one that had been sent later."""
    tagged = [one for one in exchanges if one.request.request_id is not None]
    return sum(
        any(later.sent_ms > one.sent_ms and later.position < one.position for later in tagged if later is not one)
        for one in exchanges
    )


def plain_in_order(exchanges: Sequence[Exchange]) -> bool:
    """Whether plain requests were answered in the order of the requests."""
    positions = [one.position for one in exchanges if one.request.request_id is None]
    return positions == sorted(positions)


def _as_json(exchanges: Sequence[Exchange], right: bool) -> dict[str, Any]:
    return {
        "setup": "test",
        "right": right,
        "plain_in_order": plain_in_order(exchanges),
        "overtaken": overtaken(exchanges),
        "requests": [
            {
                "request": one.title,
                "request_id": one.request.request_id,
                "sent_ms": round(one.sent_ms, 3),
                "answered_ms": round(one.answered_ms, 3),
                "position": one.position,
                "answer": one.answer,
                "expected": one.expected,
            }
            for one in exchanges
        ],
    }


def _print(exchanges: Sequence[Exchange], right: bool) -> None:
    coloured = colour(sys.stdout)
    end = max(one.answered_ms for one in exchanges)
    click.echo("In the order of sending; times in ms since the first request.\n")
    head = f"{'dialect':<9} {'request':<28} {'sent':>6} {'answered':>8} {'as no.':>6}  {'answer':<10} from sent to answered"
    click.secho(head, bold=True, color=coloured)
    for one in exchanges:
        answer = click.style(f"{_short(one.answer):<10}", fg="green" if one.answer == one.expected else "red")
        times = f"{one.sent_ms:6.1f} {one.answered_ms:8.1f} {one.position:6}"
        click.echo(f"{one.dialect:<9} {one.title:<28} {times}  {answer} {_bar(one, end)}", color=coloured)
    order = "" if plain_in_order(exchanges) else "NOT "
    click.echo(f"\nPlain requests were {order}answered in their order.")
    click.echo(f"{overtaken(exchanges)} of {len(exchanges)} requests were overtaken by tagged ones sent later.")
    click.echo("Every answer is the right one." if right else "NOT every answer is the right one.")
    click.echo("The proofs were made under a test setup whose secret is known: they prove nothing.")


def _short(answer: str) -> str:
    return f"{answer[:8]}.." if len(answer) > 10 and not answer.startswith("error") else answer


def _bar(one: Exchange, end: float) -> str:
    sent, answered = (round((_BAR - 1) * at / end) if end else 0 for at in (one.sent_ms, one.answered_ms))
    return f"{' ' * sent}{'-' * (answered - sent)}>"

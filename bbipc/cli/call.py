"""`bbipc call`: one command against any server."""

import json
import shlex
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from difflib import get_close_matches
from typing import Any

import click

from bbipc.cli import exit_codes
from bbipc.cli.ending import report
from bbipc.cli.inputs import InputError, read_input
from bbipc.cli.values import fields_from_json, to_json
from bbipc.client import ClientError, Dialect, ServerError
from bbipc.client.blocking import Client, open_client
from bbipc.wire.errors import EncodeError
from bbipc.wire.schema import extended, published

__all__ = ["command"]


def _names(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in extended().command_names if name.lower().startswith(incomplete.lower())]


@click.command("call")
@click.argument("name", shell_complete=_names)
@click.argument("fields", default="{}")
@click.option("--server", metavar="COMMAND", help="Start this server, for example 'bb msgpack run'. Default: bbipc itself.")
@click.option("--socket", type=click.Path(), metavar="PATH", help="Connect to the server at this Unix socket instead.")
@click.option("--shm", metavar="NAME", help="Attach to the server with this shared memory instead.")
@click.option("--envelope", is_flag=True, help="The server speaks the envelope dialect.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="How long to wait.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, errors included.")
def command(
    name: str,
    fields: str,
    server: str | None,
    socket: str | None,
    shm: str | None,
    envelope: bool,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Perform one command and print the fields of its response as JSON.

    NAME is the name of a command, for example Poseidon2Hash. FIELDS is a JSON object with its fields, @FILE for one in a file,
    or - for standard input. Bytes are written "hex:00ff", "base64:AP8=" or "@FILE" (the content of a file); field elements also
    as numbers or "0x..". Bytes in the response are printed as "hex:..".

    \b
    bbipc call Blake2s '{"data": "hex:616263"}'
    bbipc call ChonkVerifyFromFields '{"proof": "@proof", "vk": "@vk"}'
    bbipc call ChonkDecompressProof @fields.json --server 'bb msgpack run'

    Exit status: 0 the server answered; 1 it answered with an error; 2 wrong usage or fields; 69 there is no server, it went
    away, or it did not answer in time.
    """  # noqa: D301 - \b is for click: do not wrap this paragraph
    if sum(way is not None for way in (server, socket, shm)) > 1:
        raise click.UsageError("--server, --socket and --shm cannot be used together")
    values = fields_from_json(name, _object(fields))
    dialect = Dialect.ENVELOPE if envelope else Dialect.PLAIN
    try:
        with _connect(server, socket, shm, dialect, timeout) as client:
            answer = client.call(name, **values)
    except EncodeError as error:
        raise InputError(f"{name}: {error}") from None
    except ServerError as error:
        return _failed(_with_suggestion(error.message, name), exit_codes.INVALID, as_json)
    except ClientError as error:
        return _failed(_with_hint(str(error), name), exit_codes.UNAVAILABLE, as_json)
    except TimeoutError as error:
        return _failed(str(error), exit_codes.UNAVAILABLE, as_json)
    click.echo(json.dumps(to_json(answer), indent=None if as_json else 2))
    return exit_codes.SUCCESS


def _object(text: str) -> dict[str, Any]:
    if text == "-" or text.startswith("@"):
        text = read_input(text.removeprefix("@")).decode(errors="replace")
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InputError(f"FIELDS is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise InputError('FIELDS must be a JSON object, for example {"data": "hex:616263"}')
    return value


def _connect(
    server: str | None, socket: str | None, shm: str | None, dialect: Dialect, timeout: float | None
) -> AbstractContextManager[Client]:
    if socket is not None or shm is not None:
        return open_client(socket=socket, shm=shm, dialect=dialect, timeout=timeout)
    words: Sequence[str] = (sys.executable, "-P", "-m", "bbipc", "msgpack", "run")
    if server is not None:
        try:
            words = shlex.split(server)
        except ValueError as error:
            raise click.BadParameter(f"{error}", param_hint="--server") from None
    elif dialect is Dialect.ENVELOPE:
        words = (*words, "--envelope")
    return open_client(command=words, dialect=dialect, timeout=timeout)


def _failed(message: str, exit_code: int, as_json: bool) -> int:
    report(message, as_json=as_json)
    return exit_code


def _with_suggestion(message: str, name: str) -> str:
    """Name the command that was probably meant, if nobody knows this one."""
    known = {command.lower(): command for command in extended().command_names}
    similar = [] if extended().knows(name) else get_close_matches(name.lower(), known, n=1)
    return f"{message} (did you mean {known[similar[0]]}?)" if similar else message


def _with_hint(message: str, name: str) -> str:
    """bb ends its process at a command that it does not know: say so."""
    return message if published().knows(name) else f"{message} (bb 5.0.0 does not know {name!r}, and ends when it sees it)"

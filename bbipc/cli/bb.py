"""`bbipc bb`: the commands of bb, in its words and with its exit statuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click

from bbipc.__main__ import run
from bbipc.chonk import ChonkFormatError, ChonkProof, Outcome, Verdict, VerificationKey, Verifier, detect_key, detect_proof
from bbipc.chonk.words import WORD
from bbipc.cli import exit_codes
from bbipc.cli.bb_words import forward, is_for_bb
from bbipc.cli.ending import report
from bbipc.cli.escape import file_name, one_line
from bbipc.cli.inputs import InputError, load_setup, read_input, setup_option, shown
from bbipc.cli.keys import TrustedKey, described_setup, named_key
from bbipc.cli.many import BATCH, numbered_pairs
from bbipc.server.config import available_threads

__all__ = ["command"]

_FAILED: Final = 1
"""What bb answers to everything that is not valid, whatever the reason."""

_BAD_VALUE: Final = 105
_UNKNOWN_ARGUMENT: Final = 109
_MISSING_VALUE: Final = 114
_Pair = tuple[TrustedKey, ChonkProof]


@click.command(
    "bb", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False, "max_content_width": 100}
)
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[--] ARGUMENTS...")
def command(arguments: tuple[str, ...]) -> int:
    """Do what bb does, in its words.

    Chonk proofs are verified by bbipc: `verify -s chonk -p PROOF -k VK` and `batch_verify -s chonk --proofs_dir DIR`, where
    DIR holds proof_0 and vk_0, proof_1 and vk_1 and so on. Files are as bb writes them. `msgpack run` and `msgpack schema` are
    those of bbipc. Everything else goes to the bb that BB_PATH names, which takes the place of this process. The word bb may
    be left out: bbipc prove, bbipc verify -s chonk. After --, even --help is for bb.

    Exit status: 0 the proofs are valid; 1 one is not, or cannot be read; 105 a bad value; 109 an unknown argument; 114 a
    missing value (all as bb); 69 there is no bb to ask.
    """
    words = list(arguments)
    if is_for_bb(words):
        return forward(words)
    if words[0] == "msgpack":
        return run(words)
    return _answer(_VERIFY if words[0] == "verify" else _BATCH_VERIFY, words)


def _answer(asked: click.Command, words: list[str]) -> int:
    """Run a command with bb's exit statuses."""
    try:
        with asked.make_context(f"bbipc {words[0]}", words[1:]) as context:
            return int(asked.invoke(context) or 0)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.UsageError as error:
        report(error.format_message().rstrip("."))
        if isinstance(error, click.BadOptionUsage):
            return _MISSING_VALUE
        return _BAD_VALUE if isinstance(error, click.BadParameter) else _UNKNOWN_ARGUMENT
    except (InputError, ChonkFormatError) as error:
        report(error.format_message() if isinstance(error, InputError) else str(error))
        return _FAILED


# ---- Options --------------------------------------------------------------------------------------------------------


def _help_extended(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(context.get_help())
        context.exit()


def _once(name: str, default: str | None) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], str | None]:
    def value(context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> str | None:
        if len(values) > 1:
            raise click.BadOptionUsage(name, f"Option '{name}' may be given only once", context)
        return values[0] if values else default

    return value


def _value(*names: str, default: str | None = None, **more: Any) -> Callable[[Any], Any]:
    """An option with a value, which bb takes once only."""
    long = next(name for name in names if name.startswith("--"))
    return click.option(*names, multiple=True, callback=_once(long, default), **more)


_IGNORED: Final = "Accepted as bb does; nothing depends on it."
_SHARED: Final = (
    _value("-s", "--scheme", type=click.Choice(["chonk", "avm", "ultra_honk"]), help="chonk, or the variable BB_SCHEME."),
    _value("-c", "--crs_path", type=click.Path(), help="Accepted as bb does; no such files are needed."),
    click.option("-v", "--verbose", "--verbose_logging", is_flag=True, help=_IGNORED),
    click.option("-d", "--debug_logging", is_flag=True, help=_IGNORED),
    setup_option,
    click.option(
        "--help-extended", is_flag=True, is_eager=True, expose_value=False, callback=_help_extended, help="The same as --help."
    ),
)
_TARGETS: Final = [
    "evm",
    "evm-no-zk",
    "noir-recursive",
    "noir-recursive-no-zk",
    "noir-rollup",
    "noir-rollup-no-zk",
    "starknet",
    "starknet-no-zk",
]
_OF_VERIFY: Final = (
    _value("-p", "--proof_path", type=click.Path(), default="./target/proof", help="The proof. Default: ./target/proof"),
    _value("-k", "--vk_path", type=click.Path(), default="./target/vk", help="The verification key. Default: ./target/vk"),
    _value("-i", "--public_inputs_path", type=click.Path(), help="Accepted as bb does: a Chonk proof contains them."),
    _value("-t", "--verifier_target", type=click.Choice(_TARGETS), help=_IGNORED),
    _value("--oracle_hash", type=click.Choice(["poseidon2", "keccak", "starknet"]), help=_IGNORED),
    click.option("--disable_zk", is_flag=True, help=_IGNORED),
    click.option("--ipa_accumulation", is_flag=True, help=_IGNORED),
)
_OF_BATCH_VERIFY: Final = (
    _value("--proofs_dir", type=click.Path(), default="./proofs", help="The folder of proofs and keys. Default: ./proofs"),
)


def _command(name: str, options: tuple[Any, ...], function: Callable[..., int]) -> click.Command:
    for option in reversed((*options, *_SHARED)):
        function = option(function)
    settings = {"help_option_names": ["-h", "--help"]}
    return click.command(name, context_settings=settings)(function)


# ---- Commands -------------------------------------------------------------------------------------------------------


def _verify(proof_path: str, vk_path: str, setup_file: str | None, **_ignored: Any) -> int:
    """Verify one Chonk proof, as `bb verify -s chonk` does. The verdict goes to standard error."""
    setup = load_setup(setup_file)
    key, proof = _read(proof_path, vk_path)
    verdict = Verifier(setup).verify(proof, key.key, threads=available_threads())
    _tell(f"{verdict}  {key}  {described_setup(setup, setup_file)}", verdict)
    return exit_codes.SUCCESS if verdict.valid else _FAILED


def _batch_verify(proofs_dir: str, setup_file: str | None, **_ignored: Any) -> int:
    """Verify the Chonk proofs of a folder together, as `bb batch_verify -s chonk` does. Verdicts go to standard error.

    As in bb, the first number without a proof or without a key ends the list; what is behind it is named in a warning.
    """
    setup = load_setup(setup_file)
    items = numbered_pairs(proofs_dir)
    if not items:
        raise InputError(f"{shown(proofs_dir)}: there is no pair proof_0 and vk_0")
    unread = _proofs_in(proofs_dir) - len(items)
    if unread:
        click.echo(
            f"bbipc: warning: {shown(proofs_dir)}: {unread} more proof{'s' * (unread != 1)} NOT verified: "
            f"proof_{len(items)} or vk_{len(items)} is missing",
            err=True,
        )
    verifier, valid, waiting = Verifier(setup), 0, iter(items)
    while group := list(islice(waiting, BATCH)):
        pairs = [_read(item.file, item.vk) for item in group]
        verdicts = verifier.verify_many([(proof, key.key) for key, proof in pairs], threads=available_threads())
        for item, verdict in zip(group, verdicts, strict=True):
            valid += verdict.valid
            if not verdict.valid:
                _tell(f"{file_name(item.file)}: {verdict}", verdict)
    click.echo(f"{len(items)} proofs: {valid} valid  {described_setup(setup, setup_file)}", err=True)
    return exit_codes.SUCCESS if valid == len(items) else _FAILED


def _proofs_in(folder: str) -> int:
    def numbers() -> Iterator[str]:
        return (path.name.removeprefix("proof_") for path in Path(folder).iterdir() if path.name.startswith("proof_"))

    return sum(number.isascii() and number.isdigit() for number in numbers())


def _read(proof: str, vk: str) -> _Pair:
    """A proof and its key, as bb writes and reads them: words of 32 bytes (bytes behind the last whole one are not looked at),
    and exactly the bytes of a key.

    Raises:
        InputError: a file cannot be read or decoded.
    """
    words, key_bytes = read_input(proof), read_input(vk)
    try:
        key = named_key(VerificationKey.from_bytes(key_bytes), vk)
    except ChonkFormatError as error:
        raise InputError(f"{shown(vk)}: {error}{_in_another_form(lambda: detect_key(key_bytes))}") from None
    public_inputs = key.key.num_public_inputs
    try:
        return key, ChonkProof.from_fields(words[: len(words) - len(words) % WORD], public_inputs)
    except ChonkFormatError as error:
        hint = _in_another_form(lambda: detect_proof(words, public_inputs))
        raise InputError(f"{shown(proof)}: {error}{hint}") from None


def _in_another_form(detect: Callable[[], object]) -> str:
    """What to do if `detect` can read what bb cannot."""
    try:
        detect()
    except ChonkFormatError:
        return ""
    return "; bb does not read this form: bbipc verify PROOF VK does"


def _tell(text: str, verdict: Verdict) -> None:
    click.secho(one_line(text), fg="green" if verdict.outcome is Outcome.VALID else "red", err=True)


_VERIFY: Final = _command("verify", _OF_VERIFY, _verify)
_BATCH_VERIFY: Final = _command("batch_verify", _OF_BATCH_VERIFY, _batch_verify)

"""bb's words: which command lines are meant for bb, and how the real one gets them.

bbipc answers those about Chonk proofs itself (bb.py). All others go to the program that BB_PATH names, which takes the place of
this process: it keeps its arguments, input, signals and exit status. Nothing here needs click.
"""

import os
import re
from collections.abc import Sequence
from typing import Final

from bbipc.cli import exit_codes
from bbipc.cli.ending import report
from bbipc.cli.escape import file_name

__all__ = ["CHONK_COMMANDS", "forward", "in_words_of_bb", "is_for_bb"]

CHONK_COMMANDS: Final = ("verify", "batch_verify")
"""The commands of bb that bbipc answers for Chonk proofs."""

_ONLY_BB: Final = frozenset(
    [
        "acir_roundtrip",
        "avm_check_circuit",
        "avm_prove",
        "avm_simulate",
        "avm_verify",
        "avm_write_vk",
        "aztec_process",
        "check",
        "gates",
        "proof_stats",
        "prove",
        "write_solidity_verifier",
        "write_vk",
    ]
)
"""Commands of bb 5.0.0 that bbipc does not have."""

_LONG: Final = frozenset(
    [
        "--crs_path",
        "--debug_logging",
        "--disable_zk",
        "--help-extended",
        "--ipa_accumulation",
        "--oracle_hash",
        "--proof_path",
        "--public_inputs_path",
        "--scheme",
        "--verbose",
        "--verbose_logging",
        "--verifier_target",
        "--vk_path",
    ]
)
_SHORT: Final = "cdikpstv"
"""The options of bb's `verify`; that of bbipc has none of them."""

_SCHEME: Final = r"(?s:-[vd]*s(?P<short>.*)|--scheme(?:=(?P<long>.*))?)"
_LOOP: Final = "BBIPC_FORWARDED_BY"


def in_words_of_bb(arguments: Sequence[str]) -> list[str] | None:
    """What `bb` would be asked, if the arguments of bbipc are in its words: `bb ARGS`, `prove ...`, `verify -s chonk ...`."""
    if not arguments:
        return None
    name, *rest = arguments
    if name == "bb":
        return rest[1:] if rest[:1] == ["--"] else rest if rest and rest[0] not in ("-h", "--help") else None
    if name in _ONLY_BB or name == "batch_verify" or (name == "verify" and any(map(_is_option_of_bb, rest))):
        return list(arguments)
    return None


def _is_option_of_bb(argument: str) -> bool:
    return argument.partition("=")[0] in _LONG or (argument[:1] == "-" and argument[1:2] in _SHORT and len(argument) > 1)


def is_for_bb(words: Sequence[str]) -> bool:
    """Whether the real bb has to answer."""
    if words and words[0] == "msgpack":
        return words[1:2] not in (["run"], ["schema"])
    return not words or words[0] not in CHONK_COMMANDS or _scheme(words[1:]) != "chonk"


def _scheme(options: Sequence[str]) -> str:
    for index, option in enumerate(options):
        found = re.fullmatch(_SCHEME, option)
        if found is not None:
            following = options[index + 1] if index + 1 < len(options) else "chonk"  # its value is missing: told as for Chonk
            return found["short"] or found["long"] or following
    return os.environ.get("BB_SCHEME", "ultra_honk")


def forward(words: Sequence[str]) -> int:
    """Become the real bb; returns only if that fails.

    Returns:
        The exit status.
    """
    import signal  # noqa: PLC0415

    path = os.environ.get("BB_PATH")
    what = file_name(f"bb {words[0]}" if words else "bb")
    if not path:
        hint = "; or add -s chonk, for Chonk proofs" if words and words[0] in CHONK_COMMANDS else ""
        report(f"{what}: bbipc leaves this to bb: name one by the variable BB_PATH{hint}")
        return exit_codes.UNAVAILABLE
    if os.environ.get(_LOOP) == str(os.getpid()):
        report(f"BB_PATH: {file_name(path)} is bbipc itself; name the real bb")
        return exit_codes.UNAVAILABLE
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and the next program would inherit that
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvpe(path, [path, *words], os.environ | {_LOOP: str(os.getpid())})
    except OSError as error:
        report(f"BB_PATH: {file_name(path)}: {error.strerror or error}")
    except ValueError as error:  # a NUL
        report(f"BB_PATH: {error}")
    return exit_codes.UNAVAILABLE

"""``bbipc msgpack``: serve requests as ``bb msgpack`` does.

The parser is argparse's: ``msgpack run`` is what clients start and wait for, and click costs as much as everything else
that it needs.
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import sys
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import IO, TYPE_CHECKING, Final, NoReturn

from bbipc.cli.escape import error_line
from bbipc.server import early
from bbipc.server.config import (
    DEFAULT_GRACE_PERIOD,
    FORWARDED_FRAME,
    LOG_FORMATS,
    LOG_LEVELS,
    Address,
    Config,
    Limits,
    available_threads,
)

if TYPE_CHECKING:
    import click

EXIT_USAGE: Final = 2
OPTIONS_VARIABLE: Final = "BBIPC_OPTIONS"
"""Options for those who cannot change the command line: clients start the server themselves."""
_HELP_WIDTH: Final = 100
"""Columns of the help, at most."""
_FILES: Final = ("FILE", "PATH")
METRICS_LIBRARIES: Final = ("h11", "prometheus_client")
"""What --metrics imports, from the extra of that name."""


def run(arguments: Sequence[str]) -> int:
    """``bbipc msgpack run``; the exit code."""
    # What the imports make stays until the end: looking for garbage among it would only delay the first answer.
    gc.disable()
    from bbipc.server.descriptors import close_gaps  # noqa: PLC0415

    gaps = close_gaps()
    parser = _run_parser(available_threads())
    options = parser.parse_args(arguments, _environment_options(parser))
    if options.socket_mode is not None and not (options.input or "").endswith(".sock"):
        parser.error("--socket-mode is for a server at a socket: give --input X.sock")
    config = _config(options, gaps)
    early.note_signals()
    early.prepare(config)
    try:
        return _serve(options, config)
    finally:
        early.abandon()


def _serve(options: argparse.Namespace, config: Config) -> int:
    # Nothing heavy is imported before the server can be connected to.
    from bbipc.server import logs  # noqa: PLC0415
    from bbipc.server.backend import Backend, LateBackend  # noqa: PLC0415
    from bbipc.server.late import Late  # noqa: PLC0415
    from bbipc.server.serve import run as serve  # noqa: PLC0415

    log_counters = logs.configure(options.log_level, options.log_format)
    if options.metrics is not None and not _has_metrics():
        return EXIT_USAGE
    policy = {"setup": options.setup, "registry": options.registry, "network": options.network}
    make: Late[[], Backend] = Late("bbipc.server.chonk_backend:ChonkBackend", strict=options.strict, **policy)
    backend = LateBackend(make)
    try:
        if any(value is not None for value in policy.values()):
            backend.made()  # what was given is looked at now
    except (OSError, ValueError) as error:
        given = " ".join(f"--{name} {value}" for name, value in policy.items() if value is not None)
        logs.say(f"bbipc: error: {given}: {error}\n")
        return EXIT_USAGE
    if options.setup is not None:
        logs.say(
            f"bbipc: WARNING: proofs are verified under the trusted setup of {options.setup}, not that of Aztec; "
            "whoever made it may be able to forge proofs\n"
        )
    if options.registry is not None:
        logs.say(
            f"bbipc: WARNING: transactions are verified with the keys and key trees of {options.registry}, not those of Aztec\n"
        )
    if options.input in (None, "-") and _is_terminal(sys.stdin):
        logs.say(
            "bbipc: this is a server: it waits for requests of programs (length-prefixed msgpack) at standard input, which is "
            "a terminal. Instead: bbipc serve X.sock listens at a socket, bbipc call sends a request. Ctrl-C ends it.\n"
        )
    gc.freeze()
    gc.enable()
    return serve(config, backend, log_counters)


def _is_terminal(stream: IO[str] | None) -> bool:
    return stream is not None and stream.isatty()


def _has_metrics() -> bool:
    """Whether what --metrics needs can be imported; if not, standard error tells how to get it."""
    try:
        from bbipc.server import metrics, scrape  # noqa: F401, PLC0415
    except ModuleNotFoundError as error:
        if error.name not in METRICS_LIBRARIES:
            raise
        from bbipc.server.logs import say  # noqa: PLC0415 - as in run()

        say(f"bbipc: error: --metrics needs {error.name}, which is not installed: pip install 'bbipc[metrics]'\n")
        return False
    return True


def schema() -> int:
    """``bbipc msgpack schema``; the exit code."""
    import json  # noqa: PLC0415 - the server does without it

    from bbipc.server.commands.table import commands  # noqa: PLC0415
    from bbipc.wire.schema import extended  # noqa: PLC0415

    served = extended().describe(tuple(commands()))
    sys.stdout.write(json.dumps(served, separators=(",", ":")) + "\n")
    return 0


def _config(options: argparse.Namespace, gaps: Collection[int]) -> Config:
    frame = options.max_frame_bytes or (Limits().frame if options.bb is None else FORWARDED_FRAME)
    limits = Limits(frame, options.max_in_flight_bytes, options.max_total_bytes)
    return Config(
        input=options.input,
        max_clients=options.max_clients,
        threads=options.threads,
        limits=limits,
        grace_period=options.grace_period,
        envelope={"auto": None, "always": True, "never": False}[options.envelope],
        request_ring_size=options.request_ring_size,
        response_ring_size=options.response_ring_size,
        bb=options.bb,
        metrics=options.metrics,
        socket_mode=options.socket_mode,
        closed_descriptors=frozenset(gaps),
    )


def _at_least(minimum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text)
        if value < minimum:
            raise argparse.ArgumentTypeError(f"{value}, expected at least {minimum}")
        return value

    parse.__name__ = "int"
    return parse


def _program(text: str) -> str:
    import shutil  # noqa: PLC0415 - for servers with a child only

    found = shutil.which(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text}: no such program; give the path of a bb, as in @aztec/bb.js/build/*/bb")
    return found


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _mode(text: str) -> int:
    if not re.fullmatch("(0o?)?[0-7]{1,3}", text):
        raise argparse.ArgumentTypeError(f"{text!r}, expected permissions as an octal number from 0 to 777, for example 660")
    return int(text, 8)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}, expected a number of seconds")
    return value


def environment_words() -> list[str]:
    """The options in the variable BBIPC_OPTIONS, written as in a shell.

    Raises:
        ValueError: they are not written so, or not all of them can be given there.
    """
    text = os.environ.get(OPTIONS_VARIABLE, "")
    if not text.strip():
        return []
    import shlex  # noqa: PLC0415 - few set the variable

    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(str(error).lower()) from None
    for word in words:
        name = word.partition("=")[0]
        if name in ("-h", "--help") or word.startswith("-i") or (len(name) > 2 and "--input".startswith(name)):
            raise ValueError(f"{name} is for the command line only")
    return words


def _environment_options(parser: _Parser) -> argparse.Namespace | None:
    """What BBIPC_OPTIONS says, which holds where the command line says nothing."""
    parser.source = OPTIONS_VARIABLE
    try:
        words = environment_words()
        return parser.parse_args(words) if words else None
    except ValueError as error:
        parser.error(str(error))
    finally:
        parser.source = None


def check_environment() -> list[str]:
    """The options in BBIPC_OPTIONS, for those who ask how a server would start; raises ValueError: it would not."""
    parser = _run_parser(available_threads(), exits=False)
    words = environment_words()
    parser.parse_args(words)
    return words


class _Parser(argparse.ArgumentParser):
    """Errors are told as all commands of bbipc tell them.

    Attributes:
        source: where the arguments come from, if not from the command line.
        exits: whether an error ends the process; if not, it raises ValueError.
    """

    source: str | None = None
    exits = True

    def error(self, message: str) -> NoReturn:
        if not self.exits:
            raise ValueError(message)
        where = "" if self.source is None else f"in the variable {self.source}: "
        self.exit(EXIT_USAGE, error_line(f"{where}{message}; for usage, see {self.prog} --help"))

    def format_help(self) -> str:
        """The help, as wide as the terminal and at most 100 columns."""
        from shutil import get_terminal_size  # noqa: PLC0415 - for --help only

        self.formatter_class = partial(argparse.HelpFormatter, width=min(_HELP_WIDTH, get_terminal_size().columns - 2))
        return super().format_help()


class _HelpFormatter(argparse.HelpFormatter):
    """argparse makes one for each option, to check it, and would ask for the size of the terminal each time."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_HELP_WIDTH)


def _run_parser(threads: int, *, exits: bool = True) -> _Parser:
    default = Limits()
    parser = _Parser(
        prog="bbipc msgpack run",
        formatter_class=_HelpFormatter,
        description="Serve msgpack requests on standard input, a Unix socket, or from a file.",
        epilog="Exit status: 0 everything was answered; 1 the input ended inside a frame or could not be cut into frames, or "
        "the server cannot start; 2 wrong usage; 141 the reader of the responses went away. Options but --input may "
        f"also be given in the variable {OPTIONS_VARIABLE}, written as in a shell; those of the command line come first.",
    )
    parser.exits = exits
    add = parser.add_argument
    add(
        "-i",
        "--input",
        metavar="PATH",
        help="none or -: standard input; X.sock: a Unix socket; X.shm: shared memory; else a file of requests "
        "(responses: standard output)",
    )
    add(
        "--max-clients",
        type=_at_least(1),
        default=1,
        metavar="N",
        help="clients expected at a socket; as with bb, more are served too (default: %(default)s)",
    )
    add(
        "--threads",
        type=_at_least(1),
        default=threads,
        metavar="N",
        help="worker threads (default: the processors, bounded by HARDWARE_CONCURRENCY: %(default)s)",
    )
    add("--setup", metavar="FILE", help="verify under the trusted setup of this JSON file: for tests only")
    add("--registry", metavar="FILE", help="verify transactions with the keys and key trees of this JSON file: for tests only")
    add("--network", metavar="NAME", help="accept transactions for this network only: mainnet, testnet, or one of the registry")
    add("--strict", action="store_true", help="demand the exact lengths of the parts of a proof, and canonical keys")
    add(
        "--envelope",
        nargs="?",
        choices=("auto", "always", "never"),
        const="always",
        default="auto",
        help="whether requests come in envelopes, with an 8-byte little-endian id before each; auto: the first frame of a "
        "connection tells (default: %(default)s; without a value: always)",
    )
    add(
        "--bb",
        type=_program,
        default=os.environ.get("BB_PATH") or None,
        metavar="PATH",
        help="forward commands that bbipc does not serve to this bb, started when it is needed (default: the variable BB_PATH)",
    )
    add(
        "--max-frame-bytes",
        type=_at_least(1),
        metavar="N",
        help=f"longest frame (default: {default.frame}; with --bb {FORWARDED_FRAME}, because witnesses are long)",
    )
    add(
        "--max-in-flight-bytes",
        type=_at_least(1),
        default=default.connection,
        metavar="N",
        help="bytes of unanswered requests and unread responses of one client (default: %(default)s)",
    )
    add(
        "--max-total-bytes",
        type=_at_least(1),
        default=default.total,
        metavar="N",
        help="the same for all clients together (default: %(default)s)",
    )
    add(
        "--grace-period",
        type=_seconds,
        default=DEFAULT_GRACE_PERIOD,
        metavar="SECONDS",
        help="time for requests in flight after SIGTERM, SIGINT or Shutdown (default: %(default)g)",
    )
    add(
        "--metrics",
        type=_address,
        metavar="HOST:PORT",
        help="let Prometheus fetch metrics at http://HOST:PORT/metrics, and a supervisor the state at /healthz, as in "
        "localhost:9464, 127.0.0.1:9464 or [::1]:9464; port 0: any free one, which the log names at level info (needs the "
        "extra: pip install 'bbipc[metrics]')",
    )
    add(
        "--socket-mode",
        type=_mode,
        metavar="OCTAL",
        help="permissions of the socket, for example 660: its owner and group may connect (default: 600, its owner alone)",
    )
    for name, choices, chosen in (("level", LOG_LEVELS, "warning"), ("format", LOG_FORMATS, "text")):
        told = ", ".join(choices)
        add(f"--log-{name}", choices=choices, default=chosen, metavar=name.upper(), help=f"{told} (default: %(default)s)")
    for what in ("request", "response"):
        add(
            f"--{what}-ring-size",
            type=_at_least(1),
            default=1 << 20,
            metavar="N",
            help=f"bytes of the ring of {what}s in shared memory, rounded up to a power of two; the longest {what} is half of "
            "it (default: %(default)s)",
        )
    return parser


def _run_command() -> click.Command:
    """``msgpack run`` for click, so that shells complete it and manual pages tell it: the options are those of the parser."""
    import click  # noqa: PLC0415

    class Run(click.Command):
        def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
            ctx.meta["bbipc.arguments"] = list(args)  # the other parser takes them
            return super().parse_args(ctx, args) if ctx.resilient_parsing else []

        def invoke(self, ctx: click.Context) -> int:
            return run(ctx.meta["bbipc.arguments"])

    parser = _run_parser(available_threads())
    options: list[click.Parameter] = []
    for action in parser._actions:
        if action.dest == "help":
            continue
        kind = click.Choice(list(action.choices)) if action.choices else click.Path() if action.metavar in _FILES else None
        options.append(
            click.Option(
                list(action.option_strings),
                type=kind,
                is_flag=action.nargs == 0,
                metavar=action.metavar if isinstance(action.metavar, str) else None,
                help=(action.help or "") % vars(action),
                expose_value=False,
            )
        )
    return Run("run", params=options, help=f"{parser.description}\n\n{parser.epilog}", add_help_option=False)


def __getattr__(name: str) -> click.Command:
    """`command`, the group of these commands for ``bbipc --help``: made only when click is in use anyway."""
    if name != "command":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import click  # noqa: PLC0415

    group = click.Group("msgpack", help="Serve the msgpack requests of bb's clients.")
    group.add_command(_run_command())

    @group.command("schema")
    def schema_command() -> int:
        """Print the schema of the commands that are served."""
        return schema()

    return group

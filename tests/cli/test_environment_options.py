"""Options of `bbipc msgpack run` in the variable BBIPC_OPTIONS."""

import msgpack
import pytest

from bbipc.wire.frame import encode_frame
from cli.running import SETUP, bbipc

REQUEST = encode_frame(msgpack.packb([["Blake2s", {"data": b"abc"}]]))


def test_they_are_taken_as_on_the_command_line() -> None:
    done = bbipc("msgpack", "run", stdin=REQUEST, BBIPC_OPTIONS=f"--setup '{SETUP}' --log-level debug")
    assert done.code == 0
    assert f"proofs are verified under the trusted setup of {SETUP}" in done.err
    assert "standard input: connected" in done.err


def test_the_command_line_comes_first() -> None:
    done = bbipc("msgpack", "run", "--log-level", "error", stdin=REQUEST, BBIPC_OPTIONS="--log-level debug --strict")
    assert done.code == 0
    assert done.err == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--threads none", "argument --threads: invalid int value: 'none'"),
        ("--threads 0", "argument --threads: 0, expected at least 1"),
        ("--unknown", "unrecognized arguments: --unknown"),
        ("words", "unrecognized arguments: words"),
        ("--setup 'open", "no closing quotation"),
        ("--input x.sock", "--input is for the command line only"),
        ("--inp=x.sock", "--inp is for the command line only"),
        ("-ix.sock", "-ix.sock is for the command line only"),
        ("--help", "--help is for the command line only"),
    ],
)
def test_what_is_wrong_is_said_with_the_name_of_the_variable(options: str, message: str) -> None:
    done = bbipc("msgpack", "run", stdin=REQUEST, BBIPC_OPTIONS=options)
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith(f"bbipc: error: in the variable BBIPC_OPTIONS: {message}")


def test_an_error_on_the_command_line_does_not_name_it() -> None:
    done = bbipc("msgpack", "run", "--threads", "none", BBIPC_OPTIONS="--strict")
    assert done.code == 2
    assert "BBIPC_OPTIONS" not in done.err

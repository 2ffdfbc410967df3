"""The table of commands: it names what there is, loads nothing by itself, and then everything."""

import subprocess
import sys

from bbipc.server.commands.kinds import Computed, Verified, late_functions
from bbipc.server.commands.table import commands


def test_every_function_is_there_and_is_a_public_one() -> None:
    for command in commands().values():
        functions = list(late_functions(command))
        assert bool(functions) == isinstance(command, Computed | Verified)
        for function in functions:
            assert not function.place.partition(":")[2].startswith("_")
            assert callable(function.load())


def test_a_cheap_command_computes_at_once_and_each_other_does_one_of_both() -> None:
    for command in commands().values():
        if isinstance(command, Computed):
            assert command.compute is not None or (command.steps is not None and not command.cheap)


def _loaded_after(statement: str) -> set[str]:
    script = f"import sys; {statement}; print(*[name for name in sys.modules if name.startswith('bbipc.')])"
    result = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def test_the_server_starts_without_what_its_commands_need_and_loads_it_in_one_go() -> None:
    at_start = _loaded_after("from bbipc.server import serve; from bbipc.server.commands.table import commands; commands()")
    assert not at_start & {"bbipc._core", "bbipc.chonk.core", "bbipc.chonk.proof", "bbipc.chonk.verdict", "bbipc.aztec.verdict"}
    loaded = _loaded_after("from bbipc.server.commands.table import load; load()")
    functions = [function for command in commands().values() for function in late_functions(command)]
    assert {function.place.partition(":")[0] for function in functions} <= loaded
    assert "bbipc._core" in loaded


def test_what_is_loaded_imports_nothing_more_when_it_is_used() -> None:
    script = (
        "import sys; from bbipc.server.commands.table import commands, load; load(); before = set(sys.modules)\n"
        "word = bytes(32); one = (1).to_bytes(32, 'big'); point = one + (2).to_bytes(32, 'big')\n"
        "fields = {'inputs': word, 'data': b'', 'input': word, 'point': point, 'scalar': one}\n"
        "fields |= {'compressed': one, 'enabled': True}\n"
        "names = ('Poseidon2Hash', 'Blake2s', 'Blake2sToField', 'Bn254FrSqrt', 'Bn254FqSqrt', 'Bn254G1Mul',\n"
        "         'Bn254G1IsOnCurve', 'Bn254G1FromCompressed', 'SetMsmLegacy', 'GrumpkinGetRandomFr')\n"
        "answers = [commands()[name].answer(fields) for name in names]\n"
        "assert not any(b'ErrorResponse' in answer for answer in answers), answers\n"
        "print(*set(sys.modules) - before)\n"
    )
    result = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []

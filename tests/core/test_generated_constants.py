"""Constants that scripts write from the data of the specification are up to date."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_poseidon2_constants_are_those_of_the_specification() -> None:
    folder = ROOT / "csrc" / "hash"
    script, header = folder / "generate_poseidon2_constants.py", folder / "poseidon2_constants.hpp"
    command = [sys.executable, script, "--check", ROOT / "docs" / "spec", header]
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr

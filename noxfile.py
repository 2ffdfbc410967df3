"""Each step of `.ci/run` as a session of nox: `nox -l` lists them, `nox -s style` runs one, as `.ci/run style` does.

The script has the steps, so that CI needs no nox. They run in the environment in which nox runs (README's set-up).
"""

import subprocess
from collections.abc import Callable
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["style", "tests"]

RUN = str(Path(__file__).parent / ".ci" / "run")


def step(name: str) -> Callable[[nox.Session], None]:
    """A session that runs one step."""

    def run(session: nox.Session) -> None:
        session.run(RUN, name, external=True)

    run.__doc__ = f"The step {name} of .ci/run."
    return run


for each in subprocess.run([RUN, "--list"], capture_output=True, text=True, check=True).stdout.split():
    nox.session(step(each), name=each)

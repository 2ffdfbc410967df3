"""Fixtures for all tests, and what must be true before any of them can run."""

import os
import signal
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, settings

# Programs that tests start must find the installed package, not the source tree in whose root they may be started.
os.environ["PYTHONSAFEPATH"] = "1"

if find_spec("bbipc._core") is None:
    raise pytest.UsageError(
        "bbipc is not built: run `pip install .` and then `pytest`. "
        "(`python -m pytest` finds the source tree before the installed package; use `pip install -e .` for that.)"
    )

from bbipc.chonk import Setup, Verifier
from bbipc.chonk.core import Core, arithmetic_paths
from samples import DATA

# Programs must get the signals that tests send: a shell starts what runs in its background with these two ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# No deadline: nothing here depends on how fast the machine is.
settings.register_profile("bbipc", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("bbipc")


@pytest.fixture(scope="session")
def setup() -> Setup:
    """The test setup, under which the proofs of tests/data were made."""
    return Setup.from_json(DATA / "test_setup.json")


@pytest.fixture(scope="session")
def verifier(setup: Setup) -> Verifier:
    """A verifier under the test setup."""
    return Verifier(setup)


@pytest.fixture(scope="session", params=arithmetic_paths())
def core(request: pytest.FixtureRequest) -> Core:
    """The core on each arithmetic path that this machine has."""
    return Core(Setup.AZTEC.g2_x, Setup.AZTEC.translator_key, request.param)

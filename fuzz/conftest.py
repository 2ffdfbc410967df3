"""Profiles: `ci` (the default) takes seconds, `night` hours: ``pytest fuzz --hypothesis-profile=night``."""

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

settings.register_profile(
    "ci", max_examples=100, stateful_step_count=40, deadline=None, print_blob=True, suppress_health_check=_QUIET
)
settings.register_profile(
    "night", max_examples=200_000, stateful_step_count=100, deadline=None, print_blob=True, suppress_health_check=_QUIET
)
settings.load_profile("ci")

"""The catalogue of cases."""

from functools import cache

from bbipc.conform.case import Case
from bbipc.conform.cases import (
    envelope,
    errors,
    faults,
    framing,
    lifecycle,
    limits,
    ordering,
    plain,
    service,
    tagged,
    transactions,
    verdicts,
)

__all__ = ["catalogue"]


@cache
def catalogue() -> tuple[Case, ...]:
    """All cases, in the order of the suites."""
    modules = (framing, plain, tagged, envelope, ordering, errors, limits, lifecycle, faults, verdicts, service, transactions)
    return tuple(case for module in modules for case in module.suite)

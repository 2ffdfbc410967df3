"""Transactions among the proofs of a batch: their checks before it, and their verdicts behind it. Loaded with the first one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bbipc.aztec.checks import Policy
from bbipc.aztec.registry import Registry, aztec
from bbipc.aztec.verdict import TxVerdict
from bbipc.aztec.verify import Pending, prepare
from bbipc.chonk.verdict import Outcome, Verdict
from bbipc.server.tx_outcome import TxOutcome

if TYPE_CHECKING:
    from bbipc.server.backend import TxTask


class Transactions:
    """What the operator demands of transactions.

    Args:
        registry: path of a JSON file; None: the registry of Aztec.
        network: the only network whose transactions count; None: any, or the one that a request names.
        strict: refuse what nodes accept in an irregular form.
    """

    def __init__(self, registry: str | None, network: str | None, *, strict: bool) -> None:
        self._registry = aztec() if registry is None else Registry.from_json(registry)
        self._network = None if network is None else self._registry.network(network)
        self._strict = strict

    def prepare(self, tasks: Sequence[TxTask]) -> list[Pending]:
        """Every check of transactions but for the proofs of those that passed so far; what is hashed is hashed side by side."""
        prepared: dict[int, Pending] = {}
        for network in dict.fromkeys(task.network for task in tasks):
            own = [index for index, task in enumerate(tasks) if task.network == network]
            try:
                policy = self._policy(network)
            except ValueError as error:
                prepared |= {index: Pending(TxVerdict(error=str(error))) for index in own}
            else:
                prepared |= zip(own, prepare([tasks[index].tx for index in own], policy, stop_early=True), strict=True)
        return [prepared[index] for index in range(len(tasks))]

    def _policy(self, name: str | None) -> Policy:
        network = self._network if name is None else self._registry.network(name)
        if self._network is not None and self._network != network:
            raise ValueError(f"this server verifies transactions of {self._network.name} only, not of {name}")
        return Policy(self._registry, network, self._strict)


def outcome(pending: Pending, verdict: Verdict | None) -> TxOutcome:
    """The verdict on a transaction, given that on its proof; None if its proof was not looked at."""
    tx = pending.conclude(verdict)
    if verdict is not None:
        return TxOutcome(verdict.outcome, verdict.step, verdict.reason, verdict.part, verdict.position, tx=tx)
    if tx.error is None and tx.valid is False:
        return TxOutcome(Outcome.INVALID, tx=tx)
    return TxOutcome(Outcome.ERROR, reason=tx.reason, tx=tx)

"""Aztec transactions as items of a unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bbipc.archive.content import content
from bbipc.aztec.detect import detect_tx
from bbipc.aztec.errors import TxFormatError
from bbipc.aztec.registry import Registry
from bbipc.aztec.tx import Tx
from bbipc.aztec.verdict import TxVerdict
from bbipc.aztec.verify import Sized, TxInput, verify_txs
from bbipc.chonk import Setup

__all__ = ["Encoded", "TxItem", "TxJudge"]


@dataclass(frozen=True, slots=True)
class Encoded:
    """The content of a file with a transaction, in any encoding that `bbipc.aztec.detect.detect_tx` reads."""

    data: bytes


TxItem: TypeAlias = TxInput | Encoded | Path | TxVerdict
"""A transaction, its binary form, the content of a file, or the path of a file that the workers can read, too. Or the verdict
on something that could not be read."""


@dataclass(frozen=True, slots=True)
class TxJudge:
    """Verifies transactions; see `bbipc.aztec.verify_txs`.

    Attributes:
        registry: which keys and key trees are trusted. It travels with each unit: no worker uses one of its own.
        setup: the trusted setup.
        network: a network of the registry that they must be for; None: any.
        strict: as for `bbipc.aztec.verify_tx`.
    """

    registry: Registry
    setup: Setup
    network: str | None
    strict: bool

    @property
    def name(self) -> str:
        """The name of the tasks."""
        return "verify-transactions"

    def nbytes(self, item: TxItem) -> int:
        """Bytes that an item adds to its unit, near enough."""
        if isinstance(item, bytes):
            return len(item)
        if isinstance(item, Encoded):
            return len(item.data)
        if isinstance(item, Sized):
            return item.tx.size
        return item.size if isinstance(item, Tx) else 256

    def decide(self, items: Sequence[TxItem], threads: int) -> list[TxVerdict]:
        """A verdict for each item; one that cannot be read gets an error."""
        loaded = [_load(item) for item in items]
        txs = [item for item in loaded if not isinstance(item, TxVerdict)]
        decided = verify_txs(
            txs,
            network=self.network,
            registry=self.registry,
            setup=self.setup,
            threads=threads,
            strict=self.strict,
            batch=max(len(txs), 1),
        )
        return [item if isinstance(item, TxVerdict) else next(decided) for item in loaded]

    def failed(self, reason: str) -> TxVerdict:
        """The verdict on a transaction that no worker could decide."""
        return TxVerdict(error=reason)


def _load(item: TxItem) -> TxInput | TxVerdict:
    """A transaction as the verifier takes it, or the verdict that it cannot be read."""
    if not isinstance(item, Encoded | Path):
        return item
    try:
        found = detect_tx(content(item) if isinstance(item, Path) else item.data)
    except TxFormatError as error:
        return TxVerdict(error=str(error))
    except OSError as error:
        return TxVerdict(error=error.strerror or str(error))
    return Sized(found.tx, found.size)

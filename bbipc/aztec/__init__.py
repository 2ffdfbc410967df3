"""Aztec transactions in Python: parse them, write them, and tell whether they are valid.

    from bbipc.aztec import Tx, verify_tx

    tx = Tx.from_bytes(Path("tx.bin").read_bytes())
    print(tx.hash().hex(), tx.data.constants.tx_context)
    verdict = verify_tx(tx, network="mainnet")
    print(verdict)          # valid | invalid: ... | undecided: ...

A transaction is valid if its proof is valid under a key of the registry *and* the key tree that it names is that of the
protocol: chapter 15 of docs/spec says why both are needed. Nothing here does I/O, but for `Registry.from_json`; all names may
be used from any thread. Importing this package loads nothing of it.
"""

from bbipc import late_names

TYPE_CHECKING = False  # type checkers take it for true; importing `typing` would cost more than all of the rest
if TYPE_CHECKING:
    from bbipc.aztec.errors import TxFormatError
    from bbipc.aztec.parts import HashedValues
    from bbipc.aztec.proof import ProofForm, TxProof
    from bbipc.aztec.registry import Network, Registry, Release
    from bbipc.aztec.tx import Tx
    from bbipc.aztec.verdict import CHECKS, Check, TxVerdict
    from bbipc.aztec.verify import verify_tx, verify_txs

_MODULES = {
    "errors": ("TxFormatError",),
    "parts": ("HashedValues",),
    "proof": ("ProofForm", "TxProof"),
    "registry": ("Network", "Registry", "Release"),
    "tx": ("Tx",),
    "verdict": ("CHECKS", "Check", "TxVerdict"),
    "verify": ("verify_tx", "verify_txs"),
}

__all__ = [
    "CHECKS",
    "Check",
    "HashedValues",
    "Network",
    "ProofForm",
    "Registry",
    "Release",
    "Tx",
    "TxFormatError",
    "TxProof",
    "TxVerdict",
    "verify_tx",
    "verify_txs",
]

__getattr__, __dir__ = late_names(__name__, globals(), _MODULES)

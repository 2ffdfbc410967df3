"""The answer to the question whether a transaction is valid."""

from dataclasses import dataclass
from typing import Final

__all__ = ["CHECKS", "NOT_MADE", "Check", "TxVerdict"]

CHECKS: Final = {
    "size": "A node takes no transaction of more than 512 KiB.",
    "form": "Every element is canonical, every boolean is 0 or 1, and nothing follows the transaction. Nodes accept other "
    "booleans and further bytes; --strict does not.",
    "hash": "The hash that the transaction gives itself is that of its data.",
    "release": "The key tree and the protocol contracts that data names are those of a release. Whoever made the transaction "
    "chose them: with a key tree of one's own, the real hiding kernel proves anything.",
    "network": "Chain id and rollup version are those of the network that was asked for.",
    "calldata": "There is calldata for each public call, with the hash that the call gives.",
    "contract class logs": "There are the elements of each contract class log, with the hash that data gives.",
    "public inputs": "A compressed proof repeats the public inputs. Nodes take them from data and accept a proof that repeats "
    "others; --strict does not.",
    "proof": "The proof is valid for the public inputs of data, under the key of the hiding kernel of this release.",
}
"""The checks by name, in their order, and what they mean."""

NOT_MADE: Final = (
    "not checked, for it needs the state of a node: that the nullifiers are unspent, that the anchor block is in the archive, "
    "the expiration, the balance of the fee payer; nor a node's limits of gas and fees, and its rules for set-up calls"
)
"""What a valid transaction can still be refused for."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a transaction.

    Attributes:
        name: one of `CHECKS`.
        ok: whether it passed; None if it was not made.
        detail: what was found, or why it was not made; in the words of a node where it has words.
        warning: whether it passed in a way that deserves attention: a node accepts it, `strict` does not.
    """

    name: str
    ok: bool | None
    detail: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class TxVerdict:
    """The verdict on a transaction; true exactly if it is valid.

    Attributes:
        checks: the checks, in the order of `CHECKS`.
        tx_hash: the transaction hash, computed from its data; None if it could not be read.
        release: the release that it was made for; None if that is not known.
        network: the network that it names; None if that is not known.
        error: why the transaction could not be read; None if it could.
    """

    checks: tuple[Check, ...] = ()
    tx_hash: bytes | None = None
    release: str | None = None
    network: str | None = None
    error: str | None = None

    @property
    def valid(self) -> bool | None:
        """Whether it is valid; None if that cannot be decided: it has no proof, or a proof of another proof system."""
        if self.error is not None or any(check.ok is False for check in self.checks):
            return False
        made = {check.name for check in self.checks if check.ok}
        return True if len(made) == len(self.checks) and {"release", "proof"} <= made else None

    @property
    def reason(self) -> str | None:
        """Why it is not valid, in a line; None if it is."""
        if self.error is not None:
            return self.error
        for wanted in (False, None):
            for check in self.checks:
                if check.ok is wanted and not self.valid and (wanted is False or check.name in ("release", "proof")):
                    return check.detail
        return None

    def __bool__(self) -> bool:
        return self.valid is True

    def __str__(self) -> str:
        if self.error is not None:
            return f"unreadable: {self.error}"
        if self.valid:
            return "valid"
        return f"{'undecided' if self.valid is None else 'invalid'}: {self.reason}"

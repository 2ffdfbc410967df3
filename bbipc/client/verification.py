"""Verification as a request: what is sent, and what the response means."""

from dataclasses import dataclass
from typing import Final

from bbipc.chonk import ChonkProof, Outcome, VerificationKey
from bbipc.client.messages import ERROR_RESPONSE, Answer
from bbipc.client.session import Request
from bbipc.wire.values import Fields

__all__ = [
    "COMMAND",
    "IN_FLIGHT",
    "VERIFY_TX",
    "RemoteTxVerdict",
    "RemoteVerdict",
    "checked_in_flight",
    "tx_request",
    "tx_verdict_of",
    "verdict_of",
    "verification_fields",
    "verification_request",
]

COMMAND: Final = "ChonkVerify"
VERIFY_TX: Final = "VerifyTx"

IN_FLIGHT: Final = 32
"""How many proofs `verify_many` keeps with the server at once, unless it is told otherwise: half of the server's largest batch,
so that the next batch gathers while one is verified."""


@dataclass(frozen=True, slots=True)
class RemoteVerdict:
    """A server's verdict on one proof; true exactly if the proof is valid.

    Attributes:
        outcome: `VALID`, `INVALID`, or `ERROR` if the server answered with an error: proof or key cannot be decoded, or the
            server refused to work on them. Nothing was decided then, and the proof must not be accepted.
        reason: the server's message, if the outcome is `ERROR`; else None.
    """

    outcome: Outcome
    reason: str | None = None

    @property
    def valid(self) -> bool:
        """Whether the server found the proof valid."""
        return self.outcome is Outcome.VALID

    def __bool__(self) -> bool:
        return self.valid

    def __str__(self) -> str:
        return self.outcome.value if self.reason is None else f"{self.outcome.value}: {self.reason}"


def verification_fields(proof: ChonkProof, key: bytes | VerificationKey) -> Fields:
    """The fields of `COMMAND`.

    Raises:
        TypeError: an argument is of another type than said.
    """
    if not isinstance(proof, ChonkProof):
        raise TypeError(f"proof must be a ChonkProof, not {type(proof).__name__}")
    if not isinstance(key, bytes | VerificationKey):
        raise TypeError(f"key must be bytes or a VerificationKey, not {type(key).__name__}")
    parts = dict(zip(proof.PARTS, proof.parts(), strict=True))
    return {"proof": parts, "vk": key.to_bytes() if isinstance(key, VerificationKey) else key}


def verification_request(proof: ChonkProof, key: bytes | VerificationKey) -> Request:
    """The request for a verdict; its errors are those of `verification_fields`."""
    return Request(COMMAND, verification_fields(proof, key), tagged=True)


def verdict_of(answer: Answer) -> RemoteVerdict:
    """The verdict in a response to `COMMAND`."""
    if answer.name == ERROR_RESPONSE:
        return RemoteVerdict(Outcome.ERROR, answer.fields["message"])
    return RemoteVerdict(Outcome.VALID if answer.fields["valid"] else Outcome.INVALID)


@dataclass(frozen=True, slots=True)
class RemoteTxVerdict:
    """A server's verdict on an Aztec transaction; true exactly if it is valid under the server's registry and setup.

    Attributes:
        valid: whether the server found the transaction valid.
        tx_hash: the transaction hash, computed from its data, 32 bytes; None if the server did not compute it.
        reason: why it is not valid, or not decided; None if it is valid.
    """

    valid: bool
    tx_hash: bytes | None
    reason: str | None

    def __bool__(self) -> bool:
        return self.valid

    def __str__(self) -> str:
        return "valid" if self.valid else f"not valid: {self.reason}"


def tx_request(tx: bytes, network: str | None) -> Request:
    """The request for a verdict on a transaction.

    Raises:
        TypeError: an argument is of another type than said.
    """
    if not isinstance(tx, bytes) or not isinstance(network, str | None):
        raise TypeError(f"tx must be bytes and network a str, not {type(tx).__name__} and {type(network).__name__}")
    return Request(VERIFY_TX, {"tx": tx} | ({} if network is None else {"network": network}), tagged=True)


def tx_verdict_of(answer: Answer) -> RemoteTxVerdict:
    """The verdict in a response to `VERIFY_TX`."""
    if answer.name == ERROR_RESPONSE:
        return RemoteTxVerdict(False, None, answer.fields["message"])
    fields = answer.fields
    # Anything but True is no acceptance: the command is not in the published schema, so nobody else has checked its types.
    valid = fields.get("valid") is True
    return RemoteTxVerdict(valid, fields.get("tx_hash") or None, None if valid else str(fields.get("reason")))


def checked_in_flight(in_flight: int) -> int:
    """`in_flight` if it makes sense; ValueError if not."""
    if in_flight < 1:
        raise ValueError(f"in_flight must be at least 1, not {in_flight}")
    return in_flight

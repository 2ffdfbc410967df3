"""Verification as a request: what is sent, and what the response means."""

from dataclasses import dataclass
from typing import Final

from bbipc.chonk import ChonkProof, Outcome, VerificationKey
from bbipc.client.messages import ERROR_RESPONSE, Answer
from bbipc.wire.values import Fields

__all__ = ["COMMAND", "RemoteVerdict", "verdict_of", "verification_fields"]

COMMAND: Final = "ChonkVerify"


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
    """The fields of `COMMAND`."""
    parts = dict(zip(proof.PARTS, proof.parts(), strict=True))
    return {"proof": parts, "vk": key.bytes_ if isinstance(key, VerificationKey) else key}


def verdict_of(answer: Answer) -> RemoteVerdict:
    """The verdict in a response to `COMMAND`."""
    if answer.name == ERROR_RESPONSE:
        return RemoteVerdict(Outcome.ERROR, answer.fields["message"])
    return RemoteVerdict(Outcome.VALID if answer.fields["valid"] else Outcome.INVALID)

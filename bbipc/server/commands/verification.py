"""Verification of proofs: the tasks of a request, and what its verdicts mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bbipc.chonk.proof import ChonkProof
from bbipc.chonk.verdict import Outcome, Verdict
from bbipc.server.backend import Task
from bbipc.server.batch_report import concerns_ipa
from bbipc.server.commands.kinds import encoder
from bbipc.server.errors import CommandError
from bbipc.wire.dialect import error_response
from bbipc.wire.values import Fields


def one_proof(fields: Fields) -> Sequence[Task]:
    """The task of ``ChonkVerify``."""
    return [Task(_parts(fields["proof"]), fields["vk"])]


def one_flat_proof(fields: Fields) -> Sequence[Task]:
    """The task of ``ChonkVerifyFromFields``."""
    return [Task((fields["proof"],), fields["vk"])]


def several_proofs(fields: Fields) -> Sequence[Task]:
    """The tasks of ``ChonkBatchVerify``; raises CommandError."""
    proofs, keys = fields["proofs"], fields["vks"]
    if not proofs:
        raise CommandError("ChonkBatchVerify: no proofs provided")
    if len(proofs) != len(keys):
        raise CommandError(f"ChonkBatchVerify: proofs.size() ({len(proofs)}) != vks.size() ({len(keys)})")
    return [Task(_parts(proof), key) for proof, key in zip(proofs, keys, strict=True)]


def _parts(proof: Fields) -> tuple[bytes, ...]:
    return tuple(proof[part] for part in ChonkProof.PARTS)


def _conclude_one(name: str) -> Callable[[Sequence[Verdict]], bytes]:
    encode = encoder(name)

    def conclude(verdicts: Sequence[Verdict]) -> bytes:
        verdict = verdicts[0]
        if verdict.reason is not None:
            return error_response(_with_subject(verdict.reason, f"{name}: proof"))
        return cancelled() if is_cancelled(verdict) else encode({"valid": verdict.valid})

    return conclude


conclude_one = _conclude_one("ChonkVerify")
conclude_flat = _conclude_one("ChonkVerifyFromFields")


def conclude_several(verdicts: Sequence[Verdict]) -> bytes:
    """The answer of bb to the batch (chapter 00 section 7): proofs are judged in order up to, but without, their IPA;
    the first that does not pass decides. Only then the IPA parts are decoded, and only then checked."""
    if any(is_cancelled(verdict) for verdict in verdicts):
        return cancelled()
    failed = [(index, verdict) for index, verdict in enumerate(verdicts) if not verdict.valid]
    before_ipa = [(index, verdict) for index, verdict in failed if not concerns_ipa(verdict)]
    undecodable = [(index, verdict) for index, verdict in failed if verdict.reason is not None]
    for index, verdict in (before_ipa or undecodable)[:1]:
        if verdict.reason is not None:
            return error_response(_with_subject(verdict.reason, f"ChonkBatchVerify: proof[{index}]"))
    return _encode_several({"valid": not failed})


_encode_several = encoder("ChonkBatchVerify")


def is_cancelled(verdict: Verdict) -> bool:
    """Whether the verification was ended early."""
    return verdict.outcome is Outcome.CANCELLED


def cancelled() -> bytes:
    """The ``Response`` then; hardly anybody sees it, because who cancels a request has its response already."""
    return error_response("cancelled")


def _with_subject(reason: str, subject: str) -> str:
    """bb names the command, and in a batch the proof, when the number of elements is wrong, and only then."""
    size = "proof has wrong"
    return subject + reason[len("proof") :] if reason.startswith(size) else reason

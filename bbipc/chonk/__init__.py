"""Chonk proofs in Python: parse them, encode them, verify them.

    from bbipc.chonk import ChonkProof, VerificationKey, verify

    key = VerificationKey.from_bytes(Path("vk").read_bytes())
    proof = ChonkProof.from_msgpack(Path("proof.msgpack").read_bytes())
    verdict = verify(proof, key)
    print(verdict)          # valid | invalid: ... | error: ...

The chapters that docstrings name are those of docs/spec/. Importing this package loads nothing of it; the C library is loaded
when something is computed. All names may be used from any thread.
"""

from bbipc import late_names

TYPE_CHECKING = False  # type checkers take it for true; importing `typing` would cost more than all of the rest
if TYPE_CHECKING:
    from bbipc.chonk.core import CancelFlag, Claim
    from bbipc.chonk.detect import DetectedKey, DetectedProof, detect_key, detect_proof
    from bbipc.chonk.errors import ChonkFormatError, NoResultError, NotCanonicalError, NotOnCurveError, PrimitiveError
    from bbipc.chonk.forms import Encoding
    from bbipc.chonk.key import VerificationKey
    from bbipc.chonk.proof import ChonkProof
    from bbipc.chonk.setup import Setup
    from bbipc.chonk.verdict import STEPS, Outcome, Verdict
    from bbipc.chonk.verifier import Verifier, verify, verify_many

__all__ = [
    "STEPS",
    "CancelFlag",
    "ChonkFormatError",
    "ChonkProof",
    "Claim",
    "DetectedKey",
    "DetectedProof",
    "Encoding",
    "NoResultError",
    "NotCanonicalError",
    "NotOnCurveError",
    "Outcome",
    "PrimitiveError",
    "Setup",
    "Verdict",
    "VerificationKey",
    "Verifier",
    "detect_key",
    "detect_proof",
    "verify",
    "verify_many",
]

_MODULES = {
    "core": ("CancelFlag", "Claim"),
    "detect": ("DetectedKey", "DetectedProof", "detect_key", "detect_proof"),
    "errors": ("ChonkFormatError", "NoResultError", "NotCanonicalError", "NotOnCurveError", "PrimitiveError"),
    "forms": ("Encoding",),
    "key": ("VerificationKey",),
    "proof": ("ChonkProof",),
    "setup": ("Setup",),
    "verdict": ("STEPS", "Outcome", "Verdict"),
    "verifier": ("Verifier", "verify", "verify_many"),
}
__getattr__, __dir__ = late_names(__name__, globals(), _MODULES)

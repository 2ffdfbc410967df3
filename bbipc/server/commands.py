"""The commands that are served: for each, how its fields become a response.

Points on the wire write infinity as all bytes 0xff, and there (0, 0) is a point off the curve; the core writes infinity
as (0, 0). Only this module knows both.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Final, NamedTuple

from bbipc.server import batch_service, stats
from bbipc.server.backend import AnyTask, Task, TxTask
from bbipc.server.batch_report import concerns_ipa
from bbipc.server.errors import CommandError
from bbipc.server.steps import Steps, finish
from bbipc.wire import cursor
from bbipc.wire.cursor import Allowance
from bbipc.wire.dialect import Decoders, Unserved, error_response, response_encoder
from bbipc.wire.schema import extended, published
from bbipc.wire.values import FR_MODULUS, SIMPLE, WORD, Fields

if TYPE_CHECKING:
    from bbipc.chonk import ChonkProof, Verdict
    from bbipc.chonk.core import Core

INLINE_BYTES: Final = 4096
"""The longest request that a cheap command answers without a worker thread: its work stays below a millisecond."""

# What one step of a long request does: about a millisecond and a half, and 18 for the points.
WORDS_IN_STEP: Final = 3 << 8
BYTES_IN_STEP: Final = 1 << 20
POINTS_IN_STEP: Final = 1 << 8

_FACTORS: Final = {"SrsInitSrs": 5, "GrumpkinBatchMul": 4}
"""Bytes that a byte of such a request takes until its response is there: measured, rounded up. The points of a compressed
string are twice as large as the request, and exist as pieces, together, and in the response."""

PARTS: Final = ("hiding_oink_proof", "merge_proof", "eccvm_proof", "ipa_proof", "joint_proof")

_POINT: Final = 2 * WORD


class Computed(NamedTuple):
    """A command whose response is a function of its fields.

    Attributes:
        name: the command.
        compute: fields of the command -> fields of the response; raises CommandError.
        encode: fields of the response -> ``Response``.
        cheap: whether a request of at most :data:`INLINE_BYTES` is answered in the Trio thread.
        steps: as `compute`, for requests that may take long; None: none does.
        factor: bytes that a byte of the request takes while it is worked on, beside itself.
    """

    name: str
    compute: Callable[[Fields], Fields]
    encode: Callable[[Fields], bytes]
    cheap: bool
    steps: Callable[[Fields], Steps[Fields]] | None = None
    factor: int = 0

    def answer(self, fields: Fields) -> bytes:
        """The ``Response``; never raises CommandError."""
        try:
            return self.encode(self.compute(fields))
        except CommandError as error:
            return error_response(str(error))

    def answer_in_steps(self, fields: Fields) -> Steps[bytes]:
        """The same for a request that may take long."""
        try:
            return self.encode(self.compute(fields) if self.steps is None else (yield from self.steps(fields)))
        except CommandError as error:
            return error_response(str(error))


class Verified(NamedTuple):
    """A command that asks for proofs to be verified.

    Attributes:
        name: the command.
        tasks: the proofs; raises CommandError.
        conclude: the verdicts, in the order of the tasks -> ``Response``.
    """

    name: str
    tasks: Callable[[Fields], Sequence[AnyTask]]
    conclude: Callable[[Sequence[Verdict]], bytes]


class Shutdown(NamedTuple):
    """The command that ends the server."""

    name: str
    response: bytes


class ToService(NamedTuple):
    """A command to the batch verifier service."""

    name: str


class Cancellation(NamedTuple):
    """The command that cancels a request of the same connection. `encode`: fields of the response -> ``Response``."""

    name: str
    encode: Callable[[Fields], bytes]


class Report(NamedTuple):
    """The command that asks what the server has done so far."""

    name: str


Command = Computed | Verified | Shutdown | ToService | Cancellation | Report

DEADLINE: Final = "deadline_ms"
"""An additional field of every command: milliseconds, from the arrival of the request, in which the client wants the response.
bb ignores it, as it does every field that it does not know."""

_OPTIONAL: Final = {DEADLINE: SIMPLE["unsigned int"]}

VERIFY_TX: Final = "VerifyTx"
_OPTIONAL_OF: Final = {VERIFY_TX: {"network": SIMPLE["string"]}}
"""Fields that a client may leave out, by command."""


# ---- Verification ---------------------------------------------------------------------------------------------------


def _one_proof(fields: Fields) -> Sequence[Task]:
    return [Task(tuple(fields["proof"][part] for part in PARTS), fields["vk"])]


def _one_flat_proof(fields: Fields) -> Sequence[Task]:
    return [Task((fields["proof"],), fields["vk"])]


def _several_proofs(fields: Fields) -> Sequence[Task]:
    proofs, keys = fields["proofs"], fields["vks"]
    if not proofs:
        raise CommandError("ChonkBatchVerify: no proofs provided")
    if len(proofs) != len(keys):
        raise CommandError(f"ChonkBatchVerify: proofs.size() ({len(proofs)}) != vks.size() ({len(keys)})")
    return [Task(tuple(proof[part] for part in PARTS), key) for proof, key in zip(proofs, keys, strict=True)]


def _conclude_one(name: str) -> Callable[[Sequence[Verdict]], bytes]:
    encode = _encoder(name)

    def conclude(verdicts: Sequence[Verdict]) -> bytes:
        verdict = verdicts[0]
        if verdict.reason is not None:
            return error_response(_with_subject(verdict.reason, f"{name}: proof"))
        return _cancelled() if _is_cancelled(verdict) else encode({"valid": verdict.valid})

    return conclude


def _conclude_several(verdicts: Sequence[Verdict]) -> bytes:
    """The answer of bb to the batch (chapter 00 section 7): proofs are judged in order up to, but without, their IPA;
    the first that does not pass decides. Only then the IPA parts are decoded, and only then checked."""
    if any(_is_cancelled(verdict) for verdict in verdicts):
        return _cancelled()
    failed = [(index, verdict) for index, verdict in enumerate(verdicts) if not verdict.valid]
    before_ipa = [(index, verdict) for index, verdict in failed if not concerns_ipa(verdict)]
    undecodable = [(index, verdict) for index, verdict in failed if verdict.reason is not None]
    for index, verdict in (before_ipa or undecodable)[:1]:
        if verdict.reason is not None:
            return error_response(_with_subject(verdict.reason, f"ChonkBatchVerify: proof[{index}]"))
    return _encoder("ChonkBatchVerify")({"valid": not failed})


def _one_transaction(fields: Fields) -> Sequence[AnyTask]:
    return [TxTask(fields["tx"], fields.get("network"))]


def _conclude_transaction(verdicts: Sequence[Verdict]) -> bytes:
    (verdict,) = verdicts
    if _is_cancelled(verdict):
        return _cancelled()
    from bbipc.server.transactions import TxOutcome  # noqa: PLC0415 - was loaded by the backend

    tx = verdict.tx if isinstance(verdict, TxOutcome) else None
    if tx is None or tx.error is not None:
        return error_response(f"{VERIFY_TX}: {verdict.reason if tx is None else tx.error}")
    reason = "" if tx else str(tx).removeprefix("invalid: ")
    return _encoder(VERIFY_TX)({"valid": bool(tx), "tx_hash": tx.tx_hash or b"", "reason": reason})


def _is_cancelled(verdict: Verdict) -> bool:
    return verdict.outcome.value == "cancelled"


def _cancelled() -> bytes:
    return error_response("cancelled")


def _with_subject(reason: str, subject: str) -> str:
    """bb names the command, and in a batch the proof, when the number of elements is wrong, and only then."""
    size = "proof has wrong"
    return subject + reason[len("proof") :] if reason.startswith(size) else reason


# ---- Encodings of proofs --------------------------------------------------------------------------------------------


def _compress(fields: Fields) -> Fields:
    from bbipc.chonk import ChonkFormatError, ChonkProof  # noqa: PLC0415 - loaded when it is needed

    try:
        return {"compressed_proof": ChonkProof(*(fields["proof"][part] for part in PARTS)).compress()}
    except ChonkFormatError as error:
        raise CommandError(f"ChonkCompressProof: {error}") from None


def _decompress(fields: Fields) -> Fields:
    from bbipc.chonk import ChonkFormatError, ChonkProof  # noqa: PLC0415

    try:
        proof = ChonkProof.from_compressed(fields["compressed_proof"])
    except ChonkFormatError as error:
        raise CommandError(f"ChonkDecompressProof: {error}") from None
    return {"proof": _part_fields(proof)}


def _part_fields(proof: ChonkProof) -> Fields:
    return dict(zip(PARTS, proof.parts(), strict=True))


# ---- Fields and hashes ----------------------------------------------------------------------------------------------


@cache
def _core() -> Core:
    """The core for everything that depends on no setup; loaded when it is first needed."""
    from bbipc.chonk.verifier import default_core  # noqa: PLC0415

    return default_core()


def load_everything() -> None:
    """Load what commands load when they are first used: later there may be no descriptors or memory to do it with."""
    from bbipc.chonk import ChonkProof, VerificationKey, proof  # noqa: F401, PLC0415
    from bbipc.chonk.core import Curve  # noqa: F401, PLC0415
    from bbipc.chonk.errors import PrimitiveError  # noqa: F401, PLC0415
    from bbipc.chonk.primitives import g1_decompress  # noqa: F401, PLC0415
    from bbipc.server import srs, stats  # noqa: F401, PLC0415

    _core()
    stats.version()


def _poseidon2_hash(fields: Fields) -> Fields:
    return {"hash": _core().poseidon2_hash(fields["inputs"])}


def _poseidon2_hash_in_steps(fields: Fields) -> Steps[Fields]:
    words = fields["inputs"]
    if len(words) <= WORD * WORDS_IN_STEP:
        return _poseidon2_hash(fields)
    return {"hash": (yield from _core().poseidon2_hash_in_steps(words, WORDS_IN_STEP))}


def _poseidon2_permutation(fields: Fields) -> Fields:
    return {"outputs": _core().poseidon2_permute(fields["inputs"])}


def _blake2s(fields: Fields) -> Fields:
    return {"hash": hashlib.blake2s(fields["data"]).digest()}


def _blake2s_in_steps(fields: Fields) -> Steps[Fields]:
    return {"hash": (yield from _blake2s_digest(fields["data"]))}


def _blake2s_digest(data: bytes) -> Steps[bytes]:
    whole, state = memoryview(data), hashlib.blake2s()
    for start in range(0, len(data), BYTES_IN_STEP):
        state.update(whole[start : start + BYTES_IN_STEP])
        yield
    return state.digest()


def _blake2s_to_field(fields: Fields) -> Fields:
    return _to_field(_blake2s(fields)["hash"])


def _blake2s_to_field_in_steps(fields: Fields) -> Steps[Fields]:
    return _to_field((yield from _blake2s_digest(fields["data"])))


def _to_field(digest: bytes) -> Fields:
    return {"field": (int.from_bytes(digest, "big") % FR_MODULUS).to_bytes(WORD, "big")}


def _random_fr(_fields: Fields) -> Fields:
    return {"value": secrets.randbelow(FR_MODULUS).to_bytes(WORD, "big")}


def _reduce512(fields: Fields) -> Fields:
    return {"value": (int.from_bytes(fields["input"], "big") % FR_MODULUS).to_bytes(WORD, "big")}


def _square_root(fields: Fields, field: str) -> Fields:
    from bbipc.chonk.core import Field, FieldOperation  # noqa: PLC0415
    from bbipc.chonk.errors import NoResultError  # noqa: PLC0415

    try:
        root = _core().field_op(Field[field], FieldOperation.SQRT, fields["input"], None)
    except NoResultError:
        return {"is_square_root": False, "value": bytes(WORD)}
    return {"is_square_root": True, "value": root}


# ---- Points ---------------------------------------------------------------------------------------------------------


def _from_wire(point: bytes, error: str = "Input point must be on the curve") -> bytes:
    """A point in the core's notation."""
    infinity = bytes(len(point))
    if point == infinity:
        raise CommandError(error)
    return infinity if point == b"\xff" * len(point) else point


def _to_wire(point: bytes) -> bytes:
    return point if any(point) else b"\xff" * len(point)


def _multiply(fields: Fields, curve: str) -> Fields:
    from bbipc.chonk.core import Curve  # noqa: PLC0415
    from bbipc.chonk.errors import NotOnCurveError  # noqa: PLC0415

    try:
        return {"point": _to_wire(_core().point_mul(Curve[curve], _from_wire(fields["point"]), fields["scalar"]))}
    except NotOnCurveError:
        raise CommandError("Input point must be on the curve") from None


def _multiply_g2(fields: Fields) -> Fields:
    from bbipc.chonk.errors import NotOnCurveError  # noqa: PLC0415

    try:
        return {"point": _to_wire(_core().g2_mul(_from_wire(fields["point"]), fields["scalar"]))}
    except NotOnCurveError:
        raise CommandError("Input point must be on the curve and lie in the prime-order subgroup") from None


def _multiply_batch(fields: Fields) -> Steps[Fields]:
    from bbipc.chonk.core import Curve  # noqa: PLC0415
    from bbipc.chonk.errors import NotOnCurveError  # noqa: PLC0415

    points, products = fields["points"], list[bytes]()
    for start in range(0, len(points), POINTS_IN_STEP):
        factors = b"".join([_from_wire(point) for point in points[start : start + POINTS_IN_STEP]])
        try:
            multiplied = _core().point_batch_mul(Curve.GRUMPKIN, factors, fields["scalar"])
        except NotOnCurveError:
            raise CommandError("Input point must be on the curve") from None
        products += [_to_wire(multiplied[position : position + _POINT]) for position in range(0, len(multiplied), _POINT)]
        yield
    return {"points": products}


def _add(fields: Fields) -> Fields:
    from bbipc.chonk.core import Curve  # noqa: PLC0415

    a, b = (_on_grumpkin(fields[name], f"Input {name} must be on the curve") for name in ("point_a", "point_b"))
    return {"point": _to_wire(_core().point_add(Curve.GRUMPKIN, a, b))}


def _on_grumpkin(point: bytes, error: str) -> bytes:
    native = _from_wire(point, error)
    if not _is_on_curve(native, "GRUMPKIN"):
        raise CommandError(error)
    return native


def _is_on_curve(native: bytes, curve: str) -> bool:
    from bbipc.chonk.core import Curve  # noqa: PLC0415
    from bbipc.chonk.errors import NotOnCurveError  # noqa: PLC0415

    try:
        _core().point_add(Curve[curve], native, bytes(_POINT))
    except NotOnCurveError:
        return False
    return True


def _g1_is_on_curve(fields: Fields) -> Fields:
    try:
        return {"is_on_curve": _is_on_curve(_from_wire(fields["point"]), "G1")}
    except CommandError:
        return {"is_on_curve": False}


def _g1_from_compressed(fields: Fields) -> Fields:
    from bbipc.chonk.errors import PrimitiveError  # noqa: PLC0415
    from bbipc.chonk.primitives import g1_decompress  # noqa: PLC0415

    try:
        return {"point": g1_decompress(fields["compressed"])}
    except PrimitiveError:
        raise CommandError("Decompressed point is not on the curve") from None


# ---- The rest -------------------------------------------------------------------------------------------------------


def _set_msm_legacy(fields: Fields) -> Fields:
    """There is only one multi-scalar multiplication here; the answer is the value asked for, as from bb."""
    return {"enabled": fields["enabled"]}


def _init_srs(fields: Fields, threads: int) -> Steps[Fields]:
    from bbipc.server.srs import check_bn254  # noqa: PLC0415

    points = yield from check_bn254(fields["points_buf"], fields["num_points"], fields["g2_point"], threads)
    return {"points_buf": points}


def _init_grumpkin_srs(fields: Fields, threads: int) -> Steps[Fields]:
    from bbipc.server.srs import check_grumpkin  # noqa: PLC0415

    yield from check_grumpkin(fields["points_buf"], fields["num_points"], threads)
    return {"dummy": 0}


# ---- The table ------------------------------------------------------------------------------------------------------


def _encoder(name: str) -> Callable[[Fields], bytes]:
    response = extended().response_name(name)
    return response_encoder(response, extended().response(response))


def _computed(threads: int) -> list[Computed]:
    cheap: dict[str, Callable[[Fields], Fields]] = {
        "Poseidon2Hash": _poseidon2_hash,
        "Poseidon2Permutation": _poseidon2_permutation,
        "Blake2s": _blake2s,
        "Blake2sToField": _blake2s_to_field,
        "GrumpkinMul": lambda fields: _multiply(fields, "GRUMPKIN"),
        "GrumpkinAdd": _add,
        "GrumpkinGetRandomFr": _random_fr,
        "GrumpkinReduce512": _reduce512,
        "Bn254FrSqrt": lambda fields: _square_root(fields, "FR"),
        "Bn254FqSqrt": lambda fields: _square_root(fields, "FQ"),
        "Bn254G1Mul": lambda fields: _multiply(fields, "G1"),
        "Bn254G1IsOnCurve": _g1_is_on_curve,
        "Bn254G1FromCompressed": _g1_from_compressed,
        "SetMsmLegacy": _set_msm_legacy,
    }
    dear: dict[str, Callable[[Fields], Fields]] = {
        "Bn254G2Mul": _multiply_g2,
        "ChonkCompressProof": _compress,
        "ChonkDecompressProof": _decompress,
    }
    of_any_length: dict[str, Callable[[Fields], Steps[Fields]]] = {
        "Poseidon2Hash": _poseidon2_hash_in_steps,
        "Blake2s": _blake2s_in_steps,
        "Blake2sToField": _blake2s_to_field_in_steps,
        "GrumpkinBatchMul": _multiply_batch,
        "SrsInitSrs": lambda fields: _init_srs(fields, threads),
        "SrsInitGrumpkinSrs": lambda fields: _init_grumpkin_srs(fields, threads),
    }
    return [
        Computed(
            name,
            cheap.get(name) or dear.get(name) or partial(_at_once, of_any_length[name]),
            _encoder(name),
            cheap=name in cheap,
            steps=of_any_length.get(name),
            factor=_FACTORS.get(name, 0),
        )
        for name in dict.fromkeys([*cheap, *dear, *of_any_length])
    ]


def _at_once(steps: Callable[[Fields], Steps[Fields]], fields: Fields) -> Fields:
    return finish(steps(fields))


@cache
def commands(threads: int = 1) -> dict[str, Command]:
    """All commands that are served, by name; those that check a reference string do so on up to `threads` threads."""
    verified = [
        Verified("ChonkVerify", _one_proof, _conclude_one("ChonkVerify")),
        Verified("ChonkVerifyFromFields", _one_flat_proof, _conclude_one("ChonkVerifyFromFields")),
        Verified("ChonkBatchVerify", _several_proofs, _conclude_several),
        Verified(VERIFY_TX, _one_transaction, _conclude_transaction),
    ]
    service = [ToService(name) for name in (batch_service.START, batch_service.QUEUE, batch_service.STOP)]
    extensions: list[Command] = [Cancellation("CancelRequest", _encoder("CancelRequest")), Report(stats.STATS)]
    shutdown = Shutdown("Shutdown", _encoder("Shutdown")({}))
    served: list[Command] = [*_computed(threads), *verified, *service, *extensions, shutdown]
    return {command.name: command for command in served}


@cache
def decoders() -> Decoders:
    """The decoders of the fields of these commands, and of :data:`DEADLINE`."""
    return {
        name.encode(): (name, extended().command(name).with_optional(_OPTIONAL | _OPTIONAL_OF.get(name, {})))
        for name in commands()
    }


def deadline_of(request: Unserved) -> int | None:
    """The :data:`DEADLINE` of a published command that is forwarded; raises DecodeError."""
    _, position = cursor.array_header(request.command, 0)
    _, position = cursor.text(request.command, position)
    fields, _ = published().command(request.name).with_optional(_OPTIONAL).decode(request.command, position, Allowance())
    deadline: int | None = fields.get(DEADLINE)
    return deadline


def refuse(request: Unserved) -> bytes:
    """The ``Response`` to a command that is not served."""
    if not published().knows(request.name):
        return error_response(f"unknown command {request.name[:64]!r}")
    return error_response(
        f"{request.name} is not served by bbipc itself; start it with --bb PATH to have it forwarded to a real bb"
    )

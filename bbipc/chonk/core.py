"""The C library behind one Python class: the only module that calls it (csrc/include/bbipc_core.h is its documentation).

Everything here takes and returns bytes and plain Python values. cffi releases the GIL during every call.

The environment variable BBIPC_ARITH (`portable`, `adx` or `ifma`) replaces the automatic choice of the arithmetic path; it is
meant for tests and measurements.
"""

import os
from collections.abc import Generator, Sequence
from enum import IntEnum
from typing import Any, Final, NoReturn

try:
    from bbipc._core import ffi, lib
except ModuleNotFoundError as error:
    if error.name != "bbipc._core":
        raise
    source = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120 - the library does without pathlib, which takes 7 ms
    raise ImportError(
        f"bbipc was imported from {source}, where its compiled core is missing: that is the source, not "
        "an installation. Install it editable there (pip install -e .), or start Python in another folder or with -P.",
        name="bbipc._core",
    ) from None

from bbipc.chonk.errors import ChonkFormatError, NoResultError, NotCanonicalError, NotOnCurveError, PrimitiveError
from bbipc.chonk.verdict import STEPS, Outcome, Verdict
from bbipc.chonk.words import WORD

__all__ = [
    "GENERATORS",
    "CancelFlag",
    "Claim",
    "Core",
    "Curve",
    "Field",
    "FieldOperation",
    "abi_version",
    "arithmetic_paths",
    "proof_split",
]

_ARITHMETIC: Final[dict[str, int]] = {
    "auto": lib.BBIPC_ARITH_AUTO,
    "portable": lib.BBIPC_ARITH_PORTABLE,
    "adx": lib.BBIPC_ARITH_ADX,
    "ifma": lib.BBIPC_ARITH_IFMA,
}
_ARITHMETIC_NAMES: Final = {number: name for name, number in _ARITHMETIC.items()}

_OUTCOMES: Final = {
    lib.BBIPC_VALID: Outcome.VALID,
    lib.BBIPC_INVALID: Outcome.INVALID,
    lib.BBIPC_ERROR: Outcome.ERROR,
    lib.BBIPC_CANCELLED: Outcome.CANCELLED,
}
_STEP_NAMES: Final = dict(enumerate(STEPS, start=lib.BBIPC_STEP_OINK))
_PART_NAMES: Final = {
    lib.BBIPC_PART_HIDING_OINK: "hiding_oink_proof",
    lib.BBIPC_PART_MERGE: "merge_proof",
    lib.BBIPC_PART_ECCVM: "eccvm_proof",
    lib.BBIPC_PART_IPA: "ipa_proof",
    lib.BBIPC_PART_JOINT: "joint_proof",
    lib.BBIPC_PART_KEY: "vk",
    lib.BBIPC_PART_FLAT: "fields",
}
_MESSAGE_SIZE: Final = 232
GENERATORS: Final = 1 << 15
"""Grumpkin generators that there are (chapter 01 section 6)."""

Buffer = bytes | bytearray | memoryview


class Field(IntEnum):
    """The two prime fields of chapter 01 section 1."""

    FR = lib.BBIPC_FR
    FQ = lib.BBIPC_FQ


class Curve(IntEnum):
    """The two curves of chapter 01 sections 2 and 3."""

    G1 = lib.BBIPC_G1
    GRUMPKIN = lib.BBIPC_GRUMPKIN


class FieldOperation(IntEnum):
    """Operations of a field; the first three take two operands."""

    ADD = lib.BBIPC_ADD
    SUB = lib.BBIPC_SUB
    MUL = lib.BBIPC_MUL
    SQR = lib.BBIPC_SQR
    NEG = lib.BBIPC_NEG
    INV = lib.BBIPC_INV
    SQRT = lib.BBIPC_SQRT


_BINARY: Final = frozenset({FieldOperation.ADD, FieldOperation.SUB, FieldOperation.MUL})


class CancelFlag:
    """A flag that stops verifications: set it from any thread, and those that were given it end with `Outcome.CANCELLED`.

    A verification reads the flag between its steps, so it may still run for some milliseconds, or finish with its verdict.
    """

    __slots__ = ("_cell",)

    def __init__(self) -> None:
        self._cell = ffi.new("int32_t *")

    def set(self) -> None:
        """Set the flag; there is no way back."""
        self._cell[0] = 1

    def is_set(self) -> bool:
        """Whether `set` was called."""
        return bool(self._cell[0])


class Claim:
    """What is left of one proof after everything that needs no other proof; `Core.check` decides it."""

    __slots__ = ("_core", "_handle")

    def __init__(self, core: "Core", handle: Any) -> None:
        self._core = core
        self._handle = handle


def arithmetic_paths() -> list[str]:
    """The arithmetic paths that this machine and build can run, slowest first."""
    return [name for name, number in _ARITHMETIC.items() if name != "auto" and lib.bbipc_arith_supported(number)]


def abi_version() -> int:
    """The number of the C ABI that this build of the core offers (`BBIPC_ABI_VERSION`)."""
    number: int = lib.BBIPC_ABI_VERSION
    return number


def proof_split(total: int, num_public_inputs: int) -> list[int]:
    """Lengths of the five parts of a flat proof of `total` words (chapter 03 section 3).

    Raises:
        ChonkFormatError: `total` does not fit to a key with that many public inputs.
    """
    counts, verdict = ffi.new("uint64_t[5]"), ffi.new("bbipc_verdict *")
    if lib.bbipc_proof_split(total, num_public_inputs, counts, verdict) != lib.BBIPC_OK:
        raise _format_error(verdict)
    return list(counts)


class Core:
    """A context of the C library: a trusted setup and an arithmetic path. Immutable; any number of threads may use it.

    Args:
        g2_x: [x]_2, 128 bytes (see `Setup`).
        translator_key: 64 bytes (see `Setup`).
        arithmetic: `auto` (the fastest that runs here), `portable`, `adx` or `ifma`.

    Raises:
        ChonkFormatError: a point is not canonical, not on its curve, or not in the subgroup.
        ValueError: this machine cannot run that arithmetic path.
    """

    __slots__ = ("_handle",)

    def __init__(self, g2_x: bytes, translator_key: bytes, arithmetic: str = "auto") -> None:
        if arithmetic == "auto":
            arithmetic = os.environ.get("BBIPC_ARITH", "auto")
        number = _ARITHMETIC.get(arithmetic)
        if number is None or (arithmetic != "auto" and not lib.bbipc_arith_supported(number)):
            runnable = ", ".join(arithmetic_paths())
            raise ValueError(f"arithmetic path {arithmetic!r} cannot run here; these can: auto, {runnable}")
        message = ffi.new("char[]", _MESSAGE_SIZE)
        handle = lib.bbipc_core_new(_sized(g2_x, 128), _sized(translator_key, 64), number, message)
        if handle == ffi.NULL:
            raise ChonkFormatError.at("setup", _text(message))
        self._handle = ffi.gc(handle, lib.bbipc_core_free)

    @property
    def arithmetic(self) -> str:
        """The path in use: `portable`, `adx` or `ifma`."""
        return _ARITHMETIC_NAMES[lib.bbipc_core_arith(self._handle)]

    @property
    def handle(self) -> Any:
        """The `bbipc_core *`, for :mod:`bbipc.chonk.cheap`; valid as long as this object."""
        return self._handle

    # ---- Verification ----

    def verify(self, parts: Sequence[bytes], key: bytes, *, threads: int, strict: bool, cancel: CancelFlag | None) -> Verdict:
        """The verdict on one proof given as its five parts."""
        verdict = ffi.new("bbipc_verdict *")
        proof, _keep = _proof(parts)
        lib.bbipc_verify(
            self._handle, proof, _buffer(key), len(key), _flags(strict), _threads(threads), _cancel(cancel), verdict
        )
        return _verdict(verdict)

    def reduce(self, parts: Sequence[bytes], key: bytes, *, strict: bool, cancel: CancelFlag | None) -> Claim:
        """Everything of one verification that needs no other proof."""
        proof, _keep = _proof(parts)
        handle = lib.bbipc_reduce(self._handle, proof, _buffer(key), len(key), _flags(strict), _cancel(cancel))
        if handle == ffi.NULL:
            raise MemoryError("no memory for the claim of a proof")
        return Claim(self, ffi.gc(handle, lib.bbipc_claim_free))

    def reduce_many(
        self,
        proofs: Sequence[Sequence[bytes]],
        keys: Sequence[bytes],
        *,
        strict: bool,
        cancels: Sequence[CancelFlag | None] | None,
    ) -> list[Claim]:
        """`reduce` of several proofs, side by side on one thread."""
        if cancels is not None and len(cancels) != len(proofs):
            raise ValueError(f"{len(cancels)} cancel flags for {len(proofs)} proofs")
        pairs, _keep = _pairs(proofs, keys)
        handles = ffi.new("bbipc_claim *[]", len(proofs))
        lib.bbipc_reduce_many(
            self._handle,
            *pairs,
            _flags(strict),
            ffi.NULL if cancels is None else ffi.new("int32_t *[]", [_cancel(flag) for flag in cancels]),
            handles,
        )
        owned = [ffi.gc(handle, lib.bbipc_claim_free) for handle in handles]
        if ffi.NULL in owned:
            raise MemoryError("no memory for the claim of a proof")
        return [Claim(self, handle) for handle in owned]

    def check(self, claims: Sequence[Claim], *, threads: int, cancels: Sequence[CancelFlag | None] | None) -> list[Verdict]:
        """The verdicts on claims of this context, decided together."""
        if any(claim._core is not self for claim in claims):
            raise ValueError("a claim must be checked by the verifier that made it")
        if cancels is not None and len(cancels) != len(claims):
            raise ValueError(f"{len(cancels)} cancel flags for {len(claims)} claims")
        verdicts = ffi.new("bbipc_verdict[]", len(claims))
        handles = ffi.new("bbipc_claim *[]", [claim._handle for claim in claims])
        flags = ffi.NULL if cancels is None else ffi.new("int32_t *[]", [_cancel(flag) for flag in cancels])
        lib.bbipc_check(self._handle, handles, len(claims), _threads(threads), flags, verdicts)
        return [_verdict(verdicts[index]) for index in range(len(claims))]

    def verify_many(
        self, proofs: Sequence[Sequence[bytes]], keys: Sequence[bytes], *, threads: int, strict: bool, cancel: CancelFlag | None
    ) -> list[Verdict]:
        """The verdicts on proofs given as their five parts, decided together; their reductions run side by side."""
        pairs, _keep = _pairs(proofs, keys)
        verdicts = ffi.new("bbipc_verdict[]", len(proofs))
        lib.bbipc_verify_many(
            self._handle,
            *pairs,
            _flags(strict),
            _threads(threads),
            _cancel(cancel),
            verdicts,
        )
        return [_verdict(verdicts[index]) for index in range(len(proofs))]

    # ---- Encodings ----

    def key_inspect(self, key: bytes) -> tuple[int, int, int, bytes]:
        """log_circuit_size, num_public_inputs, pub_inputs_offset and the 32-byte hash of a key (chapter 03 section 1)."""
        words, digest, verdict = ffi.new("uint64_t[3]"), ffi.new("uint8_t[32]"), ffi.new("bbipc_verdict *")
        if lib.bbipc_key_inspect(self._handle, _buffer(key), len(key), words, digest, verdict) != lib.BBIPC_OK:
            raise _format_error(verdict)
        return words[0], words[1], words[2], bytes(digest)

    def compress(self, parts: Sequence[bytes], words: int) -> bytes:
        """The compressed form of a proof, which has `words` words (chapter 03 section 5)."""
        out, verdict = ffi.new("uint8_t[]", WORD * words), ffi.new("bbipc_verdict *")
        proof, _keep = _proof(parts)
        if lib.bbipc_proof_compress(self._handle, proof, out, len(out), verdict) != lib.BBIPC_OK:
            raise _format_error(verdict)
        return bytes(ffi.buffer(out))

    def decompress(self, data: bytes, words: int) -> bytes:
        """The flat proof of `words` words that `data` is the compressed form of."""
        out, verdict = ffi.new("uint8_t[]", WORD * words), ffi.new("bbipc_verdict *")
        if lib.bbipc_proof_decompress(self._handle, _buffer(data), len(data), out, len(out), verdict) != lib.BBIPC_OK:
            raise _format_error(verdict)
        return bytes(ffi.buffer(out))

    # ---- Primitive operations ----

    def field_op(self, field: Field, operation: FieldOperation, a: bytes, b: bytes | None) -> bytes:
        """`bbipc_field_op`; `b` is None for operations of one operand."""
        if (b is None) is (operation in _BINARY):
            raise PrimitiveError(f"wrong number of operands for {operation.name}")
        out = ffi.new("uint8_t[32]")
        second = ffi.NULL if b is None else _sized(b, 32)
        _done(lib.bbipc_field_op(self._handle, field, operation, _sized(a, 32), second, out))
        return bytes(out)

    def field_reduce512(self, field: Field, data: bytes) -> bytes:
        """`bbipc_field_reduce512`."""
        out = ffi.new("uint8_t[32]")
        _done(lib.bbipc_field_reduce512(self._handle, field, _sized(data, 64), out))
        return bytes(out)

    def point_add(self, curve: Curve, a: bytes, b: bytes) -> bytes:
        """`bbipc_point_add`."""
        out = ffi.new("uint8_t[64]")
        _done(lib.bbipc_point_add(self._handle, curve, _sized(a, 64), _sized(b, 64), out))
        return bytes(out)

    def point_mul(self, curve: Curve, point: bytes, scalar: bytes) -> bytes:
        """`bbipc_point_mul`."""
        out = ffi.new("uint8_t[64]")
        _done(lib.bbipc_point_mul(self._handle, curve, _sized(point, 64), _sized(scalar, 32), out))
        return bytes(out)

    def point_msm(self, curve: Curve, points: bytes, scalars: bytes) -> bytes:
        """`bbipc_point_msm`."""
        out = ffi.new("uint8_t[64]")
        count = _count(points, 64)
        _done(lib.bbipc_point_msm(self._handle, curve, _buffer(points), _sized(scalars, 32 * count), count, out))
        return bytes(out)

    def point_batch_mul(self, curve: Curve, points: bytes, scalar: bytes) -> bytes:
        """`bbipc_point_batch_mul`."""
        count = _count(points, 64)
        out = ffi.new("uint8_t[]", len(points))
        _done(lib.bbipc_point_batch_mul(self._handle, curve, _buffer(points), _sized(scalar, 32), count, out))
        return bytes(ffi.buffer(out))

    def generators_msm(self, scalars: bytes, threads: int) -> bytes:
        """`bbipc_generators_msm`."""
        out = ffi.new("uint8_t[64]")
        _done(lib.bbipc_generators_msm(self._handle, _buffer(scalars), _count(scalars, 32), _threads(threads), out))
        return bytes(out)

    def generators(self, first: int, count: int) -> bytes:
        """`bbipc_generators`."""
        if first < 0 or count < 0:
            raise ValueError("first and count must not be negative")
        out = ffi.new("uint8_t[]", 64 * count)
        _done(lib.bbipc_generators(self._handle, first, count, out))
        return bytes(ffi.buffer(out))

    def g2_mul(self, point: bytes, scalar: bytes) -> bytes:
        """`bbipc_g2_mul`."""
        out = ffi.new("uint8_t[128]")
        _done(lib.bbipc_g2_mul(self._handle, _sized(point, 128), _sized(scalar, 32), out))
        return bytes(out)

    def pairing(self, g1: bytes, g2: bytes) -> tuple[bool, bytes]:
        """`bbipc_pairing`: whether the product is one, and its 384 bytes."""
        is_one, gt = ffi.new("int32_t *"), ffi.new("uint8_t[384]")
        count = _count(g1, 64)
        _done(lib.bbipc_pairing(self._handle, _buffer(g1), _sized(g2, 128 * count), count, is_one, gt))
        return bool(is_one[0]), bytes(gt)

    def g1_decompress(self, words: bytes, threads: int) -> tuple[bytes, int | None]:
        """`bbipc_g1_decompress`: the points; or none, and the index of the first word that is no point."""
        count = _count(words, WORD)
        out, failed = ffi.new("uint8_t[]", 64 * count), ffi.new("uint64_t *")
        status = lib.bbipc_g1_decompress(self._handle, _buffer(words), count, _threads(threads), out, failed)
        if status == lib.BBIPC_NO_RESULT:
            return b"", failed[0]
        _done(status)
        return bytes(ffi.buffer(out)), None

    def points_check(self, curve: Curve, points: Buffer, threads: int) -> int | None:
        """`bbipc_points_check`: the index of the first point that is not on the curve."""
        failed = ffi.new("uint64_t *")
        count = _count(points, 64)
        status = lib.bbipc_points_check(self._handle, curve, _buffer(points), count, _threads(threads), failed)
        if status == lib.BBIPC_NOT_ON_CURVE:
            return int(failed[0])
        _done(status)
        return None

    def g1_combine_neighbours(self, points: bytes, threads: int) -> tuple[bytes, bytes]:
        """`bbipc_g1_combine_neighbours`: later, earlier."""
        later, earlier = ffi.new("uint8_t[64]"), ffi.new("uint8_t[64]")
        count = _count(points, 64)
        _done(lib.bbipc_g1_combine_neighbours(self._handle, _buffer(points), count, _threads(threads), later, earlier))
        return bytes(later), bytes(earlier)

    def poseidon2_permute(self, state: bytes) -> bytes:
        """`bbipc_poseidon2_permute`."""
        out = ffi.new("uint8_t[128]")
        _done(lib.bbipc_poseidon2_permute(self._handle, _sized(state, 128), out))
        return bytes(out)

    def poseidon2_hash(self, words: bytes) -> bytes:
        """`bbipc_poseidon2_hash`."""
        out = ffi.new("uint8_t[32]")
        _done(lib.bbipc_poseidon2_hash(self._handle, _buffer(words), _count(words, 32), out))
        return bytes(out)

    def poseidon2_hash_in_steps(self, words: bytes, count: int) -> Generator[None, None, bytes]:
        """As poseidon2_hash(), for at least one word; each step (`bbipc_poseidon2_absorb`) takes at most `count` of them, a
        multiple of three."""
        whole = memoryview(words)
        state = bytearray(4 * WORD)
        state[3 * WORD : -8] = _count(words, WORD).to_bytes(WORD - 8, "big")
        for start in range(0, len(words), WORD * count):
            piece = whole[start : start + WORD * count]
            _done(lib.bbipc_poseidon2_absorb(self._handle, _buffer(state), _buffer(piece), _count(piece, WORD)))
            yield
        return bytes(state[:WORD])

    def poseidon2_hash_many(self, messages: Sequence[bytes]) -> list[bytes]:
        """`bbipc_poseidon2_hash_many`."""
        words, counts = b"".join(messages), ffi.new("uint64_t[]", [_count(message, WORD) for message in messages])
        out = ffi.new("uint8_t[]", WORD * len(messages))
        _done(lib.bbipc_poseidon2_hash_many(self._handle, _buffer(words), counts, len(messages), out))
        hashes = bytes(ffi.buffer(out))
        return [hashes[start : start + WORD] for start in range(0, len(hashes), WORD)]


def _buffer(data: Buffer) -> Any:
    """A pointer to the bytes themselves; null if there are none."""
    return ffi.from_buffer("uint8_t[]", data) if data else ffi.NULL


def _sized(data: Buffer, size: int) -> Any:
    """A pointer to exactly `size` bytes: the C side cannot see how many there are."""
    if len(data) != size:
        raise PrimitiveError(f"{len(data)} bytes, expected {size}")
    return _buffer(data)


def _count(data: Buffer, size: int) -> int:
    count, rest = divmod(len(data), size)
    if rest:
        raise PrimitiveError(f"{len(data)} bytes, expected a multiple of {size}")
    return count


def _proof(parts: Sequence[bytes]) -> tuple[Any, list[Any]]:
    """The C view of five parts, and what must stay alive as long as it is used."""
    proof = ffi.new("bbipc_proof *")
    keep = [_buffer(part) for part in parts]
    proof.part = keep
    proof.count = [_count(part, WORD) for part in parts]
    return proof, keep


def _pairs(proofs: Sequence[Sequence[bytes]], keys: Sequence[bytes]) -> tuple[tuple[Any, ...], object]:
    """The arguments that proofs and their keys are, and what must live as long as they do."""
    kept = [_proof(parts) for parts in proofs]
    buffers = [_buffer(key) for key in keys]
    sizes = ffi.new("uint64_t[]", [len(key) for key in keys])
    pairs = ffi.new("bbipc_proof[]", [proof[0] for proof, _keep in kept]), ffi.new("uint8_t *[]", buffers), sizes, len(kept)
    return pairs, (kept, buffers)


def _flags(strict: bool) -> int:
    return lib.BBIPC_STRICT if strict else 0


def _threads(threads: int) -> int:
    if not isinstance(threads, int):
        raise TypeError(f"threads: {type(threads).__name__}, expected int")
    if threads < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    return threads


def _cancel(flag: CancelFlag | None) -> Any:
    return ffi.NULL if flag is None else flag._cell


def _text(message: Any) -> str:
    return str(ffi.string(message).decode("ascii", "replace"))


def _verdict(verdict: Any) -> Verdict:
    outcome = _OUTCOMES[verdict.outcome]
    if outcome is Outcome.INVALID:
        return Verdict(outcome, step=_STEP_NAMES[verdict.step])
    if outcome is Outcome.ERROR:
        position = None if verdict.position < 0 else verdict.position
        return Verdict(outcome, reason=_text(verdict.message), part=_PART_NAMES.get(verdict.part), position=position)
    return Verdict(outcome)


def _format_error(verdict: Any) -> ChonkFormatError:
    """The error of an encoding that could not be read."""
    part = _PART_NAMES.get(verdict.part, "")
    where = part if part in ("", "vk", "fields") else f"proof.{part}"
    if where and verdict.position >= 0:
        where = f"{where}[{verdict.position}]"
    return ChonkFormatError(_text(verdict.message), where)


def _done(status: int) -> None:
    if status != lib.BBIPC_OK:
        _raise_primitive_error(status)


def _raise_primitive_error(status: int) -> NoReturn:
    if status == lib.BBIPC_NOT_CANONICAL:
        raise NotCanonicalError("a field element is not below its modulus")
    if status == lib.BBIPC_NOT_ON_CURVE:
        raise NotOnCurveError("a point is not on its curve")
    if status == lib.BBIPC_NO_RESULT:
        raise NoResultError("the operation has no result for this operand")
    if status == lib.BBIPC_OUT_OF_MEMORY:
        raise MemoryError("the core ran out of memory")
    raise PrimitiveError("an argument is out of range")

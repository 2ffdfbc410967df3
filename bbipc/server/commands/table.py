"""All commands that are served, and which function answers each."""

from __future__ import annotations

from functools import cache
from typing import Final

from bbipc.chonk.shared import default_core
from bbipc.server import batch_service, stats
from bbipc.server.commands.kinds import (
    Cancellation,
    Command,
    Computed,
    Report,
    Shutdown,
    ToService,
    Verified,
    encoder,
    late_functions,
)
from bbipc.server.errors import CommandError
from bbipc.server.late import Late
from bbipc.wire import cursor
from bbipc.wire.cursor import Allowance
from bbipc.wire.dialect import Decoders, Unserved, error_response
from bbipc.wire.errors import DecodeError
from bbipc.wire.schema import extended, published
from bbipc.wire.values import SIMPLE

DEADLINE: Final = "deadline_ms"
"""An additional field of every command: milliseconds, from the arrival of the request, in which the client wants the response.
bb ignores it, as it does every field that it does not know."""

_HERE: Final = f"{__package__}."
_OPTIONAL: Final = {DEADLINE: SIMPLE["unsigned int"]}
_OPTIONAL_OF: Final = {"VerifyTx": {"network": SIMPLE["string"]}}
"""Fields that a client may leave out, by command."""


def _cheap(name: str, compute: str, steps: str | None = None) -> Computed:
    """A command whose short requests are answered at once; without `steps`, its requests cannot be long."""
    return Computed(name, encoder(name), Late(_HERE + compute), None if steps is None else Late(_HERE + steps), cheap=True)


def _dear(name: str, compute: str) -> Computed:
    """A command of which each request takes a worker for a millisecond or a few."""
    return Computed(name, encoder(name), Late(_HERE + compute))


def _long(name: str, steps: str, factor: int = 0, **bound: object) -> Computed:
    """A command whose requests may take long."""
    return Computed(name, encoder(name), None, Late(_HERE + steps, **bound), factor=factor)


def _verified(name: str, tasks: str, conclude: str) -> Verified:
    return Verified(name, Late(_HERE + tasks), Late(_HERE + conclude))


@cache
def commands(threads: int = 1) -> dict[str, Command]:
    """All commands that are served, by name; those that check a reference string do so on up to `threads` threads."""
    served: list[Command] = [
        _cheap("Poseidon2Hash", "hashes:poseidon2_hash", "hashes:poseidon2_hash_in_steps"),
        _cheap("Poseidon2Permutation", "hashes:poseidon2_permutation"),
        _cheap("Blake2s", "hashes:blake2s", "hashes:blake2s_in_steps"),
        _cheap("Blake2sToField", "hashes:blake2s_to_field", "hashes:blake2s_to_field_in_steps"),
        _cheap("GrumpkinMul", "points:multiply_grumpkin"),
        _cheap("GrumpkinAdd", "points:add"),
        _cheap("GrumpkinGetRandomFr", "fields:random_fr"),
        _cheap("GrumpkinReduce512", "fields:reduce512"),
        _cheap("Bn254FrSqrt", "fields:sqrt_fr"),
        _cheap("Bn254FqSqrt", "fields:sqrt_fq"),
        _cheap("Bn254G1Mul", "points:multiply_g1"),
        _cheap("Bn254G1IsOnCurve", "points:g1_is_on_curve"),
        _cheap("Bn254G1FromCompressed", "points:g1_from_compressed"),
        _cheap("SetMsmLegacy", "fields:set_msm_legacy"),
        _dear("Bn254G2Mul", "points:multiply_g2"),
        _dear("ChonkCompressProof", "proofs:compress"),
        _dear("ChonkDecompressProof", "proofs:decompress"),
        # The factors are measured, and rounded up. The points of a compressed string are twice as large as the request, and
        # exist as pieces, together, and in the response.
        _long("GrumpkinBatchMul", "points:multiply_batch", factor=4),
        _long("SrsInitSrs", "srs:init_bn254", factor=5, threads=threads),
        _long("SrsInitGrumpkinSrs", "srs:init_grumpkin", threads=threads),
        _verified("ChonkVerify", "verification:one_proof", "verification:conclude_one"),
        _verified("ChonkVerifyFromFields", "verification:one_flat_proof", "verification:conclude_flat"),
        _verified("ChonkBatchVerify", "verification:several_proofs", "verification:conclude_several"),
        _verified("VerifyTx", "transactions:one_transaction", "transactions:conclude_transaction"),
        *(ToService(name) for name in (batch_service.START, batch_service.QUEUE, batch_service.STOP)),
        Cancellation("CancelRequest", encoder("CancelRequest")),
        Report(stats.STATS),
        Shutdown("Shutdown", encoder("Shutdown")({})),
    ]
    return {command.name: command for command in served}


@cache
def decoders() -> Decoders:
    """The decoders of the fields of these commands, and of :data:`DEADLINE`."""
    return {
        name.encode(): (name, extended().command(name).with_optional(_OPTIONAL | _OPTIONAL_OF.get(name, {})))
        for name in commands()
    }


def load(threads: int = 1) -> None:
    """Load what these commands need when they are first used: later there may be no descriptors or memory to do it with."""
    for command in commands(threads).values():
        for function in late_functions(command):
            function.load()
    default_core()
    stats.version()


def admit(request: Unserved) -> int | None:
    """The :data:`DEADLINE` of a published command that may be forwarded. Raises CommandError: bb must not see it."""
    schema = published()
    if not schema.knows(request.name):
        raise CommandError(_unknown(request))
    try:
        _, position = cursor.array_header(request.command, 0)
        _, position = cursor.text(request.command, position)
        fields, _ = schema.command(request.name).with_optional(_OPTIONAL).decode(request.command, position, Allowance())
    except DecodeError as error:
        raise CommandError(str(error)) from None
    deadline: int | None = fields.get(DEADLINE)
    return deadline


def _unknown(request: Unserved) -> str:
    return f"unknown command {request.name[:64]!r}"


def refuse(request: Unserved) -> bytes:
    """The ``Response`` to a command that is not served."""
    if not published().knows(request.name):
        return error_response(_unknown(request))
    return error_response(
        f"{request.name} is not served by bbipc itself; start it with --bb PATH to have it forwarded to a real bb"
    )

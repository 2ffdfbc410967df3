"""Operations in Fr and Fq, and the switch that there is nothing to switch with."""

from __future__ import annotations

import secrets

from bbipc.chonk.core import Field, FieldOperation
from bbipc.chonk.errors import NoResultError
from bbipc.chonk.shared import default_core
from bbipc.wire.values import FR_MODULUS, WORD, Fields


def random_fr(_fields: Fields) -> Fields:
    """``GrumpkinGetRandomFr``."""
    return {"value": secrets.randbelow(FR_MODULUS).to_bytes(WORD, "big")}


def reduce512(fields: Fields) -> Fields:
    """``GrumpkinReduce512``."""
    return {"value": (int.from_bytes(fields["input"], "big") % FR_MODULUS).to_bytes(WORD, "big")}


def sqrt_fr(fields: Fields) -> Fields:
    """``Bn254FrSqrt``."""
    return _square_root(fields, Field.FR)


def sqrt_fq(fields: Fields) -> Fields:
    """``Bn254FqSqrt``."""
    return _square_root(fields, Field.FQ)


def set_msm_legacy(fields: Fields) -> Fields:
    """``SetMsmLegacy``: there is only one multi-scalar multiplication here; the answer is the value asked for, as from bb."""
    return {"enabled": fields["enabled"]}


def _square_root(fields: Fields, field: Field) -> Fields:
    try:
        root = default_core().field_op(field, FieldOperation.SQRT, fields["input"], None)
    except NoResultError:
        return {"is_square_root": False, "value": bytes(WORD)}
    return {"is_square_root": True, "value": root}

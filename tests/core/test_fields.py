"""Field arithmetic of the core against Python integers (chapter 01 section 1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbipc.chonk import NoResultError, NotCanonicalError, PrimitiveError
from bbipc.chonk.core import Core, Field, FieldOperation
from reference.curves import Q, R
from samples import word
from strategies import elements, not_below

MODULUS = {Field.FR: R, Field.FQ: Q}
fields = st.sampled_from(list(Field))


@st.composite
def field_and(draw: st.DrawFn, count: int) -> tuple[Field, ...]:
    field = draw(fields)
    return field, *(draw(elements(MODULUS[field])) for _ in range(count))


def run(core: Core, field: Field, operation: FieldOperation, a: int, b: int | None = None) -> int:
    result = core.field_op(field, operation, word(a), None if b is None else word(b))
    value = int.from_bytes(result, "big")
    assert value < MODULUS[field]
    return value


@given(field_and(2))
def test_ring_operations(core: Core, case: tuple[Field, int, int]) -> None:
    field, a, b = case
    p = MODULUS[field]
    assert run(core, field, FieldOperation.ADD, a, b) == (a + b) % p
    assert run(core, field, FieldOperation.SUB, a, b) == (a - b) % p
    assert run(core, field, FieldOperation.MUL, a, b) == a * b % p
    assert run(core, field, FieldOperation.SQR, a) == a * a % p
    assert run(core, field, FieldOperation.NEG, a) == -a % p


@given(field_and(1))
def test_inverse(core: Core, case: tuple[Field, int]) -> None:
    field, a = case
    if a == 0:
        with pytest.raises(NoResultError):
            run(core, field, FieldOperation.INV, a)
    else:
        assert run(core, field, FieldOperation.INV, a) == pow(a, -1, MODULUS[field])


@given(field_and(1))
def test_square_root_of_a_square(core: Core, case: tuple[Field, int]) -> None:
    field, a = case
    p = MODULUS[field]
    assert run(core, field, FieldOperation.SQRT, a * a % p) in (a, -a % p)


@given(field_and(1))
def test_square_root_exists_exactly_for_squares(core: Core, case: tuple[Field, int]) -> None:
    field, a = case
    p = MODULUS[field]
    if pow(a, (p - 1) // 2, p) == p - 1:
        with pytest.raises(NoResultError):
            run(core, field, FieldOperation.SQRT, a)
    else:
        assert pow(run(core, field, FieldOperation.SQRT, a), 2, p) == a


@pytest.mark.parametrize("log_order", range(1, 29))
def test_square_root_of_roots_of_unity(core: Core, log_order: int) -> None:
    """The roots of one of order 2^k in Fr take every path through the Tonelli-Shanks loop."""
    root = pow(5, (R - 1) >> log_order, R)
    if log_order == 28:  # a generator of the 2-Sylow subgroup has no root
        with pytest.raises(NoResultError):
            run(core, Field.FR, FieldOperation.SQRT, root)
    else:
        assert pow(run(core, Field.FR, FieldOperation.SQRT, root), 2, R) == root


@given(fields, st.one_of(st.integers(0, 2**512 - 1), st.sampled_from([0, Q, R, 2**256, 2**512 - 1, Q * 2**256, R * R])))
def test_reduce_512(core: Core, field: Field, value: int) -> None:
    assert int.from_bytes(core.field_reduce512(field, value.to_bytes(64, "big")), "big") == value % MODULUS[field]


@given(fields, st.sampled_from(list(FieldOperation)), st.data())
def test_operands_must_be_canonical(core: Core, field: Field, operation: FieldOperation, data: st.DataObject) -> None:
    bad, good = word(data.draw(not_below(MODULUS[field]))), word(data.draw(elements(MODULUS[field])))
    binary = operation in (FieldOperation.ADD, FieldOperation.SUB, FieldOperation.MUL)
    with pytest.raises(NotCanonicalError):
        core.field_op(field, operation, bad, good if binary else None)
    if binary:
        with pytest.raises(NotCanonicalError):
            core.field_op(field, operation, good, bad)


def test_operands_must_be_words(core: Core) -> None:
    for size in (0, 31, 33):
        with pytest.raises(PrimitiveError, match="bytes, expected 32"):
            core.field_op(Field.FR, FieldOperation.SQR, bytes(size), None)
    with pytest.raises(PrimitiveError, match="63 bytes, expected 64"):
        core.field_reduce512(Field.FR, bytes(63))


def test_number_of_operands(core: Core) -> None:
    for operation in FieldOperation:
        binary = operation in (FieldOperation.ADD, FieldOperation.SUB, FieldOperation.MUL)
        with pytest.raises(PrimitiveError, match=f"wrong number of operands for {operation.name}"):
            core.field_op(Field.FR, operation, word(1), None if binary else word(1))

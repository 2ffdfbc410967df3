"""A prover of the ECCVM and IPA parts (chapters 07 and 09) for a table of operations that is empty but for its hiding row.

Nobody knows a secret about Grumpkin's generators, so these two parts have to be proved. An empty table fulfils all 159
subrelations: every column is zero but for the row that hides (an equality with a reset, and any point and scalars) and z_perm,
which is one from there on. Since whoever knows the secret of the test setup opens everything else (forge.py), this makes a
proof for *any* key and *any* public inputs of which every equation holds: valid proofs of unusual form, and proofs of
which exactly one equation fails, the inner-product argument included.

Nothing is hidden: all masking polynomials are what `Table` says, by default zero.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from bbipc.chonk.core import Curve
from bbipc.chonk.primitives import generators_msm, point_msm
from reference import relations as rel

__all__ = ["COLUMNS", "FIRST_SHIFTED", "ONE", "UNSHIFTED", "EccvmProof", "Ipa", "Table", "combine", "prove_eccvm", "prove_ipa"]

Q: Final = rel.Q
R: Final = rel.R
LOG: Final = 15
SIZE: Final = 1 << LOG
FIRST, HIDING, LAST = 4, 5, SIZE - 1
"""Rows of the three Lagrange columns that matter here (chapter 07.1)."""
COLUMNS: Final = {name: index for index, name in enumerate(rel.ECCVM_NAMES)}
UNSHIFTED: Final = 93
FIRST_SHIFTED: Final = 66
TRANSLATED: Final = ("transcript_op", "transcript_px", "transcript_py", "transcript_z1", "transcript_z2")
KEY_HASH: Final = 0x032ECE6C493F6E74CA8847127F189F8E759021E53DF9820A88985E41E400FDE2
GENERATOR_87: Final = pow(0x0C68E27477B5E78CFAB790BD3B59806FA871771F71EC7452CDE5384F6E3A1988, -1, Q)
ONE: Final = (1, 0x2CF135E7506A45D632D270D45F1181294833FC48D823F272C)
"""The standard generator, the base of U (chapter 09)."""
LOOKUP: Final = 114
"""The subrelation that is not multiplied by the gate separator."""
POINTS: Final = 24
"""At so many values of X the product of relations, separator and row factor is evaluated: its degree is below."""

Polynomial = list[int]
"""Coefficients in Fq, the lowest first."""
Point = tuple[int, int]


class Transcript(Protocol):
    """Chapter 02 section 4."""

    def absorb(self, values: Iterable[int]) -> None: ...
    def challenge(self) -> int: ...
    def challenges(self, count: int) -> list[int]: ...


def limbs(value: int) -> list[int]:
    """Chapter 02 section 3."""
    return [value & 2**136 - 1, value >> 136]


def point_of(data: bytes) -> Point:
    """A point from its 64 bytes."""
    return int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")


def commit(polynomial: Sequence[int]) -> Point:
    """The sum of coefficient i * generator i."""
    return point_of(generators_msm([(c % Q).to_bytes(32, "big") for c in polynomial]))


def combine(points: Sequence[Point], scalars: Sequence[int]) -> Point:
    """sum of scalar * point on Grumpkin."""
    encoded = [x.to_bytes(32, "big") + y.to_bytes(32, "big") for x, y in points]
    return point_of(point_msm(Curve.GRUMPKIN, encoded, [(s % Q).to_bytes(32, "big") for s in scalars]))


def evaluate(polynomial: Sequence[int], x: int) -> int:
    """Its value at x."""
    total = 0
    for c in reversed(polynomial):
        total = (total * x + c) % Q
    return total


def _add(total: Polynomial, polynomial: Sequence[int], factor: int) -> None:
    total += [0] * (len(polynomial) - len(total))
    for i, c in enumerate(polynomial):
        if c:
            total[i] = (total[i] + factor * c) % Q


def _divide(polynomial: Sequence[int], point: int) -> Polynomial:
    """(p(X) - p(point)) / (X - point)."""
    quotient = [0] * max(len(polynomial) - 1, 0)
    carry = 0
    for i in reversed(range(len(quotient))):
        carry = (carry * point + polynomial[i + 1]) % Q
        quotient[i] = carry
    return quotient


@dataclass
class Claim:
    """A polynomial is said to have a value at a point."""

    polynomial: Sequence[int]
    point: int
    value: int


def _quotient(claims: Sequence[Claim], nu: int) -> Polynomial:
    total: Polynomial = []
    weight = 1
    for claim in claims:
        _add(total, _divide(claim.polynomial, claim.point), weight)
        weight = weight * nu % Q
    return total


def _reduced(quotient: Sequence[int], claims: Sequence[Claim], nu: int, z: int) -> Polynomial:
    """quotient - sum of nu^k (p_k - a_k) / (z - t_k): it vanishes at z if the claims are true."""
    total = list(quotient)
    weight = 1
    for claim in claims:
        factor = weight * pow(z - claim.point, -1, Q) % Q
        _add(total, claim.polynomial, -factor)
        total[0] = (total[0] + factor * claim.value) % Q
        weight = weight * nu % Q
    return total


@dataclass(frozen=True)
class Table:
    """What is free in a table without operations.

    Attributes:
        hiding: px, py, z1, z2 of the hiding row.
        masking: coefficients of the masking polynomial of the opening.
        libra: the polynomials Lc, Lg and Lq, as they are sent; `libra_sum` Ls, `libra_claim` Le.
        translation: the polynomials Tc, Tg and Tq; `translation_claim` Me.
        columns: values of any rows, by column, beside those that are said above.
        evaluations: what is added to one of the 119 evaluations, by its number.
        dropped: this subrelation is left out of the sum, as in a verifier that forgot it.
    """

    hiding: tuple[int, int, int, int] = (0, 0, 0, 0)
    masking: Sequence[int] = ()
    libra: tuple[Sequence[int], Sequence[int], Sequence[int]] = ((), (), ())
    libra_sum: int = 0
    libra_claim: int = 0
    translation: tuple[Sequence[int], Sequence[int], Sequence[int]] = ((), (), ())
    translation_claim: int = 0
    columns: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    evaluations: Mapping[int, int] = field(default_factory=dict)
    dropped: int | None = None

    def polynomials(self) -> dict[int, Polynomial]:
        """The unshifted columns that are not zero."""
        rows: dict[str, dict[int, int]] = {
            "lagrange_first": {FIRST: 1},
            "lagrange_second": {HIDING: 1},
            "lagrange_third": {HIDING + 1: 1},
            "lagrange_last": {LAST: 1},
            "transcript_eq": {HIDING: 1},
            "transcript_reset_accumulator": {HIDING: 1},
            "transcript_op": {HIDING: 3},
            **{name: {HIDING: value} for name, value in zip(TRANSLATED[1:], self.hiding, strict=True) if value},
            "z_perm": dict.fromkeys(range(HIDING, SIZE), 1),
        }
        for name, values in self.columns.items():
            rows[name] = {**rows.get(name, {}), **values}
        columns = {}
        for name, values in rows.items():
            column = [0] * SIZE
            for row, value in values.items():
                column[row] = value % Q
            columns[COLUMNS[name]] = column
        if self.masking:
            columns[0] = [*self.masking, *[0] * (SIZE - len(self.masking))]
        return columns


@dataclass
class EccvmProof:
    """The 612 words, what the translator gets, and the claim of the inner-product argument."""

    words: list[int]
    x: int
    v: int
    accumulated: int
    polynomial: Polynomial
    point: int


@dataclass
class _Writer:
    """Sends and absorbs."""

    transcript: Transcript
    words: list[int] = field(default_factory=list)

    def point(self, point: Point) -> None:
        self._send(list(point))

    def scalar(self, value: int) -> None:
        self._send(limbs(value % Q))

    def _send(self, words: list[int]) -> None:
        self.words += words
        self.transcript.absorb(words)

    def challenge(self) -> int:
        return self.transcript.challenge()


def prove_eccvm(transcript: Transcript, table: Table) -> EccvmProof:
    """Runs chapter 07 as the prover."""
    out = _Writer(transcript)
    columns = table.polynomials()
    challenges = _send_columns(out, columns)
    out.point(commit(table.libra[0]))
    out.scalar(table.libra_sum)
    libra_challenge = out.challenge()
    rounds, u, evaluations = _sumcheck(out, columns, challenges, table.dropped)
    for index, error in table.evaluations.items():
        evaluations[index] = (evaluations[index] + error) % Q
    for value in [*evaluations, table.libra_claim]:
        out.scalar(value)
    out.point(commit(table.libra[1]))
    out.point(commit(table.libra[2]))
    final = _final_value(evaluations, u, challenges, table.dropped) + table.libra_claim * libra_challenge
    claims = _fold(out, columns, evaluations, u)
    r = claims[0].point
    claims += _subgroup(out, table.libra, r)
    for k, polynomial in enumerate(rounds):
        implied = (evaluate(rounds[k + 1], 0) + evaluate(rounds[k + 1], 1)) if k + 1 < LOG else final
        values = (evaluate(polynomial, 0), evaluate(polynomial, 1), implied % Q)
        claims += [Claim(polynomial, place, value) for place, value in zip((0, 1, u[k]), values, strict=True)]
    nu = out.challenge()
    first = _quotient(claims, nu)
    out.point(commit(first))
    z = out.challenge()
    return _translate(out, columns, Claim(_reduced(first, claims, nu, z), z, 0), table)


def _send_columns(out: _Writer, columns: Mapping[int, Polynomial]) -> "_Challenges":
    """All commitments of 7.2, and the challenges behind them."""
    out.transcript.absorb([KEY_HASH])
    out.point(_commit_column(columns.get(0)))
    for index in range(5, 91):
        out.point(_commit_column(columns.get(index)))
    beta, gamma = out.transcript.challenges(2)
    for name in ("lookup_inverses", "z_perm"):
        out.point(_commit_column(columns.get(COLUMNS[name])))
    return _Challenges(beta, gamma, out.challenge(), out.challenge())


def _final_value(evaluations: Sequence[int], u: Sequence[int], c: "_Challenges", dropped: int | None) -> int:
    """B * D of 7.4."""
    values = rel.eccvm_subrelations(evaluations, c.beta, c.gamma)
    if dropped is not None:
        values[dropped] = 0
    disabled = 1
    for u_i in u[2:]:
        disabled = disabled * (1 - u_i) % Q
    return rel.eccvm_batched(values, c.alpha, rel.gate_separator(u, c.gate, Q)) * (1 - disabled) % Q


def _fold(out: _Writer, columns: Mapping[int, Polynomial], evaluations: Sequence[int], u: Sequence[int]) -> list[Claim]:
    """The folds of 7.6 and their values; the claims on them."""
    rho = out.challenge()
    flat: Polynomial = [0] * SIZE
    moved: Polynomial = [0] * SIZE
    for index, column in columns.items():
        _add(flat, column, pow(rho, index, Q))
        if _is_shifted(index):
            _add(moved, column, pow(rho, UNSHIFTED + index - FIRST_SHIFTED, Q))
    folds = [[(a + b) % Q for a, b in zip(flat, [*moved[1:], 0], strict=True)]]
    for u_i in u[:-1]:
        folds.append(_folded(folds[-1], u_i))
        out.point(commit(folds[-1]))
    r = out.challenge()
    inverse = pow(r, -1, Q)
    here, there = list(flat), list(flat)
    _add(here, moved, inverse)
    _add(there, moved, -inverse)
    powers = [pow(r, 2**k, Q) for k in range(LOG)]
    negatives = [evaluate(fold if k else there, -power) for k, (fold, power) in enumerate(zip(folds, powers, strict=True))]
    for value in negatives:
        out.scalar(value)
    positives = []
    cur = sum(pow(rho, k, Q) * value for k, value in enumerate(evaluations)) % Q
    for power, u_i, value in reversed(list(zip(powers, u, negatives, strict=True))):
        above = 2 * power * cur - value * (power * (1 - u_i) - u_i)
        cur = above * pow(power * (1 - u_i) + u_i, -1, Q) % Q
        positives.append(cur)
    claims = []
    for k, (fold, power) in enumerate(zip(folds, powers, strict=True)):
        claims += [Claim(fold if k else here, power, positives[-1 - k]), Claim(fold if k else there, -power % Q, negatives[k])]
    return claims


def _translate(out: _Writer, columns: Mapping[int, Polynomial], opened: Claim, table: Table) -> EccvmProof:
    """7.7 and 7.8."""
    out.point(commit(table.translation[0]))
    x = out.challenge()
    translated = [columns.get(COLUMNS[name], []) for name in TRANSLATED]
    sent = [evaluate(column, x) for column in translated]
    for value in sent:
        out.scalar(value)
    v = out.challenge()
    out.scalar(table.translation_claim)
    out.point(commit(table.translation[1]))
    out.point(commit(table.translation[2]))
    claims = _subgroup(out, table.translation, out.challenge())
    total: Polynomial = []
    for k, column in enumerate(translated):
        _add(total, column, pow(v, k, Q))
    value = sum(pow(v, k, Q) * s for k, s in enumerate(sent)) % Q
    claims += [Claim(total, x, value), opened]
    nu = out.challenge()
    quotient = _quotient(claims, nu)
    out.point(commit(quotient))
    z = out.challenge()
    accumulated = (value - table.translation_claim) * pow(x, -5, Q) % Q
    assert len(out.words) == 612
    return EccvmProof(out.words, x, v, accumulated, _reduced(quotient, claims, nu, z), z)


def _is_shifted(index: int) -> bool:
    return FIRST_SHIFTED <= index < UNSHIFTED - 1


def _commit_column(column: Polynomial | None) -> Point:
    return (0, 0) if column is None else commit(column)


def _subgroup(out: _Writer, polynomials: Sequence[Sequence[int]], y: int) -> list[Claim]:
    """Sends the four scalars of 7.5; its five claims."""
    secret, running, quotient = polynomials
    moved = GENERATOR_87 * y % Q
    places = ((secret, y), (running, moved), (running, y), (quotient, y))
    claims = [Claim(polynomial, place, evaluate(polynomial, place)) for polynomial, place in places]
    for claim in claims:
        out.scalar(claim.value)
    claims.insert(3, Claim(running, 1, 0))
    return claims


def _folded(values: Sequence[int], u: int) -> list[int]:
    return [(a + u * (b - a)) % Q for a, b in zip(values[::2], values[1::2], strict=True)]


@dataclass(frozen=True)
class _Challenges:
    beta: int
    gamma: int
    alpha: int
    gate: int


Row = tuple[int, ...]


class _Relations:
    """The batched relation of chapter 08 on rows of the columns that are not zero; each row is evaluated once."""

    def __init__(self, names: Sequence[int], challenges: _Challenges, dropped: int | None) -> None:
        self._names, self._challenges, self._dropped = names, challenges, dropped
        self._seen: dict[Row, tuple[int, int]] = {}

    def __call__(self, row: Row) -> tuple[int, int]:
        """The sum of the subrelations that are multiplied by the separator, and the one that is not."""
        if row not in self._seen:
            entities = [0] * 119
            for index, value in zip(self._names, row, strict=True):
                entities[index] = value
            found = rel.eccvm_subrelations(entities, self._challenges.beta, self._challenges.gamma)
            if self._dropped is not None:
                found[self._dropped] = 0
            alpha, lookup = self._challenges.alpha, found[LOOKUP]
            found[LOOKUP] = 0
            self._seen[row] = rel.eccvm_batched(found, alpha, 1), pow(alpha, LOOKUP, Q) * lookup % Q
        return self._seen[row]


def _sumcheck(
    out: _Writer, columns: Mapping[int, Polynomial], challenges: _Challenges, dropped: int | None
) -> tuple[list[Polynomial], list[int], list[int]]:
    """The round polynomials, the challenges u and the 119 evaluations."""
    values = {index: list(column) for index, column in columns.items()}
    for index, column in columns.items():
        if _is_shifted(index):
            values[UNSHIFTED + index - FIRST_SHIFTED] = [*column[1:], 0]
    names = sorted(index for index in values if index)  # no relation reads the masking polynomial
    relations = _Relations(names, challenges, dropped)
    enabled = [0] * FIRST + [1] * (SIZE - FIRST)
    powers = [pow(challenges.gate, 2**i, Q) for i in range(LOG)]
    rounds: list[Polynomial] = []
    u: list[int] = []
    prefix = 1
    for i, power in enumerate(powers):
        rows = [*zip(*(values[index] for index in names), enabled, strict=True)]
        polynomial = _round(relations, rows, powers[i:], prefix)
        rounds.append(polynomial)
        out.point(commit(polynomial))
        out.scalar(evaluate(polynomial, 0))
        out.scalar(evaluate(polynomial, 1))
        u.append(out.challenge())
        prefix = prefix * (1 + u[-1] * (power - 1)) % Q
        values = {index: _folded(column, u[-1]) for index, column in values.items()}
        enabled = _folded(enabled, u[-1])
    evaluations = [0] * 119
    for index, column in values.items():
        evaluations[index] = column[0]
    return rounds, u, evaluations


def _round(relations: _Relations, rows: Sequence[Row], powers: Sequence[int], prefix: int) -> Polynomial:
    """The round polynomial; the last value of each row is its factor. Pairs of equal rows are taken together."""
    separators = [1]
    for power in powers[1:]:
        separators += [s * power % Q for s in separators]
    weights: dict[tuple[Row, Row], list[int]] = {}
    for low, high, separator in zip(rows[::2], rows[1::2], separators, strict=True):
        weight = weights.setdefault((low, high), [0, 0])
        weight[0] += separator
        weight[1] += 1
    sums = []
    for t in range(POINTS):
        total = 0
        separator = prefix * (1 + t * (powers[0] - 1)) % Q
        for (low, high), (weight_sum, count) in weights.items():
            *row, enabled = ((a + t * (b - a)) % Q for a, b in zip(low, high, strict=True))
            main, lookup = relations(tuple(row))
            total += (separator * weight_sum * main + count * lookup) * enabled
        sums.append(total % Q)
    return _interpolated(sums)


def _interpolated(values: Sequence[int]) -> Polynomial:
    """The polynomial that has these values at 0, 1, 2, ... (Newton's divided differences)."""
    if not any(values):
        return []
    differences = list(values)
    for order in range(1, len(values)):
        for i in reversed(range(order, len(values))):
            differences[i] = (differences[i] - differences[i - 1]) * pow(order, -1, Q) % Q
    polynomial: Polynomial = []
    for k in reversed(range(len(values))):
        polynomial = [(a - k * b) % Q for a, b in zip([0, *polynomial], [*polynomial, 0], strict=True)]
        polynomial[0] = (polynomial[0] + differences[k]) % Q
    while polynomial and not polynomial[-1]:
        polynomial.pop()
    return polynomial


@dataclass(frozen=True)
class Ipa:
    """What is wrong in the argument.

    Attributes:
        value: what L of the first round is off by: check 2 fails by this multiple of `ONE`, weighed by its challenge.
        scalar: what is added to a0; `keeps_second`: then G0 is chosen so that check 2 holds, and check 1 alone fails.
    """

    value: int = 0
    scalar: int = 0
    keeps_second: bool = False


def prove_ipa(make: Callable[[], Transcript], proof: EccvmProof, wrong: Ipa = Ipa()) -> list[int]:
    """Runs chapter 09 as the prover; the 64 words. The claim is that the polynomial vanishes at the point."""
    transcript = make()
    commitment = commit(proof.polynomial)
    transcript.absorb([*commitment, *limbs(proof.point), 0, 0])
    generator = transcript.challenge()
    base = combine([ONE], [generator])
    words: list[int] = []
    a = [*proof.polynomial, *[0] * (SIZE - len(proof.polynomial))]
    b = [1]
    for _ in range(SIZE - 1):
        b.append(b[-1] * proof.point % Q)
    weights = [1]
    """Of the blocks of generators that were folded into one."""
    right_side, right_scalars = [commitment], [1]
    for i in range(LOG):
        half = len(a) // 2
        a_low, a_high, b_low, b_high = a[:half], a[half:], b[:half], b[half:]
        crossed = []
        for values, at, other in ((a_low, half, b_high), (a_high, 0, b_low)):
            scalars = [0] * SIZE
            for block, weight in enumerate(weights):
                start = block * 2 * half + at
                scalars[start : start + half] = [value * weight % Q for value in values]
            inner = sum(x * y for x, y in zip(values, other, strict=True)) % Q
            crossed.append(combine([commit(scalars), base], [1, inner]))
        if i == 0 and wrong.value:
            crossed[0] = combine([crossed[0], ONE], [1, wrong.value])
        for point in crossed:
            words += point
            transcript.absorb(point)
        c = transcript.challenge()
        d = pow(c, -1, Q)
        right_side += crossed
        right_scalars += [d, c]
        a = [(x + c * y) % Q for x, y in zip(a_low, a_high, strict=True)]
        b = [(x + d * y) % Q for x, y in zip(b_low, b_high, strict=True)]
        weights = [w * factor % Q for w in weights for factor in (1, d)]
    last = (a[0] + wrong.scalar) % Q
    if wrong.keeps_second:
        inverse = pow(last, -1, Q)
        points = [*right_side, base]
        g0 = combine(points, [*(s * inverse for s in right_scalars), -b[0]])
    else:
        g0 = commit(weights)
    return [*words, *g0, *limbs(last)]

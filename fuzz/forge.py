"""Forged proofs that satisfy every equation of the verifier but the one they are aimed at, as far as that is possible.

    python fuzz/forge.py [--bb DIR/bb-test]

writes tests/data/forged/corpus.json from the proofs of tests/data. It is possible because the secret x of the test setup is
known: whoever knows it opens a commitment on BN254 to any value (chapter 14.7). So a change is made, the transcript of chapter
02 is run again over the changed proof, and whatever other equation the change would break is put right on the way, by the
answer that is sent last for it:

* merge: M's evaluations for check C, G's for check D, W for the pairing (chapter 06);
* ECCVM: s_0(0) for CHECK 1, the quotients Q(r) and Q(w) for CHECKS 2 and 3 (chapter 07);
* joint: S_0(0) for check A, the quotient Q(r) for check B, W for check C (chapters 13 and 14).

What comes before the ECCVM part changes its challenges, and nobody knows a secret about Grumpkin's generators: such a proof
also fails in the inner-product argument, which is judged last. `also` in the corpus says so. What is changed in the joint or
the IPA part leaves all other equations untouched.

Unless the ECCVM and IPA parts are proved anew, for an empty table (prove.py). Then one equation alone fails, or none: proofs
of unusual form that must be accepted, for any key and any public inputs. Such a proof takes some seconds.

With `--bb` each proof is judged by bb as well, and its answer is stored. The script is deterministic. With `--check` it writes
nothing, and compares what it makes with what is stored.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import trio
from oracle import Bb
from prove import COLUMNS, FIRST_SHIFTED, ONE, UNSHIFTED, Ipa, Table, prove_eccvm, prove_ipa
from prove import combine as combine_grumpkin

from bbipc.chonk import ChonkProof, Outcome, Setup, Verdict, Verifier
from bbipc.chonk.core import Curve
from bbipc.chonk.primitives import point_msm, poseidon2_hash
from bbipc.conform.messages import call
from bbipc.conform.samples import PART_WORDS, PARTS
from reference import relations as rel

__all__ = ["CASES", "Case", "Forgery", "Proof", "expected_of_bb", "found_by", "load_corpus", "rebuild"]

ROOT: Final = Path(__file__).parents[1]
DATA: Final = ROOT / "tests" / "data"
CORPUS: Final = DATA / "forged" / "corpus.json"
Q: Final = rel.Q
R: Final = rel.R
X: Final = int(json.loads((DATA / "test_setup.json").read_text())["tau"], 16) % R
"""The secret of the test setup."""

OINK, MERGE, ECCVM, IPA, JOINT = PARTS
PI, MERGE_PAIRING, JOINT_PAIRING = "PI pairing points", "Merge pairing", "batched translator+joint pairing"
DATABUS, MERGE_REDUCTION, ECCVM_STEP = "databus consistency", "Merge reduction", "ECCVM step"
JOINT_REDUCTION, IPA_STEP = "batched translator+joint reduction", "IPA"
READING: Final = "reading"
"""In place of a step: the proof cannot be read."""
VALID: Final = "valid"
"""In place of a step: nothing is wrong."""
KEY: Final = "key"
"""Among the changes of a case: words of the key."""
SUBRELATIONS: Final = 159
"""Of ECCVM (chapter 08)."""
MERGE_SHIFT: Final = 7526
ECCVM_KEY_HASH: Final = 0x032ECE6C493F6E74CA8847127F189F8E759021E53DF9820A88985E41E400FDE2
TRANSLATOR_KEY_HASH: Final = 0x281228E56FBFB62A424C94BDA780104C9B5E758B8A02F148CE5E98C2867FDFC1
ECCVM_INVERSE: Final = 0x0C68E27477B5E78CFAB790BD3B59806FA871771F71EC7452CDE5384F6E3A1988
JOINT_INVERSE: Final = 0x204BD3277422FAD364751AD938E2B5E6A54CF8C68712848A692C553D0329F5D6
CUBE_ROOT: Final = 0x59E26BCEA0D48BACD4F263F1ACDB5C4F5763473177FFFFFE
"""Of one in Fq: (CUBE_ROOT x, y) is a point if (x, y) is."""

G1Point = tuple[int, int]
GENERATOR: Final[G1Point] = (1, 2)
INFINITY: Final[G1Point] = (0, 0)


# ---- Numbers, points and the transcript ----------------------------------------------------------------------------


def _bytes(value: int) -> bytes:
    return value.to_bytes(32, "big")


def combine(points: Sequence[G1Point], scalars: Sequence[int]) -> G1Point:
    """sum of scalar * point on BN254."""
    encoded = [_bytes(x) + _bytes(y) for x, y in points]
    total = point_msm(Curve.G1, encoded, [_bytes(s % R) for s in scalars])
    return int.from_bytes(total[:32], "big"), int.from_bytes(total[32:], "big")


def limbs(value: int) -> list[int]:
    """Chapter 02 section 3."""
    return [value & 2**136 - 1, value >> 136]


@dataclass
class Transcript:
    """Chapter 02 section 4."""

    buffer: list[int] = field(default_factory=list)

    def absorb(self, values: Iterable[int]) -> None:
        self.buffer += values

    def challenges(self, count: int) -> list[int]:
        """`count` challenges, two from each hash."""
        out: list[int] = []
        while len(out) < count:
            digest = int.from_bytes(poseidon2_hash([_bytes(v) for v in self.buffer]), "big")
            self.buffer = [digest]
            out += [digest & 2**127 - 1, digest >> 127]
        return out[:count]

    def challenge(self) -> int:
        return self.challenges(1)[0]


@dataclass
class Proof:
    """A proof and its key as integers, to be changed in place."""

    parts: dict[str, list[int]]
    key: list[int]

    @classmethod
    def of(cls, flow: str) -> "Proof":
        """A valid proof of tests/data."""
        words = _words((DATA / flow / "proof_fields.bin").read_bytes())
        parts, start = {}, 0
        for name in PARTS:
            count = PART_WORDS[name] + (len(words) - sum(PART_WORDS.values()) if name == OINK else 0)
            parts[name] = words[start : start + count]
            start += count
        return cls(parts, _words((DATA / flow / "vk").read_bytes()))

    def with_user_inputs(self, count: int) -> "Proof":
        """So many public inputs before the 28 of the hiding kernel, all zero."""
        words = self.parts[OINK][self.num_public_inputs - 28 :]
        key = [self.key[0], count + 28, *self.key[2:]]
        return Proof({**self.parts, OINK: [0] * count + words}, key)

    def copy(self) -> "Proof":
        return Proof({name: list(words) for name, words in self.parts.items()}, list(self.key))

    @property
    def num_public_inputs(self) -> int:
        return len(self.parts[OINK]) - PART_WORDS[OINK]

    def g1(self, part: str, start: int) -> G1Point:
        a, b, c, d = self.parts[part][start : start + 4]
        return a + (b << 136), c + (d << 136)

    def set_g1(self, part: str, start: int, point: G1Point) -> None:
        self.parts[part][start : start + 4] = limbs(point[0]) + limbs(point[1])

    def fq(self, part: str, start: int) -> int:
        low, high = self.parts[part][start : start + 2]
        return low + (high << 136)

    def set_fq(self, part: str, start: int, value: int) -> None:
        self.parts[part][start : start + 2] = limbs(value % Q)

    def public_point(self, index: int) -> int:
        """Where the n-th of the seven points in the public inputs begins (chapter 05)."""
        return self.num_public_inputs - 28 + 4 * index

    def chonk(self) -> ChonkProof:
        return ChonkProof(*(b"".join(map(_bytes, self.parts[name])) for name in PARTS))

    def key_bytes(self) -> bytes:
        return b"".join(map(_bytes, self.key))


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32)]


# ---- One run of the protocol that puts equations right --------------------------------------------------------------


@dataclass
class Forgery:
    """Runs the protocol over a proof and makes each equation hold, but for those in `wrong`.

    `wrong` maps the name of an equation to the error that it gets: what its two sides differ by. For a pairing that is the
    exponent of the product, whose base is e([1]_1, [1]_2).
    """

    proof: Proof
    wrong: Mapping[str, int]
    dropped: int | None = None
    """A joint subrelation (0..43 MegaZK, 44..197 translator) that is left out of the sum, as in a verifier that forgot it."""
    first: str = OINK
    """Nothing before this part is changed, so that what is right there need not be put right."""
    table: Table | None = None
    """The ECCVM and IPA parts are not changed but proved anew, for this table."""
    ipa: Ipa = field(default_factory=Ipa)

    def _error(self, name: str) -> int:
        return self.wrong.get(name, 0)

    def run(self) -> Proof:
        """The forged proof."""
        self.t = Transcript()
        self._oink()
        self._merge()
        self._eccvm()
        self._joint()
        return self.proof

    def _fixes(self, part: str) -> bool:
        return PARTS.index(part) >= PARTS.index(self.first)

    def _take(self, part: str, start: int, end: int) -> list[int]:
        words = self.proof.parts[part][start:end]
        self.t.absorb(words)
        return words

    def _oink(self) -> None:
        p, n = self.proof, self.proof.num_public_inputs
        key = decoded_key(p.key)
        self.t.absorb([int.from_bytes(poseidon2_hash([_bytes(v) for v in key]), "big")])
        inputs = self._take(OINK, 0, n)
        self._take(OINK, n, n + 40)
        self.beta, self.gamma = beta, gamma = self.t.challenges(2)
        self._take(OINK, n + 40, n + 48)
        offset = key[2]
        above = below = 1
        for i, value in enumerate(inputs):
            above = above * (gamma + value + beta * (2**28 + offset + i)) % R
            below = below * (gamma + value - beta * (offset + 1 + i)) % R
        self.delta = above * pow(below, -1, R) % R
        points = [p.g1(OINK, n + 4 * i) for i in range(12)]
        names = ["w_l", "w_r", "w_o", "op_1", "op_2", "op_3", "op_4", "calldata", "read_counts", "w_4", "inverses", "z_perm"]
        by_name = dict(zip(names, points, strict=True))
        order = ["w_l", "w_r", "w_o", "w_4", "z_perm", "op_1", "op_2", "op_3", "op_4", "calldata", "read_counts", "inverses"]
        self.witness = [by_name[name] for name in order]

    def _merge(self) -> None:
        p, words = self.proof, self.proof.parts[MERGE]
        self._take(MERGE, 0, 16)
        a = self.t.challenges(4)
        self._take(MERGE, 16, 20)
        kappa = self.t.challenge()
        power = pow(kappa, MERGE_SHIFT - 1, R)
        left, right = words[20:24], words[24:28]
        if self._fixes(MERGE):
            for j in range(4):
                words[28 + j] = (left[j] + kappa * power * right[j] + self._error(f"C{j}")) % R
            total = sum(x * y for x, y in zip(a, left, strict=True))
            words[32] = (total + self._error("D")) * pow(power, -1, R) % R
        merged, g = words[28:32], words[32]
        self._take(MERGE, 20, 33)
        b = self.t.challenges(13)
        self._take(MERGE, 33, 37)
        z = self.t.challenge()
        rho = (z - kappa) * pow(z - pow(kappa, -1, R), -1, R) % R
        points = [p.g1(OINK, p.public_point(3 + j)) for j in range(4)] + self.witness[5:9]
        points += [p.g1(MERGE, 4 * j) for j in range(4)] + [p.g1(MERGE, 16), p.g1(MERGE, 33), GENERATOR]
        value = sum(x * y for x, y in zip(b, [*left, *right, *merged, rho * g], strict=True))
        if self._fixes(MERGE):
            p.set_g1(
                MERGE, 37, self._witness(points, [*b[:12], b[12] * rho, kappa - z, -value], z, self._error("merge pairing"))
            )
        self._take(MERGE, 37, 41)

    def _witness(self, points: Sequence[G1Point], scalars: Sequence[int], z: int, error: int) -> G1Point:
        """W with e(C0 + z W, [1]) e(-W, [x]) = e([error], [1]): C0 + (z - x) W = [error]."""
        inverse = pow(X - z, -1, R)
        return combine([*points, GENERATOR], [*(s * inverse for s in scalars), -error * inverse])

    def _eccvm(self) -> None:
        if self.table is not None:
            proved = prove_eccvm(self.t, self.table)
            self.x, self.v, self.accumulated = proved.x, proved.v, proved.accumulated
            self.proof.parts[ECCVM] = proved.words
            self.proof.parts[IPA] = prove_ipa(Transcript, proved, self.ipa)
            return
        p, fix = self.proof, self._fixes(ECCVM)
        self.t.absorb([ECCVM_KEY_HASH])
        self._take(ECCVM, 0, 174)
        self.t.challenges(2)
        self._take(ECCVM, 174, 178)
        self.t.challenge()
        self.t.challenge()
        self._take(ECCVM, 178, 182)
        libra_challenge = self.t.challenge()
        if fix:
            right = p.fq(ECCVM, 180) * libra_challenge - p.fq(ECCVM, 186) + self._error("check 1")
            p.set_fq(ECCVM, 184, right)
        u = []
        for i in range(15):
            self._take(ECCVM, 182 + 6 * i, 188 + 6 * i)
            u.append(self.t.challenge())
        self._take(ECCVM, 272, 516)
        self.t.challenge()
        self._take(ECCVM, 516, 544)
        r = self.t.challenge()
        vector = [1, *(pow(u_i, j, Q) for u_i in u for j in range(4))]
        if fix:
            self._fix_subgroup(574, r, vector, p.fq(ECCVM, 510), self._error("check 2"))
        self._take(ECCVM, 544, 582)
        self.t.challenge()
        self._take(ECCVM, 582, 584)
        self.t.challenge()
        self._take(ECCVM, 584, 586)
        self.x = x = self.t.challenge()
        self._take(ECCVM, 586, 596)
        self.v = v = self.t.challenge()
        self._take(ECCVM, 596, 602)
        w = self.t.challenge()
        vector = [pow(v, i, Q) * pow(x, j, Q) for i in range(5) for j in range(4)]
        masking = p.fq(ECCVM, 596)
        if fix:
            self._fix_subgroup(602, w, vector, masking, self._error("check 3"))
        self._take(ECCVM, 602, 610)
        self.t.challenge()
        self._take(ECCVM, 610, 612)
        self.t.challenge()
        total = sum(pow(v, i, Q) * p.fq(ECCVM, 586 + 2 * i) for i in range(5))
        self.accumulated = (total - masking) * pow(x, -5, Q) % Q

    def _fix_subgroup(self, start: int, y: int, vector: Sequence[int], claimed: int, error: int) -> None:
        p = self.proof
        secret, following, here = (p.fq(ECCVM, start + 2 * i) for i in range(3))
        p.set_fq(ECCVM, start + 6, quotient(y, vector, 87, ECCVM_INVERSE, Q, (secret, following, here), claimed, error))

    def _joint(self) -> None:
        p, words, fix = self.proof, self.proof.parts[JOINT], self._fixes(JOINT)
        self.t.absorb([TRANSLATOR_KEY_HASH])
        self._take(JOINT, 0, 44)
        beta, gamma = self.t.challenge(), self.t.challenge()
        self._take(JOINT, 44, 48)
        alpha, gate = self.t.challenge(), self.t.challenge()
        self._take(JOINT, 48, 53)
        libra_challenge = self.t.challenge()
        starts = [*range(53, 131, 6), *range(285, 309, 6)]
        if fix:
            words[57] = (words[52] * libra_challenge - words[58] + self._error("A")) % R
        u = []
        for i, start in enumerate(starts):
            self._take(JOINT, start, start + 6)
            u.append(self.t.challenge())
            if i == 12:
                self._take(JOINT, 131, 285)
        self._take(JOINT, 309, 384)
        rho = self.t.challenge()
        self._take(JOINT, 384, 448)
        r = self.t.challenge()
        if fix:
            vector = [1, *(pow(u_k, i, R) for u_k in u for i in range(9))]
            words[468] = quotient(r, vector, 256, JOINT_INVERSE, R, tuple(words[465:468]), words[375], self._error("B"))
        self._take(JOINT, 448, 469)
        nu = self.t.challenge()
        self._take(JOINT, 469, 473)
        z = self.t.challenge()
        if not fix:
            return
        row = rel.translator_evaluations(words[131:285], words[354:375], u)
        value = self._sumcheck_value(row, u, alpha, gate, beta, gamma, words[375] * libra_challenge)
        points, scalars = self._opening(row, u, starts, value, rho, r, nu, z)
        p.set_g1(JOINT, 473, self._witness(points, scalars, z, self._error("joint pairing")))

    def _sumcheck_value(
        self, row: dict[str, int], u: list[int], alpha: int, gate: int, beta: int, gamma: int, libra: int
    ) -> int:
        """F of 13.4, without the dropped subrelation."""
        separator, rows = rel.gate_separator(u, gate, R), rel.first_rows_indicator(u, R)
        mega = rel.mega_subrelations(self.proof.parts[JOINT][309:354], self.beta, self.gamma, self.delta)
        parameters = rel.TranslatorParameters.derive(self.x, self.v, self.accumulated, beta, gamma)
        translator = rel.translator_subrelations(row, parameters)
        if self.dropped is not None:
            values, index = (mega, self.dropped) if self.dropped < 44 else (translator, self.dropped - 44)
            values[index] = 0
        total = rel.mega_batched(mega, alpha, separator, rows)
        return (total + pow(alpha, 44, R) * rel.translator_batched(translator, alpha, separator) + libra) % R

    def _opening(
        self, row: dict[str, int], u: list[int], starts: list[int], value: int, rho: int, r: int, nu: int, z: int
    ) -> tuple[list[G1Point], list[int]]:
        """The points and scalars of 14.7 but for W."""
        p, words = self.proof, self.proof.parts[JOINT]
        full, mega = words[354:375], words[309:354]
        names = rel.TRANSLATOR["concatenated"]
        setup = json.loads((DATA / "test_setup.json").read_text())["translator_vk_commitment_test"]
        translator_key = (int(setup["x"], 16), int(setup["y"], 16))
        tables = [p.g1(MERGE, 4 * j) for j in range(4)]
        ordered = [p.g1(JOINT, 24 + 4 * j) for j in range(5)]
        concatenated = [p.g1(JOINT, 4 + 4 * j) for j in range(5)]
        z_perm = p.g1(JOINT, 44)
        unshifted = [
            p.g1(JOINT, 0),
            translator_key,
            *tables,
            *ordered,
            z_perm,
            *concatenated,
            *_key_points(p.key),
            *self.witness,
        ]
        shifted = [*self.witness[:5], *tables[1:], *ordered, z_perm, *concatenated]
        evaluations = [*full[:12], *(row[name] for name in names), *mega[:40]]
        evaluations += [*mega[40:], *full[12:], *(row[f"{name}_shift"] for name in names)]
        positive = [pow(z - pow(r, 2**k, R), -1, R) for k in range(17)]
        negative = [pow(z + pow(r, 2**k, R), -1, R) for k in range(17)]
        same, moved = positive[0] + nu * negative[0], (positive[0] - nu * negative[0]) * pow(r, -1, R)
        points = [p.g1(JOINT, 469), *unshifted, *shifted]
        scalars = [1, *(-pow(rho, j, R) * (same if j < 57 else moved) for j in range(76))]
        current = sum(pow(rho, j, R) * e for j, e in enumerate(evaluations)) % R
        constant = 0
        for k in reversed(range(17)):
            power, n = pow(r, 2**k, R), words[448 + k]
            above = 2 * power * current - n * (power * (1 - u[k]) - u[k])
            current = above * pow(power * (1 - u[k]) + u[k], -1, R) % R
            s, t = pow(nu, 2 * k, R) * positive[k], pow(nu, 2 * k + 1, R) * negative[k]
            constant += s * current + t * n
            if k:
                points.append(p.g1(JOINT, 384 + 4 * (k - 1)))
                scalars.append(-(s + t))

        claims: list[tuple[G1Point, int, int]] = []
        secret, following, here, last = words[465:469]
        g, a, q = p.g1(JOINT, 48), p.g1(JOINT, 376), p.g1(JOINT, 380)
        omega = pow(JOINT_INVERSE, -1, R)
        claims += [(g, r, secret), (a, omega * r, following), (a, r, here), (a, 1, 0), (q, r, last)]
        for k, start in enumerate(starts):
            implied = words[starts[k + 1] + 4] + words[starts[k + 1] + 5] if k < 16 else value
            commitment = p.g1(JOINT, start)
            claims += [(commitment, 0, words[start + 4]), (commitment, 1, words[start + 5]), (commitment, u[k], implied)]
        for k, (commitment, point, claimed) in enumerate(claims):
            weight = pow(nu, 34 + k, R) * pow(z - point, -1, R)
            points.append(commitment)
            scalars.append(-weight)
            constant += weight * claimed
        return [*points, GENERATOR], [*scalars, constant]


def quotient(
    y: int, vector: Sequence[int], order: int, inverse: int, p: int, values: tuple[int, ...], claimed: int, error: int
) -> int:
    """Q(y) for which the inner-product check of chapters 7.5 and 14.5 is off by `error`."""
    secret, following, here = values
    z = pow(y, order, p) - 1
    denominators = [pow(y * pow(inverse, k, p) - 1, -1, p) for k in range(order)]
    scale = z * pow(order, -1, p)
    product = scale * sum(f * d for f, d in zip(vector, denominators, strict=False))
    total = scale * denominators[0] * here + (y - inverse) * (following - here - secret * product)
    total += scale * denominators[-1] * (here - claimed)
    return (total - error) * pow(z, -1, p) % p


def decoded_key(key: Sequence[int]) -> list[int]:
    """Chapter 03 section 1, steps 2 and 3."""
    words = [word % R for word in key]
    return [word % 2**64 for word in words[:3]] + words[3:]


def _key_points(words: Sequence[int]) -> list[G1Point]:
    key = decoded_key(words)
    return [(key[at] + (key[at + 1] << 136), key[at + 2] + (key[at + 3] << 136)) for at in range(3, 115, 4)]


# ---- The corpus -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A forged proof.

    Attributes:
        name: what is wrong.
        flow: the proof of tests/data that was changed.
        rule: the chapter and the equation that fails.
        step: the check that must find it, or `READING`, or `VALID`.
        also: the equations behind it that fail too.
        make: makes it of the valid proof.
        group: cases with the same group cancel each other in a sum without weights.
        user_inputs: how many public inputs there are before those of the hiding kernel, if not as many as in the flow.
        proved: whether ECCVM and IPA part are proved anew, which takes seconds.
    """

    name: str
    flow: str
    rule: str
    step: str
    make: Callable[[Proof], Proof]
    also: str = ""
    group: str = ""
    user_inputs: int | None = None
    proved: bool = False

    def base(self) -> Proof:
        """The proof that is changed."""
        return _base(self.flow, self.user_inputs)


def _base(flow: str, user_inputs: int | None) -> Proof:
    proof = Proof.of(flow)
    return proof if user_inputs is None else proof.with_user_inputs(user_inputs)


def _rerun(wrong: Mapping[str, int], first: str, change: Callable[[Proof], None] | None = None) -> Callable[[Proof], Proof]:
    def make(proof: Proof) -> Proof:
        if change is not None:
            change(proof)
        return Forgery(proof, wrong, first=first).run()

    return make


def _public(index: int, shift: G1Point | None = None, factor: int = 1, x_factor: int = 1) -> Callable[[Proof], None]:
    """Changes a point in the public inputs: a multiple, a shift, or another x with the same y."""

    def change(proof: Proof) -> None:
        at = proof.public_point(index)
        point = combine([proof.g1(OINK, at), shift or GENERATOR], [factor, 1 if shift else 0])
        proof.set_g1(OINK, at, (point[0] * x_factor % Q, point[1]))

    return change


def _add_words(part: str, changes: Mapping[int, int]) -> Callable[[Proof], None]:
    def change(proof: Proof) -> None:
        for index, value in changes.items():
            proof.parts[part][index] = (proof.parts[part][index] + value) % R

    return change


def _ipa_scalar(proof: Proof) -> Proof:
    proof.set_fq(IPA, 62, proof.fq(IPA, 62) + 1)
    return proof


def _ipa_point(factor: int) -> Callable[[Proof], Proof]:
    """A multiple of G0, on which no challenge depends."""

    def make(proof: Proof) -> Proof:
        point = b"".join(map(_bytes, proof.parts[IPA][60:62]))
        total = point_msm(Curve.GRUMPKIN, [point], [_bytes(factor % Q)])
        proof.parts[IPA][60:62] = _words(total)
        return proof

    return make


def _spelling(part: str, start: int, limb: int, bit: int, high: int = 0) -> Callable[[Proof], Proof]:
    """2^bit more in a limb of the value that begins at `start`, `high` more in the one behind it; no challenge comes after."""

    def make(proof: Proof) -> Proof:
        at = start % len(proof.parts[part]) + limb
        proof.parts[part][at] += 1 << bit
        if high:
            proof.parts[part][at + 1] += high
        return proof

    return make


def _plus_modulus(part: str, start: int) -> Callable[[Proof], Proof]:
    """The same element of Fq as a number that is q larger, in limbs that are not too wide."""

    def make(proof: Proof) -> Proof:
        at = start % len(proof.parts[part])
        value = proof.fq(part, at) + Q
        assert value < 1 << 254
        proof.parts[part][at : at + 2] = limbs(value)
        return proof

    return make


def _spellings() -> list[Case]:
    """Valid proofs in which one value is spelled otherwise; read loosely, it is the same value."""
    cases = []
    for name, flow, part, start in (
        ("the last witness, x", "flow1", JOINT, -4),
        ("the last witness, y", "flow2", JOINT, -2),
        ("a0", "flow4", IPA, 62),
    ):
        cases += [
            Case(
                f"{name}: a low limb too wide, the same sum",
                flow,
                "02.3 low limbs",
                READING,
                _spelling(part, start, 0, 136, -1),
            ),
            Case(f"{name}: a bit above the low limb", flow, "02.3 low limbs", READING, _spelling(part, start, 0, 136)),
            Case(f"{name}: bit 200 of the low limb", flow, "02.3 low limbs", READING, _spelling(part, start, 0, 200)),
            Case(f"{name}: a bit above the high limb", flow, "02.3 high limbs", READING, _spelling(part, start, 1, 118)),
            Case(f"{name}: bit 200 of the high limb", flow, "02.3 high limbs", READING, _spelling(part, start, 1, 200)),
        ]
    for flow in ("flow1", "flow2", "flow4", "flow8"):
        for name, part, start in (
            ("the last witness, x", JOINT, -4),
            ("the last witness, y", JOINT, -2),
            ("a0", IPA, 62),
        ):
            proof = Proof.of(flow)
            if proof.fq(part, start % len(proof.parts[part])) + Q < 1 << 254:
                cases.append(Case(f"{name} + q", flow, "02.3 canonical Fq", READING, _plus_modulus(part, start)))
    return cases


# ---- Proofs whose inner-product argument is right as well -----------------------------------------------------------


Change = Callable[[Proof], None]


def _prove(
    change: Change | None = None, wrong: Mapping[str, int] | None = None, table: Table | None = None, ipa: Ipa | None = None
) -> Callable[[Proof], Proof]:
    def make(proof: Proof) -> Proof:
        if change is not None:
            change(proof)
        return Forgery(proof, wrong or {}, table=table or Table(), ipa=ipa or Ipa()).run()

    return make


JOINT_POINTS: Final = (
    *range(0, 52, 4),
    *range(53, 131, 6),
    *range(285, 309, 6),
    *(376, 380),
    *range(384, 448, 4),
    469,
)
"""Where the points of the joint part begin, but W."""
MERGE_POINTS: Final = (0, 4, 8, 12, 16, 33)


def set_key_point(proof: Proof, index: int, point: G1Point) -> None:
    """Sets a commitment of the key."""
    proof.key[3 + 4 * index : 7 + 4 * index] = limbs(point[0]) + limbs(point[1])


def negative(point: G1Point) -> G1Point:
    """The opposite point."""
    return point[0], -point[1] % Q


def _set_all(*points: G1Point) -> Change:
    """All points become these in turn, but for those of which an equation is left to hold: P0 and P1 are [-x] and [1]."""

    def change(proof: Proof) -> None:
        n = proof.num_public_inputs
        places = [(OINK, proof.public_point(3 + j)) for j in range(4)] + [(OINK, n + 4 * i) for i in range(12)]
        places += [(MERGE, at) for at in MERGE_POINTS] + [(JOINT, at) for at in JOINT_POINTS]
        for index, (part, at) in enumerate(places):
            proof.set_g1(part, at, points[index % len(points)])
        proof.set_g1(OINK, proof.public_point(2), proof.g1(OINK, n + 28))
        proof.set_g1(OINK, proof.public_point(0), combine([GENERATOR], [-X]))
        proof.set_g1(OINK, proof.public_point(1), GENERATOR)
        for index in range(28):
            set_key_point(proof, index, negative(points[index % len(points)]))

    return change


def _all_zero(proof: Proof) -> None:
    """Nothing but zeros, the key but for its sizes included."""
    for part in (OINK, MERGE, JOINT):
        proof.parts[part] = [0] * len(proof.parts[part])
    proof.key[3:] = [0] * 112


def _evaluations(value: int) -> Change:
    def change(proof: Proof) -> None:
        proof.parts[MERGE][20:33] = [value] * 13
        for start, end in ((52, 53), (131, 285), (309, 376), (448, 469)):
            proof.parts[JOINT][start:end] = [value] * (end - start)

    return change


def _sizes(log_size: int, offset: int) -> Change:
    def change(proof: Proof) -> None:
        proof.key[0], proof.key[2] = log_size, offset

    return change


def _wide_key(proof: Proof) -> None:
    """A key in another spelling: words above r, sizes above 2^64."""
    proof.key[:3] = [word + (5 + i << 64) for i, word in enumerate(proof.key[:3])]
    proof.key[3:] = [word + R * (i % 4) for i, word in enumerate(proof.key[3:])]


def _user_inputs(proof: Proof) -> None:
    count = proof.num_public_inputs - 28
    proof.parts[OINK][:count] = [R - 1 - i for i in range(count)]


def _points(places: Mapping[int, G1Point]) -> Change:
    """Sets points of the public inputs."""

    def change(proof: Proof) -> None:
        for index, point in places.items():
            proof.set_g1(OINK, proof.public_point(index), point)

    return change


def _exchange_pairing_points(proof: Proof) -> None:
    first, second = (proof.g1(OINK, proof.public_point(index)) for index in range(2))
    _points({0: second, 1: first})(proof)


def _calldata_infinite(proof: Proof) -> None:
    proof.set_g1(OINK, proof.num_public_inputs + 28, INFINITY)


def _joint(value: int | None, point: G1Point) -> Callable[[Proof], Proof]:
    """All points of the joint part, and its scalars if there is a value for them."""

    def make(proof: Proof) -> Proof:
        if value is not None:
            proof.parts[JOINT] = [value] * 477
        for at in JOINT_POINTS:
            proof.set_g1(JOINT, at, point)
        return Forgery(proof, {}, first=JOINT).run()

    return make


def _g0_plus(multiple: int) -> Callable[[Proof], Proof]:
    """G0 plus a multiple of Grumpkin's generator, on which no challenge depends."""

    def make(proof: Proof) -> Proof:
        proof.parts[IPA][60:62] = combine_grumpkin([(proof.parts[IPA][60], proof.parts[IPA][61]), ONE], [1, multiple])
        return proof

    return make


def _g0_errors(flows: Sequence[str]) -> list[int]:
    """Multiples e of a point with sum e = 0 and sum a0 e = 0: added up, both checks of these three arguments hold."""
    a, b, c = (Proof.of(flow).fq(IPA, 62) for flow in flows)
    return [(b - c) % Q, (c - a) % Q, (a - b) % Q]


def _translator_key() -> G1Point:
    setup = json.loads((DATA / "test_setup.json").read_text())["translator_vk_commitment_test"]
    return int(setup["x"], 16), int(setup["y"], 16)


def disabled_rows() -> dict[str, dict[int, int]]:
    """Values in the rows 0 to 3, where no relation need hold; so none of the 159 subrelations is zero at the end."""
    values = (pow(5, exponent, Q) for exponent in count(1))
    return {
        name: {row: next(values) for row in range(1 if FIRST_SHIFTED <= index < UNSHIFTED - 1 else 0, 4)}
        for name, index in COLUMNS.items()
        if 5 <= index < UNSHIFTED
    }


def subrelation(index: int) -> Proof:
    """The proof that a verifier without this subrelation of ECCVM would accept."""
    return Forgery(Proof.of("flow1"), {}, table=Table(columns=disabled_rows(), dropped=index)).run()


def _valid_forms() -> list[Case]:
    """Proofs that nobody would make, of which every equation holds."""
    size = 2**64 - 1
    masking = [pow(3, i, Q) for i in range(1 << 15)]
    key = _translator_key()
    cases = [
        Case("the largest sizes in the key", "flow1", "04 sizes", VALID, _prove(_sizes(size, size))),
        Case("no rows in the key", "flow4", "04 sizes", VALID, _prove(_sizes(0, 0))),
        Case("a key in another spelling", "flow1", "03.1 decoding", VALID, _prove(_wide_key)),
        Case("no user inputs", "flow1", "04 delta", VALID, _prove(), user_inputs=0),
        Case("many large user inputs", "flow1", "04 delta", VALID, _prove(_user_inputs), user_inputs=300),
        Case("nothing but zeros", "flow1", "02.3 infinity", VALID, _prove(_all_zero)),
        Case("one point everywhere", "flow1", "01.7", VALID, _prove(_set_all(GENERATOR))),
        Case("opposite points everywhere", "flow1", "01.7", VALID, _prove(_set_all(GENERATOR, negative(GENERATOR)))),
        Case("the translator's key everywhere", "flow1", "01.7", VALID, _prove(_set_all(key, INFINITY))),
        Case("P0 and P1 infinite", "flow1", "05 check A", VALID, _prove(_points({0: INFINITY, 1: INFINITY}))),
        Case("evaluations -1", "flow1", "13.1", VALID, _prove(_evaluations(R - 1))),
        Case("a large hiding row", "flow1", "07.2", VALID, _prove(table=Table(hiding=(Q - 1,) * 4))),
        Case("a masking polynomial", "flow1", "07.6", VALID, _prove(table=Table(masking=masking))),
        Case("any values in disabled rows", "flow1", "07.4 row disabling", VALID, _prove(table=Table(columns=disabled_rows()))),
    ]
    cases = [replace(case, proved=True) for case in cases]
    return [
        *cases,
        Case("infinite joint points", "flow1", "14.7", VALID, _joint(None, INFINITY)),
        Case("zeros in the joint part", "flow4", "14.7", VALID, _joint(0, INFINITY)),
        Case("one joint point", "flow8", "14.7", VALID, _joint(1, GENERATOR)),
    ]


def _alone() -> list[Case]:
    """One equation fails, and no other: the inner-product argument is that of the forged proof."""
    stopped = {"z_perm": dict.fromkeys(range(20000, 1 << 15), 0)}
    x = combine([GENERATOR], [X])
    plain: list[tuple[str, str, str, Callable[[Proof], Proof]]] = [
        ("P0 plus a point", "00.5 step 3", PI, _prove(_public(0, GENERATOR))),
        ("P0 infinite", "00.5 step 3", PI, _prove(_points({0: INFINITY}))),
        ("P1 infinite", "00.5 step 3", PI, _prove(_points({1: INFINITY}))),
        ("P0 and P1 exchanged", "00.5 step 3", PI, _prove(_exchange_pairing_points)),
        ("P0 is [x] and P1 [1]", "00.5 step 3", PI, _prove(_points({0: x, 1: GENERATOR}))),
        ("return data negative", "00.5 step 4, x alone agrees", DATABUS, _prove(_public(2, None, -1))),
        ("return data infinite", "00.5 step 4", DATABUS, _prove(_points({2: INFINITY}))),
        ("calldata infinite", "00.5 step 4", DATABUS, _prove(_calldata_infinite)),
        ("C wrong", "06 check C", MERGE_REDUCTION, _prove(wrong={"C1": 1})),
        ("C wrong by opposite errors", "06 check C", MERGE_REDUCTION, _prove(wrong={"C2": 1, "C3": R - 1})),
        ("D wrong", "06 check D", MERGE_REDUCTION, _prove(wrong={"D": 1})),
        ("CHECK 1: another sum", "07.4 CHECK 1", ECCVM_STEP, _prove(table=Table(libra_sum=1))),
        ("CHECK 1: the rows do not add up", "07.4 CHECK 1", ECCVM_STEP, _prove(table=Table(columns=stopped))),
        ("CHECK 2: another secret", "07.5 CHECK 2", ECCVM_STEP, _prove(table=Table(libra=([1], [], [])))),
        ("CHECK 2: another claim", "07.5 CHECK 2", ECCVM_STEP, _prove(table=Table(libra_claim=1))),
        ("CHECK 2: another quotient", "07.5 CHECK 2", ECCVM_STEP, _prove(table=Table(libra=([], [], [5])))),
        ("CHECK 3: another secret", "07.5 CHECK 3", ECCVM_STEP, _prove(table=Table(translation=([1], [], [])))),
        ("CHECK 3: another claim", "07.5 CHECK 3", ECCVM_STEP, _prove(table=Table(translation_claim=1))),
        ("an evaluation wrong", "07.6", IPA_STEP, _prove(table=Table(evaluations={5: 1}))),
        ("a shift wrong", "07.6", IPA_STEP, _prove(table=Table(evaluations={118: Q - 1}))),
        ("a column to be shifted begins with one", "07.6", IPA_STEP, _prove(table=Table(columns={"z_perm": {0: 1}}))),
        ("the value of an argument wrong", "09.3 CHECK 2", IPA_STEP, _prove(ipa=Ipa(value=1))),
        ("CHECK 2 holds for another G0", "09.3 CHECK 1", IPA_STEP, _prove(ipa=Ipa(scalar=1, keeps_second=True))),
    ]
    cases = [Case(f"{name}, nothing else", "flow1", rule, step, make, proved=True) for name, rule, step, make in plain]
    for flow, error in (("flow1", 1), ("flow2", -1)):
        make = _prove(wrong={"merge pairing": error})
        name = f"merge opening wrong by {error}, nothing else"
        cases.append(Case(name, flow, "06 pairing", MERGE_PAIRING, make, "", "merge alone", proved=True))
    cases[0] = replace(cases[0], group="across steps")
    make, name = _rerun({"joint pairing": -1}, JOINT), "joint opening wrong by the opposite of P0's error"
    cases.append(Case(name, "flow4", "14.7 check C", JOINT_PAIRING, make, "", "across steps"))
    flows = ("flow1", "flow2", "flow4")
    for flow, error in zip(flows, _g0_errors(flows), strict=True):
        name = "G0 wrong: three errors cancel in both checks"
        cases.append(Case(name, flow, "09.5 weights", IPA_STEP, _g0_plus(error), "", "G0 of three"))
    return cases


ERROR: Final = 0x1234567


def _cases() -> list[Case]:
    cases = [
        Case("P0 plus a point", "flow1", "00.5 step 3", PI, _rerun({}, MERGE, _public(0, GENERATOR)), IPA_STEP, "PI"),
        Case("P0 minus the point", "flow2", "00.5 step 3", PI, _rerun({}, MERGE, _public(0, (1, Q - 2))), IPA_STEP, "PI"),
        Case("P1 plus a point", "flow1", "00.5 step 3", PI, _rerun({}, MERGE, _public(1, GENERATOR)), IPA_STEP),
        Case("P1 negative", "flow4", "00.5 step 3", PI, _rerun({}, MERGE, _public(1, None, -1)), IPA_STEP),
        Case("P0 infinite", "flow4", "00.5 step 3", PI, _rerun({}, MERGE, _public(0, None, 0)), IPA_STEP),
        Case(
            "return data negative",
            "flow1",
            "00.5 step 4, x alone agrees",
            DATABUS,
            _rerun({}, MERGE, _public(2, None, -1)),
            IPA_STEP,
        ),
        Case(
            "return data with another x",
            "flow1",
            "00.5 step 4, y alone agrees",
            DATABUS,
            _rerun({}, MERGE, _public(2, None, 1, CUBE_ROOT)),
            IPA_STEP,
        ),
        Case(
            "return data with another x",
            "flow4",
            "00.5 step 4, y alone agrees",
            DATABUS,
            _rerun({}, MERGE, _public(2, None, 1, CUBE_ROOT)),
            IPA_STEP,
        ),
        Case("D wrong", "flow1", "06 check D", MERGE_REDUCTION, _rerun({"D": 1}, MERGE), IPA_STEP),
        Case("D wrong", "flow4", "06 check D", MERGE_REDUCTION, _rerun({"D": R - 1}, MERGE), IPA_STEP),
        Case(
            "a public input changed",
            "flow1",
            "09.3 (all else is opened with the secret)",
            IPA_STEP,
            _rerun({}, MERGE, _add_words(OINK, {0: 1})),
        ),
        Case(
            "a table so far replaced",
            "flow1",
            "09.3 (all else is opened with the secret)",
            IPA_STEP,
            _rerun({}, MERGE, _public(4, GENERATOR)),
        ),
    ]
    cases += [
        Case(f"C of column {j} wrong", "flow1", "06 check C", MERGE_REDUCTION, _rerun({f"C{j}": 1}, MERGE), IPA_STEP)
        for j in range(4)
    ]
    cases += [
        Case(
            "C of columns 0 and 1 wrong by opposite errors",
            "flow2",
            "06 check C",
            MERGE_REDUCTION,
            _rerun({"C0": 1, "C1": R - 1}, MERGE),
            IPA_STEP,
        ),
        Case(
            "merge opening wrong",
            "flow1",
            "06 pairing",
            MERGE_PAIRING,
            _rerun({"merge pairing": ERROR}, MERGE),
            IPA_STEP,
            "merge",
        ),
        Case(
            "merge opening wrong, opposite",
            "flow2",
            "06 pairing",
            MERGE_PAIRING,
            _rerun({"merge pairing": -ERROR}, MERGE),
            IPA_STEP,
            "merge",
        ),
        Case(
            "merge opening and P0 wrong by opposite errors",
            "flow4",
            "00.5 steps 3 and 5",
            PI,
            _rerun({"merge pairing": -1}, MERGE, _public(0, GENERATOR)),
            IPA_STEP,
        ),
        Case(
            "merge and joint opening wrong by opposite errors",
            "flow4",
            "00.5 steps 5 and 8",
            MERGE_PAIRING,
            _rerun({"merge pairing": 5, "joint pairing": -5}, MERGE),
            IPA_STEP,
        ),
    ]
    for flow in ("flow1", "flow4"):
        for number in (1, 2, 3):
            rule = ("07.4 CHECK 1", "07.5 CHECK 2", "07.5 CHECK 3")[number - 1]
            cases.append(Case(f"CHECK {number} wrong", flow, rule, ECCVM_STEP, _rerun({f"check {number}": 1}, ECCVM), IPA_STEP))
        cases += [
            Case("A wrong", flow, "13.1 check A", JOINT_REDUCTION, _rerun({"A": 1}, JOINT)),
            Case("B wrong", flow, "14.5 check B", JOINT_REDUCTION, _rerun({"B": 1}, JOINT)),
            Case("joint opening wrong", flow, "14.7 check C", JOINT_PAIRING, _rerun({"joint pairing": 1}, JOINT)),
            Case("another a0", flow, "09.3 CHECK 2", IPA_STEP, _ipa_scalar),
            Case("G0 negative", flow, "09.3 CHECKS 1 and 2", IPA_STEP, _ipa_point(-1)),
            Case("G0 doubled", flow, "09.3 CHECKS 1 and 2", IPA_STEP, _ipa_point(2)),
        ]
    cases += [
        Case(
            "joint opening wrong by d",
            "flow1",
            "14.7 check C",
            JOINT_PAIRING,
            _rerun({"joint pairing": ERROR}, JOINT),
            "",
            "joint",
        ),
        Case(
            "joint opening wrong by -d",
            "flow2",
            "14.7 check C",
            JOINT_PAIRING,
            _rerun({"joint pairing": -ERROR}, JOINT),
            "",
            "joint",
        ),
        Case(
            "joint opening wrong by d",
            "flow4",
            "14.7 check C",
            JOINT_PAIRING,
            _rerun({"joint pairing": 1}, JOINT),
            "",
            "joint of unequal keys",
        ),
        Case(
            "joint opening wrong by -d",
            "flow8",
            "14.7 check C",
            JOINT_PAIRING,
            _rerun({"joint pairing": -1}, JOINT),
            "",
            "joint of unequal keys",
        ),
    ]
    return cases + _spellings() + _alone() + _valid_forms()


CASES: Final = tuple(_cases())


def rebuild(case: Mapping[str, Any]) -> Proof:
    """A proof of the corpus from what is stored: the words that differ from its base."""
    proof = _base(case["flow"], case.get("user_inputs"))
    for part, changes in case["changes"].items():
        words = proof.key if part == KEY else proof.parts[part]
        for index, value in changes.items():
            words[int(index)] = int(value, 16)
    return proof


def load_corpus() -> list[dict[str, Any]]:
    """The stored cases."""
    cases: list[dict[str, Any]] = json.loads(CORPUS.read_text())["cases"]
    return cases


def found_by(verdict: Verdict) -> str:
    """What `Case.step` should be."""
    if verdict.valid:
        return VALID
    return READING if verdict.outcome is Outcome.ERROR else verdict.step or ""


def expected_of_bb(case: Mapping[str, Any]) -> str:
    """bb's outcome: what cannot be read is an error."""
    return {READING: "error", VALID: "valid"}.get(case["step"], "invalid")


def _changes(base: Proof, forged: Proof) -> dict[str, dict[str, str]]:
    words = {part: (base.parts[part], forged.parts[part]) for part in PARTS} | {KEY: (base.key, forged.key)}
    return {
        part: changed
        for part, (before, after) in words.items()
        if (changed := {str(i): f"{new:x}" for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new})
    }


def described(case: Case) -> dict[str, Any]:
    """What the corpus says of a case beside its changes and bb's verdict."""
    names = ("name", "flow", "rule", "step", "also", "group", "user_inputs", "proved")
    return {name: getattr(case, name) for name in names}


def main() -> int:
    """Write the corpus, or compare it."""
    parser = argparse.ArgumentParser(description="Forged proofs that one equation each refuses, and some that none refuses.")
    parser.add_argument("--bb", help="bb under the test setup: stores its verdicts, too")
    parser.add_argument("--check", action="store_true", help="write nothing; compare with what is stored")
    parser.add_argument(
        "--subrelations", type=int, default=0, metavar="N", help="that only one of N subrelations of ECCVM refuses a proof"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="chooses the subrelations")
    arguments = parser.parse_args()
    verifier = Verifier(Setup.from_json(DATA / "test_setup.json"))
    stored, failed = [], 0
    for case in CASES:
        forged = case.make(case.base())
        verdict = verifier.verify(forged.chonk(), forged.key_bytes())
        if found_by(verdict) != case.step:
            failed += 1
            print(f"{case.name} ({case.flow}): {verdict}, expected {case.step}")
        stored.append({**described(case), "bb": None, "changes": _changes(case.base(), forged)})
    if arguments.bb:
        trio.run(_ask_bb, arguments.bb, stored)
        failed += sum(case["bb"] != expected_of_bb(case) for case in stored)
    for index in Random(arguments.seed).sample(range(SUBRELATIONS), arguments.subrelations):
        forged = subrelation(index)
        verdict = verifier.verify(forged.chonk(), forged.key_bytes())
        if found_by(verdict) != IPA_STEP:
            failed += 1
            print(f"without subrelation {index} of ECCVM: {verdict}, expected {IPA_STEP}")
    if arguments.check:
        for made, old in zip(stored, load_corpus(), strict=True):
            if made != {**old, "bb": made["bb"]}:
                failed += 1
                print(f"{made['name']} ({made['flow']}): the corpus has another")
    else:
        lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in stored)
        CORPUS.parent.mkdir(exist_ok=True)
        CORPUS.write_text(f'{{"about": {json.dumps(__doc__.split(chr(10), 1)[0])}, "cases": [\n{lines}\n]}}\n')
    print(f"{len(stored)} forged proofs, {CORPUS.stat().st_size} bytes; {failed} not as expected")
    return 1 if failed else 0


async def _ask_bb(program: str, stored: list[dict[str, Any]]) -> None:
    bb = Bb(program)
    try:
        for case in stored:
            forged = rebuild(case)
            fields = {"proof": forged.chonk().to_words(), "vk": forged.key_bytes()}
            case["bb"] = await bb.ask(call("ChonkVerify", fields))
            if case["bb"] != expected_of_bb(case):
                print(f"{case['name']} ({case['flow']}): bb says {case['bb']}")
    finally:
        await bb.close()


if __name__ == "__main__":
    sys.exit(main())

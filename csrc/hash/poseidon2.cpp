#include "poseidon2.hpp"

#include "poseidon2_constants.hpp"
#include "sum_of_six.hpp"

BBIPC_BEGIN

namespace {

namespace constants = poseidon2_constants;

// E of chapter 02 section 1 with 8 additions and 4 doublings (M4 of the Poseidon2 paper).
void external_layer(Fr (&s)[4]) {
    const Fr t0 = s[0] + s[1], t1 = s[2] + s[3];
    const Fr t2 = s[1].dbl() + t1, t3 = s[3].dbl() + t0;
    const Fr t4 = t1.dbl().dbl() + t3, t5 = t0.dbl().dbl() + t2;
    s[0] = t3 + t5;
    s[1] = t5;
    s[2] = t2 + t4;
    s[3] = t4;
}

// The four S-boxes step by step, not lane by lane: neighbouring multiplications are then independent and overlap.
void external_round(Fr (&s)[4], const Fr (&round_constants)[4]) {
    Fr power[4];
    for (unsigned i = 0; i < 4; ++i) s[i] += round_constants[i];
    for (unsigned i = 0; i < 4; ++i) power[i] = s[i].sqr();
    for (unsigned i = 0; i < 4; ++i) power[i] = power[i].sqr();
    for (unsigned i = 0; i < 4; ++i) s[i] *= power[i];
    external_layer(s);
}

static_assert(fits_sum_of_six(constants::recurrence));
static_assert(fits_sum_of_six(constants::finish[0]) && fits_sum_of_six(constants::finish[1]));
static_assert(fits_sum_of_six(constants::finish[2]));

Fr sum_of_six(const Fr (&coefficients)[6], const FactorPair* factors) {
    SumOfSix sum;
    sum.row<0>(coefficients, factors);
    sum.row<1>(coefficients, factors);
    sum.row<2>(coefficients, factors);
    sum.row<3>(coefficients, factors);
    return sum.value();
}

// The 56 internal rounds as a recurrence in one lane.
//
// Only lane 0 meets the S-box; the hidden lanes 1, 2, 3 are linear in its outputs. Let s be lane 0 before round n, and
// u = (s + c_n)^5. A round maps s to D_0 u + Y, where D_0 is of the whole diagonal and Y is the sum of the hidden lanes, and
// the vector h of the hidden lanes to M h + u (1, 1, 1). As M is 3 x 3, Y obeys a recurrence of order 3 in itself and in u
// (Cayley and Hamilton): six products and one reduction, instead of three products and reductions.
//
// The factor D_0 disappears by scaling: with f^4 D_0 = 2 (such an f exists), x = s / f, v = 2 (x + c_n / f)^5 and y = Y / f, a
// round is x <- v + y. So the longest chain of a round is its S-box alone, and y, which needs only earlier rounds, is computed
// beside it. generate_poseidon2_constants.py derives the constants.
void internal_rounds(Fr (&s)[4]) {
    constexpr unsigned rounds = 56, order = 3;
    FactorPair history[order + rounds];  // (v, y) of rounds -3, -2, -1, 0, ...
    for (unsigned k = 0; k < order; ++k) {
        const Fr(&row)[3] = constants::start[k];
        history[order - 1 - k].second = row[0] * s[1] + row[1] * s[2] + row[2] * s[3];
    }
    Fr x = s[0] * constants::scale[1];
    FactorPair* recent = history;
    for (unsigned n = 0; n < rounds; ++n, ++recent) {
        SumOfSix y;
        x += constants::scaled_internal_round[n];
        y.row<0>(constants::recurrence, recent);
        const Fr x2 = x.sqr();
        y.row<1>(constants::recurrence, recent);
        const Fr x4 = x2.sqr();
        y.row<2>(constants::recurrence, recent);
        const Fr v = x4 * x.dbl();
        y.row<3>(constants::recurrence, recent);
        recent[order] = {v, y.value()};
        x = v + recent[order].second;
    }
    s[0] = x * constants::scale[0];
    for (unsigned i = 0; i < 3; ++i) s[1 + i] = sum_of_six(constants::finish[i], recent);
}

}  // namespace

void poseidon2_permute(Fr (&s)[4]) {
    external_layer(s);
    for (unsigned k = 0; k < 4; ++k) external_round(s, constants::external_round[k]);
    internal_rounds(s);
    for (unsigned k = 4; k < 8; ++k) external_round(s, constants::external_round[k]);
}

Fr poseidon2_hash(std::span<const Fr> input) {
    Fr s[4];
    s[3] = Fr::from_int(U256{{0, input.size(), 0, 0}});
    if (input.empty()) poseidon2_permute(s);
    poseidon2_absorb(s, input);
    return s[0];
}

void poseidon2_absorb(Fr (&state)[4], std::span<const Fr> input) {
    for (std::size_t i = 0; i < input.size();) {
        for (std::size_t lane = 0; lane < 3 && i < input.size(); ++lane, ++i) state[lane] += input[i];
        poseidon2_permute(state);
    }
}

BBIPC_END

#include "poseidon2_ifma.hpp"

#include <array>

#include "../field/ifma_field.hpp"
#include "poseidon2_constants.hpp"

BBIPC_BEGIN

namespace {

namespace constants = poseidon2_constants;

template <std::size_t N>
constexpr std::array<Limbs52, N> in_lanes(const Fr (&values)[N]) {
    std::array<Limbs52, N> r;
    for (std::size_t i = 0; i < N; ++i) r[i] = montgomery_260(values[i]);
    return r;
}

template <std::size_t N, std::size_t M>
constexpr std::array<std::array<Limbs52, M>, N> in_lanes(const Fr (&values)[N][M]) {
    std::array<std::array<Limbs52, M>, N> r;
    for (std::size_t i = 0; i < N; ++i) r[i] = in_lanes(values[i]);
    return r;
}

constexpr auto external_constants = in_lanes(constants::external_round);
constexpr auto internal_constants = in_lanes(constants::scaled_internal_round);
constexpr auto recurrence = in_lanes(constants::recurrence);
constexpr auto start = in_lanes(constants::start);
constexpr auto finish = in_lanes(constants::finish);
constexpr auto scale = in_lanes(constants::scale);

BBIPC_IFMA_INLINE void add_constant(V& a, const Limbs52& b) {
    for (int i = 0; i < 5; ++i) a.l[i] = _mm512_add_epi64(a.l[i], broadcast(b.limb[i]));
}

// E of chapter 02 section 1: the largest row sum is 16, so operands below k p and normal give sums below 16 k p with limbs below
// 2^56. Nothing is carried.
BBIPC_IFMA_INLINE void external_layer(V (&s)[4]) {
    for (int i = 0; i < 5; ++i) {
        const __m512i a = s[0].l[i], b = s[1].l[i], c = s[2].l[i], d = s[3].l[i];
        const __m512i t0 = _mm512_add_epi64(a, b), t1 = _mm512_add_epi64(c, d);
        const __m512i t2 = _mm512_add_epi64(_mm512_slli_epi64(b, 1), t1), t3 = _mm512_add_epi64(_mm512_slli_epi64(d, 1), t0);
        const __m512i t4 = _mm512_add_epi64(_mm512_slli_epi64(t1, 2), t3), t5 = _mm512_add_epi64(_mm512_slli_epi64(t0, 2), t2);
        s[0].l[i] = _mm512_add_epi64(t3, t5);
        s[1].l[i] = t5;
        s[2].l[i] = _mm512_add_epi64(t2, t4);
        s[3].l[i] = t4;
    }
}

// x below 27 p, limbs below 2^57: x^5 below 1.7 p and normal. (27 p: x^2 < 9.7 p, x^4 < 2.13 p, x^5 < 1.69 p.)
BBIPC_IFMA_INLINE void s_box(V& x) {
    V power;
    normalize(x);
    square<FrParams>(power, x);
    square<FrParams>(power, power);
    multiply<FrParams>(x, x, power);
}

// States of normal elements below k p leave the layer below 16 k p. With k = 1.02 before the first layer, the four rounds give
// k = 1.26, 1.37, 1.45, 1.50; so no S-box gets more than 16 * 1.45 p + p < 27 p, and no state is above 16 * 1.50 p = 24 p.
BBIPC_IFMA_INLINE void external_round(V (&s)[4], const std::array<Limbs52, 4>& round_constants) {
    for (int i = 0; i < 4; ++i) {
        add_constant(s[i], round_constants[static_cast<std::size_t>(i)]);
        s_box(s[i]);
    }
    external_layer(s);
}

BBIPC_IFMA void permute(V (&s)[4]) {
    external_layer(s);
    for (std::size_t k = 0; k < 4; ++k) external_round(s, external_constants[k]);

    // The internal rounds as the recurrence of poseidon2.cpp.
    constexpr unsigned rounds = 56, order = 3;
    V history[2 * order];  // v, y of the last three rounds, oldest first, as a ring
    for (int i = 0; i < 4; ++i) normalize(s[i]);
    for (unsigned k = 0; k < order; ++k) {
        Columns52 c;
        clear(c);
        for (std::size_t i = 0; i < 3; ++i) add_product(c, s[1 + i], start[k][i]);
        reduce<FrParams>(history[2 * (order - 1 - k) + 1], c);  // below (1 + 0.0119 * 3 * 24) p < 1.9 p
        for (int i = 0; i < 5; ++i) history[2 * (order - 1 - k)].l[i] = _mm512_setzero_si512();
    }
    // v below 1.1 p and y below (1 + 0.0119 * 6 * 1.9) p < 1.2 p, so x below 2.3 p, and with the constant below 3.3 p.
    V x;
    multiply<FrParams>(x, s[0], scale[1]);
    for (unsigned n = 0; n < rounds; ++n) {
        // One after the other is as fast as any interleaving by hand: the processor overlaps the two.
        Columns52 y;
        V x2, v, next;
        add_constant(x, internal_constants[n]);
        normalize(x);
        square<FrParams>(x2, x);
        square<FrParams>(x2, x2);
        add(x, x, x);
        normalize(x);
        multiply<FrParams>(v, x, x2);
        clear(y);
        for (std::size_t i = 0; i < 6; ++i) add_product(y, history[i], recurrence[i]);
        reduce<FrParams>(next, y);
        for (unsigned i = 0; i < 4; ++i) history[i] = history[i + 2];
        history[4] = v;
        history[5] = next;
        add(x, v, next);
    }
    normalize(x);
    multiply<FrParams>(s[0], x, scale[0]);
    for (std::size_t k = 0; k < 3; ++k) {
        Columns52 c;
        clear(c);
        for (std::size_t i = 0; i < 6; ++i) add_product(c, history[i], finish[k][i]);
        reduce<FrParams>(s[1 + k], c);
    }

    for (std::size_t k = 4; k < 8; ++k) external_round(s, external_constants[k]);
}

BBIPC_IFMA void permute_eight(Fr (&states)[poseidon2_lanes][4]) {
    V s[4];
    for (int half = 0; half < 2; ++half) {
        __m512i r[8];
        for (int lane = 0; lane < 8; ++lane) r[lane] = _mm512_loadu_si512(&states[lane][2 * half]);
        transpose(r);
        for (int k = 0; k < 2; ++k) {
            V& element = s[2 * half + k];
            split(element, r + 4 * k);
            multiply<FrParams>(element, element, Modulus52<FrParams>::to_260);
        }
    }
    permute(s);
    for (int half = 0; half < 2; ++half) {
        __m512i r[8];
        for (int k = 0; k < 2; ++k) {
            V& element = s[2 * half + k];
            normalize(element);
            multiply<FrParams>(element, element, Modulus52<FrParams>::from_260);  // below (1 + 0.0119 * 28) p
            join(r + 4 * k, element);
        }
        transpose(r);
        for (int lane = 0; lane < 8; ++lane) _mm512_storeu_si512(&states[lane][2 * half], r[lane]);
    }
}

}  // namespace

void poseidon2_permute_ifma(Fr (&states)[poseidon2_lanes][4]) {
    permute_eight(states);
    for (auto& state : states) {
        for (Fr& element : state) element.m = mod_sub_once<FrParams>(element.m);
    }
}

BBIPC_END

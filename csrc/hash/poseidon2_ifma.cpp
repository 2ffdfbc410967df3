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

template <Bound bound>
using Reduced = Normal<FrParams, bound>;

// x^5
constexpr Bound fifth_power_bound(Bound x) {
    const Bound square = product_bound(x, x);
    return product_bound(x, product_bound(square, square));
}

// The largest row sum of E (chapter 02 section 1).
constexpr Bound row_sum = 16;

// What external rounds leave of states that were at most `state`, before their last layer and after it.
constexpr Bound after_rounds(Bound state, unsigned rounds) {
    for (; rounds > 0; --rounds) state = row_sum * fifth_power_bound(state + 100);
    return state;
}

constexpr unsigned external_rounds = 4;  // in a row
// The first rounds begin with the layer, the last ones without, so these are the largest states before and after the last round.
constexpr Bound first_element = product_bound(100, 100);
constexpr Bound before_last = after_rounds(row_sum * first_element, external_rounds - 1);
constexpr Bound after_last = after_rounds(row_sum * first_element, external_rounds);
static_assert(before_last <= after_last && after_rounds(before_last, 1) == after_last);

// An element of a state after E: limbs are sums of 16, and nothing is carried.
using Layered = Lazy<FrParams, after_last, 0, row_sum>;

template <Bound bound>
    requires(row_sum * bound <= Layered::bound)
BBIPC_IFMA_INLINE void external_layer(Layered (&r)[4], const Reduced<bound> (&s)[4]) {
    for (int i = 0; i < 5; ++i) {
        const __m512i a = s[0].v.l[i], b = s[1].v.l[i], c = s[2].v.l[i], d = s[3].v.l[i];
        const __m512i t0 = _mm512_add_epi64(a, b), t1 = _mm512_add_epi64(c, d);
        const __m512i t2 = _mm512_add_epi64(_mm512_slli_epi64(b, 1), t1), t3 = _mm512_add_epi64(_mm512_slli_epi64(d, 1), t0);
        const __m512i t4 = _mm512_add_epi64(_mm512_slli_epi64(t1, 2), t3), t5 = _mm512_add_epi64(_mm512_slli_epi64(t0, 2), t2);
        r[0].v.l[i] = _mm512_add_epi64(t3, t5);
        r[1].v.l[i] = t5;
        r[2].v.l[i] = _mm512_add_epi64(t2, t4);
        r[3].v.l[i] = t4;
    }
}

template <Bound bound>
BBIPC_IFMA_INLINE void s_box(Reduced<fifth_power_bound(bound)>& r, const Lazy<FrParams, bound, 0, row_sum + 1>& x) {
    constexpr Bound square_bound = product_bound(bound, bound);
    Reduced<bound> normal;
    Reduced<square_bound> squared;
    Reduced<product_bound(square_bound, square_bound)> fourth;
    normalize(normal, x);
    square(squared, normal);
    square(fourth, squared);
    multiply(r, normal, fourth);
}

// Bounds grow from round to round, so no type holds both before and after each; but in a row there are only so many rounds.
BBIPC_IFMA_INLINE void external_round(Layered (&s)[4], const std::array<Limbs52, 4>& round_constants) {
    Reduced<after_last / row_sum> powers[4];
    for (int i = 0; i < 4; ++i) {
        Lazy<FrParams, before_last, 0, row_sum> element;
        Lazy<FrParams, before_last + 100, 0, row_sum + 1> sum;
        trust(element, s[i]);  // after_rounds(): there is at least one more
        add(sum, element, round_constants[static_cast<std::size_t>(i)]);
        s_box(powers[i], sum);
    }
    external_layer(s, powers);
}

BBIPC_IFMA void permute(Layered (&s)[4]) {
    for (std::size_t k = 0; k < external_rounds; ++k) external_round(s, external_constants[k]);

    // The internal rounds as the recurrence of poseidon2.cpp.
    constexpr unsigned rounds = 56, order = 3;
    Reduced<Layered::bound> start_state[4];
    for (int i = 0; i < 4; ++i) normalize(start_state[i], s[i]);
    // v, y of the last three rounds, oldest first, as a ring; at first y is a sum of three large products, and v is zero.
    Reduced<product_bound(Layered::bound, 100, 3)> history[2 * order];
    for (unsigned k = 0; k < order; ++k) {
        Columns52<FrParams, 3, Layered::bound, 100> c;
        clear(c);
        for (std::size_t i = 0; i < 3; ++i) add_product(c, start_state[1 + i], start[k][i]);
        reduce(history[2 * (order - 1 - k) + 1], c);
        broadcast(history[2 * (order - 1 - k)], Limbs52{});
    }
    constexpr Bound y_bound = product_bound(history[0].bound, 100, 6);
    Lazy<FrParams, 222, 0, 2> x;
    Reduced<129> first;
    multiply(first, start_state[0], scale[1]);
    widen(x, first);
    for (unsigned n = 0; n < rounds; ++n) {
        // One after the other is as fast as any interleaving by hand: the processor overlaps the two.
        Lazy<FrParams, 322, 0, 3> sum;
        Reduced<322> base;
        Reduced<113> squared;
        Reduced<102> fourth;
        Lazy<FrParams, 644, 0, 2> twice;
        Reduced<644> twice_base;
        Reduced<108> v;
        Columns52<FrParams, 6, history[0].bound, 100> c;
        Reduced<y_bound> y;
        add(sum, x, internal_constants[n]);
        normalize(base, sum);
        square(squared, base);
        square(fourth, squared);
        add(twice, base, base);
        normalize(twice_base, twice);
        multiply(v, twice_base, fourth);
        clear(c);
        for (std::size_t i = 0; i < 6; ++i) add_product(c, history[i], recurrence[i]);
        reduce(y, c);
        for (unsigned i = 0; i < 4; ++i) history[i] = history[i + 2];
        widen(history[4], v);
        widen(history[5], y);
        add(x, v, y);
    }
    Reduced<222> last;
    Reduced<103> s0;
    normalize(last, x);
    multiply(s0, last, scale[0]);
    widen(s[0], s0);
    for (std::size_t k = 0; k < 3; ++k) {
        Columns52<FrParams, 6, history[0].bound, 100> c;
        Reduced<y_bound> element;
        clear(c);
        for (std::size_t i = 0; i < 6; ++i) add_product(c, history[i], finish[k][i]);
        reduce(element, c);
        widen(s[1 + k], element);
    }

    for (std::size_t k = external_rounds; k < 2 * external_rounds; ++k) external_round(s, external_constants[k]);
}

BBIPC_IFMA void permute_eight(Fr (&states)[poseidon2_lanes][4]) {
    Reduced<first_element> elements[4];
    for (int half = 0; half < 2; ++half) {
        __m512i r[8];
        for (int lane = 0; lane < 8; ++lane) r[lane] = _mm512_loadu_si512(&states[lane][2 * half]);
        transpose(r);
        for (int k = 0; k < 2; ++k) {
            Reduced<100> element;
            split(element, r + 4 * k);
            multiply(elements[2 * half + k], element, Modulus52<FrParams>::to_260);
        }
    }
    Layered s[4];
    external_layer(s, elements);
    permute(s);
    for (int half = 0; half < 2; ++half) {
        __m512i r[8];
        for (int k = 0; k < 2; ++k) {
            Reduced<Layered::bound> normal;
            Reduced<129> element;
            static_assert(element.bound <= 200);  // mod_sub_once() below reduces it
            normalize(normal, s[2 * half + k]);
            multiply(element, normal, Modulus52<FrParams>::from_260);
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

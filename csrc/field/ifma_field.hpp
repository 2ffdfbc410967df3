// Montgomery arithmetic on AVX-512 IFMA: eight elements side by side, R = 2^260. For sources named *_ifma.cpp alone: their
// functions run only where ifma_supported() (csrc/field/lane_path.hpp).
//
// Types say how far a value is from being reduced. Only a Normal value can be multiplied, and what an operation makes of its
// operands' bounds is computed by the compiler: an operation whose result would not fit its type does not compile. Where the
// macro BBIPC_CHECK_BOUNDS is defined, as in builds with sanitizers, each result is checked, too. docs/ifma-notes.md derives the
// bounds.
#pragma once

#include "ifma_layout.hpp"

#if defined(BBIPC_CHECK_BOUNDS)
#include <cstdlib>
#endif

BBIPC_BEGIN

namespace {

// A bound of a value, in hundredths of p, rounded up: 190 means "at most 1.9 p".
using Bound = unsigned;

constexpr Bound most_bound = 8'400;  // 84 p < 2^260
constexpr Bound word_bound = 500;    // 5 p < 2^256: what join() can write

// (ab p^2 + 2^260 p) / 2^260, where p / 2^260 < 0.0119 (see Modulus52): a Montgomery reduction of `terms` products of factors at
// most a and b.
constexpr Bound product_bound(u64 a, u64 b, u64 terms = 1) {
    return static_cast<Bound>(100 + (terms * a * b * 119 + 999'999) / 1'000'000);
}

// 2^n mod p.
template <class P>
constexpr Field<P> power_of_two(unsigned n) {
    Field<P> r = Field<P>::one();
    for (unsigned i = 0; i < n; ++i) r = r.dbl();
    return r;
}

// The constants of a modulus.
template <class P>
struct Modulus52 {
    static_assert((u128{P::modulus.limb[3]} + 1) * 10'000 < u128{119} << 68);  // p / 2^260 < 0.0119

    static constexpr Limbs52 times(unsigned factor) {  // factor < 64
        Limbs52 r;
        u128 carry = 0;
        for (unsigned i = 0; i < 5; ++i) {
            carry += u128{P::modulus.bits(52 * i, 52)} * factor;
            r.limb[i] = static_cast<u64>(carry) & mask_52;
            carry >>= 52;
        }
        return r;
    }

    template <unsigned factor>
    static constexpr Limbs52 multiple = times(factor);
    static constexpr Limbs52 p = times(1);
    static constexpr u64 neg_inverse = P::neg_inverse & mask_52;  // -p^-1 mod 2^52
    static constexpr Limbs52 one = limbs_52(power_of_two<P>(260).to_int());
    static constexpr Limbs52 to_260 = limbs_52(power_of_two<P>(264).to_int());    // times a 2^256 gives a 2^260
    static constexpr Limbs52 from_260 = limbs_52(power_of_two<P>(256).to_int());  // times a 2^260 gives a 2^256
    // The highest limb of what is at most `bound`.
    static constexpr u64 top_limb(Bound bound) { return ((p.limb[4] + 1) * bound + 99) / 100; }
};

// a 2^260, reduced, as limbs.
template <class P>
constexpr Limbs52 montgomery_260(const Field<P>& a) {
    return limbs_52(a.dbl().dbl().dbl().dbl().m);
}

// In each lane a value in [0, bound p / 100] whose limbs are in [0, 2^52).
template <class P, Bound most>
struct Normal {
    static_assert(most >= 100 && most <= most_bound);
    using Params = P;
    static constexpr Bound bound = most;
    static constexpr unsigned minus = 0, plus = 1;
    V v;
};

// In each lane a value in [0, bound p / 100] that was made without carries: a limb is a sum of at most `plus` limbs of normal
// values, less at most `minus` of them.
template <class P, Bound most, unsigned subtracted, unsigned added>
struct Lazy {
    static_assert(most <= most_bound && subtracted + added <= 512);  // so limbs are below 2^61, which carry() can take
    using Params = P;
    static constexpr Bound bound = most;
    static constexpr unsigned minus = subtracted, plus = added;
    V v;
};

// Whether every value of the type A is one of R.
template <class R, class A>
concept Takes = std::is_same_v<typename R::Params, typename A::Params> && R::bound >= A::bound && R::minus >= A::minus &&
                R::plus >= A::plus;

#if defined(BBIPC_CHECK_BOUNDS)
template <class P, Bound bound>
BBIPC_IFMA_INLINE void check(const Normal<P, bound>& a) {
    __mmask8 bad = _mm512_cmpgt_epu64_mask(a.v.l[4], broadcast(Modulus52<P>::top_limb(bound)));
    for (int i = 0; i < 5; ++i) bad |= _mm512_cmpgt_epu64_mask(a.v.l[i], broadcast(mask_52));
    if (bad != 0) std::abort();
}
#else
template <class P, Bound bound>
BBIPC_IFMA_INLINE void check(const Normal<P, bound>&) {}
#endif

// A constant, which must be reduced.
template <class P, Bound bound>
BBIPC_IFMA_INLINE void broadcast(Normal<P, bound>& r, const Limbs52& a) {
    for (int i = 0; i < 5; ++i) r.v.l[i] = broadcast(a.limb[i]);
}

template <class R, class A>
    requires Takes<R, A>
BBIPC_IFMA_INLINE void widen(R& r, const A& a) {
    r.v = a.v;
}

// Five limbs that are normal, and within the bound, by what the caller knows.
template <class P, Bound bound>
BBIPC_IFMA_INLINE void load(Normal<P, bound>& r, const void* from) {
    load(r.v, from);
    check(r);
}

// Four words of 64 bits, within the bound by what the caller knows.
template <class P, Bound bound>
BBIPC_IFMA_INLINE void split(Normal<P, bound>& r, const __m512i w[4]) {
    split(r.v, w);
    check(r);
}

template <class P, Bound bound>
    requires(bound <= word_bound)
BBIPC_IFMA_INLINE void join(__m512i w[4], const Normal<P, bound>& a) {
    join(w, a.v);
}

// Carries from each limb, of absolute value below 2^62, to the next.
BBIPC_IFMA_INLINE void carry(V& a) {
    const __m512i mask = broadcast(mask_52);
    for (int i = 0; i < 4; ++i) {
        a.l[i + 1] = _mm512_add_epi64(a.l[i + 1], _mm512_srai_epi64(a.l[i], 52));
        a.l[i] = _mm512_and_si512(a.l[i], mask);
    }
}

template <class P, Bound bound, class A>
    requires(std::is_same_v<P, typename A::Params> && bound >= A::bound)
BBIPC_IFMA_INLINE void normalize(Normal<P, bound>& r, const A& a) {
    r.v = a.v;
    carry(r.v);
    check(r);
}

// What is known to be within a smaller bound for another reason than its type: say which.
template <class R, class A>
    requires std::is_same_v<typename R::Params, typename A::Params>
BBIPC_IFMA_INLINE void trust(R& r, const A& a) {
#if defined(BBIPC_CHECK_BOUNDS)
    Normal<typename R::Params, R::bound> normal;
    normal.v = a.v;
    carry(normal.v);
    check(normal);
#endif
    r.v = a.v;
}

template <class R, class A, class B>
    requires(R::bound >= A::bound + B::bound && R::minus >= A::minus + B::minus && R::plus >= A::plus + B::plus)
BBIPC_IFMA_INLINE void add(R& r, const A& a, const B& b) {
    for (int i = 0; i < 5; ++i) r.v.l[i] = _mm512_add_epi64(a.v.l[i], b.v.l[i]);
}

// b: a reduced constant.
template <class R, class A>
    requires(R::bound >= A::bound + 100 && R::minus >= A::minus && R::plus >= A::plus + 1)
BBIPC_IFMA_INLINE void add(R& r, const A& a, const Limbs52& b) {
    for (int i = 0; i < 5; ++i) r.v.l[i] = _mm512_add_epi64(a.v.l[i], broadcast(b.limb[i]));
}

// The smallest multiple of p that no value of the type exceeds.
template <class B>
constexpr unsigned multiple_above = (B::bound + 99) / 100;

// a - b + k p, never negative: k p is the multiple above b.
template <class R, class A, class B>
    requires(R::bound >= A::bound + 100 * multiple_above<B> && R::minus >= A::minus + B::plus &&
             R::plus >= A::plus + B::minus + 1)
BBIPC_IFMA_INLINE void subtract(R& r, const A& a, const B& b) {
    constexpr const Limbs52& multiple = Modulus52<typename B::Params>::template multiple<multiple_above<B>>;
    for (int i = 0; i < 5; ++i) r.v.l[i] = _mm512_add_epi64(_mm512_sub_epi64(a.v.l[i], b.v.l[i]), broadcast(multiple.limb[i]));
}

// k p - a in these lanes, with the multiple above a, and a in the others.
template <class R, class A>
    requires(R::bound >= 100 * multiple_above<A> && R::minus >= A::plus && R::plus >= A::plus && R::plus >= A::minus + 1)
BBIPC_IFMA_INLINE void negate_lanes(R& r, const A& a, __mmask8 lanes) {
    constexpr const Limbs52& multiple = Modulus52<typename A::Params>::template multiple<multiple_above<A>>;
    for (int i = 0; i < 5; ++i) r.v.l[i] = _mm512_mask_sub_epi64(a.v.l[i], lanes, broadcast(multiple.limb[i]), a.v.l[i]);
}

// Subtracts factor p where `a` is surely not below it. The limbs below the top one hold a carry in [-4, 4] into it, so the
// comparison of the top limbs alone decides only up to 2^212, less than p / 2^41: where it does not subtract, a < factor p + 2^212.
constexpr Bound bound_after_subtracting(Bound a, unsigned factor) { return std::max(100 * factor + 1, a - 100 * factor); }

template <unsigned factor, class R, class A>
    requires(A::minus <= 4 && A::plus <= 4 && A::bound >= 100 * factor &&
             R::bound >= bound_after_subtracting(A::bound, factor) && R::minus >= A::minus + 1 && R::plus >= A::plus)
BBIPC_IFMA_INLINE void subtract_if_not_below(R& r, const A& a) {
    constexpr const Limbs52& multiple = Modulus52<typename A::Params>::template multiple<factor>;
    const __mmask8 not_below = _mm512_cmpge_epi64_mask(a.v.l[4], broadcast(multiple.limb[4] + 5));
    for (int i = 0; i < 5; ++i) r.v.l[i] = _mm512_mask_sub_epi64(a.v.l[i], not_below, a.v.l[i], broadcast(multiple.limb[i]));
}

// The sum of at most `terms` products of factors at most a and b, in ten columns of limb products. vpmadd52 reads the low 52
// bits of the factors and adds the low or the high 52 bits of the product: a product of two elements adds at most ten summands
// below 2^52 to a column, and with 128 of them, and those of the reduction, columns stay below 2^63.
template <class P, unsigned terms, Bound a, Bound b>
struct Columns52 {
    static_assert(terms <= 128 && product_bound(a, b, terms) <= most_bound);
    __m512i t[10];
};

template <class P, unsigned terms, Bound a, Bound b>
BBIPC_IFMA_INLINE void clear(Columns52<P, terms, a, b>& c) {
    for (int i = 0; i < 10; ++i) c.t[i] = _mm512_setzero_si512();
}

#define BBIPC_MADD_LO(t, a, b) t = _mm512_madd52lo_epu64(t, a, b)
#define BBIPC_MADD_HI(t, a, b) t = _mm512_madd52hi_epu64(t, a, b)

template <class P, unsigned terms, Bound a_bound, Bound b_bound, Bound a_most, Bound b_most>
    requires(a_bound <= a_most && b_bound <= b_most)
BBIPC_IFMA_INLINE void add_product(Columns52<P, terms, a_most, b_most>& c, const Normal<P, a_bound>& a,
                                   const Normal<P, b_bound>& b) {
#pragma GCC unroll 5
    for (int i = 0; i < 5; ++i) {
#pragma GCC unroll 5
        for (int j = 0; j < 5; ++j) {
            BBIPC_MADD_LO(c.t[i + j], a.v.l[i], b.v.l[j]);
            BBIPC_MADD_HI(c.t[i + j + 1], a.v.l[i], b.v.l[j]);
        }
    }
}

// The same with one factor for all lanes, a reduced constant.
template <class P, unsigned terms, Bound a_bound, Bound a_most, Bound b_most>
    requires(a_bound <= a_most && b_most >= 100)
BBIPC_IFMA_INLINE void add_product(Columns52<P, terms, a_most, b_most>& c, const Normal<P, a_bound>& a, const Limbs52& b) {
#pragma GCC unroll 5
    for (int j = 0; j < 5; ++j) {
        const __m512i limb = broadcast(b.limb[j]);
#pragma GCC unroll 5
        for (int i = 0; i < 5; ++i) {
            BBIPC_MADD_LO(c.t[i + j], a.v.l[i], limb);
            BBIPC_MADD_HI(c.t[i + j + 1], a.v.l[i], limb);
        }
    }
}

template <class P, Bound a_bound>
BBIPC_IFMA_INLINE void set_square(Columns52<P, 1, a_bound, a_bound>& c, const Normal<P, a_bound>& a) {
    clear(c);
#pragma GCC unroll 5
    for (int i = 0; i < 5; ++i) {
#pragma GCC unroll 5
        for (int j = i + 1; j < 5; ++j) {
            BBIPC_MADD_LO(c.t[i + j], a.v.l[i], a.v.l[j]);
            BBIPC_MADD_HI(c.t[i + j + 1], a.v.l[i], a.v.l[j]);
        }
    }
    for (int i = 1; i < 9; ++i) c.t[i] = _mm512_add_epi64(c.t[i], c.t[i]);
#pragma GCC unroll 5
    for (int i = 0; i < 5; ++i) {
        BBIPC_MADD_LO(c.t[2 * i], a.v.l[i], a.v.l[i]);
        BBIPC_MADD_HI(c.t[2 * i + 1], a.v.l[i], a.v.l[i]);
    }
}

// r = c / 2^260 mod p. Each step clears the lowest column: q p has the negative of its low 52 bits, so what is carried is the
// column divided by 2^52, rounded up, and the lowest product need not be computed.
template <class P, Bound bound, unsigned terms, Bound a, Bound b>
    requires(bound >= product_bound(a, b, terms))
BBIPC_IFMA_INLINE void reduce(Normal<P, bound>& r, Columns52<P, terms, a, b>& c) {
    using M = Modulus52<P>;
    const __m512i mask = broadcast(mask_52), inverse = broadcast(M::neg_inverse), zero = _mm512_setzero_si512();
#pragma GCC unroll 5
    for (int i = 0; i < 5; ++i) {
        const __m512i q = _mm512_madd52lo_epu64(zero, c.t[i], inverse);
        c.t[i + 1] = _mm512_add_epi64(c.t[i + 1], _mm512_srli_epi64(_mm512_add_epi64(c.t[i], mask), 52));
        BBIPC_MADD_HI(c.t[i + 1], q, broadcast(M::p.limb[0]));
#pragma GCC unroll 4
        for (int j = 1; j < 5; ++j) {
            BBIPC_MADD_LO(c.t[i + j], q, broadcast(M::p.limb[j]));
            BBIPC_MADD_HI(c.t[i + j + 1], q, broadcast(M::p.limb[j]));
        }
    }
    for (int i = 0; i < 5; ++i) r.v.l[i] = c.t[5 + i];
    carry(r.v);
    check(r);
}

template <class P, Bound bound, Bound a_bound, Bound b_bound>
    requires(bound >= product_bound(a_bound, b_bound))
BBIPC_IFMA_INLINE void multiply(Normal<P, bound>& r, const Normal<P, a_bound>& a, const Normal<P, b_bound>& b) {
    Columns52<P, 1, a_bound, b_bound> c;
    clear(c);
    add_product(c, a, b);
    reduce(r, c);
}

// b: a reduced constant.
template <class P, Bound bound, Bound a_bound>
    requires(bound >= product_bound(a_bound, 100))
BBIPC_IFMA_INLINE void multiply(Normal<P, bound>& r, const Normal<P, a_bound>& a, const Limbs52& b) {
    Columns52<P, 1, a_bound, 100> c;
    clear(c);
    add_product(c, a, b);
    reduce(r, c);
}

template <class P, Bound bound, Bound a_bound>
    requires(bound >= product_bound(a_bound, a_bound))
BBIPC_IFMA_INLINE void square(Normal<P, bound>& r, const Normal<P, a_bound>& a) {
    Columns52<P, 1, a_bound, a_bound> c;
    set_square(c, a);
    reduce(r, c);
}

}  // namespace

BBIPC_END

// Montgomery arithmetic on AVX-512 IFMA: eight elements side by side, five limbs of 52 bits, R = 2^260. For sources named
// *_ifma.cpp alone: their functions run only where ifma_supported() (csrc/field/lane_path.hpp).
//
// Bounds. p is a modulus with 2^253 < p < 2^254, so p / 2^260 < 0.0119. "Normal" means that all limbs are in [0, 2^52). e stands
// for 2^212, which is less than p / 2^41.
//
//   multiply   normal operands A and B; the result is normal and below p + A B / 2^260
//              (for A = a p, B = b p: below (1 + 0.0119 a b) p, which must be below 2^260 > 84 p)
//   subtract   a - b + k p with b <= k p is never negative; limbs may be, until normalize() carries
//
// Each function says which bounds it needs and gives.
//
// All of this has internal linkage and is inlined into functions with the same target attribute, so that the linker cannot take
// AVX-512 code for a function of another file.
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the undefined pass-through operands of its own intrinsics for ours (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include "field.hpp"

#define BBIPC_IFMA __attribute__((target("avx512f,avx512ifma,avx512vl,avx512dq")))
#define BBIPC_IFMA_INLINE BBIPC_IFMA __attribute__((always_inline)) static inline

BBIPC_BEGIN

namespace {

constexpr u64 mask_52 = (u64{1} << 52) - 1;
constexpr std::size_t ifma_lanes = 8;

struct Limbs52 {
    u64 limb[5] = {};
};

constexpr Limbs52 limbs_52(const U256& a) {
    Limbs52 r;
    for (unsigned i = 0; i < 5; ++i) r.limb[i] = a.bits(52 * i, 52);
    return r;
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

    static constexpr Limbs52 p = times(1), p_2 = times(2), p_3 = times(3), p_4 = times(4), p_6 = times(6);
    static constexpr u64 neg_inverse = P::neg_inverse & mask_52;  // -p^-1 mod 2^52
    static constexpr Limbs52 one = limbs_52(power_of_two<P>(260).to_int());
    static constexpr Limbs52 to_260 = limbs_52(power_of_two<P>(264).to_int());    // times a 2^256 gives a 2^260
    static constexpr Limbs52 from_260 = limbs_52(power_of_two<P>(256).to_int());  // times a 2^260 gives a 2^256
};

// a 2^260, reduced, as limbs.
template <class P>
constexpr Limbs52 montgomery_260(const Field<P>& a) {
    return limbs_52(a.dbl().dbl().dbl().dbl().m);
}

// One element in each lane.
struct V {
    __m512i l[5];
};

BBIPC_IFMA_INLINE __m512i broadcast(u64 value) { return _mm512_set1_epi64(static_cast<long long>(value)); }

BBIPC_IFMA_INLINE void broadcast(V& r, const Limbs52& a) {
    for (int i = 0; i < 5; ++i) r.l[i] = broadcast(a.limb[i]);
}

BBIPC_IFMA_INLINE void load(V& r, const void* from) {
    for (int i = 0; i < 5; ++i) r.l[i] = _mm512_load_si512(static_cast<const __m512i*>(from) + i);
}

BBIPC_IFMA_INLINE void store(void* to, const V& a) {
    for (int i = 0; i < 5; ++i) _mm512_store_si512(static_cast<__m512i*>(to) + i, a.l[i]);
}

// Limb by limb: no carry.
BBIPC_IFMA_INLINE void add(V& r, const V& a, const V& b) {
    for (int i = 0; i < 5; ++i) r.l[i] = _mm512_add_epi64(a.l[i], b.l[i]);
}

// Carries between limbs of absolute value below 2^62; the value must be in [0, 2^260). The result is normal.
BBIPC_IFMA_INLINE void normalize(V& a) {
    const __m512i mask = broadcast(mask_52);
    for (int i = 0; i < 4; ++i) {
        a.l[i + 1] = _mm512_add_epi64(a.l[i + 1], _mm512_srai_epi64(a.l[i], 52));
        a.l[i] = _mm512_and_si512(a.l[i], mask);
    }
}

// Subtracts `multiple` (normal) where `a` is surely not below it. The limbs below the top one may hold a carry in [-4, 4] into
// the top one, so the comparison of the top limbs alone decides only up to e: where it does not subtract, a < multiple + e.
BBIPC_IFMA_INLINE void subtract_if_not_below(V& a, const Limbs52& multiple) {
    const __mmask8 not_below = _mm512_cmpge_epi64_mask(a.l[4], broadcast(multiple.limb[4] + 5));
    for (int i = 0; i < 5; ++i) a.l[i] = _mm512_mask_sub_epi64(a.l[i], not_below, a.l[i], broadcast(multiple.limb[i]));
}

// Ten columns of limb products. vpmadd52 reads the low 52 bits of the factors and adds the low or the high 52 bits of the
// product: a product of two elements adds at most ten summands below 2^52 to a column. Columns must stay below 2^63.
struct Columns52 {
    __m512i t[10];
};

BBIPC_IFMA_INLINE void clear(Columns52& c) {
    for (int i = 0; i < 10; ++i) c.t[i] = _mm512_setzero_si512();
}

#define BBIPC_MADD_LO(t, a, b) t = _mm512_madd52lo_epu64(t, a, b)
#define BBIPC_MADD_HI(t, a, b) t = _mm512_madd52hi_epu64(t, a, b)

BBIPC_IFMA_INLINE void add_product(Columns52& c, const V& a, const V& b) {
#pragma GCC unroll 5
    for (int i = 0; i < 5; ++i) {
#pragma GCC unroll 5
        for (int j = 0; j < 5; ++j) {
            BBIPC_MADD_LO(c.t[i + j], a.l[i], b.l[j]);
            BBIPC_MADD_HI(c.t[i + j + 1], a.l[i], b.l[j]);
        }
    }
}

// The same with one factor for all lanes.
BBIPC_IFMA_INLINE void add_product(Columns52& c, const V& a, const Limbs52& b) {
#pragma GCC unroll 5
    for (int j = 0; j < 5; ++j) {
        const __m512i limb = broadcast(b.limb[j]);
#pragma GCC unroll 5
        for (int i = 0; i < 5; ++i) {
            BBIPC_MADD_LO(c.t[i + j], a.l[i], limb);
            BBIPC_MADD_HI(c.t[i + j + 1], a.l[i], limb);
        }
    }
}

BBIPC_IFMA_INLINE void set_square(Columns52& c, const V& a) {
    clear(c);
#pragma GCC unroll 5
    for (int i = 0; i < 5; ++i) {
#pragma GCC unroll 5
        for (int j = i + 1; j < 5; ++j) {
            BBIPC_MADD_LO(c.t[i + j], a.l[i], a.l[j]);
            BBIPC_MADD_HI(c.t[i + j + 1], a.l[i], a.l[j]);
        }
    }
    for (int i = 1; i < 9; ++i) c.t[i] = _mm512_add_epi64(c.t[i], c.t[i]);
#pragma GCC unroll 5
    for (int i = 0; i < 5; ++i) {
        BBIPC_MADD_LO(c.t[2 * i], a.l[i], a.l[i]);
        BBIPC_MADD_HI(c.t[2 * i + 1], a.l[i], a.l[i]);
    }
}

// r = c / 2^260 mod p, normal, below p + c / 2^260. Each step clears the lowest column: q p has the negative of its low 52
// bits, so what is carried is the column divided by 2^52, rounded up, and the lowest product need not be computed.
template <class P>
BBIPC_IFMA_INLINE void reduce(V& r, Columns52& c) {
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
    for (int i = 0; i < 5; ++i) r.l[i] = c.t[5 + i];
    normalize(r);
}

template <class P>
BBIPC_IFMA_INLINE void multiply(V& r, const V& a, const V& b) {
    Columns52 c;
    clear(c);
    add_product(c, a, b);
    reduce<P>(r, c);
}

template <class P>
BBIPC_IFMA_INLINE void multiply(V& r, const V& a, const Limbs52& b) {
    Columns52 c;
    clear(c);
    add_product(c, a, b);
    reduce<P>(r, c);
}

template <class P>
BBIPC_IFMA_INLINE void square(V& r, const V& a) {
    Columns52 c;
    set_square(c, a);
    reduce<P>(r, c);
}

// Four limbs of 64 bits to five of 52 and back (the value must be below 2^256).
BBIPC_IFMA_INLINE void split(V& r, const __m512i w[4]) {
    const __m512i mask = broadcast(mask_52);
    r.l[0] = _mm512_and_si512(w[0], mask);
    for (int i = 1; i < 4; ++i) {
        r.l[i] =
            _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(w[i - 1], 64 - 12 * i), _mm512_slli_epi64(w[i], 12 * i)), mask);
    }
    r.l[4] = _mm512_srli_epi64(w[3], 16);
}

BBIPC_IFMA_INLINE void join(__m512i w[4], const V& a) {
    for (int i = 0; i < 4; ++i)
        w[i] = _mm512_or_si512(_mm512_srli_epi64(a.l[i], 12 * i), _mm512_slli_epi64(a.l[i + 1], 52 - 12 * i));
}

// Rows to columns, 8 x 8 words, in place.
BBIPC_IFMA_INLINE void transpose(__m512i r[8]) {
    __m512i even[4], odd[4];  // pair i: the even (odd) words of rows 2i and 2i+1, interleaved
    for (int i = 0; i < 4; ++i) {
        even[i] = _mm512_unpacklo_epi64(r[2 * i], r[2 * i + 1]);
        odd[i] = _mm512_unpackhi_epi64(r[2 * i], r[2 * i + 1]);
    }
#define BBIPC_TRANSPOSE_128(in, parity)                                                                                       \
    {                                                                                                                         \
        const __m512i low_02 = _mm512_shuffle_i64x2(in[0], in[1], 0x88), low_13 = _mm512_shuffle_i64x2(in[0], in[1], 0xdd);   \
        const __m512i high_02 = _mm512_shuffle_i64x2(in[2], in[3], 0x88), high_13 = _mm512_shuffle_i64x2(in[2], in[3], 0xdd); \
        r[0 + parity] = _mm512_shuffle_i64x2(low_02, high_02, 0x88);                                                          \
        r[2 + parity] = _mm512_shuffle_i64x2(low_13, high_13, 0x88);                                                          \
        r[4 + parity] = _mm512_shuffle_i64x2(low_02, high_02, 0xdd);                                                          \
        r[6 + parity] = _mm512_shuffle_i64x2(low_13, high_13, 0xdd);                                                          \
    }
    BBIPC_TRANSPOSE_128(even, 0)
    BBIPC_TRANSPOSE_128(odd, 1)
#undef BBIPC_TRANSPOSE_128
}

}  // namespace

BBIPC_END

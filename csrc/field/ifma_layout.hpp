// How eight field elements lie in AVX-512 registers: one in each lane, five limbs of 52 bits. Arithmetic: ifma_field.hpp.
//
// For sources named *_ifma.cpp alone. All of this has internal linkage and is inlined into functions with the same target
// attribute, so that the linker cannot take AVX-512 code for a function of another file.
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

// A constant: all lanes have the same.
struct Limbs52 {
    u64 limb[5] = {};
};

constexpr Limbs52 limbs_52(const U256& a) {
    Limbs52 r;
    for (unsigned i = 0; i < 5; ++i) r.limb[i] = a.bits(52 * i, 52);
    return r;
}

// One integer in each lane, of which nothing is said.
struct V {
    __m512i l[5];
};

BBIPC_IFMA_INLINE __m512i broadcast(u64 value) { return _mm512_set1_epi64(static_cast<long long>(value)); }

BBIPC_IFMA_INLINE void load(V& r, const void* from) {
    for (int i = 0; i < 5; ++i) r.l[i] = _mm512_load_si512(static_cast<const __m512i*>(from) + i);
}

BBIPC_IFMA_INLINE void store(void* to, const V& a) {
    for (int i = 0; i < 5; ++i) _mm512_store_si512(static_cast<__m512i*>(to) + i, a.l[i]);
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

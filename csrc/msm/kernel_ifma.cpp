#include "kernel_ifma.hpp"

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the undefined pass-through operands of its own intrinsics for ours (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include "msm_path.hpp"

// Bounds. p is the modulus of Fr, 2^253 < p < 2^254, p / 2^260 < 0.0119. A vector element is an integer in five limbs; "normal"
// means that all limbs are in [0, 2^52). e stands for 2^212, which is less than p / 2^41.
//   multiply   normal operands A, B with A B < 70 p^2: the result is normal and below p + A B / 2^260 < 1.9 p (Montgomery, R =
//   2^260) stored     coordinates are normal and below 3 p < 2^256 (in fact below 2.2 p), so they fit four limbs of 64 bits
//   subtract   a - b + 3 p with b <= 3 p is never negative; limbs may be, until normalize() carries
// Each function says which bounds it needs and gives.
//
// All functions with the attribute are inlined into others of this file, and none is a template or a member of a shared class,
// so that the linker cannot take AVX-512 code for a function of another file.
#define BBIPC_IFMA __attribute__((target("avx512f,avx512ifma,avx512vl,avx512dq")))
#define BBIPC_IFMA_INLINE BBIPC_IFMA __attribute__((always_inline)) static inline

BBIPC_BEGIN

namespace {

constexpr u64 mask_52 = (u64{1} << 52) - 1;

constexpr std::size_t lanes = 8;
constexpr std::size_t chains = 2;          // independent products, to hide the latency of a multiplication
constexpr std::size_t chunk_groups = 512;  // groups of eight pairs that share an inversion

struct Limbs52 {
    u64 limb[5] = {};
};

constexpr Limbs52 multiple_of_p(unsigned factor) {  // factor < 16
    Limbs52 r;
    u128 carry = 0;
    for (unsigned i = 0; i < 5; ++i) {
        carry += u128{Fr::modulus.bits(52 * i, 52)} * factor;
        r.limb[i] = static_cast<u64>(carry) & mask_52;
        carry >>= 52;
    }
    return r;
}

constexpr Limbs52 canonical_limbs(const U256& a) {
    Limbs52 r;
    for (unsigned i = 0; i < 5; ++i) r.limb[i] = a.bits(52 * i, 52);
    return r;
}

constexpr Fr power_of_two(unsigned n) {
    Fr r = Fr::one();
    for (unsigned i = 0; i < n; ++i) r = r.dbl();
    return r;
}

constexpr Limbs52 p_1 = multiple_of_p(1), p_2 = multiple_of_p(2), p_3 = multiple_of_p(3), p_4 = multiple_of_p(4),
                  p_6 = multiple_of_p(6);
constexpr Limbs52 multiples_of_p[] = {Limbs52{}, p_1, p_2, p_3, p_4, multiple_of_p(5), p_6};
constexpr u64 neg_inverse_52 = FrParams::neg_inverse & mask_52;  // -p^-1 mod 2^52
constexpr Limbs52 one_260 = canonical_limbs(power_of_two(260).to_int());
constexpr Limbs52 to_260 = canonical_limbs(power_of_two(264).to_int());  // times a 2^256 gives a 2^260

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

// Adds the limb products of column i of a * b; t has ten columns. vpmadd52 reads the low 52 bits of the factors and adds the
// low or the high 52 bits of the product. At most ten summands below 2^52 a column, so a column stays below 2^56.
#define BBIPC_MADD_LO(t, a, b) t = _mm512_madd52lo_epu64(t, a, b)
#define BBIPC_MADD_HI(t, a, b) t = _mm512_madd52hi_epu64(t, a, b)

// r = t / 2^260 mod p, normal, below p + t / 2^260. Each step clears the lowest column: q p has the negative of its low 52
// bits, so what is carried is the column divided by 2^52, rounded up, and the lowest product need not be computed.
BBIPC_IFMA_INLINE void reduce(V& r, __m512i t[10]) {
    const __m512i mask = broadcast(mask_52), inverse = broadcast(neg_inverse_52), zero = _mm512_setzero_si512();
#pragma GCC unroll 5
    for (int i = 0; i < 5; ++i) {
        const __m512i q = _mm512_madd52lo_epu64(zero, t[i], inverse);
        t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srli_epi64(_mm512_add_epi64(t[i], mask), 52));
        BBIPC_MADD_HI(t[i + 1], q, broadcast(p_1.limb[0]));
#pragma GCC unroll 4
        for (int j = 1; j < 5; ++j) {
            BBIPC_MADD_LO(t[i + j], q, broadcast(p_1.limb[j]));
            BBIPC_MADD_HI(t[i + j + 1], q, broadcast(p_1.limb[j]));
        }
    }
    for (int i = 0; i < 5; ++i) r.l[i] = t[5 + i];
    normalize(r);
}

BBIPC_IFMA_INLINE void multiply(V& r, const V& a, const V& b) {
    __m512i t[10];
    for (int i = 0; i < 10; ++i) t[i] = _mm512_setzero_si512();
#pragma GCC unroll 5
    for (int i = 0; i < 5; ++i) {
#pragma GCC unroll 5
        for (int j = 0; j < 5; ++j) {
            BBIPC_MADD_LO(t[i + j], a.l[i], b.l[j]);
            BBIPC_MADD_HI(t[i + j + 1], a.l[i], b.l[j]);
        }
    }
    reduce(r, t);
}

BBIPC_IFMA_INLINE void square(V& r, const V& a) {
    __m512i t[10];
    for (int i = 0; i < 10; ++i) t[i] = _mm512_setzero_si512();
#pragma GCC unroll 5
    for (int i = 0; i < 5; ++i) {
#pragma GCC unroll 5
        for (int j = i + 1; j < 5; ++j) {
            BBIPC_MADD_LO(t[i + j], a.l[i], a.l[j]);
            BBIPC_MADD_HI(t[i + j + 1], a.l[i], a.l[j]);
        }
    }
    for (int i = 1; i < 9; ++i) t[i] = _mm512_add_epi64(t[i], t[i]);
#pragma GCC unroll 5
    for (int i = 0; i < 5; ++i) {
        BBIPC_MADD_LO(t[2 * i], a.l[i], a.l[i]);
        BBIPC_MADD_HI(t[2 * i + 1], a.l[i], a.l[i]);
    }
    reduce(r, t);
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

BBIPC_IFMA_INLINE const IfmaPoint* operand(const IfmaPoint* table, std::uint32_t code) { return table + (code >> 1); }

// The x coordinates of eight operands.
BBIPC_IFMA_INLINE void load_x(V& x, const IfmaPoint* table, const std::uint32_t* codes) {
    __m512i r[4];  // two operands each
    for (int i = 0; i < 4; ++i) {
        const int first = (i & 1) + 4 * (i >> 1);  // 0, 1, 4, 5; and two further
        const __m256i low = _mm256_load_si256(reinterpret_cast<const __m256i*>(operand(table, codes[first])));
        r[i] = _mm512_inserti64x4(_mm512_castsi256_si512(low),
                                  _mm256_load_si256(reinterpret_cast<const __m256i*>(operand(table, codes[first + 2]))), 1);
    }
    const __m512i even_low = _mm512_unpacklo_epi64(r[0], r[1]), even_high = _mm512_unpacklo_epi64(r[2], r[3]);
    const __m512i odd_low = _mm512_unpackhi_epi64(r[0], r[1]), odd_high = _mm512_unpackhi_epi64(r[2], r[3]);
    const __m512i w[4] = {_mm512_shuffle_i64x2(even_low, even_high, 0x88), _mm512_shuffle_i64x2(odd_low, odd_high, 0x88),
                          _mm512_shuffle_i64x2(even_low, even_high, 0xdd), _mm512_shuffle_i64x2(odd_low, odd_high, 0xdd)};
    split(x, w);
}

BBIPC_IFMA_INLINE void load_points(V& x, V& y, const IfmaPoint* table, const std::uint32_t* codes) {
    __m512i r[8];
    for (int i = 0; i < 8; ++i) r[i] = _mm512_load_si512(operand(table, codes[i]));
    transpose(r);
    split(x, r);
    split(y, r + 4);
}

BBIPC_IFMA_INLINE void store_points(const V& x, const V& y, IfmaPoint* out, const std::uint32_t* targets) {
    __m512i r[8];
    join(r, x);
    join(r + 4, y);
    transpose(r);
    for (int i = 0; i < 8; ++i) _mm512_store_si512(out + targets[i], r[i]);
}

// The lanes whose code asks for the negative of its point.
BBIPC_IFMA_INLINE __mmask8 negative_lanes(const std::uint32_t* codes) {
    return _mm256_test_epi32_mask(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes)), _mm256_set1_epi32(1));
}

// y = 3 p - y in these lanes; limbs in (-2^52, 2^52), value in [0, 3 p].
BBIPC_IFMA_INLINE void negate_lanes(V& y, __mmask8 lanes) {
    for (int i = 0; i < 5; ++i) y.l[i] = _mm512_mask_sub_epi64(y.l[i], lanes, broadcast(p_3.limb[i]), y.l[i]);
}

BBIPC_IFMA_INLINE void prefetch(const IfmaPoint* table, const std::uint32_t* codes) {
    for (int i = 0; i < 8; ++i) _mm_prefetch(reinterpret_cast<const char*>(operand(table, codes[i])), _MM_HINT_T0);
}

// x_b - x_a of every pair, and the running products of each chain: products[g] = product of denominators[g - chains], [g - 2
// chains], ...
BBIPC_IFMA void multiply_denominators(const IfmaPoint* table, const PairList& pairs, std::size_t groups,
                                      IfmaVector* denominators, IfmaVector* products) {
    constexpr std::size_t ahead = 4;
    V one;
    broadcast(one, one_260);
    for (std::size_t chain = 0; chain < chains; ++chain) store(&products[chain], one);
    for (std::size_t g = 0; g < groups; ++g) {
        if (g + ahead < groups) {
            prefetch(table, pairs.a + lanes * (g + ahead));
            prefetch(table, pairs.b + lanes * (g + ahead));
        }
        V xa, xb, product;
        load_x(xa, table, pairs.a + lanes * g);
        load_x(xb, table, pairs.b + lanes * g);
        for (int i = 0; i < 5; ++i) xb.l[i] = _mm512_add_epi64(_mm512_sub_epi64(xb.l[i], xa.l[i]), broadcast(p_3.limb[i]));
        normalize(xb);  // in (0, 6 p)
        store(&denominators[g], xb);
        load(product, &products[g]);
        multiply(product, product, xb);  // 1.9 * 6 < 70
        store(&products[g + chains], product);
    }
}

// Puts one in place of the denominators of a group that are zero mod p, and returns their lanes. Denominators are in [0, 6 p]
// and normal, so the multiples of p can be told by their limbs.
BBIPC_IFMA unsigned replace_zeros(IfmaVector& denominators) {
    V d, one;
    load(d, &denominators);
    broadcast(one, one_260);
    unsigned zeros = 0;
    for (const Limbs52& multiple : multiples_of_p) {
        __mmask8 equal = 0xff;
        for (int i = 0; i < 5; ++i) equal = _mm512_mask_cmpeq_epi64_mask(equal, d.l[i], broadcast(multiple.limb[i]));
        zeros |= equal;
    }
    for (int i = 0; i < 5; ++i) d.l[i] = _mm512_mask_mov_epi64(d.l[i], static_cast<__mmask8>(zeros), one.l[i]);
    store(&denominators, d);
    return zeros;
}

// The running products once more, after replace_zeros.
BBIPC_IFMA void multiply_again(std::size_t groups, const IfmaVector* denominators, IfmaVector* products) {
    for (std::size_t g = 0; g < groups; ++g) {
        V product, denominator;
        load(product, &products[g]);
        load(denominator, &denominators[g]);
        multiply(product, product, denominator);
        store(&products[g + chains], product);
    }
}

// The second half of Montgomery's trick: every denominator becomes its inverse. inverses[c] = 1 / the whole product of chain c.
BBIPC_IFMA void invert_denominators(std::size_t groups, IfmaVector* denominators, const IfmaVector* products,
                                    IfmaVector* inverses) {
    for (std::size_t g = groups; g-- > 0;) {
        V inverse, t, denominator;
        load(inverse, &inverses[g % chains]);
        load(t, &products[g]);
        load(denominator, &denominators[g]);
        multiply(t, inverse, t);
        multiply(inverse, inverse, denominator);
        store(&denominators[g], t);
        store(&inverses[g % chains], inverse);
    }
}

// The sums, for an even number of groups. The multiplications of one sum depend on each other, so two groups are taken side by
// side.
BBIPC_IFMA void finish_sums(const IfmaPoint* table, const PairList& pairs, std::size_t groups,
                            const IfmaVector* inverse_denominators, IfmaPoint* out) {
    constexpr std::size_t ahead = 2;
    for (std::size_t g = 0; g < groups; g += 2) {
        V xa[2], ya[2], xb[2], yb[2], slope[2], x[2];
#pragma GCC unroll 2
        for (std::size_t k = 0; k < 2; ++k) {
            const std::size_t first = lanes * (g + k);
            if (g + k + ahead < groups) {
                prefetch(table, pairs.a + first + lanes * ahead);
                prefetch(table, pairs.b + first + lanes * ahead);
            }
            load_points(xa[k], ya[k], table, pairs.a + first);
            load_points(xb[k], yb[k], table, pairs.b + first);
            negate_lanes(ya[k], negative_lanes(pairs.a + first));
            negate_lanes(yb[k], negative_lanes(pairs.b + first));
            for (int i = 0; i < 5; ++i)
                yb[k].l[i] = _mm512_add_epi64(_mm512_sub_epi64(yb[k].l[i], ya[k].l[i]), broadcast(p_3.limb[i]));
            normalize(yb[k]);  // y_b - y_a in [0, 6 p]
        }
#pragma GCC unroll 2
        for (std::size_t k = 0; k < 2; ++k) {
            load(slope[k], &inverse_denominators[g + k]);
            multiply(slope[k], slope[k], yb[k]);  // 1.9 * 6 < 70
        }
        // x = slope^2 - x_a - x_b, from (0, 7.9 p) to below 2 p + e.
#pragma GCC unroll 2
        for (std::size_t k = 0; k < 2; ++k) {
            square(x[k], slope[k]);
            for (int i = 0; i < 5; ++i) {
                x[k].l[i] = _mm512_add_epi64(_mm512_sub_epi64(x[k].l[i], _mm512_add_epi64(xa[k].l[i], xb[k].l[i])),
                                             broadcast(p_6.limb[i]));
            }
            subtract_if_not_below(x[k], p_4);
            subtract_if_not_below(x[k], p_2);
            normalize(x[k]);
        }
        // y = slope (x_a - x) - y_a: the product is below p + 1.9 * 6 p / 84 < 1.2 p, y_a in [0, 3 p]; from (0, 4.2 p) to
        // below 2.2 p.
#pragma GCC unroll 2
        for (std::size_t k = 0; k < 2; ++k) {
            V y;
            for (int i = 0; i < 5; ++i)
                xa[k].l[i] = _mm512_add_epi64(_mm512_sub_epi64(xa[k].l[i], x[k].l[i]), broadcast(p_3.limb[i]));
            normalize(xa[k]);
            multiply(y, slope[k], xa[k]);
            for (int i = 0; i < 5; ++i) y.l[i] = _mm512_add_epi64(_mm512_sub_epi64(y.l[i], ya[k].l[i]), broadcast(p_3.limb[i]));
            subtract_if_not_below(y, p_2);
            normalize(y);
            store_points(x[k], y, out, pairs.target + lanes * (g + k));
        }
    }
}

BBIPC_IFMA void multiply_vectors(IfmaVector& r, const IfmaVector& a, const IfmaVector& b) {
    V x, y;
    load(x, &a);
    load(y, &b);
    multiply(x, x, y);
    store(&r, x);
}

BBIPC_IFMA void load_eight_with_images(const Grumpkin* points, const Limbs52& beta, IfmaPoint* out, IfmaPoint* images) {
    __m512i r[8];
    for (int i = 0; i < 8; ++i) r[i] = _mm512_loadu_si512(points + i);
    transpose(r);
    V x, y, factor, image;
    split(x, r);
    split(y, r + 4);
    broadcast(factor, beta);
    multiply(image, x, factor);
    broadcast(factor, to_260);
    multiply(x, x, factor);
    multiply(y, y, factor);
    const std::uint32_t targets[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    store_points(x, y, out, targets);
    store_points(image, y, images, targets);
}

// From here on nothing needs more than the baseline.

// a below 4 p, reduced.
U256 reduced(U256 a) {
    for (U256 t; sub_borrow(t, a, Fr::modulus) == 0;) a = t;
    return a;
}

U256 lane_value(const IfmaVector& v, std::size_t lane) {
    U256 r;
    for (unsigned i = 0; i < 4; ++i) r.limb[i] = v.limb[i][lane] >> 12 * i | v.limb[i + 1][lane] << (52 - 12 * i);
    return reduced(r);
}

// Montgomery form changes radix: the integer a 2^260 is what Field<> takes for 16 a.
constexpr Fr sixteenth = [] {
    Fr r = Fr::from_u64(1);
    const Fr half = Fr::from_int(U256{{0xa1f0fac9f8000001, 0x9419f4243cdcb848, 0xdc2822db40c0ac2e, 0x183227397098d014}});
    for (int i = 0; i < 4; ++i) r *= half;
    return r;
}();

IfmaPoint from_affine(const Grumpkin& p) {
    const Fr sixteen = Fr::from_u64(16);
    const U256 x = (p.x * sixteen).m, y = (p.y * sixteen).m;
    IfmaPoint r;
    for (unsigned i = 0; i < 4; ++i) {
        r.word[i] = x.limb[i];
        r.word[4 + i] = y.limb[i];
    }
    return r;
}

// inverses[c] = 1 / finals[c], the whole product of chain c (the number of groups is even); false if some factor is zero.
bool invert(const IfmaVector* finals, IfmaVector* inverses) {
    static_assert(chains == 2 && IfmaKernel::pair_granularity % (chains * lanes) == 0);
    IfmaVector both;
    multiply_vectors(both, finals[0], finals[1]);
    Fr values[lanes], before[lanes];  // values as Field<> sees them: 16 times too large
    Fr product = Fr::one();
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        values[lane] = Fr::from_montgomery(lane_value(both, lane));
        before[lane] = product;
        product *= values[lane];
    }
    if (product.is_zero()) return false;
    // A result 1/a 2^260 looks like 16 / a = 256 / (16 a).
    Fr inverse = product.inverse() * Fr::from_u64(256);
    for (std::size_t lane = lanes; lane-- > 0;) {
        const Limbs52 limbs = canonical_limbs((inverse * before[lane]).m);
        for (unsigned i = 0; i < 5; ++i) both.limb[i][lane] = limbs.limb[i];
        inverse *= values[lane];
    }
    multiply_vectors(inverses[0], both, finals[1]);
    multiply_vectors(inverses[1], both, finals[0]);
    return true;
}

// A sum of any two finite points.
IfmaPoint add_exactly(const IfmaPoint* table, std::uint32_t a, std::uint32_t b) {
    const auto signed_operand = [table](std::uint32_t code) {
        const Grumpkin p = IfmaKernel::to_affine(table[code >> 1]);
        return (code & 1) != 0 ? -p : p;
    };
    return from_affine((Jacobian<GrumpkinCurve>::from_affine(signed_operand(a)) + signed_operand(b)).to_affine());
}

}  // namespace

IfmaKernel::IfmaKernel()
    : denominators_(aligned_array<IfmaVector>(chunk_groups)), products_(aligned_array<IfmaVector>(chunk_groups + chains)) {}

Grumpkin IfmaKernel::to_affine(const Point& p) {
    const U256 x{{p.word[0], p.word[1], p.word[2], p.word[3]}}, y{{p.word[4], p.word[5], p.word[6], p.word[7]}};
    return Grumpkin{Fr::from_montgomery(reduced(x)) * sixteenth, Fr::from_montgomery(reduced(y)) * sixteenth};
}

IfmaPoint IfmaKernel::negate(const Point& p) {
    IfmaPoint r = p;
    const U256 y = (-Fr::from_montgomery(reduced(U256{{p.word[4], p.word[5], p.word[6], p.word[7]}}))).m;
    for (unsigned i = 0; i < 4; ++i) r.word[4 + i] = y.limb[i];
    return r;
}

void IfmaKernel::load_with_images(const Grumpkin* points, std::size_t count, const Fr& beta, Point* out, Point* images) {
    const Limbs52 beta_to_260 = canonical_limbs((beta * power_of_two(264)).to_int());
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) load_eight_with_images(points + i, beta_to_260, out + i, images + i);
    for (; i < count; ++i) {
        out[i] = from_affine(points[i]);
        images[i] = from_affine(Grumpkin{points[i].x * beta, points[i].y});
    }
}

bool IfmaKernel::add_pairs(const Point* table, const PairList& pairs, Point* out) {
    bool infinite = false;
    for (std::size_t first = 0; first < pairs.count; first += lanes * chunk_groups) {
        const PairList part{pairs.a + first, pairs.b + first, pairs.target + first,
                            std::min(lanes * chunk_groups, pairs.count - first)};
        infinite |= add_chunk(table, part, out);
    }
    return infinite;
}

bool IfmaKernel::add_chunk(const Point* table, const PairList& pairs, Point* out) {
    const std::size_t groups = (pairs.count + pair_granularity - 1) / pair_granularity * (pair_granularity / lanes);
    multiply_denominators(table, pairs, groups, denominators_.get(), products_.get());
    std::vector<ExactSum> exact;
    IfmaVector inverses[chains];
    if (!invert(&products_[groups], inverses)) {
        exact = take_out_coincidences(table, pairs, groups);
        multiply_again(groups, denominators_.get(), products_.get());
        [[maybe_unused]] const bool invertible = invert(&products_[groups], inverses);  // now no factor is zero
    }
    invert_denominators(groups, denominators_.get(), products_.get(), inverses);
    finish_sums(table, pairs, groups, denominators_.get(), out);
    bool infinite = false;
    for (const ExactSum& e : exact) {
        out[e.target] = e.sum;
        infinite |= is_infinity(e.sum);
    }
    return infinite;
}

// Equal and opposite operands have no slope of a chord. They come one by one, and what their lanes then compute is overwritten.
std::vector<IfmaKernel::ExactSum> IfmaKernel::take_out_coincidences(const Point* table, const PairList& pairs,
                                                                    std::size_t groups) {
    std::vector<ExactSum> exact;
    for (std::size_t g = 0; g < groups; ++g) {
        for (unsigned zeros = replace_zeros(denominators_[g]); zeros != 0; zeros &= zeros - 1) {
            const std::size_t i = lanes * g + static_cast<unsigned>(__builtin_ctz(zeros));
            if (i < pairs.count) exact.push_back({pairs.target[i], add_exactly(table, pairs.a[i], pairs.b[i])});
        }
    }
    return exact;
}

bool ifma_supported() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512ifma");
}

BBIPC_END

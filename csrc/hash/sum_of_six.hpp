// Sums of six products with constants, with one Montgomery reduction, computed row by row.
//
// A row is what one limb of each variable factor contributes to the sum. Callers put other work between the rows: a processor
// overlaps two chains of multiplications only if their instructions are close together.
#pragma once

#include "../field/field.hpp"

BBIPC_BEGIN

// Two consecutive factors. Six are three consecutive pairs.
struct FactorPair {
    Fr first, second;
};

// Whether SumOfSix has limbs enough for a sum with these coefficients: with S the sum of their Montgomery forms, S + p must be
// below 2^256.
//
// Row i maps t to (t + sum of c_j h_{j,i} + k p) / 2^64 with all h_{j,i}, k < 2^64. If t < S + p, the dividend is below
// 2^64 (S + p) < 2^320, five limbs, and the quotient is below S + p again, four limbs. The four rows together give
// (sum of c_j h_j + K p) / 2^256 with K < 2^256 and h_j < p: below S p / 2^256 + p < 2 p, so that one subtraction reduces it.
constexpr bool fits_sum_of_six(const Fr (&coefficients)[6]) {
    U256 sum = Fr::modulus;
    u64 carry = 0;
    for (const Fr& c : coefficients) carry |= add_carry(sum, sum, c.m);
    return carry == 0;
}

class SumOfSix {
  public:
    // Rows 0, 1, 2, 3 in this order, with the same arguments. factors: three pairs.
    template <unsigned limb>
    void row(const Fr (&coefficients)[6], const FactorPair* factors) {
#if BBIPC_ADX_FIELD
        row_adx<limb>(coefficients, factors);
#else
        row_portable<limb>(coefficients, factors);
#endif
    }

    Fr value() const { return Fr::from_montgomery(mod_add<FrParams>(U256{{t0_, t1_, t2_, t3_}}, U256{})); }

  private:
    // t4 : t3_ .. t0_ += a * b, below 2^320
    void add(u64& t4, const U256& a, u64 b) { t4 += add_product(t0_, t1_, t2_, t3_, a, b); }

    void shift(u64 t4) {
        t0_ = t1_;
        t1_ = t2_;
        t2_ = t3_;
        t3_ = t4;
    }

    template <unsigned limb>
    void row_portable(const Fr (&c)[6], const FactorPair* factors) {
        u64 t4 = 0;
        for (unsigned j = 0; j < 3; ++j) {
            add(t4, c[2 * j].m, factors[j].first.m.limb[limb]);
            add(t4, c[2 * j + 1].m, factors[j].second.m.limb[limb]);
        }
        add(t4, Fr::modulus, t0_ * FrParams::neg_inverse);
        shift(t4);
    }

#if BBIPC_ADX_FIELD
    // clang-format off
#define BBIPC_ADD_PRODUCT(a)                      \
    "xorl %k[low], %k[low]\n\t" /* CF, OF = 0 */  \
    "mulxq " a "+0(%[c]), %[low], %[high]\n\t"    \
    "adcxq %[low], %[t0]\n\t"                     \
    "adoxq %[high], %[t1]\n\t"                    \
    "mulxq " a "+8(%[c]), %[low], %[high]\n\t"    \
    "adcxq %[low], %[t1]\n\t"                     \
    "adoxq %[high], %[t2]\n\t"                    \
    "mulxq " a "+16(%[c]), %[low], %[high]\n\t"   \
    "adcxq %[low], %[t2]\n\t"                     \
    "adoxq %[high], %[t3]\n\t"                    \
    "mulxq " a "+24(%[c]), %[low], %[high]\n\t"   \
    "adcxq %[low], %[t3]\n\t"                     \
    "movl $0, %k[low]\n\t" /* keeps the flags */  \
    "adoxq %[high], %[t4]\n\t"                    \
    "adcxq %[low], %[t4]\n\t"
#define BBIPC_ADD_TERM(offset)                    \
    "movq " #offset "(%[h]), %%rdx\n\t"           \
    BBIPC_ADD_PRODUCT(#offset)

    template <unsigned limb>
    void row_adx(const Fr (&c)[6], const FactorPair* factors) {
        u64 t4 = 0, low, high;
        __asm__(
            BBIPC_ADD_TERM(0)
            BBIPC_ADD_TERM(32)
            BBIPC_ADD_TERM(64)
            BBIPC_ADD_TERM(96)
            BBIPC_ADD_TERM(128)
            BBIPC_ADD_TERM(160)
            : [t0] "+&r"(t0_), [t1] "+&r"(t1_), [t2] "+&r"(t2_), [t3] "+&r"(t3_), [t4] "+&r"(t4), [low] "=&r"(low),
              [high] "=&r"(high)
            : [c] "r"(c), [h] "r"(&factors[0].first.m.limb[limb]), "m"(c),
              "m"(*reinterpret_cast<const FactorPair(*)[3]>(factors))
            : "rdx", "cc");
        u64 multiple = t0_ * FrParams::neg_inverse;
        __asm__(
            BBIPC_ADD_PRODUCT("0")
            : [t0] "+&r"(t0_), [t1] "+&r"(t1_), [t2] "+&r"(t2_), [t3] "+&r"(t3_), [t4] "+&r"(t4), [low] "=&r"(low),
              [high] "=&r"(high)
            : [c] "r"(Fr::modulus.limb), "d"(multiple), "m"(Fr::modulus)
            : "cc");
        shift(t4);
    }
#undef BBIPC_ADD_TERM
#undef BBIPC_ADD_PRODUCT
    // clang-format on
#endif

    u64 t0_ = 0, t1_ = 0, t2_ = 0, t3_ = 0;
};

BBIPC_END

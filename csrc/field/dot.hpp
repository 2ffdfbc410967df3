// Sums of products with one Montgomery reduction.
//
// The coefficients of a product in a tower of extensions are such sums. Reducing once costs 16 N + 20 word multiplications
// instead of 36 N, and the many additions of Karatsuba formulas disappear.
#pragma once

#include "field.hpp"

BBIPC_BEGIN

// Below 2^384. Six members and not an array: they must live in registers.
struct DotAccumulator {
    u64 t0 = 0, t1 = 0, t2 = 0, t3 = 0, t4 = 0, t5 = 0;

    // Add a * b; the sum is below 2^384.
    constexpr void add_row_portable(const U256& a, u64 b) {
        const u128 c = u128{t4} + add_product(t0, t1, t2, t3, a, b);
        t4 = static_cast<u64>(c);
        t5 += static_cast<u64>(c >> 64);
    }

#if BBIPC_ADX_FIELD
    void add_row_adx(const U256& a, u64 b) {
        u64 low, high;
        __asm__(
            "xorl %k[low], %k[low]\n\t"  // clears CF and OF
            "mulxq %[a0], %[low], %[high]\n\t"
            "adcxq %[low], %[t0]\n\t"
            "adoxq %[high], %[t1]\n\t"
            "mulxq %[a1], %[low], %[high]\n\t"
            "adcxq %[low], %[t1]\n\t"
            "adoxq %[high], %[t2]\n\t"
            "mulxq %[a2], %[low], %[high]\n\t"
            "adcxq %[low], %[t2]\n\t"
            "adoxq %[high], %[t3]\n\t"
            "mulxq %[a3], %[low], %[high]\n\t"
            "adcxq %[low], %[t3]\n\t"
            "adoxq %[high], %[t4]\n\t"
            "movl $0, %k[low]\n\t"  // mov leaves the flags alone
            "adcxq %[low], %[t4]\n\t"
            "adoxq %[low], %[t5]\n\t"
            "adcxq %[low], %[t5]\n\t"
            : [t0] "+&r"(t0), [t1] "+&r"(t1), [t2] "+&r"(t2), [t3] "+&r"(t3), [t4] "+&r"(t4), [t5] "+&r"(t5), [low] "=&r"(low),
              [high] "=&r"(high)
            : [a0] "m"(a.limb[0]), [a1] "m"(a.limb[1]), [a2] "m"(a.limb[2]), [a3] "m"(a.limb[3]), "d"(b)
            : "cc");
    }

    constexpr void add_row(const U256& a, u64 b) {
        if (std::is_constant_evaluated()) {
            add_row_portable(a, b);
        } else {
            add_row_adx(a, b);
        }
    }
#else
    constexpr void add_row(const U256& a, u64 b) { add_row_portable(a, b); }
#endif

    // Make t0 = 0 by adding a multiple of the modulus, and divide by 2^64.
    template <class P>
    constexpr void reduce_row() {
        add_row(P::modulus, t0 * P::neg_inverse);
        t0 = t1;
        t1 = t2;
        t2 = t3;
        t3 = t4;
        t4 = t5;
        t5 = 0;
    }
};

// sum of a[k] * b[k] for k < N. As in Montgomery multiplication, row i makes t = (t + sum a[k] b[k]_i + m p) / 2^64, which
// keeps t below (N + 1) p. The last t is below p + N p^2/2^256 < (1 + N/5) p, so N <= 5 needs one subtraction of p and N
// <= 10 two.
template <unsigned N, class P>
[[gnu::noinline]] constexpr Field<P> dot(const Field<P>* a, const Field<P>* b) {
    static_assert(N <= 10);
    DotAccumulator t;
#pragma GCC unroll 4  // so that t stays in registers; clang knows this pragma too
    for (unsigned i = 0; i < 4; ++i) {
#pragma GCC unroll 10
        for (unsigned k = 0; k < N; ++k) t.add_row(a[k].m, b[k].m.limb[i]);
        t.reduce_row<P>();
    }
    U256 r = mod_add<P>(U256{{t.t0, t.t1, t.t2, t.t3}}, U256{});  // subtracts p at most once
    if constexpr (N > 5) r = mod_add<P>(r, U256{});
    return Field<P>::from_montgomery(r);
}

BBIPC_END

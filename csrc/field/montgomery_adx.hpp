// Montgomery multiplication for x86-64 with BMI2 and ADX: mulx leaves the flags alone, so that two carry chains (adcx on CF,
// adox on OF) run side by side. Inline assembly, because no compiler schedules the two chains. Same contract as
// mont_mul_portable.
//
// Row i computes t = (t + a b_i + k p) / 2^64 with k = -t_0 p^-1 mod 2^64. With a < p < 2^254, t stays below a + p < 2^255, so
// four limbs hold it between rows and one subtraction of p reduces the result.
#pragma once

#include "u256.hpp"

// What the assembly reads through its pointers, as operands of their own: a promise to the compiler that it reads nothing else.
// clang gives each of them a register, and inlined into a large function there are too few; it is told of all memory instead.
#if defined(__clang__)
#define BBIPC_ADX_READS(...)
#define BBIPC_ADX_CLOBBERS "cc", "memory"
#else
#define BBIPC_ADX_READS(...) , __VA_ARGS__
#define BBIPC_ADX_CLOBBERS "cc"
#endif

BBIPC_BEGIN

// clang-format off

// t0..t4 = a * b_0
#define BBIPC_FIRST_ROW                                      \
    "movq 0(%[b]), %%rdx\n\t"                                 \
    "mulxq 0(%[a]), %[t0], %[t1]\n\t"                         \
    "mulxq 8(%[a]), %[lo], %[t2]\n\t"                         \
    "addq %[lo], %[t1]\n\t"                                  \
    "mulxq 16(%[a]), %[lo], %[t3]\n\t"                        \
    "adcq %[lo], %[t2]\n\t"                                  \
    "mulxq 24(%[a]), %[lo], %[t4]\n\t"                        \
    "adcq %[lo], %[t3]\n\t"                                  \
    "adcq $0, %[t4]\n\t"

// t0..t4 += a * b_i; t4 is zero before.
#define BBIPC_PRODUCT_ROW(offset, t0, t1, t2, t3, t4)        \
    "movq " #offset "(%[b]), %%rdx\n\t"                       \
    "xorl %k[lo], %k[lo]\n\t" /* clears CF and OF */         \
    "mulxq 0(%[a]), %[lo], %[hi]\n\t"                         \
    "adcxq %[lo], %[" #t0 "]\n\t"                            \
    "adoxq %[hi], %[" #t1 "]\n\t"                            \
    "mulxq 8(%[a]), %[lo], %[hi]\n\t"                         \
    "adcxq %[lo], %[" #t1 "]\n\t"                            \
    "adoxq %[hi], %[" #t2 "]\n\t"                            \
    "mulxq 16(%[a]), %[lo], %[hi]\n\t"                        \
    "adcxq %[lo], %[" #t2 "]\n\t"                            \
    "adoxq %[hi], %[" #t3 "]\n\t"                            \
    "mulxq 24(%[a]), %[lo], %[hi]\n\t"                        \
    "adcxq %[lo], %[" #t3 "]\n\t"                            \
    "movl $0, %k[lo]\n\t"                                    \
    "adoxq %[hi], %[" #t4 "]\n\t"                            \
    "adcxq %[lo], %[" #t4 "]\n\t"

// t1..t4 = (t0..t4 + k p) / 2^64; t0 = 0.
#define BBIPC_REDUCTION_ROW(t0, t1, t2, t3, t4)              \
    "movabsq %[neg_inverse], %%rdx\n\t"                      \
    "imulq %[" #t0 "], %%rdx\n\t"                            \
    "xorl %k[lo], %k[lo]\n\t"                                \
    "mulxq 0(%[p]), %[lo], %[hi]\n\t"                         \
    "adcxq %[lo], %[" #t0 "]\n\t"                            \
    "adoxq %[hi], %[" #t1 "]\n\t"                            \
    "mulxq 8(%[p]), %[lo], %[hi]\n\t"                         \
    "adcxq %[lo], %[" #t1 "]\n\t"                            \
    "adoxq %[hi], %[" #t2 "]\n\t"                            \
    "mulxq 16(%[p]), %[lo], %[hi]\n\t"                        \
    "adcxq %[lo], %[" #t2 "]\n\t"                            \
    "adoxq %[hi], %[" #t3 "]\n\t"                            \
    "mulxq 24(%[p]), %[lo], %[hi]\n\t"                        \
    "adcxq %[lo], %[" #t3 "]\n\t"                            \
    "adoxq %[hi], %[" #t4 "]\n\t"                            \
    "adcxq %[" #t0 "], %[" #t4 "]\n\t"

template <class P>
inline U256 mont_mul_adx(const U256& a, const U256& b) {
    u64 t0, t1, t2, t3, t4, lo, hi;
    __asm__(
        BBIPC_FIRST_ROW
        BBIPC_REDUCTION_ROW(t0, t1, t2, t3, t4)
        BBIPC_PRODUCT_ROW(8, t1, t2, t3, t4, t0)
        BBIPC_REDUCTION_ROW(t1, t2, t3, t4, t0)
        BBIPC_PRODUCT_ROW(16, t2, t3, t4, t0, t1)
        BBIPC_REDUCTION_ROW(t2, t3, t4, t0, t1)
        BBIPC_PRODUCT_ROW(24, t3, t4, t0, t1, t2)
        BBIPC_REDUCTION_ROW(t3, t4, t0, t1, t2)
        // The sum is t4, t0, t1, t2; subtract p unless that borrows.
        "movq %[t4], %[lo]\n\t"
        "movq %[t0], %[hi]\n\t"
        "movq %[t1], %[t3]\n\t"
        "movq %[t2], %%rdx\n\t"
        "subq 0(%[p]), %[lo]\n\t"
        "sbbq 8(%[p]), %[hi]\n\t"
        "sbbq 16(%[p]), %[t3]\n\t"
        "sbbq 24(%[p]), %%rdx\n\t"
        "cmovncq %[lo], %[t4]\n\t"
        "cmovncq %[hi], %[t0]\n\t"
        "cmovncq %[t3], %[t1]\n\t"
        "cmovncq %%rdx, %[t2]\n\t"
        : [t0] "=&r"(t0), [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3), [t4] "=&r"(t4), [lo] "=&r"(lo), [hi] "=&r"(hi)
        : [a] "r"(a.limb), [b] "r"(b.limb), [p] "r"(P::modulus.limb), [neg_inverse] "i"(P::neg_inverse)
          BBIPC_ADX_READS("m"(a), "m"(b), "m"(P::modulus))
        : "rdx", BBIPC_ADX_CLOBBERS);
    return U256{{t4, t0, t1, t2}};
}

// a^2 / 2^256 mod p: ten products instead of sixteen. The low half is reduced by itself to t <= p; with the high half, which
// is below p^2 / 2^256 < p / 4, the sum is below 2 p.
template <class P>
inline U256 mont_sqr_adx(const U256& a) {
    const u64* zero_later = a.limb;  // the pointer's register is needed in the end
    u64 r0, r1, r2, r3, r4, r5, r6, r7, lo, hi;
    __asm__(
        // r1..r6 = sum over i < j of a_i a_j 2^(64 (i + j))
        "movq 0(%[a]), %%rdx\n\t"
        "mulxq 8(%[a]), %[r1], %[r2]\n\t"
        "mulxq 16(%[a]), %[lo], %[r3]\n\t"
        "mulxq 24(%[a]), %[hi], %[r4]\n\t"
        "addq %[lo], %[r2]\n\t"
        "adcq %[hi], %[r3]\n\t"
        "adcq $0, %[r4]\n\t"
        "movq 8(%[a]), %%rdx\n\t"
        "xorl %k[r6], %k[r6]\n\t"
        "mulxq 16(%[a]), %[lo], %[hi]\n\t"
        "adcxq %[lo], %[r3]\n\t"
        "adoxq %[hi], %[r4]\n\t"
        "mulxq 24(%[a]), %[lo], %[r5]\n\t"
        "adcxq %[lo], %[r4]\n\t"
        "adoxq %[r6], %[r5]\n\t"
        "adcxq %[r6], %[r5]\n\t"
        "movq 16(%[a]), %%rdx\n\t"
        "mulxq 24(%[a]), %[lo], %[r6]\n\t"
        "addq %[lo], %[r5]\n\t"
        "adcq $0, %[r6]\n\t"
        // twice that (CF), plus the squares (OF)
        "movq 0(%[a]), %%rdx\n\t"
        "xorl %k[r7], %k[r7]\n\t"
        "mulxq %%rdx, %[r0], %[hi]\n\t"
        "adcxq %[r1], %[r1]\n\t"
        "adoxq %[hi], %[r1]\n\t"
        "movq 8(%[a]), %%rdx\n\t"
        "mulxq %%rdx, %[lo], %[hi]\n\t"
        "adcxq %[r2], %[r2]\n\t"
        "adoxq %[lo], %[r2]\n\t"
        "adcxq %[r3], %[r3]\n\t"
        "adoxq %[hi], %[r3]\n\t"
        "movq 16(%[a]), %%rdx\n\t"
        "mulxq %%rdx, %[lo], %[hi]\n\t"
        "adcxq %[r4], %[r4]\n\t"
        "adoxq %[lo], %[r4]\n\t"
        "adcxq %[r5], %[r5]\n\t"
        "adoxq %[hi], %[r5]\n\t"
        "movq 24(%[a]), %%rdx\n\t"
        "mulxq %%rdx, %[lo], %[hi]\n\t"
        "adcxq %[r6], %[r6]\n\t"
        "adoxq %[lo], %[r6]\n\t"
        "adcxq %[r7], %[r7]\n\t"
        "adoxq %[hi], %[r7]\n\t"
        "xorl %k[a], %k[a]\n\t"
        BBIPC_REDUCTION_ROW(r0, r1, r2, r3, a)
        BBIPC_REDUCTION_ROW(r1, r2, r3, a, r0)
        BBIPC_REDUCTION_ROW(r2, r3, a, r0, r1)
        BBIPC_REDUCTION_ROW(r3, a, r0, r1, r2)
        "addq %[a], %[r4]\n\t"
        "adcq %[r0], %[r5]\n\t"
        "adcq %[r1], %[r6]\n\t"
        "adcq %[r2], %[r7]\n\t"
        "movq %[r4], %[r0]\n\t"
        "movq %[r5], %[r1]\n\t"
        "movq %[r6], %[r2]\n\t"
        "movq %[r7], %[r3]\n\t"
        "subq 0(%[p]), %[r0]\n\t"
        "sbbq 8(%[p]), %[r1]\n\t"
        "sbbq 16(%[p]), %[r2]\n\t"
        "sbbq 24(%[p]), %[r3]\n\t"
        "cmovncq %[r0], %[r4]\n\t"
        "cmovncq %[r1], %[r5]\n\t"
        "cmovncq %[r2], %[r6]\n\t"
        "cmovncq %[r3], %[r7]\n\t"
        : [r0] "=&r"(r0), [r1] "=&r"(r1), [r2] "=&r"(r2), [r3] "=&r"(r3),
          [r4] "=&r"(r4), [r5] "=&r"(r5), [r6] "=&r"(r6), [r7] "=&r"(r7),
          [lo] "=&r"(lo), [hi] "=&r"(hi), [a] "+&r"(zero_later)
        : [p] "r"(P::modulus.limb), [neg_inverse] "i"(P::neg_inverse) BBIPC_ADX_READS("m"(a), "m"(P::modulus))
        : "rdx", BBIPC_ADX_CLOBBERS);
    return U256{{r4, r5, r6, r7}};
}

#undef BBIPC_FIRST_ROW
#undef BBIPC_PRODUCT_ROW
#undef BBIPC_REDUCTION_ROW

// a + b, reduced; the sum is below 2^255.
template <class P>
inline U256 mod_add_x86(const U256& a, const U256& b) {
    u64 r0 = a.limb[0], r1 = a.limb[1], r2 = a.limb[2], r3 = a.limb[3], s0, s1, s2, s3;
    __asm__(
        "addq 0(%[b]), %[r0]\n\t"
        "adcq 8(%[b]), %[r1]\n\t"
        "adcq 16(%[b]), %[r2]\n\t"
        "adcq 24(%[b]), %[r3]\n\t"
        "movq %[r0], %[s0]\n\t"
        "movq %[r1], %[s1]\n\t"
        "movq %[r2], %[s2]\n\t"
        "movq %[r3], %[s3]\n\t"
        "subq 0(%[p]), %[s0]\n\t"
        "sbbq 8(%[p]), %[s1]\n\t"
        "sbbq 16(%[p]), %[s2]\n\t"
        "sbbq 24(%[p]), %[s3]\n\t"
        "cmovncq %[s0], %[r0]\n\t"
        "cmovncq %[s1], %[r1]\n\t"
        "cmovncq %[s2], %[r2]\n\t"
        "cmovncq %[s3], %[r3]\n\t"
        : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3), [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2),
          [s3] "=&r"(s3)
        : [b] "r"(b.limb), [p] "r"(P::modulus.limb) BBIPC_ADX_READS("m"(b), "m"(P::modulus))
        : BBIPC_ADX_CLOBBERS);
    return U256{{r0, r1, r2, r3}};
}

// a - b, plus p if that borrows.
template <class P>
inline U256 mod_sub_x86(const U256& a, const U256& b) {
    u64 r0 = a.limb[0], r1 = a.limb[1], r2 = a.limb[2], r3 = a.limb[3], s0, s1, s2, s3;
    __asm__(
        "xorl %k[s3], %k[s3]\n\t"
        "subq 0(%[b]), %[r0]\n\t"
        "sbbq 8(%[b]), %[r1]\n\t"
        "sbbq 16(%[b]), %[r2]\n\t"
        "sbbq 24(%[b]), %[r3]\n\t"
        "movl $0, %k[s0]\n\t"  // mov leaves the borrow alone
        "movl $0, %k[s1]\n\t"
        "movl $0, %k[s2]\n\t"
        "cmovcq 0(%[p]), %[s0]\n\t"
        "cmovcq 8(%[p]), %[s1]\n\t"
        "cmovcq 16(%[p]), %[s2]\n\t"
        "cmovcq 24(%[p]), %[s3]\n\t"
        "addq %[s0], %[r0]\n\t"
        "adcq %[s1], %[r1]\n\t"
        "adcq %[s2], %[r2]\n\t"
        "adcq %[s3], %[r3]\n\t"
        : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3), [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2),
          [s3] "=&r"(s3)
        : [b] "r"(b.limb), [p] "r"(P::modulus.limb) BBIPC_ADX_READS("m"(b), "m"(P::modulus))
        : BBIPC_ADX_CLOBBERS);
    return U256{{r0, r1, r2, r3}};
}

// clang-format on

BBIPC_END

#undef BBIPC_ADX_READS
#undef BBIPC_ADX_CLOBBERS

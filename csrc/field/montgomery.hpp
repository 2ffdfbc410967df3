// Montgomery arithmetic on 4 x 64-bit limbs, for odd moduli below 2^254. Everything takes and returns fully reduced values.
#pragma once

#include <type_traits>

#include "u256.hpp"

#define BBIPC_CONCATENATE_EXPANDED(a, b) a##b
#define BBIPC_CONCATENATE(a, b) BBIPC_CONCATENATE_EXPANDED(a, b)
#define BBIPC_ARITH_IS_adx 1
#define BBIPC_ARITH_IS_portable 0
#define BBIPC_ADX_FIELD BBIPC_CONCATENATE(BBIPC_ARITH_IS_, BBIPC_ARITH_NAMESPACE)

#if BBIPC_ADX_FIELD
#include "montgomery_adx.hpp"
#endif

BBIPC_BEGIN

template <class P>
constexpr U256 mod_sub_once(const U256& a) {  // a - p if a >= p
    U256 t;
    return sub_borrow(t, a, P::modulus) != 0 ? a : t;
}

template <class P>
constexpr U256 mod_add_portable(const U256& a, const U256& b) {
    U256 s;
    add_carry(s, a, b);  // below 2^255: no carry
    return mod_sub_once<P>(s);
}

template <class P>
constexpr U256 mod_sub_portable(const U256& a, const U256& b) {
    U256 d;
    const u64 mask = u64{0} - sub_borrow(d, a, b);
    U256 correction;
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; ++i) correction.limb[i] = P::modulus.limb[i] & mask;
    U256 r;
    add_carry(r, d, correction);
    return r;
}

// a * b / 2^256 mod p, coarsely integrated operand scanning. With p < 2^254 the accumulator stays below 2^320 and one final
// subtraction suffices.
template <class P>
constexpr U256 mont_mul_portable(const U256& a, const U256& b) {
    u64 t[5] = {0, 0, 0, 0, 0};
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; ++i) {
        u128 c = u128{a.limb[0]} * b.limb[i] + t[0];
        const u64 low = static_cast<u64>(c);
        const u64 k = low * P::neg_inverse;
        u128 d = u128{k} * P::modulus.limb[0] + low;
        c >>= 64;
        d >>= 64;
#pragma GCC unroll 3
        for (unsigned j = 1; j < 4; ++j) {
            c += u128{a.limb[j]} * b.limb[i] + t[j];
            d += u128{k} * P::modulus.limb[j] + static_cast<u64>(c);
            t[j - 1] = static_cast<u64>(d);
            c >>= 64;
            d >>= 64;
        }
        c += t[4];
        d += c;
        t[3] = static_cast<u64>(d);
        t[4] = static_cast<u64>(d >> 64);
    }
    return mod_sub_once<P>(U256{{t[0], t[1], t[2], t[3]}});
}

#if BBIPC_ADX_FIELD
template <class P>
constexpr U256 mont_mul(const U256& a, const U256& b) {
    return std::is_constant_evaluated() ? mont_mul_portable<P>(a, b) : mont_mul_adx<P>(a, b);
}

template <class P>
constexpr U256 mont_sqr(const U256& a) {
    return std::is_constant_evaluated() ? mont_mul_portable<P>(a, a) : mont_sqr_adx<P>(a);
}

template <class P>
constexpr U256 mod_add(const U256& a, const U256& b) {
    return std::is_constant_evaluated() ? mod_add_portable<P>(a, b) : mod_add_x86<P>(a, b);
}

template <class P>
constexpr U256 mod_sub(const U256& a, const U256& b) {
    return std::is_constant_evaluated() ? mod_sub_portable<P>(a, b) : mod_sub_x86<P>(a, b);
}
#else
template <class P>
constexpr U256 mont_mul(const U256& a, const U256& b) {
    return mont_mul_portable<P>(a, b);
}

template <class P>
constexpr U256 mont_sqr(const U256& a) {
    return mont_mul_portable<P>(a, a);
}

template <class P>
constexpr U256 mod_add(const U256& a, const U256& b) {
    return mod_add_portable<P>(a, b);
}

template <class P>
constexpr U256 mod_sub(const U256& a, const U256& b) {
    return mod_sub_portable<P>(a, b);
}
#endif

BBIPC_END

// Montgomery arithmetic on 4 x 64-bit limbs, for odd moduli below 2^254. Everything takes and returns fully reduced values.
#pragma once

#include "u256.hpp"

BBIPC_BEGIN

template <class P>
constexpr U256 mod_sub_once(const U256& a) {  // a - p if a >= p
    U256 t;
    return sub_borrow(t, a, P::modulus) != 0 ? a : t;
}

template <class P>
constexpr U256 mod_add(const U256& a, const U256& b) {
    U256 s;
    add_carry(s, a, b);  // below 2^255: no carry
    return mod_sub_once<P>(s);
}

template <class P>
constexpr U256 mod_sub(const U256& a, const U256& b) {
    U256 d;
    const u64 mask = u64{0} - sub_borrow(d, a, b);
    U256 correction;
    for (unsigned i = 0; i < 4; ++i) correction.limb[i] = P::modulus.limb[i] & mask;
    U256 r;
    add_carry(r, d, correction);
    return r;
}

// a * b / 2^256 mod p, coarsely integrated operand scanning. With p < 2^254 the accumulator stays below 2^320 and one final subtraction suffices.
template <class P>
constexpr U256 mont_mul_portable(const U256& a, const U256& b) {
    u64 t[5] = {0, 0, 0, 0, 0};
    for (unsigned i = 0; i < 4; ++i) {
        u128 c = u128{a.limb[0]} * b.limb[i] + t[0];
        const u64 low = static_cast<u64>(c);
        const u64 k = low * P::neg_inverse;
        u128 d = u128{k} * P::modulus.limb[0] + low;
        c >>= 64;
        d >>= 64;
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

template <class P>
constexpr U256 mont_mul(const U256& a, const U256& b) {
    return mont_mul_portable<P>(a, b);
}

template <class P>
constexpr U256 mont_sqr(const U256& a) {
    return mont_mul<P>(a, a);
}

// Montgomery form of the inverse: a^(p-2). Zero for zero.
template <class P>
constexpr U256 mont_inverse(const U256& a) {
    U256 e;
    sub_borrow(e, P::modulus, U256{{2, 0, 0, 0}});
    U256 r = a;
    for (unsigned i = e.bit_length() - 1; i-- > 0;) {
        r = mont_sqr<P>(r);
        if (e.bit(i)) r = mont_mul<P>(r, a);
    }
    return r;
}

BBIPC_END

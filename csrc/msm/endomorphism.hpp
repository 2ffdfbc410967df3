// The curves' endomorphism (x, y) -> (beta x, y) = lambda * (x, y), and the split of a scalar into two of half the length.
//
// All constants come from derive_endomorphism.py, which also derives the bound of the halves.
#pragma once

#include "../curve/curve.hpp"

BBIPC_BEGIN

using i128 = __int128;

constexpr i128 make_i128(u64 high, u64 low) { return static_cast<i128>(u128{high} << 64 | low); }

// For v1 = (a1, b1), v2 = (a2, b2), a reduced basis of {(a, b): a + b lambda = 0 mod n} with determinant n, n the group's
// order: g1 = 2^256 |b2| / n and g2 = 2^256 |b1| / n, rounded. b2 > 0 and b1 > 0 on both curves.
template <class C>
struct Endomorphism;

template <>
struct Endomorphism<G1Curve> {
    static constexpr U256 beta{{0xe4bd44e5607cfd48, 0xc28f069fbb966e3d, 0x5e6dd9e7e0acccb0, 0x30644e72e131a029}};
    static constexpr U256 lambda{{0xb8ca0b2d36636f23, 0xcc37a73fec2bc5e9, 0x048b6e193fd84104, 0x30644e72e131a029}};
    static constexpr u64 g1[3] = {0xd91d232ec7e0b3d7, 0x2, 0};
    static constexpr u64 g2[3] = {0x5398fd0300ff6565, 0x4ccef014a773d2d2, 0x2};
    static constexpr i128 a1 = make_i128(0, 0x89d3256894d213e3);
    static constexpr i128 b1 = make_i128(0x6f4d8248eeb859fd, 0x0be4e1541221250b);
    static constexpr i128 a2 = -make_i128(0x6f4d8248eeb859fc, 0x8211bbeb7d4f1128);
    static constexpr i128 b2 = make_i128(0, 0x89d3256894d213e3);
};

template <>
struct Endomorphism<GrumpkinCurve> {
    static constexpr U256 beta{{0x8b17ea66b99c90dd, 0x5bfc41088d8daaa7, 0xb3c4d79d41a91758, 0}};
    static constexpr U256 lambda{{0x5763473177fffffe, 0xd4f263f1acdb5c4f, 0x59e26bcea0d48bac, 0}};
    static constexpr u64 g1[3] = {0x7a7bd9d4391eb18e, 0x4ccef014a773d2cf, 0x2};
    static constexpr u64 g2[3] = {0xd91d232ec7e0b3d2, 0x2, 0};
    static constexpr i128 a1 = make_i128(0x6f4d8248eeb859fd, 0x0be4e1541221250b);
    static constexpr i128 b1 = make_i128(0, 0x89d3256894d213e2);
    static constexpr i128 a2 = -make_i128(0, 0x89d3256894d213e2);
    static constexpr i128 b2 = make_i128(0x6f4d8248eeb859fc, 0x8211bbeb7d4f1129);
};

// k = k1 + k2 lambda mod n with |k1|, |k2| < 0.958 * 2^127.
struct SplitScalar {
    i128 k1, k2;
};

// floor(k g / 2^256) mod 2^128; g has three limbs.
constexpr u128 multiply_high(const U256& k, const u64 (&g)[3]) {
    u64 t[7] = {};
    for (unsigned i = 0; i < 3; ++i) {
        u128 c = 0;
        for (unsigned j = 0; j < 4; ++j) {
            c += u128{k.limb[j]} * g[i] + t[i + j];
            t[i + j] = static_cast<u64>(c);
            c >>= 64;
        }
        t[i + 4] = static_cast<u64>(c);
    }
    return u128{t[5]} << 64 | t[4];
}

// The exact coordinates of (k, 0) in the basis v1, v2 are k b2 / n and -k b1 / n. The halves fit 128 bits, so all is done mod
// 2^128.
template <class C>
constexpr SplitScalar split_scalar(const U256& k) {
    using E = Endomorphism<C>;
    const auto wrap = [](i128 a) { return static_cast<u128>(a); };
    const u128 c1 = multiply_high(k, E::g1);
    const u128 c2 = u128{0} - multiply_high(k, E::g2);
    const u128 low = u128{k.limb[1]} << 64 | k.limb[0];
    return {static_cast<i128>(low - c1 * wrap(E::a1) - c2 * wrap(E::a2)),
            static_cast<i128>(u128{0} - c1 * wrap(E::b1) - c2 * wrap(E::b2))};
}

template <class C>
constexpr typename C::Base endomorphism_beta() {
    constexpr typename C::Base beta = C::Base::from_int(Endomorphism<C>::beta);
    return beta;
}

BBIPC_END

// Powers of the Frobenius map x -> x^q on Fq12 and on the twist.
//
// A coefficient a of w^i goes to conj(a) w^(i q) = conj(a) gamma^i w^i with gamma = w^(q-1) = xi^((q-1)/6).
#pragma once

#include "fq12.hpp"
#include "g2.hpp"

BBIPC_BEGIN

// powers[k - 1][i] = xi^(i (q^k - 1)/6), for k = 1..3 and i = 0..5; real (in Fq) for k = 2.
struct FrobeniusConstants {
    Fq2 powers[3][6];
};

inline constexpr U256 divided_by_6(const U256& a) {  // a a multiple of 6
    U256 quotient;
    u128 rest = 0;
    for (unsigned i = 4; i-- > 0;) {
        rest = rest << 64 | a.limb[i];
        quotient.limb[i] = static_cast<u64>(rest / 6);
        rest %= 6;
    }
    return quotient;
}

inline constexpr FrobeniusConstants derive_frobenius_constants() {
    U256 q_minus_1;
    sub_borrow(q_minus_1, Fq::modulus, U256{{1, 0, 0, 0}});
    const Fq2 gamma = xi().pow(divided_by_6(q_minus_1));
    Fq2 step = Fq2::one();  // xi^((q^k - 1)/6) = gamma^(1 + q + ... + q^(k-1))
    FrobeniusConstants r;
    for (auto& row : r.powers) {
        step = step.conj() * gamma;
        Fq2 power = Fq2::one();
        for (Fq2& p : row) {
            p = power;
            power *= step;
        }
    }
    return r;
}

inline constexpr FrobeniusConstants frobenius_constants = derive_frobenius_constants();

// f^(q^k), k = 1, 2, 3.
template <unsigned k>
constexpr Fq12 frobenius(const Fq12& f) {
    static_assert(k >= 1 && k <= 3);
    const auto& c = frobenius_constants.powers[k - 1];
    const auto map = [](const Fq2& a, const Fq2& factor) {
        if constexpr (k == 2) return a * factor.c0;
        else return a.conj() * factor;
    };
    return Fq12{Fq6{k == 2 ? f.c0.c0 : f.c0.c0.conj(), map(f.c0.c1, c[2]), map(f.c0.c2, c[4])},
                Fq6{map(f.c1.c0, c[1]), map(f.c1.c1, c[3]), map(f.c1.c2, c[5])}};
}

// The q-power Frobenius of the curve seen on the twist, whose point (x, y) stands for (x w^2, y w^3). On the subgroup of
// order r it is multiplication by q.
inline constexpr G2 frobenius(const G2& p) {
    const auto& c = frobenius_constants.powers[0];
    return G2{p.x.conj() * c[2], p.y.conj() * c[3]};
}

BBIPC_END

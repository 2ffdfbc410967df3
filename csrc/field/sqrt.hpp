// Square roots: exponent (p+1)/4 where p = 3 mod 4, else Tonelli-Shanks (chapter 03 section 5).
#pragma once

#include "field.hpp"

BBIPC_BEGIN

template <class P>
bool Field<P>::sqrt(Field& out) const {
    if (is_zero()) {
        out = *this;
        return true;
    }
    constexpr unsigned s = P::two_adicity;
    U256 odd;
    sub_borrow(odd, modulus, U256{{1, 0, 0, 0}});
    odd = odd.shifted_right(s);                        // p - 1 = odd * 2^s
    const Field half_power = pow(odd.shifted_right(1));  // a^((odd-1)/2)
    Field root = half_power * *this;                   // a^((odd+1)/2)
    Field error = root * half_power;                   // a^odd; root^2 = a * error
    if constexpr (s == 1) {
        if (root.sqr() != *this) return false;
    } else {
        Field z = from_u64(P::non_residue).pow(odd);  // generates the 2^s-th roots of one
        unsigned order_bits = s;
        while (error != one()) {
            unsigned k = 0;  // error has order 2^k
            for (Field e = error; e != one(); e = e.sqr()) {
                if (++k == order_bits) return false;
            }
            for (unsigned i = 0; i + k + 1 < order_bits; ++i) z = z.sqr();
            root *= z;
            z = z.sqr();
            error *= z;
            order_bits = k;
        }
    }
    out = root;
    return true;
}

BBIPC_END

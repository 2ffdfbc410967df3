// The cyclotomic subgroup of Fq12*, the elements of order dividing q^4 - q^2 + 1: there the inverse is the conjugate and
// squaring is cheap.
#pragma once

#include "fq12.hpp"

BBIPC_BEGIN

// (a + b s)^2 in Fq4 = Fq2[s] / (s^2 - xi): 3 squarings in Fq2.
struct Fq4 {
    Fq2 c0, c1;
    static constexpr Fq4 square(const Fq2& a, const Fq2& b) {
        const Fq2 aa = a.sqr();
        const Fq2 bb = b.sqr();
        return Fq4{aa + bb.mul_by_xi(), (a + b).sqr() - aa - bb};
    }
};

// Square of an element of the cyclotomic subgroup (Granger and Scott): 9 squarings in Fq2, 18 multiplications in Fq.
//
// With s = w^3 and Fq12 = Fq4[w] / (w^3 - s), the square of A + B w + C w^2 is
//     (3 A^2 - 2 A') + (3 s C^2 + 2 B') w + (3 B^2 - 2 C') w^2,
// where the accent negates the coefficient of s. In powers of w, A has coefficients 0 and 3, B 1 and 4, C 2 and 5.
inline constexpr Fq12 cyclotomic_square(const Fq12& f) {
    const Fq4 a = Fq4::square(f.c0.c0, f.c1.c1);
    const Fq4 b = Fq4::square(f.c1.c0, f.c0.c2);
    const Fq4 c = Fq4::square(f.c0.c1, f.c1.c2);
    const auto minus = [](const Fq2& square, const Fq2& g) { return (square - g).dbl() + square; };  // 3 square - 2 g
    const auto plus = [](const Fq2& square, const Fq2& g) { return (square + g).dbl() + square; };   // 3 square + 2 g
    return Fq12{Fq6{minus(a.c0, f.c0.c0), minus(b.c0, f.c0.c1), minus(c.c0, f.c0.c2)},
                Fq6{plus(c.c1.mul_by_xi(), f.c1.c0), plus(a.c1, f.c1.c1), plus(b.c1, f.c1.c2)}};
}

BBIPC_END

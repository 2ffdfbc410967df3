// Fq6 = Fq2[v] / (v^3 - xi), xi = 9 + u: c0 + c1 v + c2 v^2.
#pragma once

#include "fq2.hpp"

BBIPC_BEGIN

// c0 + c1 v, the shape of a line function.
struct SparseFq6 {
    Fq2 c0, c1;
};

struct Fq6 {
    Fq2 c0, c1, c2;

    static constexpr Fq6 zero() { return Fq6{}; }
    static constexpr Fq6 one() { return Fq6{Fq2::one(), Fq2::zero(), Fq2::zero()}; }

    constexpr bool is_zero() const { return c0.is_zero() && c1.is_zero() && c2.is_zero(); }
    friend constexpr bool operator==(const Fq6&, const Fq6&) = default;

    friend constexpr Fq6 operator+(const Fq6& a, const Fq6& b) { return Fq6{a.c0 + b.c0, a.c1 + b.c1, a.c2 + b.c2}; }
    friend constexpr Fq6 operator-(const Fq6& a, const Fq6& b) { return Fq6{a.c0 - b.c0, a.c1 - b.c1, a.c2 - b.c2}; }
    constexpr Fq6 operator-() const { return Fq6{-c0, -c1, -c2}; }
    constexpr Fq6 dbl() const { return Fq6{c0.dbl(), c1.dbl(), c2.dbl()}; }

    // With x1 = xi b1 and x2 = xi b2: a0 b0 + a1 x2 + a2 x1, a0 b1 + a1 b0 + a2 x2, a0 b2 + a1 b1 + a2 b0. So the right-hand
    // factors of all three are windows of the one row b2, b1, b0, x2, x1.
    friend constexpr Fq6 operator*(const Fq6& a, const Fq6& b) {
        const Fq2 x1 = b.c1.mul_by_xi();
        const Fq2 x2 = b.c2.mul_by_xi();
        const Fq left[] = {a.c0.c0, a.c0.c1, a.c1.c0, a.c1.c1, a.c2.c0, a.c2.c1};
        const Fq real[] = {b.c2.c0, -b.c2.c1, b.c1.c0, -b.c1.c1, b.c0.c0, -b.c0.c1, x2.c0, -x2.c1, x1.c0, -x1.c1};
        const Fq imaginary[] = {b.c2.c1, b.c2.c0, b.c1.c1, b.c1.c0, b.c0.c1, b.c0.c0, x2.c1, x2.c0, x1.c1, x1.c0};
        return Fq6{Fq2{dot<6>(left, real + 4), dot<6>(left, imaginary + 4)},
                   Fq2{dot<6>(left, real + 2), dot<6>(left, imaginary + 2)}, Fq2{dot<6>(left, real), dot<6>(left, imaginary)}};
    }

    // The same with b2 = 0: a0 b0 + a2 x1, a0 b1 + a1 b0, a1 b1 + a2 b0, and the row b1, b0, x1.
    friend constexpr Fq6 operator*(const Fq6& a, const SparseFq6& b) {
        const Fq2 x1 = b.c1.mul_by_xi();
        const Fq left[] = {a.c0.c0, a.c0.c1, a.c1.c0, a.c1.c1, a.c2.c0, a.c2.c1};
        const Fq ends[] = {a.c0.c0, a.c0.c1, a.c2.c0, a.c2.c1};
        const Fq real[] = {b.c1.c0, -b.c1.c1, b.c0.c0, -b.c0.c1, x1.c0, -x1.c1};
        const Fq imaginary[] = {b.c1.c1, b.c1.c0, b.c0.c1, b.c0.c0, x1.c1, x1.c0};
        return Fq6{Fq2{dot<4>(ends, real + 2), dot<4>(ends, imaginary + 2)}, Fq2{dot<4>(left, real), dot<4>(left, imaginary)},
                   Fq2{dot<4>(left + 2, real), dot<4>(left + 2, imaginary)}};
    }

    constexpr Fq6 sqr() const { return *this * *this; }
    constexpr Fq6 mul_by_v() const { return Fq6{c2.mul_by_xi(), c0, c1}; }

    // Zero for zero. The conjugates' product over Fq2 is n * (t0 + t1 v + t2 v^2)^-1 with the norm n in Fq2.
    Fq6 inverse() const {
        const Fq2 t0 = c0.sqr() - (c1 * c2).mul_by_xi();
        const Fq2 t1 = c2.sqr().mul_by_xi() - c0 * c1;
        const Fq2 t2 = c1.sqr() - c0 * c2;
        const Fq2 n = ((c2 * t1 + c1 * t2).mul_by_xi() + c0 * t0).inverse();
        return Fq6{t0 * n, t1 * n, t2 * n};
    }
};

BBIPC_END

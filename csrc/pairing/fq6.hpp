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

    // Karatsuba: 6 multiplications in Fq2.
    friend constexpr Fq6 operator*(const Fq6& a, const Fq6& b) {
        const Fq2 p0 = a.c0 * b.c0;
        const Fq2 p1 = a.c1 * b.c1;
        const Fq2 p2 = a.c2 * b.c2;
        return Fq6{((a.c1 + a.c2) * (b.c1 + b.c2) - p1 - p2).mul_by_xi() + p0,
                   (a.c0 + a.c1) * (b.c0 + b.c1) - p0 - p1 + p2.mul_by_xi(),
                   (a.c0 + a.c2) * (b.c0 + b.c2) - p0 - p2 + p1};
    }

    // 5 multiplications in Fq2.
    friend constexpr Fq6 operator*(const Fq6& a, const SparseFq6& b) {
        const Fq2 p0 = a.c0 * b.c0;
        const Fq2 p1 = a.c1 * b.c1;
        return Fq6{(a.c2 * b.c1).mul_by_xi() + p0, (a.c0 + a.c1) * (b.c0 + b.c1) - p0 - p1, a.c2 * b.c0 + p1};
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

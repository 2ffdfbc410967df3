// Fq2 = Fq[u] / (u^2 + 1), chapter 01 section 4: c0 + c1 u.
//
// The interface is that of Field, so that the point arithmetic of curve/curve.hpp serves the twist too.
#pragma once

#include "../field/dot.hpp"

BBIPC_BEGIN

struct Fq2 {
    Fq c0, c1;

    static constexpr Fq2 zero() { return Fq2{}; }
    static constexpr Fq2 one() { return Fq2{Fq::one(), Fq::zero()}; }

    constexpr bool is_zero() const { return c0.is_zero() && c1.is_zero(); }
    friend constexpr bool operator==(const Fq2&, const Fq2&) = default;

    friend constexpr Fq2 operator+(const Fq2& a, const Fq2& b) { return Fq2{a.c0 + b.c0, a.c1 + b.c1}; }
    friend constexpr Fq2 operator-(const Fq2& a, const Fq2& b) { return Fq2{a.c0 - b.c0, a.c1 - b.c1}; }
    friend constexpr Fq2 operator*(const Fq2& a, const Fq2& b) {
        const Fq left[] = {a.c0, a.c1};
        const Fq real[] = {b.c0, -b.c1};
        const Fq imaginary[] = {b.c1, b.c0};
        return Fq2{dot<2>(left, real), dot<2>(left, imaginary)};
    }
    friend constexpr Fq2 operator*(const Fq2& a, const Fq& k) { return Fq2{a.c0 * k, a.c1 * k}; }
    constexpr Fq2 operator-() const { return Fq2{-c0, -c1}; }
    constexpr Fq2& operator+=(const Fq2& b) { return *this = *this + b; }
    constexpr Fq2& operator-=(const Fq2& b) { return *this = *this - b; }
    constexpr Fq2& operator*=(const Fq2& b) { return *this = *this * b; }

    constexpr Fq2 sqr() const { return Fq2{(c0 + c1) * (c0 - c1), (c0 * c1).dbl()}; }  // 2 multiplications
    constexpr Fq2 dbl() const { return Fq2{c0.dbl(), c1.dbl()}; }
    constexpr Fq2 conj() const { return Fq2{c0, -c1}; }  // the q-th power
    constexpr Fq norm() const { return c0.sqr() + c1.sqr(); }

    // Times xi = 9 + u, the non-residue (no cube, no square) that both the twist and the rest of the tower are made with.
    constexpr Fq2 mul_by_xi() const {
        const Fq2 t = dbl().dbl().dbl() + *this;
        return Fq2{t.c0 - c1, t.c1 + c0};
    }

    constexpr Fq2 pow(const U256& exponent) const {
        Fq2 r = one();
        for (unsigned i = exponent.bit_length(); i-- > 0;) {
            r = r.sqr();
            if (exponent.bit(i)) r *= *this;
        }
        return r;
    }

    // Zero for zero.
    Fq2 inverse() const {
        const Fq k = norm().inverse();
        return Fq2{c0 * k, -(c1 * k)};
    }
};

inline constexpr Fq2 xi() { return Fq2{Fq::from_u64(9), Fq::one()}; }

BBIPC_END

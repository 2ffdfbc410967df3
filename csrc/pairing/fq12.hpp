// Fq12 = Fq6[w] / (w^2 - v), so w^6 = xi = 9 + u.
//
// The tower: Fq2 = Fq[u] / (u^2 + 1), Fq6 = Fq2[v] / (v^3 - xi), Fq12 = Fq6[w] / (w^2 - v). An element is
//
//     (c0.c0 + c0.c1 v + c0.c2 v^2) + (c1.c0 + c1.c1 v + c1.c2 v^2) w        with every ci.cj = ci.cj.c0 + ci.cj.c1 u in Fq2.
//
// to_bytes, and with it the 384-byte `gt` of bbipc_pairing, writes the twelve coefficients in that order,
//
//     c0.c0.c0  c0.c0.c1  c0.c1.c0  c0.c1.c1  c0.c2.c0  c0.c2.c1  c1.c0.c0  c1.c0.c1  c1.c1.c0  c1.c1.c1  c1.c2.c0  c1.c2.c1
//
// that is, those of 1, u, v, vu, v^2, v^2 u, w, wu, vw, vwu, v^2 w, v^2 w u; 32 bytes each, big-endian, canonical.
#pragma once

#include "fq6.hpp"

BBIPC_BEGIN

struct Fq12 {
    Fq6 c0, c1;

    static constexpr Fq12 zero() { return Fq12{}; }
    static constexpr Fq12 one() { return Fq12{Fq6::one(), Fq6::zero()}; }

    constexpr bool is_one() const { return *this == one(); }
    friend constexpr bool operator==(const Fq12&, const Fq12&) = default;

    friend constexpr Fq12 operator+(const Fq12& a, const Fq12& b) { return Fq12{a.c0 + b.c0, a.c1 + b.c1}; }
    friend constexpr Fq12 operator-(const Fq12& a, const Fq12& b) { return Fq12{a.c0 - b.c0, a.c1 - b.c1}; }

    // Karatsuba: 3 multiplications in Fq6.
    friend constexpr Fq12 operator*(const Fq12& a, const Fq12& b) {
        const Fq6 p0 = a.c0 * b.c0;
        const Fq6 p1 = a.c1 * b.c1;
        return Fq12{p0 + p1.mul_by_v(), (a.c0 + a.c1) * (b.c0 + b.c1) - p0 - p1};
    }
    constexpr Fq12& operator*=(const Fq12& b) { return *this = *this * b; }

    // Times 1 + s w, a line function.
    constexpr Fq12 mul_by_line(const SparseFq6& s) const { return Fq12{c0 + (c1 * s).mul_by_v(), c1 + c0 * s}; }

    // 2 multiplications in Fq6.
    constexpr Fq12 sqr() const {
        const Fq6 p = c0 * c1;
        return Fq12{(c0 + c1) * (c0 + c1.mul_by_v()) - p - p.mul_by_v(), p.dbl()};
    }

    constexpr Fq12 conj() const { return Fq12{c0, -c1}; }  // the q^6-th power

    // Zero for zero.
    Fq12 inverse() const {
        const Fq6 n = (c0.sqr() - c1.sqr().mul_by_v()).inverse();
        return Fq12{c0 * n, -(c1 * n)};
    }

    // 384 bytes, in the order given at the top of this file.
    void to_bytes(std::uint8_t* bytes) const {
        for (const Fq2* c : {&c0.c0, &c0.c1, &c0.c2, &c1.c0, &c1.c1, &c1.c2}) {
            c->c0.to_bytes(bytes);
            c->c1.to_bytes(bytes + 32);
            bytes += 64;
        }
    }
};

BBIPC_END

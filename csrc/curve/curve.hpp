// The two curves of chapter 01 sections 2 and 3, both y^2 = x^3 + b of prime order with cofactor 1.
//
// Points come from an adversary (chapter 01 section 7): every operation here is complete, that is, right for equal, opposite
// and infinite operands.
#pragma once

#include "../field/field.hpp"

BBIPC_BEGIN

// BN254 G1: y^2 = x^3 + 3 over Fq, order r.
struct G1Curve {
    using Base = Fq;
    using Scalar = Fr;
    static constexpr Base b() { return Base::from_u64(3); }
};

// Grumpkin: y^2 = x^3 - 17 over Fr, order q.
struct GrumpkinCurve {
    using Base = Fr;
    using Scalar = Fq;
    static constexpr Base b() { return -Base::from_u64(17); }
};

// A point, or infinity, which is written (0, 0) (not on either curve). Nothing but decoding checks curve membership.
template <class C>
struct Affine {
    using Base = typename C::Base;
    Base x, y;

    static constexpr Affine infinity() { return Affine{}; }
    constexpr bool is_infinity() const { return x.is_zero() && y.is_zero(); }
    constexpr bool is_on_curve() const { return is_infinity() || y.sqr() == x.sqr() * x + C::b(); }
    constexpr Affine operator-() const { return Affine{x, -y}; }
    friend constexpr bool operator==(const Affine&, const Affine&) = default;
};

// Jacobian coordinates: (X / Z^2, Y / Z^3); infinity has Z = 0.
template <class C>
struct Jacobian {
    using Base = typename C::Base;
    Base x, y, z;

    static constexpr Jacobian infinity() { return Jacobian{Base::one(), Base::one(), Base::zero()}; }

    static constexpr Jacobian from_affine(const Affine<C>& p) {
        return p.is_infinity() ? infinity() : Jacobian{p.x, p.y, Base::one()};
    }

    constexpr bool is_infinity() const { return z.is_zero(); }

    constexpr Jacobian operator-() const { return Jacobian{x, -y, z}; }

    // dbl-2009-l (a = 0). Neither curve has a point with y = 0 (its order would be 2), so a finite point doubles to a finite
    // one.
    constexpr Jacobian dbl() const {
        if (is_infinity()) return *this;
        const Base a = x.sqr();
        const Base b = y.sqr();
        const Base c = b.sqr();
        const Base d = ((x + b).sqr() - a - c).dbl();
        const Base e = a + a + a;
        Jacobian r;
        r.x = e.sqr() - d.dbl();
        r.y = e * (d - r.x) - c.dbl().dbl().dbl();
        r.z = (y * z).dbl();
        return r;
    }

    // Mixed addition, madd-2007-bl.
    friend constexpr Jacobian operator+(const Jacobian& p, const Affine<C>& q) {
        if (q.is_infinity()) return p;
        if (p.is_infinity()) return from_affine(q);
        const Base zz = p.z.sqr();
        const Base h = q.x * zz - p.x;
        const Base s = q.y * p.z * zz - p.y;
        if (h.is_zero()) return s.is_zero() ? p.dbl() : infinity();
        const Base hh = h.sqr();
        const Base i = hh.dbl().dbl();
        const Base j = h * i;
        const Base w = s.dbl();
        const Base v = p.x * i;
        Jacobian r;
        r.x = w.sqr() - j - v.dbl();
        r.y = w * (v - r.x) - (p.y * j).dbl();
        r.z = (p.z + h).sqr() - zz - hh;
        return r;
    }

    // add-2007-bl.
    friend constexpr Jacobian operator+(const Jacobian& p, const Jacobian& q) {
        if (q.is_infinity()) return p;
        if (p.is_infinity()) return q;
        const Base pzz = p.z.sqr();
        const Base qzz = q.z.sqr();
        const Base u = p.x * qzz;
        const Base h = q.x * pzz - u;
        const Base sp = p.y * q.z * qzz;
        const Base s = q.y * p.z * pzz - sp;
        if (h.is_zero()) return s.is_zero() ? p.dbl() : infinity();
        const Base i = h.dbl().sqr();
        const Base j = h * i;
        const Base w = s.dbl();
        const Base v = u * i;
        Jacobian r;
        r.x = w.sqr() - j - v.dbl();
        r.y = w * (v - r.x) - (sp * j).dbl();
        r.z = ((p.z + q.z).sqr() - pzz - qzz) * h;
        return r;
    }

    constexpr Jacobian& operator+=(const Affine<C>& q) { return *this = *this + q; }
    constexpr Jacobian& operator+=(const Jacobian& q) { return *this = *this + q; }

    Affine<C> to_affine() const {
        if (is_infinity()) return Affine<C>::infinity();
        const Base zi = z.inverse();
        const Base zi2 = zi.sqr();
        return Affine<C>{x * zi2, y * zi2 * zi};
    }
};

using G1 = Affine<G1Curve>;
using Grumpkin = Affine<GrumpkinCurve>;

// Generator of G1: (1, 2).
inline constexpr G1 g1_generator() { return G1{Fq::from_u64(1), Fq::from_u64(2)}; }

// Standard generator of Grumpkin, (1, sqrt(-16)); used as base of the inner-product argument's U point only (chapter 01 section
// 3).
inline constexpr Grumpkin grumpkin_generator() {
    return Grumpkin{Fr::from_u64(1), Fr::from_int(U256{{0x833fc48d823f272c, 0x2d270d45f1181294, 0xcf135e7506a45d63, 0x2}})};
}

BBIPC_END

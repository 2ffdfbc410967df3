// Multi-scalar multiplication of a handful of points chosen by an adversary.
#pragma once

#include <span>

#include "../curve/curve.hpp"

BBIPC_BEGIN

// scalar * point.
template <class C>
Jacobian<C> scalar_mul(const Affine<C>& point, const typename C::Scalar& scalar) {
    const U256 k = scalar.to_int();
    Jacobian<C> r = Jacobian<C>::infinity();
    for (unsigned i = k.bit_length(); i-- > 0;) {
        r = r.dbl();
        if (k.bit(i)) r += point;
    }
    return r;
}

// sum of scalars[i] * points[i]; both spans have the same length.
template <class C>
Jacobian<C> msm(std::span<const Affine<C>> points, std::span<const typename C::Scalar> scalars) {
    Jacobian<C> r = Jacobian<C>::infinity();
    for (std::size_t i = 0; i < points.size(); ++i) r += scalar_mul<C>(points[i], scalars[i]);
    return r;
}

BBIPC_END

// Multi-scalar multiplication of up to some thousands of points chosen by an adversary. Instantiated in msm.cpp for G1Curve and
// GrumpkinCurve.
#pragma once

#include <span>

#include "../curve/curve.hpp"
#include "../field/lane_path.hpp"

BBIPC_BEGIN

// scalar * point.
template <class C>
Jacobian<C> scalar_mul(const Affine<C>& point, const typename C::Scalar& scalar);

// sum of scalars[i] * points[i]; both spans have the same length. LanePath::ifma only where ifma_supported().
template <class C>
Jacobian<C> msm(std::span<const Affine<C>> points, std::span<const typename C::Scalar> scalars,
                LanePath path = LanePath::scalar);

BBIPC_END

// The multi-scalar multiplication over the fixed generators, nine tenths of a verification.
#pragma once

#include <cstddef>
#include <span>

#include "../curve/curve.hpp"
#include "../field/lane_path.hpp"

BBIPC_BEGIN

// sum of scalars[i] * generator i over i < count <= generator_count. Uses at most `threads` threads, fewer if none can be had.
// LanePath::ifma only where ifma_supported().
Jacobian<GrumpkinCurve> generators_msm(const Fq* scalars, std::size_t count, unsigned threads,
                                       LanePath path = LanePath::scalar);

// The same over all generators, plus the sum of extra_scalars[i] * extra_points[i], which costs little beside
// it. scalars: 2^15 integers below q.
Jacobian<GrumpkinCurve> generators_msm_with(const U256* scalars, std::span<const Grumpkin> extra_points,
                                            std::span<const Fq> extra_scalars, unsigned threads, LanePath path);

BBIPC_END

#include "generators_msm.hpp"

#include "../msm/large_msm.hpp"
#include "generators.hpp"
#if BBIPC_ADX_FIELD
#include "../msm/kernel_ifma.hpp"
#endif

BBIPC_BEGIN

Jacobian<GrumpkinCurve> generators_msm(const Fq* scalars, std::size_t count, unsigned threads, [[maybe_unused]] MsmPath path) {
    const std::span<const Grumpkin> points = generators().first(count);
#if BBIPC_ADX_FIELD
    if (path == MsmPath::ifma) return large_msm<IfmaKernel>(points, scalars, threads);
#endif
    return large_msm<ScalarKernel<GrumpkinCurve>>(points, scalars, threads);
}

#if !BBIPC_ADX_FIELD
bool ifma_supported() { return false; }
#endif

BBIPC_END

#include "generators_msm.hpp"

#include "../msm/large_msm.hpp"
#include "generators.hpp"
#if BBIPC_ADX_FIELD
#include "../msm/kernel_ifma.hpp"
#endif

BBIPC_BEGIN

namespace {

Jacobian<GrumpkinCurve> on_path(std::span<const Grumpkin> points, const Fq* scalars, unsigned threads,
                                [[maybe_unused]] MsmPath path) {
#if BBIPC_ADX_FIELD
    if (path == MsmPath::ifma) return large_msm<IfmaKernel>(points, scalars, threads);
#endif
    return large_msm<ScalarKernel<GrumpkinCurve>>(points, scalars, threads);
}

}  // namespace

Jacobian<GrumpkinCurve> generators_msm(const Fq* scalars, std::size_t count, unsigned threads, MsmPath path) {
    return on_path(generators().first(count), scalars, threads, path);
}

Jacobian<GrumpkinCurve> generators_msm_with(const Fq* scalars, std::span<const Grumpkin> extra_points,
                                            std::span<const Fq> extra_scalars, unsigned threads, MsmPath path) {
    const std::span<const Grumpkin> table = generators();
    std::vector<Grumpkin> points(table.begin(), table.end());
    points.insert(points.end(), extra_points.begin(), extra_points.end());
    std::vector<Fq> all_scalars(scalars, scalars + table.size());
    all_scalars.insert(all_scalars.end(), extra_scalars.begin(), extra_scalars.end());
    return on_path(points, all_scalars.data(), threads, path);
}

#if !BBIPC_ADX_FIELD
bool ifma_supported() { return false; }
#endif

BBIPC_END

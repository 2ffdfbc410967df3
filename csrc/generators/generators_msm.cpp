#include "generators_msm.hpp"

#include "../msm/large_msm.hpp"
#include "generators.hpp"
#if BBIPC_ADX_FIELD
#include "../msm/kernel_ifma.hpp"
#endif

BBIPC_BEGIN

namespace {

using Terms = MsmTerms<GrumpkinCurve>;

Jacobian<GrumpkinCurve> on_path(std::span<const Terms> terms, unsigned threads, [[maybe_unused]] LanePath path) {
#if BBIPC_ADX_FIELD
    if (path == LanePath::ifma) return large_msm<IfmaKernel<GrumpkinCurve>>(terms, threads);
#endif
    return large_msm<ScalarKernel<GrumpkinCurve>>(terms, threads);
}

std::vector<U256> to_integers(std::span<const Fq> scalars) {
    std::vector<U256> integers;
    integers.reserve(scalars.size());
    for (const Fq& scalar : scalars) integers.push_back(scalar.to_int());
    return integers;
}

}  // namespace

Jacobian<GrumpkinCurve> generators_msm(const Fq* scalars, std::size_t count, unsigned threads, LanePath path) {
    const std::vector<U256> integers = to_integers(std::span(scalars, count));
    const Terms terms[1] = {{generators().first(count), integers.data()}};
    return on_path(terms, threads, path);
}

Jacobian<GrumpkinCurve> generators_msm_with(const U256* scalars, std::span<const Grumpkin> extra_points,
                                            std::span<const Fq> extra_scalars, unsigned threads, LanePath path) {
    const std::vector<U256> extra = to_integers(extra_scalars);
    const Terms terms[2] = {{generators(), scalars}, {extra_points, extra.data()}};
    return on_path(terms, threads, path);
}

BBIPC_END

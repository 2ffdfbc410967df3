#include "generators_msm.hpp"

#include <vector>

#include "generators.hpp"

BBIPC_BEGIN

bool ifma_supported() { return false; }

Jacobian<GrumpkinCurve> generators_msm(const Fq* scalars, std::size_t count, unsigned, MsmPath) {
    constexpr unsigned width = 11;
    std::vector<Jacobian<GrumpkinCurve>> buckets(std::size_t{1} << width);
    Jacobian<GrumpkinCurve> sum = Jacobian<GrumpkinCurve>::infinity();
    for (unsigned first = 23 * width + width; first > 0;) {
        first -= width;
        for (unsigned i = 0; i < width; ++i) sum = sum.dbl();
        buckets.assign(buckets.size(), Jacobian<GrumpkinCurve>::infinity());
        for (std::size_t i = 0; i < count; ++i) buckets[scalars[i].to_int().bits(first, width)] += generators()[i];
        Jacobian<GrumpkinCurve> running = Jacobian<GrumpkinCurve>::infinity();
        for (std::size_t i = buckets.size() - 1; i > 0; --i) {
            running += buckets[i];
            sum += running;
        }
    }
    return sum;
}

BBIPC_END

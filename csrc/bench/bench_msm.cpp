// Milliseconds of the multi-scalar multiplications of one arithmetic path.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <vector>

#include "../generators/generators.hpp"
#include "../generators/generators_msm.hpp"
#include "../msm/msm.hpp"

namespace {

using namespace bbipc;

struct Milliseconds {
    double wall, cpu;  // cpu: of all threads together
};

template <class Run>
Milliseconds best_milliseconds(unsigned repetitions, Run run) {
    Milliseconds best{1e30, 1e30};
    for (unsigned i = 0; i < repetitions; ++i) {
        const auto start = std::chrono::steady_clock::now();
        const std::clock_t cpu_start = std::clock();
        run();
        const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
        best.wall = std::min(best.wall, time.count());
        best.cpu = std::min(best.cpu, 1e3 * static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC);
    }
    return best;
}

// 2^15 scalars of the shape of the inner-product argument's: products of 15 challenges.
std::vector<Fq> folding_scalars() {
    std::vector<Fq> s{Fq::one()};
    Fq challenge = Fq::from_u64(0x9e3779b97f4a7c15);
    while (s.size() < generator_count) {
        challenge = challenge.sqr() + Fq::one();
        for (std::size_t j = 0, size = s.size(); j < size; ++j) s.push_back(s[j] * challenge);
    }
    return s;
}

}  // namespace

int main() {
    const std::vector<Fq> scalars = folding_scalars();
    Affine<GrumpkinCurve> result;
    for (const LanePath path : {LanePath::scalar, LanePath::ifma}) {
        if (path == LanePath::ifma && !ifma_supported()) continue;
        for (unsigned threads = 1; threads <= 2; ++threads) {
            const auto [wall, cpu] = best_milliseconds(
                10, [&] { result = generators_msm(scalars.data(), scalars.size(), threads, path).to_affine(); });
            std::printf("generators, %s, %u threads: %.2f ms, cpu %.2f ms (%016llx)\n",
                        path == LanePath::ifma ? "ifma" : "scalar", threads, wall, cpu,
                        static_cast<unsigned long long>(result.x.to_int().limb[0]));
        }
    }
    for (const std::size_t count : {1, 5, 16, 33, 96, 127, 200, 1000, 3000}) {
        std::vector<G1> points(count, g1_generator());
        std::vector<Fr> weights(count, Fr::from_u64(7).inverse());
        for (std::size_t i = 1; i < count; ++i) {
            points[i] = (Jacobian<G1Curve>::from_affine(points[i - 1]).dbl() + g1_generator()).to_affine();
            weights[i] = weights[i - 1].sqr() + Fr::one();
        }
        for (const LanePath path : {LanePath::scalar, LanePath::ifma}) {
            if (path == LanePath::ifma && (!ifma_supported() || count == 1)) continue;
            Jacobian<G1Curve> sum = Jacobian<G1Curve>::infinity();
            const auto [wall, cpu] = best_milliseconds(
                200, [&] { sum += count == 1 ? scalar_mul(points[0], weights[0]) : msm<G1Curve>(points, weights, path); });
            std::printf("G1, %s, %zu points: %.4f ms (%016llx)\n", path == LanePath::ifma ? "ifma" : "scalar", count, wall,
                        static_cast<unsigned long long>(sum.to_affine().x.to_int().limb[0]));
        }
    }
}

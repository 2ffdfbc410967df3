// Microseconds of Poseidon2 and of the relations of one arithmetic path. The permutation and its plain form are timed alternately,
// so that both meet the same load.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "../field/lane_path.hpp"
#include "../hash/poseidon2.hpp"
#include "../hash/poseidon2_constants.hpp"
#include "../hash/poseidon2_ifma.hpp"
#include "../relations/eccvm.hpp"
#include "../relations/mega.hpp"
#include "../relations/translator.hpp"

namespace {

using namespace bbipc;

// The internal rounds lane by lane and the external ones S-box by S-box, as chapter 02 writes them.
void plain_permute(Fr (&s)[4]) {
    const auto fifth_power = [](const Fr& x) { return x.sqr().sqr() * x; };
    const auto external_layer = [&] {
        const Fr t0 = s[0] + s[1], t1 = s[2] + s[3];
        const Fr t2 = s[1].dbl() + t1, t3 = s[3].dbl() + t0;
        const Fr t4 = t1.dbl().dbl() + t3, t5 = t0.dbl().dbl() + t2;
        s[0] = t3 + t5, s[1] = t5, s[2] = t2 + t4, s[3] = t4;
    };
    const auto external_round = [&](const Fr(&constants)[4]) {
        for (unsigned i = 0; i < 4; ++i) s[i] = fifth_power(s[i] + constants[i]);
        external_layer();
    };
    external_layer();
    for (unsigned k = 0; k < 4; ++k) external_round(poseidon2_constants::external_round[k]);
    for (const Fr& constant : poseidon2_constants::internal_round) {
        s[0] = fifth_power(s[0] + constant);
        const Fr sum = s[0] + s[1] + s[2] + s[3];
        for (unsigned i = 0; i < 4; ++i) s[i] = poseidon2_constants::diagonal_minus_one[i] * s[i] + sum;
    }
    for (unsigned k = 4; k < 8; ++k) external_round(poseidon2_constants::external_round[k]);
}

class Best {
  public:
    template <class Run>
    void time(Run run) {
        const auto start = std::chrono::steady_clock::now();
        run();
        const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
        microseconds_ = std::min(microseconds_, time.count());
    }
    double microseconds() const { return microseconds_; }

  private:
    double microseconds_ = 1e30;
};

template <class F>
std::vector<F> elements(std::size_t count) {
    std::vector<F> v{F::from_u64(7).inverse()};
    while (v.size() < count) v.push_back(v.back().sqr() + F::one());
    return v;
}

void bench_poseidon2() {
    Fr s[4] = {Fr::zero(), Fr::one(), Fr::from_u64(2), Fr::from_u64(3)};
    Best plain, fast;
    for (int i = 0; i < 20000; ++i) {
        plain.time([&] { plain_permute(s); });
        fast.time([&] { poseidon2_permute(s); });
    }
    std::printf("poseidon2 permutation: %.2f us, plain form %.2f us\n", fast.microseconds(), plain.microseconds());
#if BBIPC_ADX_FIELD
    if (ifma_supported()) {
        Fr states[poseidon2_lanes][4] = {};
        Best scalar, lanes;
        for (int i = 0; i < 5000; ++i) {
            scalar.time([&] { poseidon2_permute(states[0]); });
            lanes.time([&] { poseidon2_permute_ifma(states); });
        }
        std::printf("poseidon2 in %zu lanes: %.0f ns a lane, %.0f ns by itself\n", poseidon2_lanes,
                    1e3 * lanes.microseconds() / poseidon2_lanes, 1e3 * scalar.microseconds());
    }
#endif
}

void bench_relations() {
    const auto columns = elements<Fq>(eccvm::evaluations);
    const auto f = elements<Fr>(translator::minicircuit_evaluations);
    const std::span<const Fr> all(f);
    Fq eccvm_values[eccvm::subrelations];
    Fr mega_values[mega::subrelations], translator_values[translator::subrelations];
    translator::Evaluations e;
    const translator::Parameters p = translator_parameters(columns[0], columns[1], columns[2], f[0], f[1]);
    Best eccvm_time, mega_time, evaluations, translator_time;
    for (int i = 0; i < 2000; ++i) {
        eccvm_time.time([&] {
            eccvm_subrelations(std::span<const Fq, eccvm::evaluations>(columns), columns[3], columns[4], eccvm_values);
        });
        mega_time.time([&] { mega_subrelations(all.first<mega::evaluations>(), f[0], f[1], f[2], mega_values); });
        evaluations.time([&] {
            e = translator_evaluations(all.first<translator::minicircuit_evaluations>(),
                                       all.first<translator::full_size_evaluations>(), all.first<translator::rounds>());
        });
        translator_time.time([&] { translator_subrelations(e, p, translator_values); });
    }
    std::printf("relations: eccvm %.1f us, mega %.1f us, translator %.1f us (its evaluations %.1f us)\n",
                eccvm_time.microseconds(), mega_time.microseconds(), translator_time.microseconds(),
                evaluations.microseconds());
}

}  // namespace

int main() {
    bench_poseidon2();
    bench_relations();
    return 0;
}

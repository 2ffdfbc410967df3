// With j = 2^low_bits h + l a scalar is the sum over p of high_p[h] low_p[l]: a product of matrices, whose entries are sums of
// products with one reduction each.
#include "folding.hpp"

#include "../../field/dot.hpp"
#include "../../msm/parallel.hpp"
#include "folding_ifma.hpp"

BBIPC_BEGIN

namespace {

constexpr std::size_t low_bits = folding_low_bits, high_bits = ipa_rounds - low_bits;
constexpr std::size_t low_size = std::size_t{1} << low_bits, high_size = std::size_t{1} << high_bits;

// Products of challenges for every subset: out[j * stride] for the bits of j, where bit i stands for d_{first - i}.
void expand(const IpaClaim& claim, std::size_t first, std::size_t bits, const Fq& start, Fq* out, std::size_t stride) {
    out[0] = start;
    for (std::size_t i = 0, size = 1; i < bits; ++i, size *= 2) {
        for (std::size_t j = 0; j < size; ++j) out[(size + j) * stride] = out[j * stride] * claim.inverse_challenges[first - i];
    }
}

template <unsigned N>
Fq dot_rest(const Fq* a, const Fq* b, std::size_t count) {
    if (count >= N) {
        const Fq sum = N == 1 ? *a * *b : dot<N>(a, b);
        return count == N ? sum : sum + dot_rest<N>(a + N, b + N, count - N);
    }
    if constexpr (N > 1) return dot_rest<N / 2>(a, b, count);
    return Fq::zero();
}

}  // namespace

std::vector<U256> folding_scalars(std::span<const IpaClaim* const> claims, std::span<const Fq> weights, unsigned threads,
                                  [[maybe_unused]] LanePath path) {
    const std::size_t count = claims.size();
    std::vector<Fq> low(low_size * count), high(high_size * count);  // by index, then by claim
    for (std::size_t p = 0; p < count; ++p) {
        expand(*claims[p], ipa_rounds - 1, low_bits, Fq::one(), &low[p], count);
        expand(*claims[p], ipa_rounds - 1 - low_bits, high_bits, weights[p], &high[p], count);
    }
    // An integer where a Montgomery form is expected: its product with an element is an integer again.
    for (Fq& factor : high) factor = Fq::from_montgomery(factor.to_int());
    std::vector<U256> scalars(ipa_size);
#if BBIPC_ADX_FIELD
    if (path == LanePath::ifma) {
        folding_products_ifma(low, high, count, threads, scalars);
        return scalars;
    }
#endif
    parallel_for(high_size, threads, [&](unsigned, std::size_t h) {
        for (std::size_t l = 0; l < low_size; ++l) {
            scalars[h * low_size + l] = dot_rest<8>(&high[h * count], &low[l * count], count).m;
        }
    });
    return scalars;
}

BBIPC_END

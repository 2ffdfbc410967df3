#include "folding_ifma.hpp"

#include "../../field/ifma_field.hpp"
#include "../../msm/aligned_array.hpp"
#include "../../msm/parallel.hpp"

BBIPC_BEGIN

namespace {

constexpr std::size_t low_size = std::size_t{1} << folding_low_bits, vectors = low_size / ifma_lanes;

struct alignas(64) Elements {
    u64 limb[5][ifma_lanes];
};

// Claims whose products are added before one reduction.
constexpr std::size_t group = 64;

// Eight sums of up to `group` products, reduced, as four words of 64 bits by lane.
BBIPC_IFMA void sums_of_products(const Elements* low, const Limbs52* high, std::size_t count, u64 (&words)[4][ifma_lanes]) {
    Columns52<FqParams, group, 100, 100> c;
    clear(c);
    for (std::size_t p = 0; p < count; ++p) {
        Normal<FqParams, 100> factor;
        load(factor, &low[p]);
        add_product(c, factor, high[p]);
    }
    Normal<FqParams, 177> reduced;
    reduce(reduced, c);
    static_assert(reduced.bound <= 200);  // so one subtraction is enough
    const V& sum = reduced.v;
    V less;
    for (int i = 0; i < 5; ++i) less.l[i] = _mm512_sub_epi64(sum.l[i], broadcast(Modulus52<FqParams>::p.limb[i]));
    carry(less);  // the sign of the difference stays in the top limb
    const __mmask8 negative = _mm512_cmplt_epi64_mask(less.l[4], _mm512_setzero_si512());
    for (int i = 0; i < 5; ++i) less.l[i] = _mm512_mask_mov_epi64(less.l[i], negative, sum.l[i]);
    __m512i w[4];
    join(w, less);
    for (int i = 0; i < 4; ++i) _mm512_storeu_si512(words[i], w[i]);
}

}  // namespace

void folding_products_ifma(std::span<const Fq> low, std::span<const Fq> high, std::size_t count, unsigned threads,
                           std::span<U256> scalars) {
    const auto factors = aligned_array<Elements>(vectors * count);  // by vector, then by claim
    for (std::size_t l = 0; l < low_size; ++l) {
        for (std::size_t p = 0; p < count; ++p) {
            const Limbs52 limbs = montgomery_260(low[l * count + p]);
            for (unsigned i = 0; i < 5; ++i) {
                factors[l / ifma_lanes * count + p].limb[i][l % ifma_lanes] = limbs.limb[i];
            }
        }
    }
    std::vector<Limbs52> others(high.size());
    for (std::size_t i = 0; i < high.size(); ++i) others[i] = limbs_52(high[i].m);
    parallel_for(high.size() / count, threads, [&](unsigned, std::size_t h) {
        for (std::size_t v = 0; v < vectors; ++v) {
            for (std::size_t p = 0; p < count; p += group) {
                u64 words[4][ifma_lanes];
                sums_of_products(&factors[v * count + p], &others[h * count + p], std::min(group, count - p), words);
                for (std::size_t lane = 0; lane < ifma_lanes; ++lane) {
                    U256& scalar = scalars[h * low_size + v * ifma_lanes + lane];
                    const U256 sum{{words[0][lane], words[1][lane], words[2][lane], words[3][lane]}};
                    scalar = p == 0 ? sum : mod_add<FqParams>(scalar, sum);
                }
            }
        }
    });
}

BBIPC_END

// The kernel of multi-scalar multiplications on AVX-512 IFMA: eight additions side by side. Interface: see pair_kernel.hpp.
//
// Only where ifma_supported(). Nothing in this header needs more than the baseline instruction set.
#pragma once

#include <cstdint>

#include "aligned_array.hpp"
#include "pair_kernel.hpp"

BBIPC_BEGIN

// A point with coordinates v * 2^260 mod p, below 3 p and not necessarily reduced, in 4 limbs of 64 bits each; infinity is all
// zero.
struct alignas(64) IfmaPoint {
    u64 word[8];  // x, then y
};

// Five limbs of 52 bits, least significant first, in eight lanes: normal, and at most 6 p.
struct alignas(64) IfmaVector {
    u64 limb[5][8];
};

inline constexpr std::size_t ifma_pair_granularity = 16;

// For both curves.
template <class C>
class IfmaKernel {
    using F = typename C::Base;
    using P = typename F::Params;

  public:
    using Curve = C;
    using Point = IfmaPoint;
    static constexpr std::size_t pair_granularity = ifma_pair_granularity;

    IfmaKernel();

    static Point infinity() { return Point{}; }
    static bool is_infinity(const Point& p) {
        u64 bits = 0;
        for (const u64 word : p.word) bits |= word;
        return bits == 0;
    }
    static Affine<C> to_affine(const Point& p);
    static Point negate(const Point& p);
    static void load_with_images(const Affine<C>* points, std::size_t count, const F& beta, Point* out, Point* images);

    // The lists of `pairs` are readable up to the next multiple of pair_granularity, the added ones being harmless.
    bool add_pairs(const Point* table, const PairList& pairs, Point* out);

  private:
    AlignedArray<IfmaVector> denominators_, products_;

    bool add_chunk(const Point* table, const PairList& pairs, Point* out);
};

extern template class IfmaKernel<G1Curve>;
extern template class IfmaKernel<GrumpkinCurve>;

BBIPC_END

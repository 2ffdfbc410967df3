// The product of matrices of folding.cpp on AVX-512 IFMA. Only where ifma_supported().
#pragma once

#include <span>

#include "../../curve/curve.hpp"

BBIPC_BEGIN

inline constexpr std::size_t folding_low_bits = 8;

// scalars[2^8 h + l] = the sum over p < count of high[h count + p] low[l count + p] as an integer below q. low: 2^8 elements for each
// p; high: integers in the place of Montgomery forms.
void folding_products_ifma(std::span<const Fq> low, std::span<const Fq> high, std::size_t count, unsigned threads,
                           std::span<U256> scalars);

BBIPC_END

// The scalars of the 2^15 generators in the inner-product argument (chapter 09.2).
#pragma once

#include <span>
#include <vector>

#include "../../field/lane_path.hpp"
#include "claim.hpp"

BBIPC_BEGIN

// sum_p weights[p] s_{p,j} for j = 0..2^15-1, as integers below q, where s_{p,j} is the product of d_{14-i} over the set bits i of j.
std::vector<U256> folding_scalars(std::span<const IpaClaim* const> claims, std::span<const Fq> weights, unsigned threads,
                                  LanePath path);

BBIPC_END

// The second half of a verification (chapter 00 section 5): decides the claims that reduce() left, one or many together.
#pragma once

#include "../../run/options.hpp"
#include "../keys/setup.hpp"
#include "claim.hpp"

BBIPC_BEGIN

// verdicts[i] equals what checking claims[i] alone gives. cancels: empty, or one flag per claim.
void check(const Setup& setup, std::span<const Claim* const> claims, std::span<const CancelFlag> cancels,
           const Options& options, std::span<Verdict> verdicts);

BBIPC_END

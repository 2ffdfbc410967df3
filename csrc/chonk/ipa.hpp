// The inner-product argument over Grumpkin (chapter 09).
#pragma once

#include <array>

#include "eccvm.hpp"
#include "options.hpp"

BBIPC_BEGIN

inline constexpr std::size_t ipa_rounds = 15;
inline constexpr std::size_t ipa_size = std::size_t{1} << ipa_rounds;

// What ipaProof says, with the challenges of its own transcript.
struct IpaClaim {
    OpeningClaim opening;
    Fq generator_challenge;
    std::array<Grumpkin, ipa_rounds> left, right;   // L_i, R_i
    std::array<Fq, ipa_rounds> challenges;          // c_i, none of them zero
    std::array<Fq, ipa_rounds> inverse_challenges;  // d_i = 1 / c_i
    Grumpkin g0;
    Fq a0;
    Fq b0;
};

// Reads the part. Invalid (IPA) when a challenge is zero.
Verdict read_ipa(const PartView& part, const OpeningClaim& opening, IpaClaim& claim);

// sum_p weights[p] s_{p,j} for j = 0..2^15-1, where s_{p,j} is the product of d_{14-i} over the set bits i of j (chapter 09.2).
std::vector<Fq> folding_scalars(std::span<const IpaClaim* const> claims, std::span<const Fq> weights, unsigned threads);

// Both checks of chapter 09.3 hold for every claim; 1 claim: as they stand, several: as the random linear combination of 9.5
// (fresh cryptographic randomness, drawn inside, after the claims are fixed). True for a false batch with probability about
// count / q. The count is at least 1. Sets `cancelled` and returns false when the flag was raised.
bool check_ipa(std::span<const IpaClaim* const> claims, const Options& options, bool& cancelled);

BBIPC_END

// An inner-product argument that has been read (chapter 09): what remains to be checked.
#pragma once

#include <array>

#include "../opening/opening_claim.hpp"

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

BBIPC_END

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

// Records the messages of the argument's own transcript.
void record_ipa(const PartView& part, const OpeningClaim& opening, RecordedTranscript& record);

// Reads the part with a new transcript, or one that replays such a record. Invalid (IPA) when a challenge is zero.
Objection read_ipa(Transcript transcript, const PartView& part, const OpeningClaim& opening, IpaClaim& claim);

// Both checks of chapter 09.3 hold for every claim (at least 1): the random linear combination of 9.5, with weights drawn inside,
// after the claims are fixed. True for a false list with probability about count / q. Sets `cancelled` and returns false when the
// flag was raised.
bool check_ipa(std::span<const IpaClaim* const> claims, const Options& options, bool& cancelled);

// The two checks as they stand, the cheap one first: for a claim of a list that is known to contain a false one.
bool check_ipa_alone(const IpaClaim& claim, const Options& options, bool& cancelled);

BBIPC_END

// The inner-product argument over Grumpkin (chapter 09).
#pragma once

#include "../../run/options.hpp"
#include "../../transcript/transcript.hpp"
#include "claim.hpp"

BBIPC_BEGIN

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

// A whole verification (chapter 00 section 5), in two halves: reduce() does all that concerns one proof, check() decides the
// claims that remain, one or many together.
#pragma once

#include <array>

#include "ipa.hpp"
#include "joint.hpp"
#include "key.hpp"
#include "pairing_check.hpp"
#include "setup.hpp"

BBIPC_BEGIN

// What is left of a proof after its reduction. The verdict is: invalid at the first of `pairings` that fails; else `rest` if
// that is not valid; else invalid at IPA if `ipa` fails; else valid. (Only when `rest` is valid does `ipa` hold a claim.) A
// claim that nothing was reduced to is an error.
struct Claim {
    std::array<PairingCheck, 3> pairings;  // in the order of their steps
    std::size_t pairing_count = 0;
    Verdict rest = verdict_undecided();
    IpaClaim ipa;

    std::span<const PairingCheck> pairing_checks() const { return std::span(pairings).first(pairing_count); }
};

// Steps 0 to 9 but for the pairings and the IPA equations. strict: see BBIPC_STRICT. The proof's words need only live during
// the call.
void reduce(const Setup& setup, const Key& key, const bbipc_proof& parts, bool strict, const CancelFlag& cancel, Claim& claim);

// verdicts[i] equals what checking claims[i] alone gives. cancels: empty, or one flag per claim.
void check(const Setup& setup, std::span<const Claim* const> claims, std::span<const CancelFlag> cancels,
           const Options& options, std::span<Verdict> verdicts);

BBIPC_END

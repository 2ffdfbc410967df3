// What is left of a proof after its reduction.
#pragma once

#include <array>
#include <span>

#include "../ipa/claim.hpp"
#include "../opening/pairing_check.hpp"

BBIPC_BEGIN

// The verdict is: invalid at the first of `pairings` that fails; else `rest`, if there is such an objection; else invalid at IPA if
// `ipa` fails; else valid. (Only without `rest` does `ipa` hold a claim.) A claim that nothing was reduced to is an error.
struct Claim {
    std::array<PairingCheck, 3> pairings;  // in the order of their steps
    std::size_t pairing_count = 0;
    Objection rest = Rejection::failure("the verification ended without a verdict");
    IpaClaim ipa;

    std::span<const PairingCheck> pairing_checks() const { return std::span(pairings).first(pairing_count); }
};

BBIPC_END

// The first half of a verification (chapter 00 section 5): all that concerns one proof, from its words to the claim that remains.
#pragma once

#include "../../run/options.hpp"
#include "../keys/key.hpp"
#include "../keys/setup.hpp"
#include "claim.hpp"

BBIPC_BEGIN

// A proof to be reduced. Its words and its key need only live during the call.
struct Submission {
    const Key* key;
    const bbipc_proof* proof;
    CancelFlag cancel{};
};

// Steps 0 to 9 but for the pairings and the IPA equations, of several proofs. strict: see BBIPC_STRICT. Their transcripts are hashed
// side by side, so eight at a time are cheapest with LanePath::ifma. What happens to one proof changes nothing for the others.
void reduce_many(const Setup& setup, std::span<const Submission> submissions, bool strict, LanePath path,
                 std::span<Claim* const> claims);

// Of one proof.
void reduce(const Setup& setup, const Key& key, const bbipc_proof& proof, bool strict, const CancelFlag& cancel, LanePath path,
            Claim& claim);

BBIPC_END

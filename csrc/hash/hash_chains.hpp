// Many independent chains of hashes, as many side by side as the machine has lanes.
//
// A hash is sequential, and so is a transcript, whose every hash begins with the one before. But different messages, and the
// transcripts of different proofs, are independent of each other.
#pragma once

#include <span>

#include "../field/field.hpp"
#include "../field/lane_path.hpp"

BBIPC_BEGIN

// What is to be hashed. The chains need not have the same length.
class HashChains {
  public:
    virtual ~HashChains() = default;

    // The next message of a chain, which must live until the next call for this chain; false if the chain has ended. `previous`
    // is the hash of the message before, null in the first call.
    virtual bool next(std::size_t chain, const Fr* previous, std::span<const Fr>& message) = 0;
};

// Hashes (H of chapter 02 section 2) whatever the chains 0 .. count - 1 ask for. A lane whose chain has ended gets the next chain,
// so one that ends early holds up no other. LanePath::ifma only where ifma_supported().
void run_hash_chains(HashChains& chains, std::size_t count, LanePath path);

// hashes[i] = H(messages[i]).
void poseidon2_hash_many(std::span<const std::span<const Fr>> messages, LanePath path, std::span<Fr> hashes);

BBIPC_END

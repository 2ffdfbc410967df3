// The verification key of the hiding kernel (chapter 03 section 1).
#pragma once

#include "../transcript/transcript.hpp"

BBIPC_BEGIN

inline constexpr std::size_t key_words = 115;
inline constexpr std::size_t key_bytes = 32 * key_words;
inline constexpr std::size_t key_commitments = 28;

struct Key {
    u64 log_circuit_size = 0;    // enters the hash only
    u64 num_public_inputs = 0;
    u64 pub_inputs_offset = 0;   // row of the first public input
    G1 commitments[key_commitments];  // in the order of chapter 03 section 1
    Fr hash;
};

// strict: also refuse words that are not below r, or not below 2^64 for the three integers. Fills `key` or `error`.
bool decode_key(const std::uint8_t* bytes, std::size_t length, bool strict, Key& key, Verdict& error);

BBIPC_END

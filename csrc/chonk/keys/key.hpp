// The verification key of the hiding kernel (chapter 03 section 1).
#pragma once

#include "../../transcript/transcript.hpp"

BBIPC_BEGIN

inline constexpr std::size_t key_words = 115;
inline constexpr std::size_t key_bytes = 32 * key_words;
inline constexpr std::size_t key_commitments = 28;

struct Key {
    u64 log_circuit_size = 0;  // enters the hash only
    u64 num_public_inputs = 0;
    u64 pub_inputs_offset = 0;        // row of the first public input
    G1 commitments[key_commitments];  // in the order of chapter 03 section 1
    Fr hash;
};

// Fills `key` or `error`. Words are reduced modulo r and the three integers truncated to 64 bits, as bb does.
bool decode_key(const std::uint8_t* bytes, std::size_t length, Key& key, FormatError& error);

// What BBIPC_STRICT demands beyond that: every word below r, the three integers below 2^64. Says nothing about keys of a wrong
// length.
bool key_is_canonical(const std::uint8_t* bytes, std::size_t length, FormatError& error);

BBIPC_END

// Compressed proofs (chapter 03 section 5): one 32-byte word for each scalar and each point.
#pragma once

#include "proof.hpp"

BBIPC_BEGIN

// out: 32 * (697 + npi) bytes, npi = length of the hiding Oink part - 48. Points need not be on their curve; the parts must
// have their exact lengths.
Unreadable compress_proof(const Proof& proof, std::uint8_t* out, std::size_t out_length);

// out: 32 * (1242 + npi) bytes, npi = in_length / 32 - 697.
Unreadable decompress_proof(const std::uint8_t* in, std::size_t in_length, std::uint8_t* out, std::size_t out_length);

BBIPC_END

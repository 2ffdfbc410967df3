// The five parts of a Chonk proof (chapter 00 section 1, chapter 03 sections 2 and 3).
#pragma once

#include "../../transcript/transcript.hpp"

BBIPC_BEGIN

// Lengths in elements; npi = number of public inputs.
inline constexpr u64 oink_fixed_length = 48;  // npi + 48
inline constexpr u64 merge_length = 41;
inline constexpr u64 eccvm_length = 612;
inline constexpr u64 ipa_length = 64;
inline constexpr u64 joint_length = 477;
inline constexpr u64 fixed_length = oink_fixed_length + merge_length + eccvm_length + ipa_length + joint_length;  // 1242
inline constexpr u64 compressed_fixed_length = 697;  // words of a compressed proof, without the public inputs

inline constexpr u64 io_length = 28;  // public inputs of the hiding kernel that mean something to the verifier (chapter 05)

struct Proof {
    PartView hiding_oink, merge, eccvm, ipa, joint;

    std::size_t total() const { return hiding_oink.count + merge.count + eccvm.count + ipa.count + joint.count; }
};

// The five views of the C ABI's struct. Fills `error` and returns false when an element is not below r.
bool view_proof(const bbipc_proof& parts, Proof& proof, FormatError& error);

// Lengths of the five parts of a flat proof of `total` elements under a key with `num_public_inputs`.
bool split_lengths(u64 total, u64 num_public_inputs, u64 (&lengths)[5], FormatError& error);

BBIPC_END

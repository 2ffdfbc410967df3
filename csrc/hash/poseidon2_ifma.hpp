// The permutation of eight states side by side on AVX-512 IFMA. Only where ifma_supported().
#pragma once

#include "../field/field.hpp"

BBIPC_BEGIN

inline constexpr std::size_t poseidon2_lanes = 8;

// The permutation of chapter 02 section 1 of each state, in place; bit for bit what poseidon2_permute() makes of it.
void poseidon2_permute_ifma(Fr (&states)[poseidon2_lanes][4]);

BBIPC_END

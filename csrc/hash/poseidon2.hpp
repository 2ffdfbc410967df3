// Poseidon2 over Fr with four lanes (chapter 02 sections 1 and 2).
#pragma once

#include <span>

#include "../field/field.hpp"

BBIPC_BEGIN

// The permutation of chapter 02 section 1, in place.
void poseidon2_permute(Fr (&state)[4]);

// H of chapter 02 section 2: the fixed-length sponge. One permutation for every three inputs (and one for an empty list).
Fr poseidon2_hash(std::span<const Fr> input);

// Its steps: one permutation for every three inputs, the last three may be fewer.
void poseidon2_absorb(Fr (&state)[4], std::span<const Fr> input);

BBIPC_END

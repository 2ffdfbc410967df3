// Candidates for eight square roots side by side on AVX-512 IFMA. Only where ifma_supported().
#pragma once

#include "../field/field.hpp"

BBIPC_BEGIN

inline constexpr std::size_t root_lanes = 8;

// a^((q+1)/4) for each element, in place: a square root of it if there is one.
void root_candidates_ifma(Fq (&elements)[root_lanes]);

BBIPC_END

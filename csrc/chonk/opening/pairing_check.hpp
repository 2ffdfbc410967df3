// A postponed pairing check e(P0, [1]_2) * e(P1, [x]_2) = 1 (chapter 01 section 4) and the step it decides.
#pragma once

#include "../../verdict/verdict.hpp"
#include "combination.hpp"

BBIPC_BEGIN

// P0 is kept as its terms. Every point of them is the key's, the setup's or the proof's, and bound before random weights are drawn.
struct PairingCheck {
    std::int32_t step = BBIPC_STEP_NONE;
    Combination<G1Curve> p0{g1_generator()};
    G1 p1;
};

BBIPC_END

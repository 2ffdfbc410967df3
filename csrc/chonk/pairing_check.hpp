// A postponed pairing check e(P0, [1]_2) * e(P1, [x]_2) = 1 (chapter 01 section 4) and the step it decides.
#pragma once

#include "../curve/curve.hpp"
#include "verdict.hpp"

BBIPC_BEGIN

struct PairingCheck {
    std::int32_t step = BBIPC_STEP_NONE;
    G1 p0, p1;
};

BBIPC_END

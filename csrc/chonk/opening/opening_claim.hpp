// A claim about one polynomial, as the inner-product argument proves it.
#pragma once

#include "../../curve/curve.hpp"

BBIPC_BEGIN

// "The polynomial committed to in `commitment` takes `value` at `point`" (chapter 09).
struct OpeningClaim {
    Grumpkin commitment;
    Fq point;
    Fq value;
};

BBIPC_END

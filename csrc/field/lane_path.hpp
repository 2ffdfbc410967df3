// How many elements an operation handles side by side.
#pragma once

#include "../config.hpp"

BBIPC_BEGIN

enum class LanePath {
    scalar,  // one after the other, with the field multiplication of this arithmetic namespace
    ifma     // AVX-512 IFMA, eight lanes; only in the adx namespace and only if ifma_supported()
};

// True if this build has the IFMA code, the CPU its instructions, and the operating system keeps the zmm registers.
bool ifma_supported();

BBIPC_END

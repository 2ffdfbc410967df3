// Which kernel the large multi-scalar multiplication runs on.
#pragma once

#include "../config.hpp"

BBIPC_BEGIN

enum class MsmPath {
    scalar,  // the field multiplication of this arithmetic namespace
    ifma     // AVX-512 IFMA, 8 lanes; only in the adx namespace and only if ifma_supported()
};

// True if this build has the IFMA kernel, the CPU its instructions, and the operating system keeps the zmm registers.
bool ifma_supported();

BBIPC_END

// Contexts of the C ABI for the arithmetic path that a test is compiled for.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "../field/montgomery.hpp"
#include "../include/bbipc_core.h"

using Core = std::unique_ptr<bbipc_core, decltype(&bbipc_core_free)>;

inline Core make_core(std::int32_t arith, const std::uint8_t* g2_x, const std::uint8_t* translator_key) {
    return {bbipc_core_new(g2_x, translator_key, arith, nullptr), bbipc_core_free};
}

// The values of BBIPC_ARITH_... that belong to this path and run here.
inline std::vector<std::int32_t> paths_under_test() {
#if BBIPC_ADX_FIELD
    if (bbipc_arith_supported(BBIPC_ARITH_IFMA) != 0) return {BBIPC_ARITH_ADX, BBIPC_ARITH_IFMA};
    return {BBIPC_ARITH_ADX};
#else
    return {BBIPC_ARITH_PORTABLE};
#endif
}

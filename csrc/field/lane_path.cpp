#include "lane_path.hpp"

#include "../cpu.hpp"
#include "montgomery.hpp"

BBIPC_BEGIN

bool ifma_supported() {
#if BBIPC_ADX_FIELD
    return cpu::has_ifma();
#else
    return false;
#endif
}

BBIPC_END

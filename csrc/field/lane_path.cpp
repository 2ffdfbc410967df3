#include "lane_path.hpp"

#include "montgomery.hpp"

BBIPC_BEGIN

bool ifma_supported() {
#if BBIPC_ADX_FIELD
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512ifma");
#else
    return false;
#endif
}

BBIPC_END

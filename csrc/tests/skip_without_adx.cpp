// Linked into the tests of the adx path: on a machine without its instructions they are skipped, not killed by an illegal one.
#include <cstdlib>

#include "../include/bbipc_core.h"

namespace {

constexpr int skipped = 77;  // what CTest is told to take for "skipped"

[[maybe_unused]] const bool can_run = [] {
    if (bbipc_arith_supported(BBIPC_ARITH_ADX) == 0) std::_Exit(skipped);
    return true;
}();

}  // namespace

// What the processor is said to have, against what the kernel says of it.
#include "../cpu.hpp"

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include "../include/bbipc_core.h"
#include "check.hpp"

namespace {

std::set<std::string> flags() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        if (line.rfind("flags", 0) != 0) continue;
        std::istringstream words(line);
        return {std::istream_iterator<std::string>(words), {}};
    }
    return {};
}

bool has(const std::set<std::string>& flags, std::initializer_list<const char*> names) {
    for (const char* const name : names) {
        if (!flags.contains(name)) return false;
    }
    return true;
}

}  // namespace

int main() {
    const auto known = flags();
    CHECK(bbipc::cpu::has_adx() == has(known, {"adx", "bmi2"}));
    CHECK(bbipc::cpu::has_ifma() == has(known, {"avx512f", "avx512dq", "avx512vl", "avx512ifma"}));
    // No path is offered that the processor lacks.
    CHECK(bbipc_arith_supported(BBIPC_ARITH_ADX) <= (bbipc::cpu::has_adx() ? 1 : 0));
    CHECK(bbipc_arith_supported(BBIPC_ARITH_IFMA) <= (bbipc::cpu::has_adx() && bbipc::cpu::has_ifma() ? 1 : 0));
    return check_result();
}

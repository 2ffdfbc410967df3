#include "cpu.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace bbipc::cpu {

#if defined(__x86_64__)
// By cpuid itself: clang 14's __builtin_cpu_supports does not know "adx". General registers need no support of the system.
bool has_adx() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_BMI2) != 0 && (b & bit_ADX) != 0;
}

bool has_ifma() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512ifma");
}
#else
bool has_adx() { return false; }

bool has_ifma() { return false; }
#endif

}  // namespace bbipc::cpu

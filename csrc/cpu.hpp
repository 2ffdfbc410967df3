// What this processor can do: the one place that asks it. Which code is built is up to csrc/CMakeLists.txt.
#pragma once

namespace bbipc::cpu {

// mulx, adcx and adox.
bool has_adx();

// AVX-512 with all that BBIPC_IFMA (csrc/field/ifma_layout.hpp) names, and an operating system that keeps its registers.
bool has_ifma();

}  // namespace bbipc::cpu

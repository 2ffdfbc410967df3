// The 2^15 Grumpkin generators of the inner-product argument (chapter 01 section 6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "../curve/curve.hpp"

// Defined by embed.cpp: 64-byte aligned, x then y in Montgomery form, 4 little-endian limbs each.
extern "C" [[gnu::visibility("hidden")]] const std::uint8_t bbipc_generators_data[];

BBIPC_BEGIN

inline constexpr std::size_t generator_count = std::size_t{1} << 15;

// Generators 0 .. generator_count - 1, straight from the library's read-only pages.
inline std::span<const Grumpkin> generators() {
    static_assert(sizeof(Grumpkin) == 64 && alignof(Grumpkin) <= 64);
    return {reinterpret_cast<const Grumpkin*>(bbipc_generators_data), generator_count};
}

BBIPC_END

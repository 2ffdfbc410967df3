// 256-bit unsigned integers: four 64-bit limbs, least significant first.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../config.hpp"

BBIPC_BEGIN

using u64 = std::uint64_t;
using u128 = unsigned __int128;

struct U256 {
    u64 limb[4] = {0, 0, 0, 0};

    friend constexpr bool operator==(const U256&, const U256&) = default;

    constexpr bool is_zero() const { return (limb[0] | limb[1] | limb[2] | limb[3]) == 0; }

    constexpr bool bit(unsigned i) const { return ((limb[i / 64] >> (i % 64)) & 1) != 0; }

    // Number of significant bits; 0 for zero.
    constexpr unsigned bit_length() const {
        for (unsigned i = 4; i-- > 0;) {
            if (limb[i] != 0) return 64 * i + 64 - static_cast<unsigned>(__builtin_clzll(limb[i]));
        }
        return 0;
    }

    // Bits first .. first + count - 1 as an integer; count <= 63; bits above 255 read as zero.
    constexpr u64 bits(unsigned first, unsigned count) const {
        if (first >= 256) return 0;
        const unsigned word = first / 64, shift = first % 64;
        u64 value = limb[word] >> shift;
        if (shift != 0 && word < 3) value |= limb[word + 1] << (64 - shift);
        return value & ((u64{1} << count) - 1);
    }

    // Logical shift right by n < 256 bits.
    constexpr U256 shifted_right(unsigned n) const {
        U256 r;
        for (unsigned i = 0; i < 4; ++i) {
            const unsigned word = i + n / 64, shift = n % 64;
            if (word < 4) r.limb[i] = limb[word] >> shift;
            if (shift != 0 && word + 1 < 4) r.limb[i] |= limb[word + 1] << (64 - shift);
        }
        return r;
    }
};

constexpr int compare(const U256& a, const U256& b) {
    for (unsigned i = 4; i-- > 0;) {
        if (a.limb[i] != b.limb[i]) return a.limb[i] < b.limb[i] ? -1 : 1;
    }
    return 0;
}

constexpr bool operator<(const U256& a, const U256& b) { return compare(a, b) < 0; }

// Loops over limbs are unrolled at any level of optimization: limbs are to live in registers. clang knows the pragma, too.

// out = a + b mod 2^256; returns the carry.
constexpr u64 add_carry(U256& out, const U256& a, const U256& b) {
    u128 c = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; ++i) {
        c += u128{a.limb[i]} + b.limb[i];
        out.limb[i] = static_cast<u64>(c);
        c >>= 64;
    }
    return static_cast<u64>(c);
}

// out = a - b mod 2^256; returns the borrow.
constexpr u64 sub_borrow(U256& out, const U256& a, const U256& b) {
    u64 borrow = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; ++i) {
        const u128 d = u128{a.limb[i]} - b.limb[i] - borrow;
        out.limb[i] = static_cast<u64>(d);
        borrow = static_cast<u64>(d >> 64) & 1;
    }
    return borrow;
}

// t3 : t2 : t1 : t0 += a * b; returns the carry. Four words and not an array: sums of products must live in registers.
constexpr u64 add_product(u64& t0, u64& t1, u64& t2, u64& t3, const U256& a, u64 b) {
    u128 c = u128{a.limb[0]} * b + t0;
    t0 = static_cast<u64>(c);
    c = u128{a.limb[1]} * b + t1 + static_cast<u64>(c >> 64);
    t1 = static_cast<u64>(c);
    c = u128{a.limb[2]} * b + t2 + static_cast<u64>(c >> 64);
    t2 = static_cast<u64>(c);
    c = u128{a.limb[3]} * b + t3 + static_cast<u64>(c >> 64);
    t3 = static_cast<u64>(c);
    return static_cast<u64>(c >> 64);
}

// 32 big-endian bytes.
inline U256 load_be(const std::uint8_t* bytes) {
    U256 r;
    for (unsigned i = 0; i < 4; ++i) {
        u64 v = 0;
        for (unsigned j = 0; j < 8; ++j) v = v << 8 | bytes[8 * (3 - i) + j];
        r.limb[i] = v;
    }
    return r;
}

inline void store_be(std::uint8_t* bytes, const U256& a) {
    for (unsigned i = 0; i < 4; ++i) {
        for (unsigned j = 0; j < 8; ++j) bytes[8 * (3 - i) + j] = static_cast<std::uint8_t>(a.limb[i] >> (56 - 8 * j));
    }
}

BBIPC_END

// BLAKE2s-256 without a key (RFC 7693), for the command Blake2s of the wire.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "../config.hpp"

BBIPC_BEGIN

namespace blake2s_detail {

inline constexpr std::array<std::uint32_t, 8> initial_state{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                            0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
inline constexpr std::uint8_t schedule[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

inline void mix(std::uint32_t (&v)[16], unsigned a, unsigned b, unsigned c, unsigned d, std::uint32_t x, std::uint32_t y) {
    v[a] += v[b] + x;
    v[d] = std::rotr(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 12);
    v[a] += v[b] + y;
    v[d] = std::rotr(v[d] ^ v[a], 8);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 7);
}

inline void compress(std::array<std::uint32_t, 8>& state, const std::uint8_t* block, std::uint64_t counted, bool last) {
    std::uint32_t words[16], v[16];
    for (unsigned i = 0; i < 16; ++i) {
        words[i] = static_cast<std::uint32_t>(block[4 * i]) | static_cast<std::uint32_t>(block[4 * i + 1]) << 8 |
                   static_cast<std::uint32_t>(block[4 * i + 2]) << 16 | static_cast<std::uint32_t>(block[4 * i + 3]) << 24;
    }
    for (unsigned i = 0; i < 8; ++i) {
        v[i] = state[i];
        v[i + 8] = initial_state[i];
    }
    v[12] ^= static_cast<std::uint32_t>(counted);
    v[13] ^= static_cast<std::uint32_t>(counted >> 32);
    if (last) v[14] = ~v[14];
    for (const auto& s : schedule) {
        for (unsigned i = 0; i < 4; ++i) mix(v, i, i + 4, i + 8, i + 12, words[s[2 * i]], words[s[2 * i + 1]]);
        for (unsigned i = 0; i < 4; ++i) {
            mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, words[s[8 + 2 * i]], words[s[9 + 2 * i]]);
        }
    }
    for (unsigned i = 0; i < 8; ++i) state[i] ^= v[i] ^ v[i + 8];
}

}  // namespace blake2s_detail

inline void blake2s(const std::uint8_t* data, std::size_t size, std::uint8_t* out) {
    constexpr std::size_t block_bytes = 64;
    auto state = blake2s_detail::initial_state;
    state[0] ^= 0x01010020;  // a digest of 32 bytes, no key, no tree
    std::size_t done = 0;
    for (; size - done > block_bytes; done += block_bytes) {
        blake2s_detail::compress(state, data + done, done + block_bytes, false);
    }
    std::uint8_t last[block_bytes] = {};
    std::copy_n(data + done, size - done, last);
    blake2s_detail::compress(state, last, size, true);
    for (unsigned i = 0; i < 32; ++i) out[i] = static_cast<std::uint8_t>(state[i / 4] >> (8 * (i % 4)));
}

BBIPC_END

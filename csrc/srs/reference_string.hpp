// Reference strings that a client hands over: many points at once, on all threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../curve/curve.hpp"
#include "../field/lane_path.hpp"
#include "../run/random.hpp"

BBIPC_BEGIN

// Points of G1 as x | y, 64 bytes each, from 32 bytes each: x in bits 0 to 254, the parity of y in bit 255. Returns the index of the
// first that is no point (its x is not canonical, or on no point), or `count`. Then all of `out` is written.
std::size_t decompress_g1(const std::uint8_t* words, std::size_t count, unsigned threads, LanePath path, std::uint8_t* out);

// The index of the first of `count` points x | y that is not on the curve, or `count`. Coordinates are reduced first; 64 bytes 0xff
// are the point at infinity, which is allowed.
template <class C>
std::size_t first_off_curve(const std::uint8_t* points, std::size_t count, unsigned threads);

// later = sum c_i P_(i+1) and earlier = sum c_i P_i, for `count` >= 2 points and random c_i of 128 bits; false if a point is not
// canonical or not on the curve. If not all P_(i+1) = x P_i, then later = x earlier with a probability of 2^-128.
bool combine_neighbours(const std::uint8_t* points, std::size_t count, unsigned threads, LanePath path,
                        const RandomSource& source, Jacobian<G1Curve>& later, Jacobian<G1Curve>& earlier);

BBIPC_END

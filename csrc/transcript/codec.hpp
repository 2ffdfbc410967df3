// Encoding of values as Fr elements (chapter 02 section 3): a 254-bit number is two limbs of 136 and 118 bits.
#pragma once

#include "../curve/curve.hpp"

BBIPC_BEGIN

inline constexpr unsigned low_limb_bits = 136;
inline constexpr unsigned high_limb_bits = 118;

enum class DecodeError {
    none,
    low_limb_too_wide,   // lo >= 2^136
    high_limb_too_wide,  // hi >= 2^118
    not_canonical,       // lo + hi * 2^136 >= q
    not_on_curve,
};

const char* describe(DecodeError error);

// lo and hi are canonical integers of the two elements.
DecodeError decode_fq(const U256& lo, const U256& hi, Fq& out);
// limbs: x.lo, x.hi, y.lo, y.hi; four zeros are infinity. failed_limb: which of the four is to blame (0 for the whole point).
DecodeError decode_g1(const U256 (&limbs)[4], G1& out, unsigned& failed_limb);

struct FqLimbs {
    U256 lo, hi;
};
FqLimbs split_fq(const U256& value);

BBIPC_END

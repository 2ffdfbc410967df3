#include "codec.hpp"

BBIPC_BEGIN

const char* describe(DecodeError error) {
    switch (error) {
        case DecodeError::none: return "no error";
        case DecodeError::low_limb_too_wide: return "low limb is not below 2^136";
        case DecodeError::high_limb_too_wide: return "high limb is not below 2^118";
        case DecodeError::not_canonical: return "non-canonical field element: value >= fq::modulus";
        case DecodeError::not_on_curve: return "point is not on the curve";
    }
    return "unknown";
}

DecodeError decode_fq(const U256& lo, const U256& hi, Fq& out) {
    if (lo.bit_length() > low_limb_bits) return DecodeError::low_limb_too_wide;
    if (hi.bit_length() > high_limb_bits) return DecodeError::high_limb_too_wide;
    // 136 = 2 * 64 + 8: the high limb starts at bit 8 of word 2. No bits collide, and none is lost: 136 + 118 = 254.
    const U256 value{{lo.limb[0], lo.limb[1], lo.limb[2] | hi.limb[0] << 8, hi.limb[0] >> 56 | hi.limb[1] << 8}};
    if (!(value < Fq::modulus)) return DecodeError::not_canonical;
    out = Fq::from_int(value);
    return DecodeError::none;
}

FqLimbs split_fq(const U256& value) {
    return {U256{{value.limb[0], value.limb[1], value.limb[2] & 0xff, 0}}, value.shifted_right(low_limb_bits)};
}

DecodeError decode_g1(const U256 (&limbs)[4], G1& out, unsigned& failed_limb) {
    failed_limb = 0;
    if (limbs[0].is_zero() && limbs[1].is_zero() && limbs[2].is_zero() && limbs[3].is_zero()) {
        out = G1::infinity();
        return DecodeError::none;
    }
    G1 point;
    for (unsigned coordinate = 0; coordinate < 2; ++coordinate) {
        const DecodeError error =
            decode_fq(limbs[2 * coordinate], limbs[2 * coordinate + 1], coordinate == 0 ? point.x : point.y);
        if (error != DecodeError::none) {
            failed_limb = 2 * coordinate + (error == DecodeError::high_limb_too_wide ? 1 : 0);
            return error;
        }
    }
    // x = y = 0 would read as infinity below, but its limbs are all zero and were handled above.
    if (!point.is_on_curve()) return DecodeError::not_on_curve;
    out = point;
    return DecodeError::none;
}

BBIPC_END

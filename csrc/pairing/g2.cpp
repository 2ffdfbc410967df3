#include "g2.hpp"

BBIPC_BEGIN

G2Decoding decode_g2(const std::uint8_t* bytes, G2& out) {
    G2 p;
    if (!Fq::from_bytes(bytes, p.x.c0) || !Fq::from_bytes(bytes + 32, p.x.c1) || !Fq::from_bytes(bytes + 64, p.y.c0) ||
        !Fq::from_bytes(bytes + 96, p.y.c1)) {
        return G2Decoding::not_canonical;
    }
    if (!p.is_on_curve()) return G2Decoding::not_on_curve;
    if (!is_in_subgroup(p)) return G2Decoding::not_in_subgroup;
    out = p;
    return G2Decoding::ok;
}

void encode_g2(const G2& point, std::uint8_t* bytes) {
    point.x.c0.to_bytes(bytes);
    point.x.c1.to_bytes(bytes + 32);
    point.y.c0.to_bytes(bytes + 64);
    point.y.c1.to_bytes(bytes + 96);
}

Jacobian<G2Curve> multiply_g2(const G2& point, const U256& scalar) {
    Jacobian<G2Curve> r = Jacobian<G2Curve>::infinity();
    for (unsigned i = scalar.bit_length(); i-- > 0;) {
        r = r.dbl();
        if (scalar.bit(i)) r += point;
    }
    return r;
}

bool is_in_subgroup(const G2& point) { return multiply_g2(point, Fr::modulus).is_infinity(); }

BBIPC_END

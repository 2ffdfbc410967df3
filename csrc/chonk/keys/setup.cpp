#include "setup.hpp"

#include "../../field/hex.hpp"

BBIPC_BEGIN

Setup aztec_setup() {
    return Setup{G2Prepared(g2_generator()), G2Prepared(g2_aztec_x()),
                 G1{hex_element<Fq>("1ddbff0e1f0999f88ffa959e9505e5f489b57d6a7937c17a4d69fc871d5e9221"),
                    hex_element<Fq>("14149055853422bf016065386e8ea0ffb9425b454048e1cd14cfdca457aa7e17")}};
}

const char* decode_setup(const std::uint8_t* g2_x, const std::uint8_t* translator_key, Setup& setup) {
    G2 point;
    switch (decode_g2(g2_x, point)) {
        case G2Decoding::ok: break;
        case G2Decoding::not_canonical: return "g2_x: a coordinate is not below the modulus";
        case G2Decoding::not_on_curve: return "g2_x: the point is not on the twist";
        case G2Decoding::not_in_subgroup: return "g2_x: the point is not in the subgroup of order r";
    }
    if (point.is_infinity()) return "g2_x: the point at infinity is no setup";
    G1 commitment;
    if (!Fq::from_bytes(translator_key, commitment.x) || !Fq::from_bytes(translator_key + 32, commitment.y)) {
        return "translator_key: a coordinate is not below the modulus";
    }
    if (!commitment.is_on_curve()) return "translator_key: the point is not on the curve";
    if (commitment.is_infinity()) return "translator_key: the point at infinity is no setup";
    setup = Setup{G2Prepared(g2_generator()), G2Prepared(point), commitment};
    return nullptr;
}

BBIPC_END

// BN254 G2 (chapter 01 section 4): the points of order r of the sextic twist y^2 = x^3 + 3/(9 + u) over Fq2.
//
// The twist has r (2 q - r) points, so, unlike on G1 and Grumpkin, lying on the curve is not membership. The point
// arithmetic of Jacobian is complete on all of it: its order is odd, hence no point has y = 0.
#pragma once

#include "../curve/curve.hpp"
#include "../field/hex.hpp"
#include "fq2.hpp"

BBIPC_BEGIN

struct G2Curve {
    using Base = Fq2;
    using Scalar = Fr;
    static constexpr Base b();
};

inline constexpr Fq2 derive_twist_b() {  // 3/(9 + u) = 3 (9 - u)/82
    U256 q_minus_2;
    sub_borrow(q_minus_2, Fq::modulus, U256{{2, 0, 0, 0}});
    return xi().conj() * (Fq::from_u64(3) * Fq::from_u64(82).pow(q_minus_2));
}
inline constexpr Fq2 twist_b = derive_twist_b();

constexpr Fq2 G2Curve::b() { return twist_b; }

using G2 = Affine<G2Curve>;

enum class G2Decoding { ok, not_canonical, not_on_curve, not_in_subgroup };

// 128 bytes: x.c0 | x.c1 | y.c0 | y.c1, big-endian; 128 zero bytes are infinity. `out` is unchanged unless the result is ok.
G2Decoding decode_g2(const std::uint8_t* bytes, G2& out);
void encode_g2(const G2& point, std::uint8_t* bytes);

// scalar * point by doubling and adding, right for every point of the twist.
Jacobian<G2Curve> multiply_g2(const G2& point, const U256& scalar);

// r * point = infinity.
bool is_in_subgroup(const G2& point);

// [1]_2, the standard generator (chapter 01 section 4).
inline constexpr G2 g2_generator() {
    return G2{Fq2{hex_element<Fq>("1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"),
                  hex_element<Fq>("198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2")},
              Fq2{hex_element<Fq>("12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"),
                  hex_element<Fq>("090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b")}};
}

// [x]_2 of Aztec's setup (chapter 01 section 4).
inline constexpr G2 g2_aztec_x() {
    return G2{Fq2{hex_element<Fq>("0118c4d5b837bcc2bc89b5b398b5974e9f5944073b32078b7e231fec938883b0"),
                  hex_element<Fq>("260e01b251f6f1c7e7ff4e580791dee8ea51d87a358e038b4efe30fac09383c1")},
              Fq2{hex_element<Fq>("22febda3c0c0632a56475b4214e5615e11e6dd3f96e6cea2854a87d4dacc5e55"),
                  hex_element<Fq>("04fc6369f7110fe3d25156c1bb9a72859cf2a04641f99ba4ee413c80da6a5fe4")}};
}

BBIPC_END

// The optimal ate pairing e: G1 x G2 -> Fq12 of BN254 (chapter 01 section 4).
//
// e(P, Q) = f^(c (q^12 - 1)/r), where f is the Miller function of Q for 6 t + 2 times the lines through the two images of Q
// under Frobenius, at P; and c = 2 t (6 t^2 + 3 t + 1), which is prime to r: c makes the exponentiation cheaper and changes
// no verdict.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "fq12.hpp"
#include "g2.hpp"

BBIPC_BEGIN

// The parameter: q = 36 t^4 + 36 t^3 + 24 t^2 + 6 t + 1, r = q - 6 t^2.
inline constexpr u64 bn_parameter = 4965661367192848881;

// The lines of the Miller loop for one point of G2, which do not depend on the point of G1.
//
// A line of slope m through a point T of the twist has at P the value y_P - m x_P w + (m x_T - y_T) w^3. Divided by y_P,
// which is in Fq and so vanishes in the final exponentiation, it is 1 + (slope (-x_P/y_P) + offset (1/y_P) v) w.
class G2Prepared {
  public:
    struct Line {
        Fq2 slope;
        Fq2 offset;  // m x_T - y_T
    };

    // `point` is infinity or of order r (decode_g2 makes sure of it): then no line is vertical.
    explicit G2Prepared(const G2& point);

    bool is_infinity() const { return lines_.empty(); }
    std::span<const Line> lines() const { return lines_; }  // in the order of use; empty for infinity

  private:
    std::vector<Line> lines_;
};

// Points on their curves; the prepared point outlives the call.
using PairingInput = std::pair<G1, const G2Prepared*>;

// The product of the Miller functions; pairs with a point at infinity contribute 1.
Fq12 miller_loop(std::span<const PairingInput> inputs);

// f^(c (q^12 - 1)/r); zero for zero.
Fq12 final_exponentiation(const Fq12& f);

// The product of e over the inputs; 1 for none.
Fq12 pairing_product(std::span<const PairingInput> inputs);
bool pairing_product_is_one(std::span<const PairingInput> inputs);

BBIPC_END

#include "pairing.hpp"

#include <cassert>

#include "cyclotomic.hpp"
#include "digits.hpp"
#include "frobenius.hpp"

BBIPC_BEGIN

namespace {

constexpr SignedDigits loop_digits = shortened(non_adjacent_form(u128{6} * bn_parameter + 2, 2));
constexpr std::size_t line_count = loop_digits.length - 1 + nonzero_digits(loop_digits) - 1 + 2;

// A line whose slope and offset still lack the division by a common denominator.
struct Fraction {
    Fq2 slope, offset, denominator;
};

// The tangent at T = (X/Z^2, Y/Z^3): slope 3 X^2/(2 Y Z), offset (3 X^3 - 2 Y^2)/(2 Y Z^3).
Fraction tangent(const Jacobian<G2Curve>& t) {
    const Fq2 xx = t.x.sqr();
    const Fq2 xx3 = xx.dbl() + xx;
    const Fq2 zz = t.z.sqr();
    return Fraction{xx3 * zz, xx3 * t.x - t.y.sqr().dbl(), (t.y * t.z * zz).dbl()};
}

// The line through T and Q: slope (y_Q Z^3 - Y)/((x_Q Z^2 - X) Z), and offset m x_Q - y_Q.
Fraction chord(const Jacobian<G2Curve>& t, const G2& q) {
    const Fq2 zz = t.z.sqr();
    const Fq2 rise = q.y * zz * t.z - t.y;
    const Fq2 run = (q.x * zz - t.x) * t.z;
    return Fraction{rise, rise * q.x - run * q.y, run};
}

// An input's point P as the lines need it.
struct Evaluation {
    Fq minus_x_over_y, one_over_y;
    std::span<const G2Prepared::Line> lines;
};

// The finite pairs. False if a y is zero, which no point of G1 has.
bool prepare_evaluations(std::span<const PairingInput> inputs, std::vector<Evaluation>& out) {
    std::vector<Fq> ys;
    for (const auto& [p, q] : inputs) {
        if (p.is_infinity() || q->is_infinity()) continue;
        out.push_back(Evaluation{-p.x, p.y, q->lines()});
        ys.push_back(p.y);
    }
    if (!batch_invert(std::span<Fq>(ys))) return false;
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i].minus_x_over_y *= ys[i];
        out[i].one_over_y = ys[i];
    }
    return true;
}

// f^t in the cyclotomic subgroup: width-4 signed digits over the odd powers up to f^7.
Fq12 power_t(const Fq12& f) {
    constexpr SignedDigits digits = non_adjacent_form(bn_parameter, 4);
    static_assert(digits.digit[digits.length - 1] == 1);
    const Fq12 square = cyclotomic_square(f);
    Fq12 odd_powers[4] = {f};
    for (unsigned i = 1; i < 4; ++i) odd_powers[i] = odd_powers[i - 1] * square;
    Fq12 r = f;
    for (unsigned i = digits.length - 1; i-- > 0;) {
        r = cyclotomic_square(r);
        const int d = digits.digit[i];
        if (d > 0) r *= odd_powers[d / 2];
        if (d < 0) r *= odd_powers[-d / 2].conj();
    }
    return r;
}

// f^((q^6 - 1)(q^2 + 1)), which lies in the cyclotomic subgroup.
Fq12 easy_part(const Fq12& f) {
    const Fq12 g = f.conj() * f.inverse();
    return frobenius<2>(g) * g;
}

// f^(c (q^4 - q^2 + 1)/r) for f in the cyclotomic subgroup (Fuentes-Castaneda, Knapp and Rodriguez-Henriquez): the exponent is
// (1 + 6t + 12t^2 + 12t^3) + (4t + 6t^2 + 12t^3) q + (6t + 6t^2 + 12t^3) q^2 + (-1 + 4t + 6t^2 + 12t^3) q^3.
Fq12 hard_part(const Fq12& f) {
    const Fq12 f_2t = cyclotomic_square(power_t(f));
    const Fq12 f_4t = cyclotomic_square(f_2t);
    const Fq12 f_6t2 = power_t(f_2t * f_4t);
    const Fq12 f_12t3 = power_t(cyclotomic_square(f_6t2));
    const Fq12 common = f_4t * f_6t2 * f_12t3;  // exponent 4t + 6t^2 + 12t^3
    const Fq12 plus_2t = common * f_2t;
    return plus_2t * f_6t2 * f * frobenius<1>(common) * frobenius<2>(plus_2t) * frobenius<3>(common * f.conj());
}

}  // namespace

G2Prepared::G2Prepared(const G2& point) {
    if (point.is_infinity()) return;
    std::vector<Fraction> fractions;
    fractions.reserve(line_count);
    Jacobian<G2Curve> t = Jacobian<G2Curve>::from_affine(point);
    const auto add = [&](const G2& q) {
        fractions.push_back(chord(t, q));
        t += q;
    };
    for (unsigned i = loop_digits.length - 1; i-- > 0;) {
        fractions.push_back(tangent(t));
        t = t.dbl();
        if (loop_digits.digit[i] != 0) add(loop_digits.digit[i] > 0 ? point : -point);
    }
    const G2 image = frobenius(point);
    add(image);
    add(-frobenius(image));

    std::vector<Fq2> inverses;
    inverses.reserve(line_count);
    for (const Fraction& f : fractions) inverses.push_back(f.denominator);
    [[maybe_unused]] const bool none_vertical = batch_invert(std::span<Fq2>(inverses));
    assert(none_vertical);
    lines_.reserve(line_count);
    for (std::size_t i = 0; i < fractions.size(); ++i) {
        lines_.push_back(Line{fractions[i].slope * inverses[i], fractions[i].offset * inverses[i]});
    }
}

Fq12 miller_loop(std::span<const PairingInput> inputs) {
    std::vector<Evaluation> evaluations;
    if (!prepare_evaluations(inputs, evaluations)) return Fq12::zero();
    Fq12 f = Fq12::one();
    std::size_t line = 0;
    const auto multiply_lines = [&] {
        for (const Evaluation& e : evaluations) {
            f = f.mul_by_line(SparseFq6{e.lines[line].slope * e.minus_x_over_y, e.lines[line].offset * e.one_over_y});
        }
        ++line;
    };
    for (unsigned i = loop_digits.length - 1; i-- > 0;) {
        if (line != 0) f = f.sqr();
        multiply_lines();
        if (loop_digits.digit[i] != 0) multiply_lines();
    }
    multiply_lines();  // through T and the image of Q under Frobenius
    multiply_lines();  // and through their sum and minus the second image
    return f;
}

Fq12 final_exponentiation(const Fq12& f) { return hard_part(easy_part(f)); }

Fq12 pairing_product(std::span<const PairingInput> inputs) { return final_exponentiation(miller_loop(inputs)); }

bool pairing_product_is_one(std::span<const PairingInput> inputs) { return pairing_product(inputs).is_one(); }

BBIPC_END

// What the formulas of the relations are written in.
//
// A relation is some hundred multiplications of straight-line code that runs once per verification. So its products are calls:
// inlined, they would be hundreds of kilobytes of code that is always cold. Small integers stand in the formulas as in the
// specification.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <span>

#include "../field/field.hpp"

BBIPC_BEGIN

template <class F>
struct Term {
    F value;

    constexpr Term() = default;
    constexpr Term(const F& v) : value(v) {}  // NOLINT(google-explicit-constructor): evaluations enter formulas as they are

    friend Term operator+(const Term& a, const Term& b) { return sum(a, b); }
    friend Term operator-(const Term& a, const Term& b) { return difference(a, b); }
    friend Term operator*(const Term& a, const Term& b) { return product(a, b); }
    Term operator-() const { return difference(Term(F::zero()), *this); }

    friend Term operator+(const Term& a, u64 k) { return a + integer(k); }
    friend Term operator-(const Term& a, u64 k) { return a - integer(k); }
    friend Term operator-(u64 k, const Term& a) { return integer(k) - a; }
    friend Term operator*(u64 k, const Term& a) { return multiple(k, a); }
    friend Term operator*(const Term& a, u64 k) { return multiple(k, a); }

    friend Term sqr(const Term& a) { return product(a, a); }
    friend Term cube(const Term& a) { return sqr(a) * a; }

    // k as an element of the field, k > 0.
    static Term integer(u64 k) { return multiple(k, Term(F::one())); }

  private:
    [[gnu::noinline]] static Term sum(const Term& a, const Term& b) { return a.value + b.value; }
    [[gnu::noinline]] static Term difference(const Term& a, const Term& b) { return a.value - b.value; }
    [[gnu::noinline]] static Term product(const Term& a, const Term& b) { return a.value * b.value; }

    // k * a for k > 0 by doubling and adding: the integers of the formulas have few bits.
    [[gnu::noinline]] static Term multiple(u64 k, const Term& a) {
        F r = a.value;
        for (int i = 62 - __builtin_clzll(k); i >= 0; --i) {
            r = r.dbl();
            if ((k >> i & 1) != 0) r += a.value;
        }
        return r;
    }
};

// Evaluations under their names. Row has N members of type Term<F>, in the order of the evaluations, and nothing else.
template <class Row, class F, std::size_t N>
Row by_name(std::span<const F, N> evaluations) {
    std::array<F, N> values;
    std::copy(evaluations.begin(), evaluations.end(), values.begin());
    return std::bit_cast<Row>(values);
}

BBIPC_END

// The two prime fields of chapter 01 section 1, in Montgomery form.
//
// Contract of Field<P>: the four limbs always hold a * 2^256 mod p, fully reduced (below p). So equality is equality of limbs,
// zero is all-zero limbs, and every operation takes and returns reduced values. p has 254 bits, so sums of two elements never
// overflow 256 bits.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "inverse.hpp"
#include "montgomery.hpp"
#include "u256.hpp"

BBIPC_BEGIN

// Fq: base field of BN254, scalar field of Grumpkin.
struct FqParams {
    static constexpr U256 modulus{{0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029}};
    static constexpr u64 neg_inverse = 0x87d20782e4866389;  // -p^-1 mod 2^64
    static constexpr unsigned two_adicity = 1;              // p - 1 = 2^1 * odd
    static constexpr u64 non_residue = 0;                   // unused: p = 3 mod 4
};

// Fr: scalar field of BN254, base field of Grumpkin.
struct FrParams {
    static constexpr U256 modulus{{0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029}};
    static constexpr u64 neg_inverse = 0xc2e1f593efffffff;
    static constexpr unsigned two_adicity = 28;
    static constexpr u64 non_residue = 5;  // the least non-square
};

template <class P>
struct Field {
    using Params = P;
    static constexpr U256 modulus = P::modulus;

    U256 m;  // Montgomery form

    constexpr Field() = default;

    static constexpr Field from_montgomery(const U256& limbs) {
        Field r;
        r.m = limbs;
        return r;
    }
    // value < modulus
    static constexpr Field from_int(const U256& value) { return from_montgomery(mont_mul<P>(value, r_squared())); }
    static constexpr Field from_u64(u64 value) { return from_int(U256{{value, 0, 0, 0}}); }
    // Any 256-bit integer, reduced.
    static constexpr Field reduce(U256 value) {
        U256 t;
        while (!(value < modulus)) {  // at most five times: 2^256 < 6 p
            sub_borrow(t, value, modulus);
            value = t;
        }
        return from_int(value);
    }
    // 512-bit integer high * 2^256 + low, reduced.
    static constexpr Field reduce_wide(const U256& high, const U256& low) {
        const Field two_256 = from_montgomery(r_squared());
        return reduce(high) * two_256 + reduce(low);
    }

    static constexpr Field zero() { return Field{}; }
    static constexpr Field one() { return from_montgomery(r_mod_p()); }

    constexpr U256 to_int() const { return mont_mul<P>(m, U256{{1, 0, 0, 0}}); }

    // False if the 32 big-endian bytes are not below the modulus; out is then unchanged.
    static bool from_bytes(const std::uint8_t* bytes, Field& out) {
        const U256 v = load_be(bytes);
        if (!(v < modulus)) return false;
        out = from_int(v);
        return true;
    }
    void to_bytes(std::uint8_t* bytes) const { store_be(bytes, to_int()); }

    constexpr bool is_zero() const { return m.is_zero(); }
    friend constexpr bool operator==(const Field&, const Field&) = default;

    friend constexpr Field operator+(const Field& a, const Field& b) { return from_montgomery(mod_add<P>(a.m, b.m)); }
    friend constexpr Field operator-(const Field& a, const Field& b) { return from_montgomery(mod_sub<P>(a.m, b.m)); }
    friend constexpr Field operator*(const Field& a, const Field& b) { return from_montgomery(mont_mul<P>(a.m, b.m)); }
    constexpr Field operator-() const { return zero() - *this; }
    constexpr Field& operator+=(const Field& b) { return *this = *this + b; }
    constexpr Field& operator-=(const Field& b) { return *this = *this - b; }
    constexpr Field& operator*=(const Field& b) { return *this = *this * b; }

    constexpr Field sqr() const { return from_montgomery(mont_sqr<P>(m)); }
    constexpr Field dbl() const { return *this + *this; }

    // Four bits of the exponent at a time.
    constexpr Field pow(const U256& exponent) const {
        Field powers[16] = {one(), *this};
        for (unsigned i = 2; i < 16; ++i) powers[i] = powers[i - 1] * *this;
        Field r = one();
        for (unsigned first = (exponent.bit_length() + 3) / 4 * 4; first > 0;) {
            first -= 4;
            for (unsigned i = 0; i < 4; ++i) r = r.sqr();
            r *= powers[exponent.bits(first, 4)];
        }
        return r;
    }

    // The inverse; zero for zero. Callers for whom zero is a failure test for it first.
    Field inverse() const { return from_montgomery(mod_divide(r_squared(), m, modulus, P::neg_inverse)); }

    // Some square root; false if there is none (out is then unchanged).
    bool sqrt(Field& out) const;

  private:
    // 2^bits mod p by doublings of 1.
    static constexpr U256 power_of_two(unsigned bits) {
        U256 r{{1, 0, 0, 0}};
        for (unsigned i = 0; i < bits; ++i) r = mod_add<P>(r, r);
        return r;
    }
    // Through constexpr variables, so that no evaluation is left for run time.
    static constexpr U256 r_mod_p() {
        constexpr U256 value = power_of_two(256);
        return value;
    }
    static constexpr U256 r_squared() {
        constexpr U256 value = power_of_two(512);
        return value;
    }
};

using Fq = Field<FqParams>;
using Fr = Field<FrParams>;

// Invert all in place with one inversion. False, and nothing changed, if any of them is zero (a zero would destroy the batch:
// chapter 00 section 4).
template <class F>
[[nodiscard]] bool batch_invert(std::span<F> values, std::vector<F>& scratch) {
    scratch.resize(values.size());
    F product = F::one();
    for (std::size_t i = 0; i < values.size(); ++i) {
        scratch[i] = product;
        product *= values[i];
    }
    if (product.is_zero()) return false;
    F inverse = product.inverse();
    for (std::size_t i = values.size(); i-- > 0;) {
        const F v = values[i];
        values[i] = inverse * scratch[i];
        inverse *= v;
    }
    return true;
}

template <class F>
[[nodiscard]] bool batch_invert(std::span<F> values) {
    std::vector<F> scratch;
    return batch_invert(values, scratch);
}

BBIPC_END

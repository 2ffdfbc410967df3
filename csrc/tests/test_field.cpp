// Field arithmetic of the compiled path against the portable one, and that one against bit-by-bit arithmetic.
#include "../field/field.hpp"
#include "../field/sqrt.hpp"
#include "check.hpp"
#include "random_elements.hpp"

namespace {

using namespace bbipc;

// a * b mod p by doubling and adding; a, b < p.
template <class F>
U256 multiply_bitwise(const U256& a, const U256& b) {
    using P = typename F::Params;
    U256 r{};
    for (unsigned i = 256; i-- > 0;) {
        r = mod_add_portable<P>(r, r);
        if (b.bit(i)) r = mod_add_portable<P>(r, a);
    }
    return r;
}

template <class F>
void test_pair(const F& a, const F& b) {
    const Rule rule("01.1, arithmetic of the fields");
    using P = typename F::Params;
    CHECK((a * b).m == mont_mul_portable<P>(a.m, b.m));
    CHECK((a + b).m == mod_add_portable<P>(a.m, b.m));
    CHECK((a - b).m == mod_sub_portable<P>(a.m, b.m));
    CHECK((a - b) + b == a);
    CHECK((a * b).m < F::modulus && (a + b).m < F::modulus && (a - b).m < F::modulus);
    F aliased = a;
    aliased *= aliased;
    CHECK(aliased == a.sqr() && aliased == a * a);
}

template <class F>
void test_inverse(const F& a) {
    const Rule rule("01.1, inverses");
    const F inverse = a.inverse();
    CHECK(inverse.m < F::modulus);
    CHECK(a.is_zero() ? inverse.is_zero() : a * inverse == F::one());
}

template <class F>
void test_sqrt(const F& a) {
    const Rule rule("01.1, square roots");
    U256 half;
    sub_borrow(half, F::modulus, U256{{1, 0, 0, 0}});
    half = half.shifted_right(1);
    const bool is_square = a.is_zero() || a.pow(half) == F::one();  // Euler
    const F untouched = F::from_u64(12345);
    F root = untouched;
    CHECK(a.sqrt(root) == is_square);
    CHECK(is_square ? root.sqr() == a : root == untouched);
}

template <class F>
void test_roots_of_unity() {
    const Rule rule("01.1, square roots");
    if (F::Params::two_adicity == 1) return;
    U256 odd;
    sub_borrow(odd, F::modulus, U256{{1, 0, 0, 0}});
    F z = F::from_u64(F::Params::non_residue).pow(odd.shifted_right(F::Params::two_adicity));
    for (unsigned order_bits = F::Params::two_adicity; order_bits > 0; --order_bits) {  // z has order 2^order_bits
        test_sqrt(z);
        test_sqrt(z * F::from_u64(49));
        z = z.sqr();
    }
    CHECK(z == F::one());
}

template <class F>
void test_conversions(RandomElements& random) {
    const Rule rule("01.1, numbers and bytes");
    std::uint8_t bytes[32];
    F out = F::from_u64(7);
    store_be(bytes, F::modulus);
    CHECK(!F::from_bytes(bytes, out) && out == F::from_u64(7));
    bytes[31] -= 1;  // both moduli are odd
    CHECK(F::from_bytes(bytes, out) && out == -F::one());
    out.to_bytes(bytes);
    CHECK(load_be(bytes) == (-F::one()).to_int());
    for (u64 k = 0; k < 3; ++k) {  // the modulus and what is just above it
        U256 above;
        add_carry(above, F::modulus, U256{{k, 0, 0, 0}});
        CHECK(F::reduce(above) == F::from_u64(k) && F::reduce(above).m < F::modulus);
    }
    const U256 all_ones{{~u64{0}, ~u64{0}, ~u64{0}, ~u64{0}}};
    F power = F::one();  // 2^256
    for (int i = 0; i < 256; ++i) power = power.dbl();
    CHECK(F::reduce(all_ones) + F::one() == power);
    CHECK(F::reduce_wide(all_ones, all_ones) + F::one() == power.sqr());
    for (int i = 0; i < 100; ++i) {
        const F a = random.element<F>();
        CHECK(F::from_int(a.to_int()) == a);
        a.to_bytes(bytes);
        CHECK(F::from_bytes(bytes, out) && out == a);
    }
}

// Numbers that differ in any bit, and elements that differ in any word, are not equal, and in order; zero is all bits.
template <class F>
void test_comparisons(RandomElements& random) {
    const Rule rule("01.1, numbers are compared by all of their bits");
    for (unsigned bit = 0; bit < 256; ++bit) {
        U256 power{};
        power.limb[bit / 64] = u64{1} << bit % 64;
        CHECK(!power.is_zero() && power != U256{} && U256{} < power && !(power < U256{}) && power.bit_length() == bit + 1);
        std::uint8_t bytes[32];
        store_be(bytes, power);
        CHECK(bytes[31 - bit / 8] == 1 << bit % 8 && load_be(bytes) == power);
        for (int i = 0; i < 4; ++i) {
            const U256 a = random.integer();
            U256 b = a;
            b.limb[bit / 64] ^= u64{1} << bit % 64;
            CHECK(a != b && (a < b) == b.bit(bit) && (b < a) == a.bit(bit) && !(a < a) && a == a);
        }
        if (bit >= 253) continue;  // below both moduli
        const F element = F::from_montgomery(power), other = random.element<F>();
        CHECK(!element.is_zero() && element != F::zero() && -element != element && !(-element).is_zero());
        CHECK(other + element != other && other - element != other);
    }
    CHECK(U256{}.is_zero() && U256{}.bit_length() == 0 && F::zero().is_zero() && F::one() != -F::one());
}

template <class F>
void test_batch_inversion(RandomElements& random) {
    const Rule rule("01.1, inverses, of several at once");
    std::vector<F> values(17);
    for (F& v : values) v = random.element<F>();
    std::vector<F> inverses = values;
    CHECK(batch_invert(std::span<F>(inverses)));
    for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] * inverses[i] == F::one());
    for (F& v : values) {  // a zero at any place
        const F kept = v;
        v = F::zero();
        inverses = values;
        CHECK(!batch_invert(std::span<F>(inverses)) && inverses == values);
        v = kept;
    }
    for (const std::size_t count : {1, 2}) {
        std::vector<F> zeros(count, F::zero());
        CHECK(!batch_invert(std::span<F>(zeros)));
    }
    CHECK(batch_invert(std::span<F>()));
}

template <class F>
void test_field(u64 seed) {
    const Rule rule("01.1, arithmetic of the fields");
    RandomElements random(seed);
    const std::vector<F> edges = edge_elements<F>();
    for (const F& a : edges) {
        for (std::size_t i = 0; i < edges.size(); i += 7) test_pair(a, edges[i]);
        test_pair(a, random.element<F>());
        test_inverse(a);
        test_sqrt(a);
    }
    for (int i = 0; i < 2000; ++i) {
        const F a = random.element<F>(), b = random.element<F>();
        test_pair(a, b);
        test_inverse(a);
        if (i < 100) {
            test_sqrt(a);
            test_sqrt(a.sqr());
            CHECK((a * b).to_int() == multiply_bitwise<F>(a.to_int(), b.to_int()));
            U256 exponent = random.integer().shifted_right(static_cast<unsigned>(random.word() % 256));
            F power = F::one();
            for (unsigned bit = 256; bit-- > 0;) power = exponent.bit(bit) ? power.sqr() * a : power.sqr();
            CHECK(a.pow(exponent) == power);
        }
    }
    test_roots_of_unity<F>();
    test_conversions<F>(random);
    test_comparisons<F>(random);
    test_batch_inversion<F>(random);
    constexpr F at_compile_time = F::from_u64(6) * F::from_u64(7) - F::one() + F::one();
    CHECK(at_compile_time == F::from_u64(42));
}

}  // namespace

int main() {
    test_field<Fq>(1);
    test_field<Fr>(2);
    return check_result();
}

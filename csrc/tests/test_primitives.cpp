// The primitive operations of the C ABI: results by algebraic laws, and every error. (Values: the Python tests, against an
// independent implementation.)
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "../curve/curve.hpp"
#include "../pairing/g2.hpp"
#include "check.hpp"
#include "paths.hpp"
#include "random_elements.hpp"

using namespace bbipc;

namespace {

template <std::size_t N>
using Buffer = std::array<std::uint8_t, N>;

template <class F>
constexpr std::int32_t field_number = std::is_same_v<F, Fr> ? BBIPC_FR : BBIPC_FQ;
template <class C>
constexpr std::int32_t curve_number = std::is_same_v<C, G1Curve> ? BBIPC_G1 : BBIPC_GRUMPKIN;

template <class F>
Buffer<32> encoded(const F& value) {
    Buffer<32> bytes;
    value.to_bytes(bytes.data());
    return bytes;
}
template <class C>
Buffer<64> encoded(const Affine<C>& point) {
    Buffer<64> bytes;
    point.x.to_bytes(bytes.data());
    point.y.to_bytes(bytes.data() + 32);
    return bytes;
}
Buffer<128> encoded(const G2& point) {
    Buffer<128> bytes;
    encode_g2(point, bytes.data());
    return bytes;
}
template <std::size_t N>
void append(std::vector<std::uint8_t>& to, const Buffer<N>& bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}

template <class F>
void test_field(const Core& core, RandomElements& random) {
    const Rule rule("01.1, arithmetic of the fields");
    const auto apply = [&](std::int32_t op, const F& a, const F* b, F& result) {
        const auto left = encoded(a), right = encoded(b != nullptr ? *b : F::zero());
        Buffer<32> out{};
        const std::int32_t status =
            bbipc_field_op(core.get(), field_number<F>, op, left.data(), b != nullptr ? right.data() : nullptr, out.data());
        CHECK(status != BBIPC_OK || F::from_bytes(out.data(), result));
        return status;
    };
    const auto result_is = [&](std::int32_t op, const F& a, const F* b, const F& expected) {
        F result;
        CHECK(apply(op, a, b, result) == BBIPC_OK && result == expected);
    };
    std::vector<F> values = edge_elements<F>();
    values.resize(40);
    for (int i = 0; i < 20; ++i) values.push_back(random.element<F>());
    F ignored;
    for (const F& a : values) {
        const F b = random.element<F>();
        result_is(BBIPC_ADD, a, &b, a + b);
        result_is(BBIPC_SUB, a, &b, a - b);
        result_is(BBIPC_MUL, a, &b, a * b);
        result_is(BBIPC_SQR, a, nullptr, a * a);
        result_is(BBIPC_NEG, a, nullptr, F::zero() - a);
        F inverse, root;
        CHECK(apply(BBIPC_INV, a, nullptr, inverse) == (a.is_zero() ? BBIPC_NO_RESULT : BBIPC_OK));
        CHECK(a.is_zero() || inverse * a == F::one());
        CHECK(apply(BBIPC_SQRT, a * a, nullptr, root) == BBIPC_OK && (root == a || root == -a));
    }
    // A non-square: -1 where p = 3 mod 4, else the least one.
    const F non_square = F::Params::two_adicity == 1 ? -F::one() : F::from_u64(F::Params::non_residue);
    CHECK(apply(BBIPC_SQRT, non_square, nullptr, ignored) == BBIPC_NO_RESULT);
    CHECK(apply(BBIPC_ADD, F::one(), nullptr, ignored) == BBIPC_BAD_ARGUMENT);
    CHECK(apply(BBIPC_SQRT + 1, F::one(), nullptr, ignored) == BBIPC_BAD_ARGUMENT);

    Buffer<32> modulus, out;
    store_be(modulus.data(), F::modulus);
    const auto one = encoded(F::one());
    CHECK(bbipc_field_op(core.get(), field_number<F>, BBIPC_SQR, modulus.data(), nullptr, out.data()) == BBIPC_NOT_CANONICAL);
    CHECK(bbipc_field_op(core.get(), field_number<F>, BBIPC_ADD, one.data(), modulus.data(), out.data()) ==
          BBIPC_NOT_CANONICAL);
    CHECK(bbipc_field_op(core.get(), 2, BBIPC_SQR, one.data(), nullptr, out.data()) == BBIPC_BAD_ARGUMENT);

    Buffer<64> wide;
    const U256 high = random.integer(), low = random.integer();
    store_be(wide.data(), high);
    store_be(wide.data() + 32, low);
    CHECK(bbipc_field_reduce512(core.get(), field_number<F>, wide.data(), out.data()) == BBIPC_OK);
    F two_256 = F::one();
    for (int i = 0; i < 256; ++i) two_256 = two_256.dbl();
    CHECK(out == encoded(F::reduce(high) * two_256 + F::reduce(low)));
    CHECK(bbipc_field_reduce512(core.get(), 2, wide.data(), out.data()) == BBIPC_BAD_ARGUMENT);
}

template <class C>
void test_curve(const Core& core, RandomElements& random) {
    const Rule rule("01.2, 01.3 and 01.7, points and their sums");
    using Scalar = typename C::Scalar;
    constexpr std::int32_t curve = curve_number<C>;
    Buffer<64> out{}, other{};
    const auto p = random.point<C>(), q = random.point<C>();
    const auto infinity = encoded(Affine<C>::infinity()), p_bytes = encoded(p), q_bytes = encoded(q);
    const auto add = [&](const Buffer<64>& a, const Buffer<64>& b) {
        return bbipc_point_add(core.get(), curve, a.data(), b.data(), out.data());
    };
    CHECK(add(p_bytes, infinity) == BBIPC_OK && out == p_bytes);
    CHECK(add(infinity, p_bytes) == BBIPC_OK && out == p_bytes);
    CHECK(add(p_bytes, encoded(-p)) == BBIPC_OK && out == infinity);
    CHECK(add(p_bytes, q_bytes) == BBIPC_OK && out == encoded((Jacobian<C>::from_affine(q) + p).to_affine()));
    CHECK(add(p_bytes, p_bytes) == BBIPC_OK);
    const auto two = encoded(Scalar::from_u64(2)), minus_one = encoded(-Scalar::one()), zero = encoded(Scalar::zero());
    CHECK(bbipc_point_mul(core.get(), curve, p_bytes.data(), two.data(), other.data()) == BBIPC_OK && other == out);
    CHECK(bbipc_point_mul(core.get(), curve, p_bytes.data(), minus_one.data(), out.data()) == BBIPC_OK && out == encoded(-p));
    CHECK(bbipc_point_mul(core.get(), curve, p_bytes.data(), zero.data(), out.data()) == BBIPC_OK && out == infinity);

    Buffer<64> off_curve = p_bytes, wide = p_bytes;
    off_curve[63] ^= 1;
    store_be(wide.data(), C::Base::modulus);
    Buffer<32> wide_scalar;
    store_be(wide_scalar.data(), Scalar::modulus);
    for (const auto& [bad, status] : {std::pair{off_curve, BBIPC_NOT_ON_CURVE}, std::pair{wide, BBIPC_NOT_CANONICAL}}) {
        CHECK(add(bad, p_bytes) == status && add(p_bytes, bad) == status);
        CHECK(bbipc_point_mul(core.get(), curve, bad.data(), two.data(), out.data()) == status);
        CHECK(bbipc_point_msm(core.get(), curve, bad.data(), two.data(), 1, out.data()) == status);
    }
    CHECK(bbipc_point_mul(core.get(), curve, p_bytes.data(), wide_scalar.data(), out.data()) == BBIPC_NOT_CANONICAL);
    CHECK(bbipc_point_msm(core.get(), curve, p_bytes.data(), wide_scalar.data(), 1, out.data()) == BBIPC_NOT_CANONICAL);
    CHECK(bbipc_point_add(core.get(), 2, p_bytes.data(), p_bytes.data(), out.data()) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_point_mul(core.get(), 2, p_bytes.data(), two.data(), out.data()) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_point_msm(core.get(), 2, p_bytes.data(), two.data(), 1, out.data()) == BBIPC_BAD_ARGUMENT);
    // Refused before anything is read.
    CHECK(bbipc_point_msm(core.get(), curve, p_bytes.data(), two.data(), (1 << 24) + 1, out.data()) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_point_batch_mul(core.get(), curve, p_bytes.data(), two.data(), ~std::uint64_t{0}, out.data()) ==
          BBIPC_OUT_OF_MEMORY);

    std::vector<std::uint8_t> points, scalars;
    const Scalar k = random.element<Scalar>();
    Jacobian<C> sum = Jacobian<C>::infinity();
    for (int i = 0; i < 9; ++i) {
        const auto point = i == 4 ? Affine<C>::infinity() : random.point<C>();
        append(points, encoded(point));
        append(scalars, encoded(k));
        sum += point;
    }
    const auto sum_bytes = encoded(sum.to_affine());
    const auto k_bytes = encoded(k);
    CHECK(bbipc_point_mul(core.get(), curve, sum_bytes.data(), k_bytes.data(), other.data()) == BBIPC_OK);
    CHECK(bbipc_point_msm(core.get(), curve, points.data(), scalars.data(), 9, out.data()) == BBIPC_OK && out == other);
    std::vector<std::uint8_t> multiples(points.size());
    CHECK(bbipc_point_batch_mul(core.get(), curve, points.data(), k_bytes.data(), 9, multiples.data()) == BBIPC_OK);
    for (std::size_t i = 0; i < 9; ++i) {
        CHECK(bbipc_point_mul(core.get(), curve, &points[64 * i], k_bytes.data(), out.data()) == BBIPC_OK);
        CHECK(std::memcmp(&multiples[64 * i], out.data(), 64) == 0);
    }
    CHECK(bbipc_point_msm(core.get(), curve, nullptr, nullptr, 0, out.data()) == BBIPC_OK && out == infinity);
}

void test_generators(const Core& core, RandomElements& random) {
    const Rule rule("01.6, the generators");
    std::vector<std::uint8_t> table(64 * 3), scalars;
    CHECK(bbipc_generators(core.get(), 32765, 3, table.data()) == BBIPC_OK);
    CHECK(bbipc_generators(core.get(), 32765, 4, table.data()) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_generators(core.get(), 32769, 0, table.data()) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_generators(core.get(), 1, ~std::uint64_t{0}, table.data()) == BBIPC_BAD_ARGUMENT);
    CHECK(bbipc_generators(core.get(), 0, 3, table.data()) == BBIPC_OK);
    for (int i = 0; i < 3; ++i) append(scalars, encoded(random.element<Fq>()));
    Buffer<64> out, expected;
    CHECK(bbipc_point_msm(core.get(), BBIPC_GRUMPKIN, table.data(), scalars.data(), 3, expected.data()) == BBIPC_OK);
    CHECK(bbipc_generators_msm(core.get(), scalars.data(), 3, 0, out.data()) == BBIPC_OK && out == expected);
    CHECK(bbipc_generators_msm(core.get(), scalars.data(), 32769, 1, out.data()) == BBIPC_BAD_ARGUMENT);
    store_be(scalars.data(), Fq::modulus);
    CHECK(bbipc_generators_msm(core.get(), scalars.data(), 3, 1, out.data()) == BBIPC_NOT_CANONICAL);
}

void test_pairing(const Core& core, RandomElements& random) {
    const Rule rule("01.4, pairings");
    const Fr a = random.element<Fr>(), b = random.element<Fr>();
    const auto a_bytes = encoded(a), b_bytes = encoded(b), ab_bytes = encoded(-(a * b));
    const auto g1 = encoded(g1_generator());
    const auto g2 = encoded(g2_generator());
    std::vector<std::uint8_t> left(128), right(256);
    // e(a G1, b G2) e(-ab G1, G2) = 1
    CHECK(bbipc_point_mul(core.get(), BBIPC_G1, g1.data(), a_bytes.data(), left.data()) == BBIPC_OK);
    CHECK(bbipc_point_mul(core.get(), BBIPC_G1, g1.data(), ab_bytes.data(), &left[64]) == BBIPC_OK);
    CHECK(bbipc_g2_mul(core.get(), g2.data(), b_bytes.data(), right.data()) == BBIPC_OK);
    std::copy(g2.begin(), g2.end(), &right[128]);
    std::int32_t is_one = 7;
    Buffer<384> product, one{};
    one[31] = 1;
    CHECK(bbipc_pairing(core.get(), left.data(), right.data(), 2, &is_one, product.data()) == BBIPC_OK);
    CHECK(is_one == 1 && product == one);
    CHECK(bbipc_pairing(core.get(), left.data(), right.data(), 1, &is_one, product.data()) == BBIPC_OK);
    CHECK(is_one == 0 && product != one);
    CHECK(bbipc_pairing(core.get(), nullptr, nullptr, 0, &is_one, nullptr) == BBIPC_OK && is_one == 1);

    is_one = 1;
    std::vector<std::uint8_t> bad = left;
    bad[63] ^= 1;
    CHECK(bbipc_pairing(core.get(), bad.data(), right.data(), 2, &is_one, nullptr) == BBIPC_NOT_ON_CURVE && is_one == 0);
    bad = right;
    bad[127] ^= 1;
    CHECK(bbipc_pairing(core.get(), left.data(), bad.data(), 2, &is_one, nullptr) == BBIPC_NOT_ON_CURVE && is_one == 0);
    Buffer<128> out;
    CHECK(bbipc_g2_mul(core.get(), bad.data(), b_bytes.data(), out.data()) == BBIPC_NOT_ON_CURVE);
    store_be(bad.data(), Fq::modulus);
    CHECK(bbipc_g2_mul(core.get(), bad.data(), b_bytes.data(), out.data()) == BBIPC_NOT_CANONICAL);
    Buffer<32> wide;
    store_be(wide.data(), Fr::modulus);
    CHECK(bbipc_g2_mul(core.get(), g2.data(), wide.data(), out.data()) == BBIPC_NOT_CANONICAL);
    const auto zero = encoded(Fr::zero());
    CHECK(bbipc_g2_mul(core.get(), g2.data(), zero.data(), out.data()) == BBIPC_OK && out == (Buffer<128>{}));
}

void test_hash(const Core& core) {
    const Rule rule("02.2, the hash");
    Buffer<128> state{}, out;
    CHECK(bbipc_poseidon2_permute(core.get(), state.data(), out.data()) == BBIPC_OK && out != state);
    Buffer<32> hash, other;
    CHECK(bbipc_poseidon2_hash(core.get(), state.data(), 4, hash.data()) == BBIPC_OK);
    CHECK(bbipc_poseidon2_hash(core.get(), state.data(), 3, other.data()) == BBIPC_OK && hash != other);  // the length counts
    CHECK(bbipc_poseidon2_hash(core.get(), nullptr, 0, other.data()) == BBIPC_OK && hash != other);
    const std::uint64_t counts[3] = {3, 0, 1};  // messages of three, no and one word
    Buffer<96> many;
    CHECK(bbipc_poseidon2_hash_many(core.get(), state.data(), counts, 3, many.data()) == BBIPC_OK);
    CHECK(bbipc_poseidon2_hash(core.get(), state.data(), 3, hash.data()) == BBIPC_OK &&
          std::equal(hash.begin(), hash.end(), many.begin()));
    CHECK(std::equal(other.begin(), other.end(), many.begin() + 32));
    CHECK(bbipc_poseidon2_hash(core.get(), state.data(), 1, hash.data()) == BBIPC_OK &&
          std::equal(hash.begin(), hash.end(), many.begin() + 64));
    CHECK(bbipc_poseidon2_hash_many(core.get(), nullptr, nullptr, 0, nullptr) == BBIPC_OK);
    CHECK(bbipc_poseidon2_hash(core.get(), state.data(), 4, hash.data()) == BBIPC_OK);
    Buffer<128> sponge{};
    sponge[119] = 4;  // 2^64 times four words, which come in two calls
    CHECK(bbipc_poseidon2_absorb(core.get(), sponge.data(), state.data(), 3) == BBIPC_OK);
    CHECK(bbipc_poseidon2_absorb(core.get(), sponge.data(), state.data() + 96, 1) == BBIPC_OK);
    CHECK(std::equal(hash.begin(), hash.end(), sponge.begin()));
    store_be(state.data() + 64, Fr::modulus);
    CHECK(bbipc_poseidon2_hash_many(core.get(), state.data(), counts, 3, many.data()) == BBIPC_NOT_CANONICAL);
    CHECK(bbipc_poseidon2_permute(core.get(), state.data(), out.data()) == BBIPC_NOT_CANONICAL);
    CHECK(bbipc_poseidon2_absorb(core.get(), state.data(), out.data(), 0) == BBIPC_NOT_CANONICAL);
    CHECK(bbipc_poseidon2_absorb(core.get(), sponge.data(), state.data(), 3) == BBIPC_NOT_CANONICAL);
    CHECK(bbipc_poseidon2_hash(core.get(), state.data(), 4, hash.data()) == BBIPC_NOT_CANONICAL);
}

}  // namespace

int main() {
    RandomElements random(11);
    for (const std::int32_t arith : paths_under_test()) {
        const Core core = make_core(arith, nullptr, nullptr);
        test_field<Fr>(core, random);
        test_field<Fq>(core, random);
        test_curve<G1Curve>(core, random);
        test_curve<GrumpkinCurve>(core, random);
        test_generators(core, random);
        test_pairing(core, random);
        test_hash(core);
    }
    return check_result();
}

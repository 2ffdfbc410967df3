// Multi-scalar multiplications against double-and-add, with the points and scalars an adversary would choose.
#include <functional>
#include <vector>

#include "../generators/generators.hpp"
#include "../generators/generators_msm.hpp"
#include "../msm/large_msm.hpp"
#include "../msm/msm.hpp"
#include "../msm/scratch.hpp"
#include "check.hpp"
#include "random_elements.hpp"
#if BBIPC_ADX_FIELD
#include "../msm/kernel_ifma.hpp"
#endif

namespace {

using namespace bbipc;

template <class C>
Affine<C> multiply_naively(const Affine<C>& point, const U256& k) {
    Jacobian<C> r = Jacobian<C>::infinity();
    for (unsigned i = k.bit_length(); i-- > 0;) {
        r = r.dbl();
        if (k.bit(i)) r += point;
    }
    return r.to_affine();
}

// One chain of doublings for all points.
template <class C>
Affine<C> msm_naively(std::span<const Affine<C>> points, std::span<const typename C::Scalar> scalars) {
    std::vector<U256> integers;
    for (const auto& s : scalars) integers.push_back(s.to_int());
    Jacobian<C> r = Jacobian<C>::infinity();
    for (unsigned bit = 256; bit-- > 0;) {
        r = r.dbl();
        for (std::size_t i = 0; i < points.size(); ++i) {
            if (integers[i].bit(bit)) r += points[i];
        }
    }
    return r.to_affine();
}

template <class C>
void test_endomorphism(RandomElements& random) {
    const Rule rule("01.7, multiples of points");
    using Scalar = typename C::Scalar;
    const Scalar lambda = Scalar::from_int(Endomorphism<C>::lambda);
    const auto from_signed = [](i128 k) {
        const u128 magnitude = k < 0 ? u128{0} - static_cast<u128>(k) : static_cast<u128>(k);
        const Scalar s = Scalar::from_int(U256{{static_cast<u64>(magnitude), static_cast<u64>(magnitude >> 64), 0, 0}});
        return k < 0 ? -s : s;
    };
    const auto check_split = [&](const Scalar& k) {
        const SplitScalar halves = split_scalar<C>(k.to_int());
        CHECK(from_signed(halves.k1) + from_signed(halves.k2) * lambda == k);
        constexpr i128 bound = make_i128(0x7aa0000000000000, 0);  // 0.958 * 2^127
        CHECK(halves.k1 < bound && halves.k1 > -bound && halves.k2 < bound && halves.k2 > -bound);
    };
    for (const Scalar& k : edge_elements<Scalar>()) check_split(k);
    for (int i = 0; i < 2000; ++i) check_split(random.element<Scalar>());
    for (i128 c : {i128{0}, i128{1}, Endomorphism<C>::a1, Endomorphism<C>::a2, Endomorphism<C>::b1, Endomorphism<C>::b2}) {
        for (int i = -2; i <= 2; ++i) {  // around the corners of the lattice's cells
            check_split(from_signed(c) * lambda + from_signed(i));
            check_split(from_signed(c) + from_signed(i) * lambda);
        }
    }
    const Affine<C> p = random.point<C>();
    CHECK(multiply_naively(p, Endomorphism<C>::lambda) == Affine<C>{p.x * endomorphism_beta<C>(), p.y});
}

// A few points with many coincidences: P, -P, P again, 2P, P + Q, their images under the endomorphism, unrelated ones; perhaps
// infinity.
template <class C>
std::vector<Affine<C>> coincident_points(RandomElements& random, std::size_t count, bool with_infinity) {
    const Affine<C> p = random.point<C>(), q = random.point<C>();
    std::vector<Affine<C>> pool{p, -p, q, -q};
    pool.push_back(Jacobian<C>::from_affine(p).dbl().to_affine());
    pool.push_back((Jacobian<C>::from_affine(p) + q).to_affine());
    pool.push_back(-pool.back());
    pool.push_back(Affine<C>{p.x * endomorphism_beta<C>(), p.y});
    pool.push_back(Affine<C>{q.x * endomorphism_beta<C>(), -q.y});
    pool.push_back(random.point<C>());
    if (with_infinity) pool.push_back(Affine<C>::infinity());
    std::vector<Affine<C>> points(count);
    for (auto& point : points) point = pool[random.word() % pool.size()];
    return points;
}

template <class Kernel>
void test_segmented_sum(RandomElements& random) {
    const Rule rule("01.7, sums of points");
    using C = typename Kernel::Curve;
    using Point = typename Kernel::Point;
    for (int repetition = 0; repetition < 20; ++repetition) {
        std::vector<Affine<C>> points = coincident_points<C>(random, 64, false);
        if (repetition % 2 == 0) {  // no coincidences: the path without exceptions
            for (auto& p : points) p = random.point<C>();
        }
        std::vector<Point> table(points.size()), images(points.size());
        Kernel::load_with_images(points.data(), points.size(), endomorphism_beta<C>(), table.data(), images.data());
        std::vector<std::uint32_t> codes, bounds{0};
        std::vector<Affine<C>> expected;
        std::size_t slots = 0;
        for (std::size_t s = 0; s < 60; ++s) {
            const std::size_t size = s < 40 ? s : random.word() % 9;
            Jacobian<C> sum = Jacobian<C>::infinity();
            for (std::size_t i = 0; i < size; ++i) {
                const std::size_t index =
                    repetition % 3 == 0 && s % 2 == 0 ? 0 : random.word() % points.size();  // also: all the same
                const bool negative = repetition % 4 < 2 && (random.word() & 1) != 0;
                codes.push_back(point_code(index, negative));
                sum += negative ? -points[index] : points[index];
            }
            bounds.push_back(static_cast<std::uint32_t>(codes.size()));
            expected.push_back(sum.to_affine());
            slots += segment_slots(size);
        }
        std::vector<Point> sums(expected.size());
        SegmentedSum<Kernel> engine(slots);
        for (int again = 0; again < 2; ++again) {  // the workspace serves any number of calls
            engine(table.data(), codes.data(), bounds, sums.data());
            for (std::size_t s = 0; s < expected.size(); ++s) {
                CHECK(Kernel::is_infinity(sums[s]) == expected[s].is_infinity());
                CHECK(Kernel::to_affine(sums[s]) == expected[s]);
            }
        }
    }
}

template <class F>
std::vector<std::function<F(std::size_t)>> scalar_shapes(RandomElements& random) {
    const F a = random.element<F>(), b = random.element<F>();
    return {
        [](std::size_t) { return F::zero(); },
        [](std::size_t) { return F::one(); },
        [](std::size_t) { return -F::one(); },
        [a](std::size_t) { return a; },
        [](std::size_t i) { return F::from_u64(2).pow(U256{{i % 254, 0, 0, 0}}); },
        [](std::size_t i) { return -F::from_u64(2).pow(U256{{i % 254, 0, 0, 0}}); },
        [](std::size_t i) { return F::from_u64(i % 3); },
        [](std::size_t i) { return i % 2 == 0 ? F::from_u64(4096) : -F::from_u64(4096); },
        [a, b](std::size_t i) {
            return (i & 1 ? a : F::one()) * (i & 2 ? b : F::one()) * (i & 4 ? a.sqr() : F::one()) * F::from_u64(1 + i / 8);
        },
        [&random](std::size_t) { return random.element<F>(); },
        [&random](std::size_t) { return F::from_int(random.integer().shifted_right(129)); },
    };
}

template <class Msm, class C>
void test_points(RandomElements& random, const std::vector<Affine<C>>& points, const Msm& compute) {
    const Rule rule("01.7, sums of multiples");
    using Scalar = typename C::Scalar;
    for (const auto& shape : scalar_shapes<Scalar>(random)) {
        std::vector<Scalar> scalars(points.size());
        for (std::size_t i = 0; i < scalars.size(); ++i) scalars[i] = shape(i);
        CHECK(compute(points, scalars) == msm_naively<C>(points, scalars));
    }
}

template <class Msm, class C>
void test_sizes(RandomElements& random, std::initializer_list<std::size_t> sizes, const Msm& compute) {
    const Rule rule("01.7, sums of multiples");
    for (const std::size_t size : sizes) {
        test_points<Msm, C>(random, coincident_points<C>(random, size, true), compute);
        std::vector<Affine<C>> points(size);
        for (auto& p : points) p = random.point<C>();
        test_points<Msm, C>(random, points, compute);
    }
}

template <class Kernel>
void test_large_msm(RandomElements& random) {
    const Rule rule("01.7, sums of multiples");
    using C = typename Kernel::Curve;
    const auto compute = [](const std::vector<Affine<C>>& points, const std::vector<typename C::Scalar>& scalars) {
        // In two lists of terms, as the verifier gives its own points beside the generators.
        const std::size_t first = points.size() / 3;
        const std::span<const Affine<C>> all(points);
        std::vector<U256> integers;
        for (const auto& scalar : scalars) integers.push_back(scalar.to_int());
        const MsmTerms<C> terms[2] = {{all.first(first), integers.data()}, {all.subspan(first), integers.data() + first}};
        // One thread takes window after window, two take all of them together.
        const Affine<C> sum = large_msm<Kernel>(terms, 1).to_affine();
        CHECK(large_msm<Kernel>(terms, 2).to_affine() == sum);
        return sum;
    };
    test_sizes<decltype(compute), C>(random, {0, 1, 2, 7, 150}, compute);
    // Coincidences in every batch of additions, and batches of full size.
    const std::vector<Affine<C>> points = coincident_points<C>(random, 6000, true);
    std::vector<typename C::Scalar> scalars(points.size());
    for (auto& s : scalars) s = random.element<typename C::Scalar>();
    CHECK(compute(points, scalars) == msm_naively<C>(points, scalars));
}

template <class C>
void test_small_msm(RandomElements& random, LanePath path) {
    const Rule rule("01.7, sums of multiples");
    const auto compute = [path](const std::vector<Affine<C>>& points, const std::vector<typename C::Scalar>& scalars) {
        return msm<C>(points, scalars, path).to_affine();
    };
    test_sizes<decltype(compute), C>(random, {0, 1, 2, 5, 8, 16, 33, 96, 127, 200}, compute);
    for (const auto& k : edge_elements<typename C::Scalar>()) {
        const Affine<C> p = random.point<C>();
        CHECK(scalar_mul<C>(p, k).to_affine() == multiply_naively(p, k.to_int()));
    }
    CHECK(scalar_mul<C>(Affine<C>::infinity(), C::Scalar::from_u64(5)).is_infinity());
}

void test_generators_msm(RandomElements& random, LanePath path) {
    const Rule rule("09.3, sums over the generators");
    const auto compute = [path](const std::vector<Fq>& scalars, unsigned threads) {
        return generators_msm(scalars.data(), scalars.size(), threads, path).to_affine();
    };
    Jacobian<GrumpkinCurve> total = Jacobian<GrumpkinCurve>::infinity();
    for (const Grumpkin& g : generators()) total += g;
    for (const U256& k : {U256{}, U256{{1, 0, 0, 0}}, (-Fq::one()).to_int(), U256{{0, 0, 1, 0}}, U256{{4096, 0, 0, 0}},
                          random.element<Fq>().to_int()}) {
        const std::vector<Fq> equal(generator_count, Fq::from_int(k));
        const Grumpkin expected = multiply_naively(total.to_affine(), k);
        CHECK(compute(equal, 2) == expected);
        CHECK(compute(equal, 1) == expected);  // empty windows before full ones: the workspace grows
    }
    std::vector<Fq> tensor{Fq::one()};
    while (tensor.size() < generator_count) {
        const Fq d = random.element<Fq>();
        for (std::size_t j = 0, size = tensor.size(); j < size; ++j) tensor.push_back(tensor[j] * d);
    }
    const Grumpkin expected = msm_naively<GrumpkinCurve>(generators(), tensor);
    for (const unsigned threads : {0U, 1U, 2U, 5U}) CHECK(compute(tensor, threads) == expected);
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{513}, std::size_t{1000}}) {
        std::vector<Fq> scalars(count);
        for (Fq& s : scalars) s = random.element<Fq>();
        CHECK(compute(scalars, 1) == msm_naively<GrumpkinCurve>(generators().first(count), scalars));
        // Extra points, among them generators and infinity, whose sums meet those of the table.
        std::vector<Grumpkin> extra = coincident_points<GrumpkinCurve>(random, count, true);
        if (count > 1) extra[0] = generators()[5], extra[1] = -generators()[6];
        std::vector<U256> integers;
        for (const Fq& scalar : tensor) integers.push_back(scalar.to_int());
        const Grumpkin sum = generators_msm_with(integers.data(), extra, scalars, 2, path).to_affine();
        const auto expected_extra = Jacobian<GrumpkinCurve>::from_affine(msm_naively<GrumpkinCurve>(extra, scalars));
        CHECK(sum == (expected_extra + expected).to_affine());
    }
}

void test_scratch() {
    const Rule rule("architecture: scratch memory");
    constexpr std::size_t line = 64, large_page = std::size_t{1} << 21;
    for (const std::size_t bytes :
         {std::size_t{0}, std::size_t{1}, std::size_t{100'000}, large_page / 2, 5 * large_page / 2, 3 * large_page}) {
        Scratch scratch(Scratch::size<std::uint8_t>(bytes) + Scratch::size<std::uint32_t>(7));
        auto* const first = scratch.take<std::uint8_t>(bytes);
        auto* const second = scratch.take<std::uint32_t>(7);
        CHECK(reinterpret_cast<std::uintptr_t>(first) % large_page == 0);
        CHECK(reinterpret_cast<std::uintptr_t>(second) % line == 0);
        CHECK(reinterpret_cast<std::uint8_t*>(second) >= first + bytes);
        bool zero = true;
        for (std::size_t i = 0; i < bytes; ++i) {
            zero = zero && first[i] == 0;
            first[i] = 0xff;
        }
        for (std::size_t i = 0; i < 7; ++i) zero = zero && second[i] == 0;
        CHECK(zero);
        bool refused = false;
        try {
            scratch.take<std::uint8_t>(2 * large_page);
        } catch (const std::bad_alloc&) {
            refused = true;
        }
        CHECK(refused);
    }
}

template <class Kernel>
void test_kernel(RandomElements& random) {
    const Rule rule("01.7, sums of points");
    test_segmented_sum<Kernel>(random);
    test_large_msm<Kernel>(random);
}

}  // namespace

int main() {
    RandomElements random(3);
    test_scratch();
    test_endomorphism<G1Curve>(random);
    test_endomorphism<GrumpkinCurve>(random);
    test_small_msm<G1Curve>(random, LanePath::scalar);
    test_small_msm<GrumpkinCurve>(random, LanePath::scalar);
    test_kernel<ScalarKernel<G1Curve>>(random);
    test_kernel<ScalarKernel<GrumpkinCurve>>(random);
    test_generators_msm(random, LanePath::scalar);
#if BBIPC_ADX_FIELD
    if (ifma_supported()) {
        test_kernel<IfmaKernel<G1Curve>>(random);
        test_kernel<IfmaKernel<GrumpkinCurve>>(random);
        test_small_msm<G1Curve>(random, LanePath::ifma);
        test_small_msm<GrumpkinCurve>(random, LanePath::ifma);
        test_generators_msm(random, LanePath::ifma);
    }
#endif
    return check_result();
}

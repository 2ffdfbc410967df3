#include "reference_string.hpp"

#include <algorithm>
#include <atomic>
#include <span>
#include <vector>

#include "../field/sqrt.hpp"
#include "../msm/large_msm.hpp"
#include "../msm/parallel.hpp"
#if BBIPC_ADX_FIELD
#include "../msm/kernel_ifma.hpp"
#include "roots_ifma.hpp"
#endif

BBIPC_BEGIN

namespace {

constexpr std::size_t piece_points = 512;    // of work that a thread takes at a time
constexpr std::size_t sum_points = 1 << 14;  // of one multi-scalar multiplication: its memory is about 10 MiB
constexpr std::size_t lanes = 8;

// Runs find(first, last) on pieces; it gives the first index in them that fails, or `last`. Returns the first of all, or `count`.
template <class Find>
std::size_t first_failure(std::size_t count, unsigned threads, const Find& find) {
    std::atomic<std::size_t> failed{count};
    parallel_for((count + piece_points - 1) / piece_points, threads, [&](unsigned, std::size_t piece) {
        const std::size_t first = piece * piece_points, last = std::min(count, first + piece_points);
        if (first >= failed.load(std::memory_order_relaxed)) return;
        std::size_t index = find(first, last);
        if (index == last) return;
        for (std::size_t known = failed.load(); index < known && !failed.compare_exchange_weak(known, index);) {
        }
    });
    return failed;
}

Fq curve_right_side(const Fq& x) { return x.sqr() * x + G1Curve::b(); }

void find_roots(Fq (&candidates)[lanes], [[maybe_unused]] LanePath path) {
#if BBIPC_ADX_FIELD
    if (path == LanePath::ifma) return root_candidates_ifma(candidates);
#endif
    for (Fq& candidate : candidates) {
        Fq root;
        if (candidate.sqrt(root)) candidate = root;
    }
}

// Up to eight points; the index of the first that is none, or `last`.
std::size_t decompress_some(const std::uint8_t* words, std::size_t first, std::size_t last, LanePath path, std::uint8_t* out) {
    Fq x[lanes], y[lanes] = {};
    std::size_t end = first;
    for (; end < last; ++end) {
        std::uint8_t word[32];
        std::copy_n(words + 32 * end, 32, word);
        word[0] &= 0x7f;
        Fq& coordinate = x[end - first];
        if (!Fq::from_bytes(word, coordinate)) break;
        y[end - first] = curve_right_side(coordinate);
    }
    find_roots(y, path);
    for (std::size_t i = first; i < end; ++i) {
        const Fq &coordinate = x[i - first], root = y[i - first];
        if (root.sqr() != curve_right_side(coordinate)) return i;
        std::uint8_t* const point = out + 64 * i;
        coordinate.to_bytes(point);
        root.to_bytes(point + 32);
        if ((point[63] & 1) != words[32 * i] >> 7) (-root).to_bytes(point + 32);
    }
    return end;
}

template <class C>
bool is_reduced_on_curve(const std::uint8_t* bytes) {
    using Base = typename C::Base;
    if (std::all_of(bytes, bytes + 64, [](std::uint8_t byte) { return byte == 0xff; })) return true;
    // Not Affine::is_on_curve(): (0, 0) stands for infinity there, and here for itself.
    const Base x = Base::reduce_wide(U256{}, load_be(bytes)), y = Base::reduce_wide(U256{}, load_be(bytes + 32));
    return y.sqr() == x.sqr() * x + C::b();
}

bool read_g1(const std::uint8_t* bytes, Affine<G1Curve>& point) {
    return Fq::from_bytes(bytes, point.x) && Fq::from_bytes(bytes + 32, point.y) && point.is_on_curve();
}

Jacobian<G1Curve> sum(std::span<const Affine<G1Curve>> points, const U256* scalars, unsigned threads,
                      [[maybe_unused]] LanePath path) {
    const MsmTerms<G1Curve> terms[1] = {{points, scalars}};
#if BBIPC_ADX_FIELD
    if (path == LanePath::ifma) return large_msm<IfmaKernel<G1Curve>>(terms, threads);
#endif
    return large_msm<ScalarKernel<G1Curve>>(terms, threads);
}

}  // namespace

std::size_t decompress_g1(const std::uint8_t* words, std::size_t count, unsigned threads, LanePath path, std::uint8_t* out) {
    return first_failure(count, threads, [&](std::size_t first, std::size_t last) {
        while (first < last) {
            const std::size_t end = std::min(last, first + lanes);
            first = decompress_some(words, first, end, path, out);
            if (first != end) return first;
        }
        return last;
    });
}

template <class C>
std::size_t first_off_curve(const std::uint8_t* points, std::size_t count, unsigned threads) {
    return first_failure(count, threads, [&](std::size_t first, std::size_t last) {
        while (first < last && is_reduced_on_curve<C>(points + 64 * first)) ++first;
        return first;
    });
}

template std::size_t first_off_curve<G1Curve>(const std::uint8_t*, std::size_t, unsigned);
template std::size_t first_off_curve<GrumpkinCurve>(const std::uint8_t*, std::size_t, unsigned);

bool combine_neighbours(const std::uint8_t* bytes, std::size_t count, unsigned threads, LanePath path,
                        const RandomSource& source, Jacobian<G1Curve>& later, Jacobian<G1Curve>& earlier) {
    later = earlier = Jacobian<G1Curve>::infinity();
    for (std::size_t first = 0; first + 1 < count; first += sum_points) {
        const std::size_t weights = std::min(sum_points, count - 1 - first);
        std::vector<Affine<G1Curve>> points(weights + 1);
        for (std::size_t i = 0; i <= weights; ++i) {
            if (!read_g1(bytes + 64 * (first + i), points[i])) return false;
        }
        std::vector<U256> scalars(weights);
        for (U256& scalar : scalars) random_bytes(source, &scalar, 16);
        const std::span<const Affine<G1Curve>> all(points);
        later += sum(all.subspan(1), scalars.data(), threads, path);
        earlier += sum(all.first(weights), scalars.data(), threads, path);
    }
    return true;
}

BBIPC_END

// The method is that of large_msm.hpp (endomorphism, signed windows, buckets summed in affine coordinates), but the points are
// so few that the buckets of all windows go into one call of SegmentedSum: the more additions share an inversion, the better.
#include "msm.hpp"

#include <array>
#include <memory>
#include <vector>

#include "endomorphism.hpp"
#include "segmented_sum.hpp"
#if BBIPC_ADX_FIELD
#include "kernel_ifma.hpp"
#endif

BBIPC_BEGIN

namespace {

// Fewer points than this are not worth eight lanes.
constexpr std::size_t worth_lanes = 8;

constexpr u128 magnitude(i128 k) { return k < 0 ? u128{0} - static_cast<u128>(k) : static_cast<u128>(k); }

// The finite points with their scalars cut in two: half scalar i belongs to table entry i, the points before their images.
template <class Kernel>
struct HalfScalars {
    using C = typename Kernel::Curve;

    AlignedArray<typename Kernel::Point> table;
    std::vector<i128> scalars;

    HalfScalars(std::span<const Affine<C>> points, std::span<const typename C::Scalar> factors) {
        std::vector<Affine<C>> finite;
        std::vector<i128> second;
        finite.reserve(points.size());
        for (std::size_t i = 0; i < points.size(); ++i) {
            if (points[i].is_infinity()) continue;
            const SplitScalar halves = split_scalar<C>(factors[i].to_int());
            finite.push_back(points[i]);
            scalars.push_back(halves.k1);
            second.push_back(halves.k2);
        }
        scalars.insert(scalars.end(), second.begin(), second.end());
        table = aligned_array<typename Kernel::Point>(scalars.size());
        Kernel::load_with_images(finite.data(), finite.size(), endomorphism_beta<C>(), table.get(),
                                 table.get() + finite.size());
    }
};

class Windows {
  public:
    explicit Windows(unsigned width) : width_(width) {}

    unsigned width() const { return width_; }
    unsigned count() const { return (127 + width_) / width_; }  // of |k| < 2^127: signed digits need one bit more
    std::size_t buckets() const { return std::size_t{1} << (width_ - 1); }

    // visit(window, digit) for the non-zero digits of |k| < 2^127: k = sum digit * 2^(width * window), |digit| <= 2^(width-1).
    template <class Visit>
    void digits(i128 k, Visit visit) const {
        u128 rest = magnitude(k);
        for (unsigned window = 0; rest != 0; ++window) {
            int digit = static_cast<int>(static_cast<unsigned>(rest) & ((1U << width_) - 1));
            rest >>= width_;
            if (digit > 1 << (width_ - 1)) {
                digit -= 1 << width_;
                rest += 1;
            }
            if (digit != 0) visit(window, k < 0 ? -digit : digit);
        }
    }

    // Additions for `points` half scalars: into the buckets, and from the buckets to the bits.
    std::size_t cost(std::size_t points) const { return count() * (points + buckets() / 2 * (width_ - 1)); }

    static Windows cheapest(std::size_t points) {
        Windows best(2);
        for (unsigned width = 3; width <= 10; ++width) {
            if (Windows(width).cost(points) < best.cost(points)) best = Windows(width);
        }
        return best;
    }

  private:
    unsigned width_;
};

// Segments of a table for SegmentedSum.
struct Segments {
    std::vector<std::uint32_t> codes, bounds;
};

// Segment window * buckets + (k - 1) lists the points whose digit there is k or -k (counting sort).
Segments sort_into_buckets(const Windows& windows, const std::vector<i128>& scalars) {
    Segments r;
    r.bounds.assign(windows.count() * windows.buckets() + 1, 0);
    const auto bucket = [&](unsigned window, int digit) {
        return window * windows.buckets() + static_cast<std::size_t>(std::abs(digit)) - 1;
    };
    for (const i128 k : scalars) windows.digits(k, [&](unsigned window, int digit) { ++r.bounds[bucket(window, digit)]; });
    std::uint32_t position = 0;
    for (std::uint32_t& bound : r.bounds) bound = position += bound;  // the end of each bucket; filled from the end
    r.codes.resize(position);
    for (std::size_t i = 0; i < scalars.size(); ++i) {
        windows.digits(scalars[i], [&](unsigned window, int digit) {
            r.codes[--r.bounds[bucket(window, digit)]] = point_code(i, digit < 0);
        });
    }
    return r;
}

// Segment window * width + bit lists the finite buckets of that window whose number has that bit set.
template <class Kernel>
Segments sort_by_bits(const Windows& windows, const typename Kernel::Point* buckets) {
    Segments r;
    r.bounds.push_back(0);
    for (std::size_t window = 0; window < windows.count(); ++window) {
        for (unsigned bit = 0; bit < windows.width(); ++bit) {
            for (std::size_t k = 1; k <= windows.buckets(); ++k) {
                const std::size_t index = window * windows.buckets() + k - 1;
                if ((k >> bit & 1) != 0 && !Kernel::is_infinity(buckets[index])) r.codes.push_back(point_code(index, false));
            }
            r.bounds.push_back(static_cast<std::uint32_t>(r.codes.size()));
        }
    }
    return r;
}

template <class Kernel>
AlignedArray<typename Kernel::Point> sum_segments(const typename Kernel::Point* table, const Segments& segments) {
    auto sums = aligned_array<typename Kernel::Point>(segments.bounds.size() - 1);
    const auto engine = std::make_unique<SegmentedSum<Kernel>>(segments.codes.size());
    (*engine)(table, segments.codes.data(), segments.bounds, sums.get());
    return sums;
}

template <class Kernel, class C>
Jacobian<C> small_msm(std::span<const Affine<C>> points, std::span<const typename C::Scalar> scalars) {
    const HalfScalars<Kernel> halves(points, scalars);
    const Windows windows = Windows::cheapest(halves.scalars.size());
    const auto buckets = sum_segments<Kernel>(halves.table.get(), sort_into_buckets(windows, halves.scalars));
    const Segments by_bits = sort_by_bits<Kernel>(windows, buckets.get());
    const auto powers = sum_segments<Kernel>(buckets.get(), by_bits);  // powers[i] counts 2^i times
    Jacobian<C> result = Jacobian<C>::infinity();
    for (std::size_t i = by_bits.bounds.size() - 1; i-- > 0;) {
        result = result.dbl();
        result += Kernel::to_affine(powers[i]);
    }
    return result;
}

}  // namespace

template <class C>
Jacobian<C> msm(std::span<const Affine<C>> points, std::span<const typename C::Scalar> scalars,
                [[maybe_unused]] LanePath path) {
#if BBIPC_ADX_FIELD
    if (path == LanePath::ifma && points.size() >= worth_lanes) return small_msm<IfmaKernel<C>>(points, scalars);
#endif
    return small_msm<ScalarKernel<C>>(points, scalars);
}

template <class C>
Jacobian<C> scalar_mul(const Affine<C>& point, const typename C::Scalar& scalar) {
    // Joint digits of both halves, two bits of each at a time: 16 multiples, 64 steps.
    if (point.is_infinity()) return Jacobian<C>::infinity();
    const SplitScalar halves = split_scalar<C>(scalar.to_int());
    const Affine<C> image{point.x * endomorphism_beta<C>(), point.y};
    std::array<Jacobian<C>, 16> multiples;  // [4 i + j] = i P + j image, with the signs of the halves
    multiples[0] = Jacobian<C>::infinity();
    for (std::size_t j = 1; j < 4; ++j) multiples[j] = multiples[j - 1] + (halves.k2 < 0 ? -image : image);
    for (std::size_t i = 4; i < 16; ++i) multiples[i] = multiples[i - 4] + (halves.k1 < 0 ? -point : point);
    const u128 k1 = magnitude(halves.k1), k2 = magnitude(halves.k2);
    Jacobian<C> result = Jacobian<C>::infinity();
    for (unsigned first = 128; first > 0;) {
        first -= 2;
        result = result.dbl().dbl();
        result += multiples[static_cast<std::size_t>(k1 >> first & 3) << 2 | static_cast<std::size_t>(k2 >> first & 3)];
    }
    return result;
}

template Jacobian<G1Curve> scalar_mul(const Affine<G1Curve>&, const Fr&);
template Jacobian<GrumpkinCurve> scalar_mul(const Affine<GrumpkinCurve>&, const Fq&);
template Jacobian<G1Curve> msm(std::span<const Affine<G1Curve>>, std::span<const Fr>, LanePath);
template Jacobian<GrumpkinCurve> msm(std::span<const Affine<GrumpkinCurve>>, std::span<const Fq>, LanePath);

BBIPC_END

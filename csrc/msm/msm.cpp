// The method is that of large_msm.hpp (endomorphism, signed windows, buckets summed in affine coordinates), but the points are
// so few that the buckets of all windows go into one call of SegmentedSum: the more additions share an inversion, the better.
#include "msm.hpp"

#include <array>
#include <memory>
#include <vector>

#include "endomorphism.hpp"
#include "segmented_sum.hpp"

BBIPC_BEGIN

namespace {

constexpr u128 magnitude(i128 k) { return k < 0 ? u128{0} - static_cast<u128>(k) : static_cast<u128>(k); }

// The points and their images under the endomorphism, each with a scalar of 127 bits and a sign. Infinity and zero are left
// out.
template <class C>
struct HalfScalars {
    std::vector<Affine<C>> points;
    std::vector<i128> scalars;

    void add(const Affine<C>& point, const typename C::Scalar& scalar) {
        if (point.is_infinity()) return;
        const SplitScalar halves = split_scalar<C>(scalar.to_int());
        push(point, halves.k1);
        push(Affine<C>{point.x * endomorphism_beta<C>(), point.y}, halves.k2);
    }

  private:
    void push(const Affine<C>& point, i128 k) {
        if (k == 0) return;
        points.push_back(point);
        scalars.push_back(k);
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
template <class C>
Segments sort_by_bits(const Windows& windows, const std::vector<Affine<C>>& buckets) {
    Segments r;
    r.bounds.push_back(0);
    for (std::size_t window = 0; window < windows.count(); ++window) {
        for (unsigned bit = 0; bit < windows.width(); ++bit) {
            for (std::size_t k = 1; k <= windows.buckets(); ++k) {
                const std::size_t index = window * windows.buckets() + k - 1;
                if ((k >> bit & 1) != 0 && !buckets[index].is_infinity()) r.codes.push_back(point_code(index, false));
            }
            r.bounds.push_back(static_cast<std::uint32_t>(r.codes.size()));
        }
    }
    return r;
}

template <class C>
std::vector<Affine<C>> sum_segments(const std::vector<Affine<C>>& table, const Segments& segments) {
    std::vector<Affine<C>> sums(segments.bounds.size() - 1);
    const auto engine = std::make_unique<SegmentedSum<ScalarKernel<C>>>(segments.codes.size());
    (*engine)(table.data(), segments.codes.data(), segments.bounds, sums.data());
    return sums;
}

}  // namespace

template <class C>
Jacobian<C> msm(std::span<const Affine<C>> points, std::span<const typename C::Scalar> scalars) {
    HalfScalars<C> halves;
    for (std::size_t i = 0; i < points.size(); ++i) halves.add(points[i], scalars[i]);
    const Windows windows = Windows::cheapest(halves.points.size());
    const std::vector<Affine<C>> buckets = sum_segments<C>(halves.points, sort_into_buckets(windows, halves.scalars));
    const std::vector<Affine<C>> powers =
        sum_segments<C>(buckets, sort_by_bits<C>(windows, buckets));  // powers[i] counts 2^i times
    Jacobian<C> result = Jacobian<C>::infinity();
    for (std::size_t i = powers.size(); i-- > 0;) {
        result = result.dbl();
        result += powers[i];
    }
    return result;
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
template Jacobian<G1Curve> msm(std::span<const Affine<G1Curve>>, std::span<const Fr>);
template Jacobian<GrumpkinCurve> msm(std::span<const Affine<GrumpkinCurve>>, std::span<const Fq>);

BBIPC_END

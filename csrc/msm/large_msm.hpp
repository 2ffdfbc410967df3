// Multi-scalar multiplication of thousands of points: Pippenger's buckets, in affine coordinates throughout.
//
// 1. Every scalar is split in two of 127 bits by the endomorphism, so there are twice as many points (P and its image) and half
//    as many windows. The halves are cut into signed digits of `width` bits.
// 2. Each window's points are sorted by the absolute value of their digit (counting sort).
// 3. Every bucket (the points with the same absolute digit) is summed by SegmentedSum.
// 4. sum_k k B_k over the buckets: with k = 2^low_bits hi + lo the row sums R_hi and the column sums C_lo are made by
//    SegmentedSum, and of those the sums over all hi (lo) that have bit i set. So a window yields one point for each power of
//    two.
// 5. One Horner scheme over all bits of all windows.
// One thread takes window after window, so that what a window needs stays in its cache. With several threads each step is spread
// over them: by slices of the points, by windows, or (step 3) by ranges of buckets with about as many points.
//
// Completeness: infinite input points and zero digits enter no bucket; SegmentedSum and the kernels treat equal and opposite
// operands.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "endomorphism.hpp"
#include "parallel.hpp"
#include "scratch.hpp"
#include "segmented_sum.hpp"

BBIPC_BEGIN

// Points and as many scalars, which are integers below the order.
template <class C>
struct MsmTerms {
    std::span<const Affine<C>> points;
    const U256* scalars;
};

template <class Kernel>
class LargeMsm {
    using C = typename Kernel::Curve;
    using Point = typename Kernel::Point;
    using Terms = MsmTerms<C>;

    static constexpr unsigned width = 13;
    static constexpr unsigned windows = (128 + width - 1) / width;
    static constexpr unsigned low_bits = width / 2, high_bits = width - low_bits;  // of an absolute digit, 0 .. 2^(width-1)
    static constexpr std::size_t buckets = (std::size_t{1} << (width - 1)) + 1;    // bucket 0 collects what does not count
    static constexpr std::size_t rows = (buckets - 1) >> low_bits,
                                 columns = (std::size_t{1} << low_bits) - 1;  // numbered from 1
    static constexpr std::size_t slice_size = 512;                            // points of a piece of step 1
    static constexpr std::size_t piece_size =
        12288;  // points of a piece of step 3, roughly: its sums stay in the second-level cache

  public:
    LargeMsm(std::span<const Terms> terms, unsigned threads)
        : slices_(cut(terms)),
          count_(slices_.empty() ? 0 : slices_.back().first + slices_.back().terms.points.size()),
          threads_(threads),
          together_(threads > 1 ? windows : 1),
          scratch_(Scratch::size<Point>(2 * count_) + Scratch::size<std::int16_t>(windows * 2 * count_) +
                   Scratch::size<std::uint32_t>(together_ * 2 * count_) +
                   Scratch::size<std::uint32_t>(together_ * (buckets + 1)) + Scratch::size<Point>(together_ * buckets)),
          table_(scratch_.take<Point>(2 * count_)),
          digits_(scratch_.take<std::int16_t>(windows * 2 * count_)),
          codes_(scratch_.take<std::uint32_t>(together_ * 2 * count_)),
          bounds_(scratch_.take<std::uint32_t>(together_ * (buckets + 1))),
          sums_(scratch_.take<Point>(together_ * buckets)),
          engines_(std::max(threads, 1U)) {}

    Jacobian<C> operator()() {
        parallel_for(slices_.size(), threads_, [&](unsigned, std::size_t i) { prepare(slices_[i]); });
        std::vector<Affine<C>> powers(windows * width);  // powers[i] counts 2^i times
        for (first_window_ = 0; first_window_ < windows; first_window_ += together_) {
            parallel_for(together_, threads_, [&](unsigned, std::size_t i) { sort(first_window_ + i); });
            sum_buckets();
            parallel_for(together_, threads_, [&](unsigned worker, std::size_t i) {
                split_by_bits(first_window_ + i, engine(worker), &powers[(first_window_ + i) * width]);
            });
        }
        return combine(powers);
    }

  private:
    using Engine = SegmentedSum<Kernel>;
    // A bucket range of a window.
    struct Piece {
        std::size_t window, first, last;
    };

    // A piece of step 1, and the table index of its first point.
    struct Slice {
        Terms terms;
        std::size_t first;
    };

    std::vector<Slice> slices_;
    std::size_t count_;
    unsigned threads_;
    // Windows that are under way at the same time. One thread takes them one by one: their points and sums then stay in its cache.
    // Several threads need the buckets of all of them, to have about as much work each.
    std::size_t together_, first_window_ = 0;
    // For the arrays that follow.
    Scratch scratch_;
    Point* const table_;           // count_ points, then their images
    std::int16_t* const digits_;   // by window, then by table index
    std::uint32_t* const codes_;   // by window under way, then sorted by bucket
    std::uint32_t* const bounds_;  // by window under way: bucket k is codes bounds[k] .. bounds[k+1]-1
    Point* const sums_;            // by window under way, and bucket
    std::size_t engine_slots_ = 0;
    std::vector<std::unique_ptr<Engine>> engines_;  // by worker, made on first use

    Engine& engine(unsigned worker) {
        if (!engines_[worker]) engines_[worker] = std::make_unique<Engine>(engine_slots_);
        return *engines_[worker];
    }
    // Of a window under way.
    std::uint32_t* codes(std::size_t window) const { return &codes_[(window - first_window_) * 2 * count_]; }
    std::uint32_t* bounds(std::size_t window) const { return &bounds_[(window - first_window_) * (buckets + 1)]; }
    Point* sums(std::size_t window) const { return &sums_[(window - first_window_) * buckets]; }

    static std::vector<Slice> cut(std::span<const Terms> terms) {
        std::vector<Slice> slices;
        std::size_t index = 0;
        for (const Terms& t : terms) {
            for (std::size_t first = 0; first < t.points.size(); first += slice_size) {
                const std::size_t size = std::min(slice_size, t.points.size() - first);
                slices.push_back({{t.points.subspan(first, size), t.scalars + first}, index});
                index += size;
            }
        }
        return slices;
    }

    // Step 1.
    void prepare(const Slice& slice) {
        const auto& [points, scalars] = slice.terms;
        Kernel::load_with_images(points.data(), points.size(), endomorphism_beta<C>(), &table_[slice.first],
                                 &table_[count_ + slice.first]);
        for (std::size_t i = 0; i < points.size(); ++i) {
            const SplitScalar halves = points[i].is_infinity() ? SplitScalar{0, 0} : split_scalar<C>(scalars[i]);
            recode(halves.k1, slice.first + i);
            recode(halves.k2, count_ + slice.first + i);
        }
    }

    // Digits in [-2^(width-1), 2^(width-1)) with k = sum digit_w 2^(width w). The offset adds 2^(width-1) to each but the top
    // digit, which is within bounds because |k| < 0.958 * 2^127 (endomorphism.hpp).
    void recode(i128 k, std::size_t index) {
        constexpr std::int16_t half = std::int16_t{1} << (width - 1);
        constexpr i128 offset = [] {
            i128 sum = 0;
            for (unsigned w = 0; w + 1 < windows; ++w) sum += i128{half} << (width * w);
            return sum;
        }();
        static_assert((128 - width * (windows - 1)) <= width, "the top digit holds the top bits and the sign");
        k += offset;
        for (unsigned w = 0; w + 1 < windows; ++w) {
            digits_[w * 2 * count_ + index] = static_cast<std::int16_t>((static_cast<unsigned>(k) & (2U * half - 1)) - half);
            k >>= width;
        }
        digits_[(windows - 1) * 2 * count_ + index] = static_cast<std::int16_t>(k);
    }

    // Step 2.
    void sort(std::size_t window) {
        const std::int16_t* digits = &digits_[window * 2 * count_];
        std::uint32_t* const codes = this->codes(window);
        std::uint32_t* const start = bounds(window);
        std::fill_n(start, buckets + 1, 0);
        for (std::size_t i = 0; i < 2 * count_; ++i) ++start[std::abs(digits[i])];
        std::uint32_t position = 0;
        for (std::size_t k = 0; k <= buckets; ++k) {
            const std::uint32_t size = start[k];
            start[k] = position;
            position += size;
        }
        for (std::size_t i = 0; i < 2 * count_; ++i) codes[start[std::abs(digits[i])]++] = point_code(i, digits[i] < 0);
        for (std::size_t k = buckets; k > 0; --k) start[k] = start[k - 1];  // each start has become the next bucket's
        start[0] = 0;
    }

    // Step 3.
    void sum_buckets() {
        std::vector<Piece> pieces;
        std::size_t most_slots = 0;
        for (std::size_t window = first_window_; window < first_window_ + together_; ++window) {
            Piece piece{window, 1, 1};
            std::size_t size = 0, slots = 0;
            while (piece.last < buckets) {
                const std::size_t bucket_size = bounds(window)[piece.last + 1] - bounds(window)[piece.last];
                size += bucket_size;
                slots += segment_slots(bucket_size);
                ++piece.last;
                if (size >= piece_size || piece.last == buckets) {
                    pieces.push_back(piece);
                    most_slots = std::max(most_slots, slots);
                    piece.first = piece.last;
                    size = slots = 0;
                }
            }
        }
        most_slots = std::max(most_slots, buckets + rows + columns);
        if (most_slots > engine_slots_) {  // the engines of earlier windows are too small
            engine_slots_ = most_slots;
            for (auto& engine : engines_) engine.reset();
        }
        parallel_for(pieces.size(), threads_, [&](unsigned worker, std::size_t i) {
            const auto [window, first, last] = pieces[i];
            engine(worker)(table_, codes(window), {bounds(window) + first, last - first + 1}, sums(window) + first);
        });
    }

    // Step 5.
    static Jacobian<C> combine(const std::vector<Affine<C>>& powers) {
        Jacobian<C> result = Jacobian<C>::infinity();
        for (std::size_t i = powers.size(); i-- > 0;) {
            result = result.dbl();
            result += powers[i];
        }
        return result;
    }

    // Lists of points, segment by segment.
    struct Segments {
        std::vector<std::uint32_t> codes, bounds{0};

        void push(std::size_t index) { codes.push_back(point_code(index, false)); }
        void close() { bounds.push_back(static_cast<std::uint32_t>(codes.size())); }
        std::vector<Point> sum(const Point* table, Engine& engine) const {
            std::vector<Point> sums(bounds.size() - 1);
            engine(table, codes.data(), bounds, sums.data());
            return sums;
        }
    };

    // Step 4 for a window: powers[i] is the sum of all buckets whose number has bit i set.
    void split_by_bits(std::size_t window, Engine& engine, Affine<C>* powers) {
        const Point* bucket = sums(window);
        Segments lines;  // columns, then rows
        for (std::size_t lo = 1; lo <= columns; ++lo) {
            for (std::size_t k = lo; k < buckets; k += columns + 1) push_finite(lines, bucket, k);
            lines.close();
        }
        for (std::size_t hi = 1; hi <= rows; ++hi) {
            const std::size_t end = std::min(buckets, (hi + 1) << low_bits);
            for (std::size_t k = hi << low_bits; k < end; ++k) push_finite(lines, bucket, k);
            lines.close();
        }
        const std::vector<Point> line = lines.sum(bucket, engine);
        Segments bits;
        for (unsigned bit = 0; bit < low_bits; ++bit) {
            for (std::size_t lo = 1; lo <= columns; ++lo) {
                if ((lo >> bit & 1) != 0) push_finite(bits, line.data(), lo - 1);
            }
            bits.close();
        }
        for (unsigned bit = 0; bit < high_bits; ++bit) {
            for (std::size_t hi = 1; hi <= rows; ++hi) {
                if ((hi >> bit & 1) != 0) push_finite(bits, line.data(), columns + hi - 1);
            }
            bits.close();
        }
        const std::vector<Point> sum = bits.sum(line.data(), engine);
        for (unsigned bit = 0; bit < width; ++bit) powers[bit] = Kernel::to_affine(sum[bit]);
    }

    static void push_finite(Segments& segments, const Point* table, std::size_t index) {
        if (!Kernel::is_infinity(table[index])) segments.push(index);
    }
};

// sum of scalars[i] * points[i] over all terms. Kernel: ScalarKernel<C> or IfmaKernel. For 2^15 points it uses 6 MiB with one
// thread; with several 11 MiB and 1 MiB for each.
template <class Kernel>
Jacobian<typename Kernel::Curve> large_msm(std::span<const MsmTerms<typename Kernel::Curve>> terms, unsigned threads) {
    return LargeMsm<Kernel>(terms, threads)();
}

BBIPC_END

// Sums of many segments of points at once, by rounds of batched affine additions: each round halves every segment.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "aligned_array.hpp"
#include "pair_kernel.hpp"

BBIPC_BEGIN

// The number of workspace points that a segment of `size` entries needs.
constexpr std::size_t segment_slots(std::size_t size) { return (size + 1) / 2; }

// One worker's engine; its workspace serves any number of calls. Kernel: see pair_kernel.hpp.
template <class Kernel>
class SegmentedSum {
    using Point = typename Kernel::Point;

  public:
    // slots: the largest sum of segment_slots over the segments of one call.
    explicit SegmentedSum(std::size_t slots)
        : points_(aligned_array<Point>(slots + 1)),  // one more, the target of padding
          a_(aligned_array<std::uint32_t>(slots + Kernel::pair_granularity)),
          b_(aligned_array<std::uint32_t>(slots + Kernel::pair_granularity)),
          target_(aligned_array<std::uint32_t>(slots + Kernel::pair_granularity)),
          slots_(slots) {}

    // Segment s is the sum of the points of `table` that codes bounds[s] .. bounds[s+1]-1 name; none of those may be infinite.
    // sums[s] receives it; infinity for an empty segment. bounds has one entry more than sums.
    void operator()(const Point* table, const std::uint32_t* codes, std::span<const std::uint32_t> bounds, Point* sums) {
        gather(table, codes, bounds);
        while (fold()) {
        }
        for (std::size_t s = 0; s + 1 < bounds.size(); ++s) sums[s] = Kernel::infinity();
        for (const Segment& segment : done_) {
            if (segment.size != 0) sums[segment.name] = points_[segment.first];
        }
    }

  private:
    struct Segment {
        std::uint32_t name, first, size;
    };

    AlignedArray<Point> points_;
    AlignedArray<std::uint32_t> a_, b_, target_;
    std::size_t slots_;
    std::size_t pairs_ = 0;
    std::vector<Segment> current_, open_, done_;  // segments in the round; segments of two and more points; of at most one
    Kernel kernel_;

    void push_pair(std::uint32_t a, std::uint32_t b, std::uint32_t target) {
        a_[pairs_] = a;
        b_[pairs_] = b;
        target_[pairs_] = target;
        ++pairs_;
    }

    bool add_pairs(const Point* table) {
        const std::size_t count = pairs_;
        while (pairs_ % Kernel::pair_granularity != 0)
            push_pair(a_[count - 1], b_[count - 1], static_cast<std::uint32_t>(slots_));
        pairs_ = 0;
        return kernel_.add_pairs(table, PairList{a_.get(), b_.get(), target_.get(), count}, points_.get());
    }

    // First round: from the table into the workspace. Entry i is added to entry i + ceil(size / 2); the middle one of an odd
    // segment is copied.
    void gather(const Point* table, const std::uint32_t* codes, std::span<const std::uint32_t> bounds) {
        current_.clear();
        done_.clear();
        std::uint32_t slot = 0;
        for (std::uint32_t s = 0; s + 1 < bounds.size(); ++s) {
            const std::uint32_t* entries = codes + bounds[s];
            const std::uint32_t size = bounds[s + 1] - bounds[s], kept = static_cast<std::uint32_t>(segment_slots(size));
            for (std::uint32_t i = 0; i + kept < size; ++i) push_pair(entries[i], entries[kept + i], slot + i);
            if (size % 2 != 0) {
                const std::uint32_t code = entries[kept - 1];
                const Point& p = table[code >> 1];
                points_[slot + kept - 1] = (code & 1) != 0 ? Kernel::negate(p) : p;
            }
            current_.push_back({s, slot, kept});
            slot += kept;
        }
        settle(add_pairs(table));
    }

    // A further round, within the workspace. False if there was nothing left to add.
    bool fold() {
        if (open_.empty()) return false;
        current_.swap(open_);
        for (Segment& segment : current_) {
            const std::uint32_t kept = static_cast<std::uint32_t>(segment_slots(segment.size));
            for (std::uint32_t i = 0; i + kept < segment.size; ++i) {
                push_pair(point_code(segment.first + i, false), point_code(segment.first + kept + i, false), segment.first + i);
            }
            segment.size = kept;
        }
        settle(add_pairs(points_.get()));
        return true;
    }

    // Sorts the current segments after a round into open and done ones, dropping infinite points if the round made some.
    void settle(bool some_infinite) {
        open_.clear();
        for (Segment segment : current_) {
            if (some_infinite) drop_infinite(segment);
            (segment.size > 1 ? open_ : done_).push_back(segment);
        }
    }

    void drop_infinite(Segment& segment) {
        std::uint32_t size = 0;
        for (std::uint32_t i = 0; i < segment.size; ++i) {
            const Point& p = points_[segment.first + i];
            if (!Kernel::is_infinity(p)) points_[segment.first + size++] = p;
        }
        segment.size = size;
    }
};

BBIPC_END

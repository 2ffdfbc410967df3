// Sums of scalar * point that are not evaluated yet: commitments under construction.
#pragma once

#include <algorithm>
#include <cstring>
#include <numeric>
#include <span>
#include <vector>

#include "../../msm/msm.hpp"

BBIPC_BEGIN

template <class C>
class Combination {
    using Scalar = typename C::Scalar;

  public:
    // one: the point that constants multiply, for instance the commitment of the constant polynomial 1. It is term 0.
    explicit Combination(const Affine<C>& one = Affine<C>::infinity()) : points_{one}, scalars_{Scalar::zero()} {}

    void reserve(std::size_t terms) {
        points_.reserve(1 + terms);
        scalars_.reserve(1 + terms);
    }
    // Returns the index of the term.
    std::size_t add(const Affine<C>& point, const Scalar& scalar) {
        points_.push_back(point);
        scalars_.push_back(scalar);
        return points_.size() - 1;
    }
    void add_constant(const Scalar& value) { scalars_[0] += value; }
    void subtract(std::size_t term, const Scalar& scalar) { scalars_[term] -= scalar; }
    // Multiply every scalar so far.
    void scale(const Scalar& factor) {
        for (Scalar& scalar : scalars_) scalar *= factor;
    }
    // Add weight * another combination.
    void add_weighted(const Combination& other, const Scalar& weight) {
        if (other.points_[0] == points_[0]) {
            add_constant(weight * other.scalars_[0]);
        } else {
            add(other.points_[0], weight * other.scalars_[0]);
        }
        for (std::size_t i = 1; i < other.points_.size(); ++i) add(other.points_[i], weight * other.scalars_[i]);
    }

    // One term for each point; the sum stays the same, but no index of a term holds any more. For proofs under the same key.
    void merge_equal_points() {
        std::vector<std::uint32_t> order(points_.size());
        std::iota(order.begin(), order.end(), 0);
        const auto compare = [this](std::uint32_t a, std::uint32_t b) {
            return std::memcmp(&points_[a], &points_[b], sizeof(Affine<C>));
        };
        std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return compare(a, b) < 0; });
        std::vector<Affine<C>> points;
        std::vector<Scalar> scalars;
        for (std::size_t i = 0; i < order.size(); ++i) {
            if (i != 0 && compare(order[i - 1], order[i]) == 0) {
                scalars.back() += scalars_[order[i]];
            } else {
                points.push_back(points_[order[i]]);
                scalars.push_back(scalars_[order[i]]);
            }
        }
        points_ = std::move(points);
        scalars_ = std::move(scalars);
    }

    std::span<const Affine<C>> points() const { return points_; }
    std::span<const Scalar> scalars() const { return scalars_; }
    const Scalar& scalar(std::size_t term) const { return scalars_[term]; }

    Affine<C> sum(LanePath path) const { return msm<C>(points_, scalars_, path).to_affine(); }

  private:
    std::vector<Affine<C>> points_;
    std::vector<Scalar> scalars_;
};

BBIPC_END

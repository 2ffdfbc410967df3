// What every list of opening claims needs: denominators that are inverted together, and powers of a batching challenge.
#pragma once

#include <span>
#include <vector>

#include "../../field/field.hpp"

BBIPC_BEGIN

// Denominators are collected, inverted together, and then read by the index that add() returned.
template <class F>
class Denominators {
  public:
    std::size_t add(const F& value) {
        values_.push_back(value);
        return values_.size() - 1;
    }
    // False if one of them is zero.
    [[nodiscard]] bool invert() { return batch_invert(std::span<F>(values_)); }
    const F& operator[](std::size_t i) const { return values_[i]; }

  private:
    std::vector<F> values_;
};

// Successive powers of a batching challenge, starting from base^first.
template <class F>
class Powers {
  public:
    explicit Powers(const F& base, const F& first = F::one()) : base_(base), current_(first) {}
    F next() {
        const F value = current_;
        current_ *= base_;
        return value;
    }

  private:
    F base_, current_;
};

BBIPC_END

// Reproducible random field elements and points for the native tests.
#pragma once

#include <vector>

#include "../curve/curve.hpp"
#include "../field/sqrt.hpp"

BBIPC_BEGIN

class RandomElements {
  public:
    explicit RandomElements(u64 seed) : state_(seed) {}

    u64 word() {  // splitmix64
        u64 z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
    }
    U256 integer() { return U256{{word(), word(), word(), word()}}; }
    template <class F>
    F element() {
        return F::reduce(integer());
    }
    // A point other than infinity, by its x coordinate.
    template <class C>
    Affine<C> point() {
        for (;;) {
            Affine<C> p;
            p.x = element<typename C::Base>();
            if ((p.x.sqr() * p.x + C::b()).sqrt(p.y)) return (word() & 1) != 0 ? p : -p;
        }
    }

  private:
    u64 state_;
};

// Elements at which carries, borrows and reductions are extreme.
template <class F>
std::vector<F> edge_elements() {
    std::vector<F> edges{F::zero(), F::one(), -F::one(), F::from_u64(2), -F::from_u64(2)};
    for (unsigned i = 0; i < 254; i += 1) {
        U256 power{};
        power.limb[i / 64] = u64{1} << (i % 64);
        if (!(power < F::modulus)) continue;
        U256 below;
        sub_borrow(below, power, U256{{1, 0, 0, 0}});
        // as values, and as Montgomery representations
        edges.push_back(F::from_int(power));
        edges.push_back(F::from_montgomery(power));
        edges.push_back(F::from_montgomery(below));
        edges.push_back(-F::from_montgomery(power));
    }
    return edges;
}

BBIPC_END

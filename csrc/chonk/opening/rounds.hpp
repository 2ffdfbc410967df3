// The claims about the round polynomials of a sumcheck (chapters 07.6 and 14.6), over either curve.
#pragma once

#include <array>
#include <span>

#include "batching.hpp"
#include "combination.hpp"

BBIPC_BEGIN

// The claims about the D round polynomials of a sumcheck at u, for Shplonk at z: their values at 0, 1 and u_i.
template <class C, std::size_t D>
class RoundClaims {
    using F = typename C::Scalar;

  public:
    // Registers the denominators.
    RoundClaims(Denominators<F>& denominators, std::span<const F, D> u, const F& z)
        : denominators_(denominators), at_0_(denominators.add(z)), at_1_(denominators.add(z - F::one())) {
        for (std::size_t i = 0; i < D; ++i) at_u_[i] = denominators.add(z - u[i]);
    }

    // values[i]: at 0 and 1. The value at u_i is the sum of both of the next round; in the last round it is `last`. Weights as in
    // SubgroupClaims, three for each round.
    void add_to(Combination<C>& sum, Powers<F>& nu, std::span<const Affine<C>, D> commitments, const F (&values)[D][2],
                const F& last) const {
        for (std::size_t i = 0; i < D; ++i) {
            const F implied = i + 1 < D ? values[i + 1][0] + values[i + 1][1] : last;
            const F at_0 = nu.next() * denominators_[at_0_];
            const F at_1 = nu.next() * denominators_[at_1_];
            const F at_u = nu.next() * denominators_[at_u_[i]];
            sum.add(commitments[i], -(at_0 + at_1 + at_u));
            sum.add_constant(at_0 * values[i][0] + at_1 * values[i][1] + at_u * implied);
        }
    }

  private:
    Denominators<F>& denominators_;
    std::size_t at_0_, at_1_;
    std::array<std::size_t, D> at_u_;
};

BBIPC_END

// Gemini folding with Shplonk denominators (chapters 07.6 and 14.3-14.4), over either curve.
#pragma once

#include <array>
#include <span>

#include "batching.hpp"
#include "combination.hpp"

BBIPC_BEGIN

// Gemini of a multilinear polynomial in D variables at u, folds opened at r^(2^l) and -r^(2^l), Shplonk evaluated at z.
template <class F, std::size_t D>
class Gemini {
  public:
    // Registers the denominators.
    Gemini(Denominators<F>& denominators, const F& r, const F& z, std::span<const F, D> u)
        : u_(u), denominators_(denominators) {
        F power = r;
        for (std::size_t l = 0; l < D; ++l) {
            powers_[l] = power;
            positive_[l] = denominators.add(z - power);
            negative_[l] = denominators.add(z + power);
            fold_[l] = denominators.add(power * (F::one() - u[l]) + u[l]);
            power = power.sqr();
        }
        r_inverse_ = denominators.add(r);
    }

    // After the inversion: 1/(z - r^(2^l)), 1/(z + r^(2^l)), 1/r.
    const F& positive(std::size_t l) const { return denominators_[positive_[l]]; }
    const F& negative(std::size_t l) const { return denominators_[negative_[l]]; }
    const F& r_inverse() const { return denominators_[r_inverse_]; }

    // The values of the folds at r^(2^l), from the batched evaluation and the values m_l of the folds at -r^(2^l).
    std::array<F, D> fold_values(const F& batched_evaluation, std::span<const F, D> m) const {
        std::array<F, D> values;
        F current = batched_evaluation;
        for (std::size_t l = D; l-- > 0;) {
            const F& power = powers_[l];
            current = (power * current.dbl() - m[l] * (power * (F::one() - u_[l]) - u_[l])) * denominators_[fold_[l]];
            values[l] = current;
        }
        return values;
    }

    // The claims about the folds: fold l takes values[l] at r^(2^l) and m[l] at -r^(2^l). Weights nu^(2 l), nu^(2 l + 1), taken from
    // `nu`, over the denominators. Fold 0 is the batch of the columns, whose commitment the caller adds; folds[l - 1] is that of
    // fold l.
    template <class C>
    void add_fold_claims(Combination<C>& sum, Powers<F>& nu, std::span<const Affine<C>, D - 1> folds,
                         std::span<const F, D> values, std::span<const F, D> m) const {
        for (std::size_t l = 0; l < D; ++l) {
            const F at_positive = nu.next() * positive(l);
            const F at_negative = nu.next() * negative(l);
            if (l != 0) sum.add(folds[l - 1], -(at_positive + at_negative));
            sum.add_constant(at_positive * values[l] + at_negative * m[l]);
        }
    }

  private:
    std::span<const F, D> u_;
    Denominators<F>& denominators_;
    std::array<F, D> powers_;
    std::array<std::size_t, D> positive_, negative_, fold_;
    std::size_t r_inverse_;
};

BBIPC_END

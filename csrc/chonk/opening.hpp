// What the two openings have in common, over either curve: Gemini folding with Shplonk denominators (chapters 07.6 and
// 14.3-14.4), the small-subgroup inner-product check and its claims (07.5 and 14.5), and the claims about the round polynomials
// of a sumcheck (07.6 and 14.6).
#pragma once

#include <array>
#include <span>
#include <vector>

#include "combination.hpp"

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
    void add_fold_claims(Combination<C>& sum, Powers<F>& nu, std::span<const Affine<C>, D - 1> folds, std::span<const F, D> values,
                         std::span<const F, D> m) const {
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

// The values received for a small-subgroup check at y (chapter 07.5).
template <class F>
struct SubgroupEvaluations {
    F secret;            // G(y)
    F grand_sum_next;    // A(g y)
    F grand_sum;         // A(y)
    F quotient;          // Q(y)
};

// A small-subgroup argument: commitments of the secret, the grand sum and the quotient, and their values.
template <class C>
struct SubgroupArgument {
    Affine<C> secret, grand_sum, quotient;
    SubgroupEvaluations<typename C::Scalar> values;
};

// The public vector of a Libra argument (N = order of the subgroup): 1, then the first `length` powers of each u.
template <class F, std::size_t N>
std::array<F, N> libra_vector(std::span<const F> u, std::size_t length) {
    std::array<F, N> f{};
    f[0] = F::one();
    for (std::size_t i = 0; i < u.size(); ++i) {
        Powers<F> powers(u[i]);
        for (std::size_t j = 0; j < length; ++j) f[1 + length * i + j] = powers.next();
    }
    return f;
}

// The five claims about one small-subgroup argument at y, for Shplonk at z.
template <class C>
class SubgroupClaims {
    using F = typename C::Scalar;

  public:
    // Registers the denominators. generator: of the subgroup.
    SubgroupClaims(Denominators<F>& denominators, const SubgroupArgument<C>& argument, const F& generator, const F& y, const F& z)
        : denominators_(denominators),
          argument_(argument),
          at_y_(denominators.add(z - y)),
          at_next_(denominators.add(z - generator * y)),
          at_one_(denominators.add(z - F::one())) {}

    // Weights nu^(k + 0..4), taken from `nu`, over the denominators.
    void add_to(Combination<C>& sum, Powers<F>& nu) const {
        const SubgroupEvaluations<F>& v = argument_.values;
        const F secret = nu.next() * denominators_[at_y_];
        const F next = nu.next() * denominators_[at_next_];
        const F here = nu.next() * denominators_[at_y_];
        const F at_one = nu.next() * denominators_[at_one_];  // the value is 0
        const F quotient = nu.next() * denominators_[at_y_];
        sum.add(argument_.secret, -secret);
        sum.add(argument_.grand_sum, -(next + here + at_one));
        sum.add(argument_.quotient, -quotient);
        sum.add_constant(secret * v.secret + next * v.grand_sum_next + here * v.grand_sum + quotient * v.quotient);
    }

  private:
    Denominators<F>& denominators_;
    const SubgroupArgument<C>& argument_;
    std::size_t at_y_, at_next_, at_one_;
};

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

// <secret vector, f> = claimed over the subgroup of order f.size() generated by 1 / generator_inverse. False also when y lies
// in the subgroup.
template <class F>
bool subgroup_check(const F& y, const F& generator_inverse, std::span<const F> f, const SubgroupEvaluations<F>& values,
                    const F& claimed) {
    const std::size_t n = f.size();
    const F z = y.pow(U256{{n, 0, 0, 0}}) - F::one();
    if (z.is_zero()) return false;
    std::vector<F> d(n + 1);  // 1 / (y g^-k - 1), and 1 / n
    F point = y;
    for (std::size_t k = 0; k < n; ++k) {
        d[k] = point - F::one();
        point *= generator_inverse;
    }
    d[n] = F::from_u64(n);
    if (!batch_invert(std::span<F>(d))) return false;
    const F scale = z * d[n];
    F sum = F::zero();
    for (std::size_t k = 0; k < n; ++k) {
        if (!f[k].is_zero()) sum += f[k] * d[k];
    }
    const F first = scale * d[0], last = scale * d[n - 1];
    const F step = values.grand_sum_next - values.grand_sum - values.secret * (scale * sum);
    return (first * values.grand_sum + (y - generator_inverse) * step + last * (values.grand_sum - claimed) -
            z * values.quotient)
        .is_zero();
}

BBIPC_END

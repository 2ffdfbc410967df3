// The openings of the ECCVM part (chapters 07.6 and 07.7), combined into one claim.
#pragma once

#include "../field/hex.hpp"
#include "eccvm.hpp"
#include "eccvm_messages.hpp"

BBIPC_BEGIN

// Of the subgroup of order 87 (chapter 07.1).
inline constexpr Fq eccvm_subgroup_generator =
    hex_element<Fq>("147c647c09fb639514909e9f0513f31ec1a523bf8a0880bc7c24fbc962a9586b");
inline constexpr Fq eccvm_subgroup_generator_inverse =
    hex_element<Fq>("0c68e27477b5e78cfab790bd3b59806fa871771f71ec7452cde5384f6e3a1988");

// A sum of scalar * point under construction, together with the coefficient of the commitment of the constant 1.
class EccvmCombination {
  public:
    EccvmCombination() {
        points_.reserve(capacity);
        scalars_.reserve(capacity);
    }
    // Returns the index of the term.
    std::size_t add(const Grumpkin& point, const Fq& scalar) {
        points_.push_back(point);
        scalars_.push_back(scalar);
        return points_.size() - 1;
    }
    void subtract(std::size_t term, const Fq& scalar) { scalars_[term] -= scalar; }
    void add_constant(const Fq& value) { constant_ += value; }
    // Multiply every scalar so far, and the constant, by a factor.
    void scale(const Fq& factor) {
        for (Fq& scalar : scalars_) scalar *= factor;
        constant_ *= factor;
    }
    const Fq& scalar(std::size_t term) const { return scalars_[term]; }
    const Fq& constant() const { return constant_; }
    Grumpkin evaluate() const;

  private:
    static constexpr std::size_t capacity = 160;

    std::vector<Grumpkin> points_;
    std::vector<Fq> scalars_;
    Fq constant_;
};

// C1 of 07.6: a commitment to a polynomial that must vanish at z.
struct EccvmColumnOpening {
    Fq batched_evaluation;                        // E
    std::array<Fq, eccvm::rounds> fold_values;    // p_l
    EccvmCombination sum;                         // its first 93 terms are the columns, in order
};

// sumcheck_value: V of 07.4. False if a denominator vanishes.
bool open_eccvm_columns(const EccvmMessages& messages, const Fq& sumcheck_value, EccvmColumnOpening& opening);

// 07.7 and 07.8. C1 and Ct of the specification are never hashed, so both are merged into one multi-scalar multiplication
// (07.10), for which `columns` is changed. False if a denominator vanishes.
bool combine_eccvm_claims(const EccvmMessages& messages, EccvmColumnOpening& columns, EccvmResult& result);

BBIPC_END

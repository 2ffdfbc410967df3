// The openings of the ECCVM part (chapters 07.6 and 07.7), combined into one claim.
#pragma once

#include "../../field/hex.hpp"
#include "messages.hpp"

BBIPC_BEGIN

// Of the subgroup of order 87 (chapter 07.1).
inline constexpr Fq eccvm_subgroup_generator =
    hex_element<Fq>("147c647c09fb639514909e9f0513f31ec1a523bf8a0880bc7c24fbc962a9586b");
inline constexpr Fq eccvm_subgroup_generator_inverse =
    hex_element<Fq>("0c68e27477b5e78cfab790bd3b59806fa871771f71ec7452cde5384f6e3a1988");

// Generator number 0 (chapter 01 section 6): the commitment of the constant polynomial 1.
inline constexpr Grumpkin grumpkin_one_commitment{
    hex_element<Fr>("12f26f06d41f0965803cdb1a5cc895ef5df33aa2cecd833768e407d5d6eb196a"),
    hex_element<Fr>("273faabf29fadf2484aa2f8ec2388dfdb441595fde91ccc96dafe41c1dbcd0ea")};

// C1 of 07.6: a commitment to a polynomial that must vanish at z.
struct EccvmColumnOpening {
    Fq batched_evaluation;                      // E
    std::array<Fq, eccvm::rounds> fold_values;  // p_l
    Combination<GrumpkinCurve> sum{grumpkin_one_commitment};
    std::size_t columns[eccvm::committed_columns];  // their terms in it
};

// What the ECCVM part leaves to others.
struct EccvmResult {
    Combination<GrumpkinCurve> commitment;  // the claim: it takes the value 0 at `point`
    Fq point;
    Fq x, v;  // translation challenges
    Fq accumulated_result;
};

// sumcheck_value: V of 07.4. False if a denominator vanishes.
bool open_eccvm_columns(const EccvmMessages& messages, const Fq& sumcheck_value, EccvmColumnOpening& opening);

// 07.7 and 07.8. C1 and Ct of the specification are never hashed, so both are merged into one multi-scalar multiplication
// (07.10), for which `columns` is changed. False if a denominator vanishes.
bool combine_eccvm_claims(const EccvmMessages& messages, EccvmColumnOpening& columns, EccvmResult& result);

BBIPC_END

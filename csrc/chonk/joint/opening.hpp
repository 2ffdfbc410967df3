// The opening of the joint part (chapter 14): one multi-scalar multiplication.
#pragma once

#include <array>
#include <vector>

#include "../../field/hex.hpp"
#include "../opening/combination.hpp"
#include "inputs.hpp"
#include "messages.hpp"

BBIPC_BEGIN

// omega, of the subgroup of order 256 (14.5).
inline constexpr Fr joint_subgroup_generator =
    hex_element<Fr>("07b0c561a6148404f086204a9f36ffb0617942546750f230c893619174a57a76");
inline constexpr Fr joint_subgroup_generator_inverse =
    hex_element<Fr>("204bd3277422fad364751ad938e2b5e6a54cf8c68712848a692c553d0329f5d6");

// p0: P0 of 14.7. Entries of U and T with the same commitment are one term.
struct JointOpening {
    Fr batched_evaluation;                           // E
    std::array<Fr, translator::rounds> fold_values;  // a_k
    Combination<G1Curve> p0{g1_generator()};
};

// sumcheck_value: F of 13.4. False if a denominator vanishes.
bool open_joint(const JointMessages& messages, const JointInputs& inputs, const translator::Evaluations& evaluations,
                const Fr& sumcheck_value, JointOpening& opening);

BBIPC_END

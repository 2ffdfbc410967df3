// What the ECCVM part contains and the challenges drawn while it is read (chapter 07.3).
#pragma once

#include "../relations/eccvm.hpp"
#include "opening.hpp"
#include "proof.hpp"

BBIPC_BEGIN

namespace eccvm {

inline constexpr std::size_t rounds = 15;  // log n

}  // namespace eccvm

// A small-subgroup argument: commitments of the secret, the grand sum and the quotient, and their values.
struct EccvmSubgroupArgument {
    Grumpkin secret, grand_sum, quotient;
    SubgroupEvaluations<Fq> values;
};

struct EccvmMessages {
    Grumpkin columns[eccvm::committed_columns];
    Fq beta, gamma, alpha, gate;
    EccvmSubgroupArgument libra;
    Fq libra_sum, libra_challenge;
    Grumpkin round_commitments[eccvm::rounds];
    Fq round_values[eccvm::rounds][2];  // s_i(0), s_i(1)
    Fq u[eccvm::rounds];
    Fq evaluations[eccvm::evaluations];
    Fq libra_evaluation;
    Fq rho;
    Grumpkin folds[eccvm::rounds];  // [l] = A_l; [0] unused: A_0 is the batch of the columns
    Fq r;
    Fq fold_values[eccvm::rounds];  // m_l
    Fq nu;
    Grumpkin shplonk_quotient;
    Fq z;
    EccvmSubgroupArgument translation;
    Fq x;
    Fq translation_values[5];
    Fq v;
    Fq masking_evaluation;
    Fq w;
    Fq final_nu;
    Grumpkin final_quotient;
    Fq final_z;
};

// Receives the whole part, which has been loaded; afterwards ask the transcript whether it failed.
void receive_eccvm_messages(Transcript& transcript, EccvmMessages& messages);

BBIPC_END

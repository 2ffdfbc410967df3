// What the ECCVM part contains and the challenges drawn while it is read (chapter 07.3).
#pragma once

#include "../../relations/eccvm.hpp"
#include "../opening/subgroup.hpp"
#include "../proof/proof.hpp"

BBIPC_BEGIN

namespace eccvm {

inline constexpr std::size_t rounds = 15;  // log n

}  // namespace eccvm

struct EccvmMessages {
    Grumpkin columns[eccvm::committed_columns];
    Fq beta, gamma, alpha, gate;
    SubgroupArgument<GrumpkinCurve> libra;
    Fq libra_sum, libra_challenge;
    Grumpkin round_commitments[eccvm::rounds];
    Fq round_values[eccvm::rounds][2];  // s_i(0), s_i(1)
    Fq u[eccvm::rounds];
    Fq evaluations[eccvm::evaluations];
    Fq libra_evaluation;
    Fq rho;
    Grumpkin folds[eccvm::rounds - 1];  // [l - 1] = A_l; A_0 is the batch of the columns
    Fq r;
    Fq fold_values[eccvm::rounds];  // m_l
    Fq nu;
    Grumpkin shplonk_quotient;
    Fq z;
    SubgroupArgument<GrumpkinCurve> translation;
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

// What the joint part contains and the challenges drawn while it is read (chapters 10.3, 13.1 and 14.2).
#pragma once

#include "../../relations/mega.hpp"
#include "../../relations/translator.hpp"
#include "../opening/subgroup.hpp"
#include "../proof/proof.hpp"

BBIPC_BEGIN

struct JointMessages {
    G1 masking;  // gemini_masking_poly
    G1 concatenated[translator::concatenated_columns];
    G1 ordered[5];
    Fr beta, gamma;  // beta_t, gamma_t
    G1 z_perm;
    Fr alpha, gate;
    SubgroupArgument<G1Curve> libra;  // C_G, C_A, C_Q and their values
    Fr libra_sum, libra_challenge;    // sigma, lambda
    G1 round_commitments[translator::rounds];
    Fr round_values[translator::rounds][2];  // S_i(0), S_i(1)
    Fr u[translator::rounds];
    Fr minicircuit[translator::minicircuit_evaluations];
    Fr mega[mega::evaluations];
    Fr full_size[translator::full_size_evaluations];
    Fr libra_evaluation;  // e_lib
    Fr rho;
    G1 folds[translator::rounds - 1];  // [k - 1] = A_k; A_0 is the batch of the columns
    Fr r;
    Fr fold_values[translator::rounds];  // n_k
    Fr nu;
    G1 shplonk_quotient;  // Qs
    Fr z;
    G1 witness;  // W
};

// Receives the whole part, which has been loaded; afterwards ask the transcript whether it failed.
void receive_joint_messages(Transcript& transcript, JointMessages& messages);

BBIPC_END

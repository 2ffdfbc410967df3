#include "sumcheck.hpp"

#include "../../relations/sumcheck_factors.hpp"

BBIPC_BEGIN

bool eccvm_sumcheck_value(const EccvmMessages& m, Fq& value) {
    Fq subrelations[eccvm::subrelations];
    if (!eccvm_subrelations(m.evaluations, m.beta, m.gamma, subrelations)) return false;
    const Fq relation = eccvm_batched_relation(subrelations, m.alpha, gate_separator<Fq>(m.u, m.gate));
    value = relation * (Fq::one() - first_rows_indicator<Fq>(m.u)) + m.libra_evaluation * m.libra_challenge;
    return true;
}

BBIPC_END

#include "sumcheck.hpp"

#include "../../relations/sumcheck_factors.hpp"

BBIPC_BEGIN

Fr joint_sumcheck_value(const JointMessages& m, const JointInputs& inputs, const translator::Evaluations& evaluations) {
    const Fr separator = gate_separator<Fr>(m.u, m.gate);
    Fr mega_values[mega::subrelations];
    mega_subrelations(m.mega, inputs.oink.beta, inputs.oink.gamma, inputs.oink.public_input_delta, mega_values);
    const Fr mega_value = mega_batched_relation(mega_values, m.alpha, separator, first_rows_indicator<Fr>(m.u));

    Fr translator_values[translator::subrelations];
    const auto parameters = translator_parameters(inputs.x, inputs.v, inputs.accumulated_result, m.beta, m.gamma);
    translator_subrelations(evaluations, parameters, translator_values);
    const Fr translator_value = translator_batched_relation(translator_values, m.alpha, separator);

    const Fr translator_weight = m.alpha.pow(U256{{mega::subrelations, 0, 0, 0}});
    return mega_value + translator_weight * translator_value + m.libra_evaluation * m.libra_challenge;
}

BBIPC_END

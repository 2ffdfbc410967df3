#include "joint.hpp"

#include "opening.hpp"
#include "sumcheck.hpp"

BBIPC_BEGIN

namespace {

constexpr std::size_t subgroup_order = 256;
constexpr std::size_t libra_length = 9;  // coefficients per round

}  // namespace

Objection receive_joint(Transcript& transcript, const PartView& part, JointMessages& messages) {
    transcript.load(part);
    receive_joint_messages(transcript, messages);
    if (transcript.failed()) return Rejection::unreadable(transcript.error(), BBIPC_STEP_JOINT_REDUCTION);
    return std::nullopt;
}

Objection verify_joint(const JointMessages& m, const JointInputs& inputs, PairingCheck& check) {
    const Rejection failure = Rejection::invalid(BBIPC_STEP_JOINT_REDUCTION);
    if (m.round_values[0][0] + m.round_values[0][1] != m.libra_sum * m.libra_challenge) return failure;  // check A
    // f of 14.5
    const auto libra = libra_vector<Fr, subgroup_order>(m.u, libra_length);
    if (!subgroup_check<Fr>(m.r, joint_subgroup_generator_inverse, libra, m.libra.values, m.libra_evaluation))
        return failure;  // check B
    const auto evaluations = translator_evaluations(m.minicircuit, m.full_size, m.u);
    const Fr sumcheck_value = joint_sumcheck_value(m, inputs, evaluations);
    JointOpening opening;
    if (!open_joint(m, inputs, evaluations, sumcheck_value, opening)) return failure;
    check.step = BBIPC_STEP_JOINT_PAIRING;
    check.p0 = std::move(opening.p0);
    check.p1 = -m.witness;
    return std::nullopt;
}

BBIPC_END

#include "joint.hpp"

#include "../msm/msm.hpp"
#include "joint_messages.hpp"
#include "joint_opening.hpp"
#include "joint_sumcheck.hpp"

BBIPC_BEGIN

namespace {

constexpr std::size_t subgroup_order = 256;
constexpr std::size_t libra_length = 9;  // coefficients per round

// f of check B (14.5).
std::array<Fr, subgroup_order> libra_vector(const JointMessages& m) {
    std::array<Fr, subgroup_order> f{};
    f[0] = Fr::one();
    for (std::size_t k = 0; k < translator::rounds; ++k) {
        Powers<Fr> powers(m.u[k]);
        for (std::size_t i = 0; i < libra_length; ++i) f[1 + libra_length * k + i] = powers.next();
    }
    return f;
}

}  // namespace

Verdict verify_joint(Transcript& transcript, const PartView& part, const JointInputs& inputs, PairingCheck& check) {
    transcript.load(part);
    JointMessages m;
    receive_joint_messages(transcript, m);
    if (transcript.failed()) return transcript.error();

    const Verdict failure = verdict_invalid(BBIPC_STEP_JOINT_REDUCTION);
    if (m.round_values[0][0] + m.round_values[0][1] != m.libra_sum * m.libra_challenge) return failure;  // check A
    const auto libra = libra_vector(m);
    if (!subgroup_check<Fr>(m.r, joint_subgroup_generator_inverse, libra, m.libra, m.libra_evaluation))
        return failure;  // check B
    const auto evaluations = translator_evaluations(m.minicircuit, m.full_size, m.u);
    const Fr sumcheck_value = joint_sumcheck_value(m, inputs, evaluations);
    JointOpening opening;
    if (!open_joint(m, inputs, evaluations, sumcheck_value, opening)) return failure;
    check = PairingCheck{BBIPC_STEP_JOINT_PAIRING, msm<G1Curve>(opening.points, opening.scalars).to_affine(), -m.witness};
    return verdict_valid();
}

BBIPC_END

#include "messages.hpp"

#include "../../field/hex.hpp"

BBIPC_BEGIN

namespace {

// H of the translator key under Aztec's setup; a constant of the protocol under every setup.
constexpr Fr translator_key_hash = hex_element<Fr>("281228e56fbfb62a424c94bda780104c9b5e758b8a02f148ce5e98c2867fdfc1");

}  // namespace

void receive_joint_messages(Transcript& t, JointMessages& m) {
    t.absorb(translator_key_hash);
    m.masking = t.receive_g1();
    for (G1& commitment : m.concatenated) commitment = t.receive_g1();
    for (G1& commitment : m.ordered) commitment = t.receive_g1();
    m.beta = t.challenge().fr();
    m.gamma = t.challenge().fr();
    m.z_perm = t.receive_g1();
    m.alpha = t.challenge().fr();
    m.gate = t.challenge().fr();
    m.libra.secret = t.receive_g1();
    m.libra_sum = t.receive_fr();
    m.libra_challenge = t.challenge().fr();
    for (std::size_t i = 0; i < translator::rounds; ++i) {
        m.round_commitments[i] = t.receive_g1();
        m.round_values[i][0] = t.receive_fr();
        m.round_values[i][1] = t.receive_fr();
        m.u[i] = t.challenge().fr();
        if (i + 1 == translator::minicircuit_rounds) {
            for (Fr& value : m.minicircuit) value = t.receive_fr();
        }
    }
    for (Fr& value : m.mega) value = t.receive_fr();
    for (Fr& value : m.full_size) value = t.receive_fr();
    m.libra_evaluation = t.receive_fr();
    m.libra.grand_sum = t.receive_g1();
    m.libra.quotient = t.receive_g1();
    m.rho = t.challenge().fr();
    for (G1& fold : m.folds) fold = t.receive_g1();
    m.r = t.challenge().fr();
    for (Fr& value : m.fold_values) value = t.receive_fr();
    m.libra.values.secret = t.receive_fr();
    m.libra.values.grand_sum_next = t.receive_fr();
    m.libra.values.grand_sum = t.receive_fr();
    m.libra.values.quotient = t.receive_fr();
    m.nu = t.challenge().fr();
    m.shplonk_quotient = t.receive_g1();
    m.z = t.challenge().fr();
    m.witness = t.receive_g1();
}

BBIPC_END

#include "messages.hpp"

#include <algorithm>

#include "../../field/hex.hpp"

BBIPC_BEGIN

namespace {

// Columns 5..90, "wires".
constexpr std::size_t first_wire = eccvm::transcript_add, wire_end = eccvm::z_perm;

constexpr Fr vk_hash = hex_element<Fr>("032ece6c493f6e74ca8847127f189f8e759021e53df9820a88985e41e400fde2");

// lagrange_first, _second, _third, _last: generators 4, 5, 6 and 32767; columns 1..4.
constexpr Grumpkin fixed_columns[4] = {
    {hex_element<Fr>("1227d829cc03e51a2cc68ca0e08381c02b78c484f4092a10584ef78381a31968"),
     hex_element<Fr>("10b233eb875fed8834f6235ed737946b68c0c7ed258053cd943dcc69212d90d6")},
    {hex_element<Fr>("1976c760e4bde34db58394888baeda91f57bcdddf60aec28b721b10aac55f555"),
     hex_element<Fr>("26eec8e50bdb2cfc3956e90bd72c9098d4a5de28c1c1c236955d14884a8f498d")},
    {hex_element<Fr>("1a96c5eae61aba7353221e65adf123d30255415db00b8063157f2764a3034e26"),
     hex_element<Fr>("0d04425c0f370a7aaace3cf41f9b2380079c95fa26f9f83b5fd5e26813dbd289")},
    {hex_element<Fr>("23a271e0e1d99d2a526cc8c06df7edf7c86e9cb985e577affb5a64b9daf24401"),
     hex_element<Fr>("12a74c457ae1f9bd6076c308f47a006deb82adfd576be1266cde1cdc0d008cd1")},
};

void receive_values(Transcript& t, SubgroupEvaluations<Fq>& values) {
    values.secret = t.receive_fq();
    values.grand_sum_next = t.receive_fq();
    values.grand_sum = t.receive_fq();
    values.quotient = t.receive_fq();
}

}  // namespace

void receive_eccvm_messages(Transcript& t, EccvmMessages& m) {
    t.absorb(vk_hash);
    m.columns[0] = t.receive_grumpkin();
    std::copy(std::begin(fixed_columns), std::end(fixed_columns), m.columns + 1);
    for (std::size_t i = first_wire; i < wire_end; ++i) m.columns[i] = t.receive_grumpkin();
    Challenge beta_gamma[2];
    t.challenges(beta_gamma);
    m.beta = beta_gamma[0].fq();
    m.gamma = beta_gamma[1].fq();
    m.columns[eccvm::lookup_inverses] = t.receive_grumpkin();
    m.columns[eccvm::z_perm] = t.receive_grumpkin();
    m.alpha = t.challenge().fq();
    m.gate = t.challenge().fq();
    m.libra.secret = t.receive_grumpkin();
    m.libra_sum = t.receive_fq();
    m.libra_challenge = t.challenge().fq();
    for (std::size_t i = 0; i < eccvm::rounds; ++i) {
        m.round_commitments[i] = t.receive_grumpkin();
        m.round_values[i][0] = t.receive_fq();
        m.round_values[i][1] = t.receive_fq();
        m.u[i] = t.challenge().fq();
    }
    for (Fq& value : m.evaluations) value = t.receive_fq();
    m.libra_evaluation = t.receive_fq();
    m.libra.grand_sum = t.receive_grumpkin();
    m.libra.quotient = t.receive_grumpkin();
    m.rho = t.challenge().fq();
    for (Grumpkin& fold : m.folds) fold = t.receive_grumpkin();
    m.r = t.challenge().fq();
    for (Fq& value : m.fold_values) value = t.receive_fq();
    receive_values(t, m.libra.values);
    m.nu = t.challenge().fq();
    m.shplonk_quotient = t.receive_grumpkin();
    m.z = t.challenge().fq();
    m.translation.secret = t.receive_grumpkin();
    m.x = t.challenge().fq();
    for (Fq& value : m.translation_values) value = t.receive_fq();
    m.v = t.challenge().fq();
    m.masking_evaluation = t.receive_fq();
    m.translation.grand_sum = t.receive_grumpkin();
    m.translation.quotient = t.receive_grumpkin();
    m.w = t.challenge().fq();
    receive_values(t, m.translation.values);
    m.final_nu = t.challenge().fq();
    m.final_quotient = t.receive_grumpkin();
    m.final_z = t.challenge().fq();
}

BBIPC_END

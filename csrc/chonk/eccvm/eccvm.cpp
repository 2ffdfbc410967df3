#include "eccvm.hpp"

#include "sumcheck.hpp"

BBIPC_BEGIN

namespace {

constexpr std::size_t subgroup_order = 87;
constexpr std::size_t libra_length = 4;  // coefficients per round
constexpr std::size_t masked_rows = 4;   // rows 0..3 hold random values

// The public vector of the translation's small-subgroup check (07.5).
std::array<Fq, subgroup_order> translation_vector(const EccvmMessages& m) {
    std::array<Fq, subgroup_order> f{};
    Powers<Fq> v_powers(m.v);
    for (std::size_t i = 0; i < 5; ++i) {
        Powers<Fq> terms(m.x, v_powers.next());
        for (std::size_t j = 0; j < masked_rows; ++j) f[masked_rows * i + j] = terms.next();
    }
    return f;
}

}  // namespace

Objection receive_eccvm(Transcript& transcript, const PartView& part, EccvmMessages& messages) {
    transcript.load(part);
    receive_eccvm_messages(transcript, messages);
    if (transcript.failed()) return Rejection::unreadable(transcript.error(), BBIPC_STEP_ECCVM);
    return std::nullopt;
}

Objection verify_eccvm(const EccvmMessages& m, EccvmResult& result) {
    const Rejection failure = Rejection::invalid(BBIPC_STEP_ECCVM);
    if (m.round_values[0][0] + m.round_values[0][1] != m.libra_sum * m.libra_challenge) return failure;  // check 1
    const auto libra = libra_vector<Fq, subgroup_order>(m.u, libra_length);
    if (!subgroup_check<Fq>(m.r, eccvm_subgroup_generator_inverse, libra, m.libra.values, m.libra_evaluation))
        return failure;  // check 2
    const auto translation = translation_vector(m);
    if (!subgroup_check<Fq>(m.w, eccvm_subgroup_generator_inverse, translation, m.translation.values, m.masking_evaluation))
        return failure;  // check 3
    Fq sumcheck_value;
    if (!eccvm_sumcheck_value(m, sumcheck_value)) return failure;
    EccvmColumnOpening columns;
    if (!open_eccvm_columns(m, sumcheck_value, columns) || !combine_eccvm_claims(m, columns, result)) return failure;
    return std::nullopt;
}

BBIPC_END

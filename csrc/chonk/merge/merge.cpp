#include "merge.hpp"

BBIPC_BEGIN

namespace {

// Degree bound l of the table of all earlier circuits.
constexpr u64 shift_size = 7526;

}  // namespace

Objection receive_merge(Transcript& transcript, const PartView& part, MergeMessages& m) {
    const auto draw = [&transcript](std::span<Fr> out) {
        std::vector<Challenge> challenges(out.size());
        transcript.challenges(challenges);
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = challenges[i].fr();
    };
    transcript.load(part);
    for (G1& commitment : m.merged_table) commitment = transcript.receive_g1();
    draw(m.degree_check);
    m.reversed = transcript.receive_g1();
    m.kappa = transcript.challenge().fr();
    for (Fr& value : m.left) value = transcript.receive_fr();
    for (Fr& value : m.right) value = transcript.receive_fr();
    for (Fr& value : m.merged) value = transcript.receive_fr();
    m.reversed_value = transcript.receive_fr();
    draw(m.batching);
    m.quotient = transcript.receive_g1();
    m.z = transcript.challenge().fr();
    m.witness = transcript.receive_g1();
    if (transcript.failed()) return Rejection::unreadable(transcript.error(), BBIPC_STEP_MERGE_REDUCTION);
    return std::nullopt;
}

Objection verify_merge(const MergeMessages& m, std::span<const G1, 4> previous, std::span<const G1, 4> own,
                       PairingCheck& check) {
    if (m.kappa.is_zero()) return Rejection::invalid(BBIPC_STEP_MERGE_REDUCTION);
    const Fr kappa_l_minus_1 = m.kappa.pow(U256{{shift_size - 1, 0, 0, 0}});
    const Fr kappa_l = kappa_l_minus_1 * m.kappa;
    bool identities_hold = true;
    Fr degree_sum = Fr::zero();
    for (std::size_t j = 0; j < 4; ++j) {
        if (m.left[j] + kappa_l * m.right[j] != m.merged[j]) identities_hold = false;  // check C
        degree_sum += m.degree_check[j] * m.left[j];
    }
    if (degree_sum != m.reversed_value * kappa_l_minus_1) identities_hold = false;  // check D
    if (!identities_hold) return Rejection::invalid(BBIPC_STEP_MERGE_REDUCTION);

    const Fr z_minus_kappa = m.z - m.kappa;
    const Fr rho_denominator = m.kappa * m.z - Fr::one();  // kappa (z - 1/kappa)
    if (rho_denominator.is_zero()) return Rejection::invalid(BBIPC_STEP_MERGE_PAIRING);
    const Fr rho = z_minus_kappa * m.kappa * rho_denominator.inverse();
    check.step = BBIPC_STEP_MERGE_PAIRING;
    Combination<G1Curve>& p0 = check.p0;
    p0.reserve(15);
    Fr value = Fr::zero();
    for (std::size_t j = 0; j < 4; ++j) {
        const Fr bl = m.batching[j], br = m.batching[4 + j], bm = m.batching[8 + j];
        p0.add(previous[j], bl);
        p0.add(own[j], br);
        p0.add(m.merged_table[j], bm);
        value += bl * m.left[j] + br * m.right[j] + bm * m.merged[j];
    }
    const Fr reversed_scalar = m.batching[12] * rho;
    value += reversed_scalar * m.reversed_value;
    p0.add(m.reversed, reversed_scalar);
    p0.add(m.quotient, -z_minus_kappa);
    p0.add_constant(-value);
    p0.add(m.witness, m.z);
    check.p1 = -m.witness;
    return std::nullopt;
}

BBIPC_END

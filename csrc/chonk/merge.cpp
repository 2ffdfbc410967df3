#include "merge.hpp"

#include "../msm/msm.hpp"

BBIPC_BEGIN

namespace {

// Degree bound l of the table of all earlier circuits.
constexpr u64 shift_size = 7526;

}  // namespace

Verdict verify_merge(Transcript& transcript, const PartView& part, std::span<const G1, 4> previous, std::span<const G1, 4> own,
                     MergeResult& result) {
    transcript.load(part);
    for (G1& commitment : result.merged_table) commitment = transcript.receive_g1();
    Challenge degree_check[4];  // a_0..a_3
    transcript.challenges(degree_check);
    const G1 reversed = transcript.receive_g1();  // G
    const Fr kappa = transcript.challenge().fr();
    Fr left[4], right[4], merged[4];
    for (Fr& value : left) value = transcript.receive_fr();
    for (Fr& value : right) value = transcript.receive_fr();
    for (Fr& value : merged) value = transcript.receive_fr();
    const Fr reversed_value = transcript.receive_fr();  // g
    Challenge batching[13];  // b_0..b_12
    transcript.challenges(batching);
    const G1 quotient = transcript.receive_g1();  // Q
    const Fr z = transcript.challenge().fr();
    const G1 witness = transcript.receive_g1();  // W
    if (transcript.failed()) return transcript.error();

    if (kappa.is_zero()) return verdict_invalid(BBIPC_STEP_MERGE_REDUCTION);
    const Fr kappa_l_minus_1 = kappa.pow(U256{{shift_size - 1, 0, 0, 0}});
    const Fr kappa_l = kappa_l_minus_1 * kappa;
    bool identities_hold = true;
    Fr degree_sum = Fr::zero();
    for (std::size_t j = 0; j < 4; ++j) {
        if (left[j] + kappa_l * right[j] != merged[j]) identities_hold = false;  // check C
        degree_sum += degree_check[j].fr() * left[j];
    }
    if (degree_sum != reversed_value * kappa_l_minus_1) identities_hold = false;  // check D
    if (!identities_hold) return verdict_invalid(BBIPC_STEP_MERGE_REDUCTION);

    const Fr z_minus_kappa = z - kappa;
    const Fr rho_denominator = kappa * z - Fr::one();  // kappa (z - 1/kappa)
    if (rho_denominator.is_zero()) return verdict_invalid(BBIPC_STEP_MERGE_PAIRING);
    const Fr rho = z_minus_kappa * kappa * rho_denominator.inverse();
    G1 points[16];
    Fr scalars[16];
    std::size_t n = 0;
    const auto add = [&](const G1& point, const Fr& scalar) {
        points[n] = point;
        scalars[n++] = scalar;
    };
    Fr value = Fr::zero();
    for (std::size_t j = 0; j < 4; ++j) {
        const Fr bl = batching[j].fr(), br = batching[4 + j].fr(), bm = batching[8 + j].fr();
        add(previous[j], bl);
        add(own[j], br);
        add(result.merged_table[j], bm);
        value += bl * left[j] + br * right[j] + bm * merged[j];
    }
    const Fr reversed_scalar = batching[12].fr() * rho;
    value += reversed_scalar * reversed_value;
    add(reversed, reversed_scalar);
    add(quotient, -z_minus_kappa);
    add(g1_generator(), -value);
    add(witness, z);
    result.check = PairingCheck{BBIPC_STEP_MERGE_PAIRING, msm<G1Curve>(points, scalars).to_affine(), -witness};
    return verdict_valid();
}

BBIPC_END

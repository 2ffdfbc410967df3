#include "opening.hpp"

#include "../opening/gemini.hpp"
#include "../opening/rounds.hpp"

BBIPC_BEGIN

namespace {

constexpr std::size_t trace_offset = 4;  // rows 0..3 hold random values
constexpr std::size_t translation_columns[5] = {eccvm::transcript_op, eccvm::transcript_px, eccvm::transcript_py,
                                                eccvm::transcript_z1, eccvm::transcript_z2};

}  // namespace

bool open_eccvm_columns(const EccvmMessages& m, const Fq& sumcheck_value, EccvmColumnOpening& opening) {
    Denominators<Fq> denominators;
    const Gemini<Fq, eccvm::rounds> gemini(denominators, m.r, m.z, m.u);
    const SubgroupClaims libra_claims(denominators, m.libra, eccvm_subgroup_generator, m.r, m.z);
    const RoundClaims<GrumpkinCurve, eccvm::rounds> round_claims(denominators, m.u, m.z);
    if (!denominators.invert()) return false;

    Combination<GrumpkinCurve>& sum = opening.sum;
    sum.reserve(160);
    const Fq unshifted = gemini.positive(0) + m.nu * gemini.negative(0);
    const Fq shifted = gemini.r_inverse() * (gemini.positive(0) - m.nu * gemini.negative(0));
    Powers<Fq> rho(m.rho);
    opening.batched_evaluation = Fq::zero();
    for (std::size_t k = 0; k < eccvm::committed_columns; ++k) {
        const Fq power = rho.next();
        opening.batched_evaluation += power * m.evaluations[k];
        opening.columns[k] = sum.add(m.columns[k], -(power * unshifted));
    }
    for (std::size_t k = 0; k < eccvm::shifts; ++k) {
        const Fq power = rho.next();
        opening.batched_evaluation += power * m.evaluations[eccvm::committed_columns + k];
        sum.subtract(opening.columns[eccvm::first_shiftable + k], power * shifted);
    }
    opening.fold_values = gemini.fold_values(opening.batched_evaluation, m.fold_values);
    Powers<Fq> nu(m.nu);
    gemini.add_fold_claims<GrumpkinCurve>(sum, nu, m.folds, opening.fold_values, m.fold_values);
    libra_claims.add_to(sum, nu);
    round_claims.add_to(sum, nu, m.round_commitments, m.round_values, sumcheck_value);
    sum.add(m.shplonk_quotient, Fq::one());
    return true;
}

bool combine_eccvm_claims(const EccvmMessages& m, EccvmColumnOpening& columns, EccvmResult& result) {
    Denominators<Fq> denominators;
    const SubgroupClaims translation_claims(denominators, m.translation, eccvm_subgroup_generator, m.w, m.final_z);
    const std::size_t translation_at_x = denominators.add(m.final_z - m.x);
    const std::size_t opening_at_z = denominators.add(m.final_z - m.z);
    const std::size_t x_power = denominators.add(m.x.pow(U256{{1 + trace_offset, 0, 0, 0}}));
    if (!denominators.invert()) return false;

    // Claims 0..4: the translation's small-subgroup argument; 5: Ct at x; 6: C1 at z, with value 0.
    Combination<GrumpkinCurve>& sum = columns.sum;
    Powers<Fq> nu(m.final_nu);
    Fq claim_powers[7];
    for (Fq& power : claim_powers) power = nu.next();
    sum.scale(-(claim_powers[6] * denominators[opening_at_z]));
    Powers<Fq> subgroup_powers(m.final_nu);
    translation_claims.add_to(sum, subgroup_powers);
    const Fq translation_weight = claim_powers[5] * denominators[translation_at_x];
    Powers<Fq> v_powers(m.v);
    Fq translation_value = Fq::zero();  // ct
    for (std::size_t i = 0; i < 5; ++i) {
        const Fq power = v_powers.next();
        translation_value += power * m.translation_values[i];
        sum.subtract(columns.columns[translation_columns[i]], translation_weight * power);
    }
    sum.add_constant(translation_weight * translation_value);
    sum.add(m.final_quotient, Fq::one());

    result.commitment = std::move(sum);
    result.point = m.final_z;
    result.x = m.x;
    result.v = m.v;
    result.accumulated_result = (translation_value - m.masking_evaluation) * denominators[x_power];
    return true;
}

BBIPC_END

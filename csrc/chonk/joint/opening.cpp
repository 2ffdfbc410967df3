#include "opening.hpp"

#include "../opening/gemini.hpp"
#include "../opening/rounds.hpp"

BBIPC_BEGIN

namespace {

// The claims about columns (14.1): U with the index in it of each entry of T.
class Columns {
  public:
    static constexpr std::size_t unshifted_count = 57, shifted_count = 19;

    Columns(const JointMessages& m, const JointInputs& inputs, const translator::Evaluations& evaluations) {
        const Fr* full = m.full_size;  // in the order of 13.3
        unshifted(m.masking, *full++);
        unshifted(inputs.translator_key, *full++);
        std::size_t to_be_shifted[9];  // x_lo_y_hi, x_hi_z_1, y_lo_z_2, ordered 0..4, z_perm
        std::size_t n = 0;
        for (std::size_t j = 0; j < 4; ++j) {
            const std::size_t entry = unshifted(inputs.merged_table[j], *full++);
            if (j != 0) to_be_shifted[n++] = entry;  // op has no shift
        }
        for (const G1& commitment : m.ordered) to_be_shifted[n++] = unshifted(commitment, *full++);
        to_be_shifted[n++] = unshifted(m.z_perm, *full++);
        std::size_t first_concatenated = size_;
        for (std::size_t j = 0; j < translator::concatenated_columns; ++j)
            unshifted(m.concatenated[j], evaluations.concatenated[j]);
        for (std::size_t j = 0; j < mega::precomputed_columns; ++j) unshifted(inputs.key.commitments[j], m.mega[j]);
        const std::size_t first_witness = size_;
        for (std::size_t j = 0; j < mega::witness_columns; ++j)
            unshifted(inputs.oink.witness[j], m.mega[mega::precomputed_columns + j]);

        for (std::size_t j = 0; j < mega::shifts; ++j)
            shifted(first_witness + j, m.mega[mega::w_l_shift + j]);  // w_l..w_4, z_perm
        for (const std::size_t entry : to_be_shifted) shifted(entry, *full++);
        for (std::size_t j = 0; j < translator::concatenated_columns; ++j)
            shifted(first_concatenated + j, evaluations.concatenated_shift[j]);
    }

    struct Batched {
        Fr evaluation;                // E
        Fr scalars[unshifted_count];  // of the commitments of U, those of T merged in
    };

    // unshifted_factor, shifted_factor: what multiplies rho^j in the scalars of U and of T (14.3).
    Batched batch(const Fr& rho, const Fr& unshifted_factor, const Fr& shifted_factor) const {
        Batched result;
        result.evaluation = Fr::zero();
        Powers<Fr> powers(rho);
        for (std::size_t j = 0; j < unshifted_count; ++j) {
            const Fr power = powers.next();
            result.evaluation += power * values_[j];
            result.scalars[j] = -(power * unshifted_factor);
        }
        for (std::size_t j = 0; j < shifted_count; ++j) {
            const Fr power = powers.next();
            result.evaluation += power * shifted_values_[j];
            result.scalars[shifted_entries_[j]] -= power * shifted_factor;
        }
        return result;
    }

    std::span<const G1, unshifted_count> commitments() const { return commitments_; }

  private:
    std::size_t unshifted(const G1& commitment, const Fr& value) {
        commitments_[size_] = commitment;
        values_[size_] = value;
        return size_++;
    }
    void shifted(std::size_t entry, const Fr& value) {
        shifted_entries_[shifted_size_] = entry;
        shifted_values_[shifted_size_++] = value;
    }

    std::size_t size_ = 0, shifted_size_ = 0;
    G1 commitments_[unshifted_count];
    Fr values_[unshifted_count];
    std::size_t shifted_entries_[shifted_count];
    Fr shifted_values_[shifted_count];
};

}  // namespace

bool open_joint(const JointMessages& m, const JointInputs& inputs, const translator::Evaluations& evaluations,
                const Fr& sumcheck_value, JointOpening& opening) {
    Denominators<Fr> denominators;
    const Gemini<Fr, translator::rounds> gemini(denominators, m.r, m.z, m.u);
    const SubgroupClaims libra_claims(denominators, m.libra, joint_subgroup_generator, m.r, m.z);  // 14.5
    const RoundClaims<G1Curve, translator::rounds> round_claims(denominators, m.u, m.z);           // 14.6
    if (!denominators.invert()) return false;

    Combination<G1Curve>& sum = opening.p0;
    sum.reserve(96);
    const Columns columns(m, inputs, evaluations);
    const auto batched = columns.batch(m.rho, gemini.positive(0) + m.nu * gemini.negative(0),
                                       gemini.r_inverse() * (gemini.positive(0) - m.nu * gemini.negative(0)));
    for (std::size_t j = 0; j < Columns::unshifted_count; ++j) sum.add(columns.commitments()[j], batched.scalars[j]);

    opening.batched_evaluation = batched.evaluation;
    opening.fold_values = gemini.fold_values(batched.evaluation, m.fold_values);
    Powers<Fr> nu(m.nu);
    gemini.add_fold_claims<G1Curve>(sum, nu, m.folds, opening.fold_values, m.fold_values);
    libra_claims.add_to(sum, nu);
    round_claims.add_to(sum, nu, m.round_commitments, m.round_values, sumcheck_value);
    sum.add(m.witness, m.z);
    sum.add(m.shplonk_quotient, Fr::one());
    return true;
}

BBIPC_END

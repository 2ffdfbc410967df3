#include "eccvm_opening.hpp"

#include "../msm/msm.hpp"

BBIPC_BEGIN

namespace {

constexpr std::size_t trace_offset = 4;          // rows 0..3 hold random values
constexpr std::size_t translation_columns[5] = {eccvm::transcript_op, eccvm::transcript_px, eccvm::transcript_py,
                                                eccvm::transcript_z1, eccvm::transcript_z2};

// Generator number 0 (chapter 01 section 6): the commitment of the constant polynomial 1.
constexpr Grumpkin one_commitment{hex_element<Fr>("12f26f06d41f0965803cdb1a5cc895ef5df33aa2cecd833768e407d5d6eb196a"),
                                  hex_element<Fr>("273faabf29fadf2484aa2f8ec2388dfdb441595fde91ccc96dafe41c1dbcd0ea")};

// The five claims of chapter 07.5 about one small-subgroup argument at y.
class SubgroupClaims {
  public:
    SubgroupClaims(Denominators<Fq>& denominators, const EccvmSubgroupArgument& argument, const Fq& y, const Fq& z)
        : denominators_(denominators), argument_(argument) {
        at_y_ = denominators.add(z - y);
        at_next_ = denominators.add(z - eccvm_subgroup_generator * y);
        at_one_ = denominators.add(z - Fq::one());
    }

    // Weights nu^(k + 0..4), taken from `nu_powers`, divided by z - point.
    void add_to(EccvmCombination& sum, Powers<Fq>& nu_powers) const {
        const SubgroupEvaluations<Fq>& v = argument_.values;
        const Fq secret = nu_powers.next() * denominators_[at_y_];
        const Fq next = nu_powers.next() * denominators_[at_next_];
        const Fq here = nu_powers.next() * denominators_[at_y_];
        const Fq at_one = nu_powers.next() * denominators_[at_one_];  // A(1) = 0
        const Fq quotient = nu_powers.next() * denominators_[at_y_];
        sum.add(argument_.secret, -secret);
        sum.add(argument_.grand_sum, -(next + here + at_one));
        sum.add(argument_.quotient, -quotient);
        sum.add_constant(secret * v.secret + next * v.grand_sum_next + here * v.grand_sum + quotient * v.quotient);
    }

  private:
    Denominators<Fq>& denominators_;
    const EccvmSubgroupArgument& argument_;
    std::size_t at_y_, at_next_, at_one_;
};

}  // namespace

Grumpkin EccvmCombination::evaluate() const {
    std::vector<Grumpkin> points = points_;
    std::vector<Fq> scalars = scalars_;
    points.push_back(one_commitment);
    scalars.push_back(constant_);
    return msm<GrumpkinCurve>(points, scalars).to_affine();
}

bool open_eccvm_columns(const EccvmMessages& m, const Fq& sumcheck_value, EccvmColumnOpening& opening) {
    Denominators<Fq> denominators;
    const Gemini<Fq, eccvm::rounds> gemini(denominators, m.r, m.z, m.u);
    const SubgroupClaims libra_claims(denominators, m.libra, m.r, m.z);
    const std::size_t round_at_0 = denominators.add(m.z);
    const std::size_t round_at_1 = denominators.add(m.z - Fq::one());
    std::size_t round_at_u[eccvm::rounds];
    for (std::size_t i = 0; i < eccvm::rounds; ++i) round_at_u[i] = denominators.add(m.z - m.u[i]);
    if (!denominators.invert()) return false;

    EccvmCombination& sum = opening.sum;
    const Fq unshifted = gemini.positive(0) + m.nu * gemini.negative(0);
    const Fq shifted = gemini.r_inverse() * (gemini.positive(0) - m.nu * gemini.negative(0));
    Powers<Fq> rho(m.rho);
    opening.batched_evaluation = Fq::zero();
    for (std::size_t k = 0; k < eccvm::committed_columns; ++k) {
        const Fq power = rho.next();
        opening.batched_evaluation += power * m.evaluations[k];
        sum.add(m.columns[k], -(power * unshifted));
    }
    for (std::size_t k = 0; k < eccvm::shifts; ++k) {
        const Fq power = rho.next();
        opening.batched_evaluation += power * m.evaluations[eccvm::committed_columns + k];
        sum.subtract(eccvm::first_shiftable + k, power * shifted);
    }
    opening.fold_values = gemini.fold_values(opening.batched_evaluation, m.fold_values);
    Powers<Fq> nu(m.nu);
    for (std::size_t l = 0; l < eccvm::rounds; ++l) {
        const Fq positive = nu.next() * gemini.positive(l);
        const Fq negative = nu.next() * gemini.negative(l);
        if (l != 0) sum.add(m.folds[l], -(positive + negative));
        sum.add_constant(positive * opening.fold_values[l] + negative * m.fold_values[l]);
    }
    libra_claims.add_to(sum, nu);
    for (std::size_t i = 0; i < eccvm::rounds; ++i) {
        const Fq implied = i + 1 < eccvm::rounds ? m.round_values[i + 1][0] + m.round_values[i + 1][1] : sumcheck_value;
        const Fq at_0 = nu.next() * denominators[round_at_0];
        const Fq at_1 = nu.next() * denominators[round_at_1];
        const Fq at_u = nu.next() * denominators[round_at_u[i]];
        sum.add(m.round_commitments[i], -(at_0 + at_1 + at_u));
        sum.add_constant(at_0 * m.round_values[i][0] + at_1 * m.round_values[i][1] + at_u * implied);
    }
    sum.add(m.shplonk_quotient, Fq::one());
    return true;
}

bool combine_eccvm_claims(const EccvmMessages& m, EccvmColumnOpening& columns, EccvmResult& result) {
    Denominators<Fq> denominators;
    const SubgroupClaims translation_claims(denominators, m.translation, m.w, m.final_z);
    const std::size_t translation_at_x = denominators.add(m.final_z - m.x);
    const std::size_t opening_at_z = denominators.add(m.final_z - m.z);
    const std::size_t x_power = denominators.add(m.x.pow(U256{{1 + trace_offset, 0, 0, 0}}));
    if (!denominators.invert()) return false;

    // Claims 0..4: the translation's small-subgroup argument; 5: Ct at x; 6: C1 at z, with value 0.
    EccvmCombination& sum = columns.sum;
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
        sum.subtract(translation_columns[i], translation_weight * power);
    }
    sum.add_constant(translation_weight * translation_value);
    sum.add(m.final_quotient, Fq::one());

    result.claim = OpeningClaim{sum.evaluate(), m.final_z, Fq::zero()};
    result.x = m.x;
    result.v = m.v;
    result.accumulated_result = (translation_value - m.masking_evaluation) * denominators[x_power];
    return true;
}

BBIPC_END

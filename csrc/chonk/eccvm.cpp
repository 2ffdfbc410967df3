#include "eccvm.hpp"

#include <algorithm>

#include "../field/hex.hpp"
#include "../msm/msm.hpp"
#include "../relations/eccvm.hpp"
#include "../relations/sumcheck_factors.hpp"
#include "opening.hpp"

BBIPC_BEGIN

namespace {

// ---- Constants of chapter 07.1 and 07.2 ----

constexpr std::size_t rounds = 15;
constexpr std::size_t first_wire = eccvm::transcript_add, wire_end = eccvm::z_perm;
constexpr std::size_t subgroup_order = 87;
constexpr std::size_t libra_length = 4;          // coefficients per round
constexpr std::size_t trace_offset = 4;          // rows 0..3 hold random values
constexpr std::size_t translation_columns[5] = {eccvm::transcript_op, eccvm::transcript_px, eccvm::transcript_py, eccvm::transcript_z1,
                                                eccvm::transcript_z2};

constexpr Fq generator = hex_element<Fq>("147c647c09fb639514909e9f0513f31ec1a523bf8a0880bc7c24fbc962a9586b");
constexpr Fq generator_inverse = hex_element<Fq>("0c68e27477b5e78cfab790bd3b59806fa871771f71ec7452cde5384f6e3a1988");

constexpr Fr vk_hash = hex_element<Fr>("032ece6c493f6e74ca8847127f189f8e759021e53df9820a88985e41e400fde2");

// Generator number 0 (chapter 01 section 6): the commitment of the constant polynomial 1.
constexpr Grumpkin one_commitment{hex_element<Fr>("12f26f06d41f0965803cdb1a5cc895ef5df33aa2cecd833768e407d5d6eb196a"),
                                  hex_element<Fr>("273faabf29fadf2484aa2f8ec2388dfdb441595fde91ccc96dafe41c1dbcd0ea")};

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

// ---- What the part contains (chapter 07.3) ----

// A small-subgroup argument: commitments of the secret, the grand sum and the quotient, and their values.
struct SubgroupArgument {
    Grumpkin secret, grand_sum, quotient;
    SubgroupEvaluations<Fq> values;
};

struct Messages {
    Grumpkin columns[eccvm::committed_columns];
    Fq beta, gamma, alpha, gate;
    SubgroupArgument libra;
    Fq libra_sum, libra_challenge;
    Grumpkin round_commitments[rounds];
    Fq round_values[rounds][2];  // s_i(0), s_i(1)
    Fq u[rounds];
    Fq evaluations[eccvm::evaluations];
    Fq libra_evaluation;
    Fq rho;
    Grumpkin folds[rounds];  // [l] = A_l; [0] unused: A_0 is the batch of the columns
    Fq r;
    Fq fold_values[rounds];  // m_l
    Fq nu;
    Grumpkin shplonk_quotient;
    Fq z;
    SubgroupArgument translation;
    Fq x;
    Fq translation_values[5];
    Fq v;
    Fq masking_evaluation;
    Fq w;
    Fq final_nu;
    Grumpkin final_quotient;
    Fq final_z;
};

void receive_values(Transcript& t, SubgroupEvaluations<Fq>& values) {
    values.secret = t.receive_fq();
    values.grand_sum_next = t.receive_fq();
    values.grand_sum = t.receive_fq();
    values.quotient = t.receive_fq();
}

void receive_messages(Transcript& t, Messages& m) {
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
    for (std::size_t i = 0; i < rounds; ++i) {
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
    for (std::size_t l = 1; l < rounds; ++l) m.folds[l] = t.receive_grumpkin();
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

// ---- Sumcheck (chapter 07.4) ----

// The value the last round polynomial must take; false if delta of chapter 08.2 does not exist.
bool final_sumcheck_value(const Messages& m, Fq& value) {
    Fq subrelations[eccvm::subrelations];
    if (!eccvm_subrelations(m.evaluations, m.beta, m.gamma, subrelations)) return false;
    const Fq relation = eccvm_batched_relation(subrelations, m.alpha, gate_separator<Fq>(m.u, m.gate));
    value = relation * (Fq::one() - first_rows_indicator<Fq>(m.u)) + m.libra_evaluation * m.libra_challenge;
    return true;
}

// ---- Small-subgroup vectors (chapter 07.5) ----

std::array<Fq, subgroup_order> libra_vector(const Messages& m) {
    std::array<Fq, subgroup_order> f{};
    f[0] = Fq::one();
    for (std::size_t i = 0; i < rounds; ++i) {
        Powers<Fq> powers(m.u[i]);
        for (std::size_t j = 0; j < libra_length; ++j) f[1 + libra_length * i + j] = powers.next();
    }
    return f;
}

std::array<Fq, subgroup_order> translation_vector(const Messages& m) {
    std::array<Fq, subgroup_order> f{};
    Powers<Fq> v_powers(m.v);
    for (std::size_t i = 0; i < 5; ++i) {
        Powers<Fq> terms(m.x, v_powers.next());
        for (std::size_t j = 0; j < trace_offset; ++j) f[trace_offset * i + j] = terms.next();
    }
    return f;
}

// ---- Opening (chapters 07.6 and 07.7) ----

// A sum of scalar * point under construction, together with the coefficient of the commitment of the constant 1.
class Combination {
  public:
    explicit Combination(std::size_t capacity) {
        points_.reserve(capacity);
        scalars_.reserve(capacity);
    }
    // Returns the index of the term.
    std::size_t add(const Grumpkin& point, const Fq& scalar) {
        points_.push_back(point);
        scalars_.push_back(scalar);
        return points_.size() - 1;
    }
    void subtract(std::size_t term, const Fq& scalar) { scalars_[term] -= scalar; }
    void add_constant(const Fq& value) { constant_ += value; }
    // Multiply every scalar so far, and the constant, by a factor.
    void scale(const Fq& factor) {
        for (Fq& scalar : scalars_) scalar *= factor;
        constant_ *= factor;
    }
    Grumpkin evaluate() {
        add(one_commitment, constant_);
        return msm<GrumpkinCurve>(points_, scalars_).to_affine();
    }

  private:
    std::vector<Grumpkin> points_;
    std::vector<Fq> scalars_;
    Fq constant_;
};

// The five claims of chapter 07.5 about one small-subgroup argument at y.
class SubgroupClaims {
  public:
    SubgroupClaims(Denominators<Fq>& denominators, const SubgroupArgument& argument, const Fq& y, const Fq& z)
        : denominators_(denominators), argument_(argument) {
        at_y_ = denominators.add(z - y);
        at_next_ = denominators.add(z - generator * y);
        at_one_ = denominators.add(z - Fq::one());
    }

    // Weights nu^(k + 0..4), taken from `nu_powers`, divided by z - point.
    void add_to(Combination& sum, Powers<Fq>& nu_powers) const {
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
    const SubgroupArgument& argument_;
    std::size_t at_y_, at_next_, at_one_;
};

// Combines all openings into one claim. C1 and Ct of the specification are never hashed, so both are merged into the final multi-scalar
// multiplication (chapter 07.10). False if a denominator vanishes.
bool final_claim(const Messages& m, const Fq& sumcheck_value, EccvmResult& result) {
    Denominators<Fq> denominators;
    const Gemini<Fq, rounds> gemini(denominators, m.r, m.z, m.u);
    const SubgroupClaims libra_claims(denominators, m.libra, m.r, m.z);
    const std::size_t round_at_0 = denominators.add(m.z);
    const std::size_t round_at_1 = denominators.add(m.z - Fq::one());
    std::size_t round_at_u[rounds];
    for (std::size_t i = 0; i < rounds; ++i) round_at_u[i] = denominators.add(m.z - m.u[i]);
    const SubgroupClaims translation_claims(denominators, m.translation, m.w, m.final_z);
    const std::size_t translation_at_x = denominators.add(m.final_z - m.x);
    const std::size_t opening_at_z = denominators.add(m.final_z - m.z);
    const std::size_t x_power = denominators.add(m.x.pow(U256{{1 + trace_offset, 0, 0, 0}}));
    if (!denominators.invert()) return false;

    // C1 (07.6).
    Combination sum(160);
    std::size_t column_terms[eccvm::committed_columns];
    const Fq unshifted = gemini.positive(0) + m.nu * gemini.negative(0);
    const Fq shifted = gemini.r_inverse() * (gemini.positive(0) - m.nu * gemini.negative(0));
    Powers<Fq> rho(m.rho);
    Fq batched_evaluation = Fq::zero();
    for (std::size_t k = 0; k < eccvm::committed_columns; ++k) {
        const Fq power = rho.next();
        batched_evaluation += power * m.evaluations[k];
        column_terms[k] = sum.add(m.columns[k], -(power * unshifted));
    }
    for (std::size_t k = 0; k < eccvm::shifts; ++k) {
        const Fq power = rho.next();
        batched_evaluation += power * m.evaluations[eccvm::committed_columns + k];
        sum.subtract(column_terms[eccvm::first_shiftable + k], power * shifted);
    }
    const std::array<Fq, rounds> fold_values = gemini.fold_values(batched_evaluation, m.fold_values);
    Powers<Fq> nu(m.nu);
    for (std::size_t l = 0; l < rounds; ++l) {
        const Fq positive = nu.next() * gemini.positive(l);
        const Fq negative = nu.next() * gemini.negative(l);
        if (l != 0) sum.add(m.folds[l], -(positive + negative));
        sum.add_constant(positive * fold_values[l] + negative * m.fold_values[l]);
    }
    libra_claims.add_to(sum, nu);
    for (std::size_t i = 0; i < rounds; ++i) {
        const Fq implied = i + 1 < rounds ? m.round_values[i + 1][0] + m.round_values[i + 1][1] : sumcheck_value;
        const Fq at_0 = nu.next() * denominators[round_at_0];
        const Fq at_1 = nu.next() * denominators[round_at_1];
        const Fq at_u = nu.next() * denominators[round_at_u[i]];
        sum.add(m.round_commitments[i], -(at_0 + at_1 + at_u));
        sum.add_constant(at_0 * m.round_values[i][0] + at_1 * m.round_values[i][1] + at_u * implied);
    }
    sum.add(m.shplonk_quotient, Fq::one());

    // The final claim (07.7): C1 is claim number 6, its value is 0.
    Powers<Fq> final_nu(m.final_nu);
    Fq claim_powers[7];
    for (Fq& power : claim_powers) power = final_nu.next();
    sum.scale(-(claim_powers[6] * denominators[opening_at_z]));
    Powers<Fq> translation_powers(m.final_nu);
    translation_claims.add_to(sum, translation_powers);
    const Fq translation_weight = claim_powers[5] * denominators[translation_at_x];
    Powers<Fq> v_powers(m.v);
    Fq translation_value = Fq::zero();  // ct
    for (std::size_t i = 0; i < 5; ++i) {
        const Fq power = v_powers.next();
        translation_value += power * m.translation_values[i];
        sum.subtract(column_terms[translation_columns[i]], translation_weight * power);
    }
    sum.add_constant(translation_weight * translation_value);
    sum.add(m.final_quotient, Fq::one());

    result.claim = OpeningClaim{sum.evaluate(), m.final_z, Fq::zero()};
    result.x = m.x;
    result.v = m.v;
    result.accumulated_result = (translation_value - m.masking_evaluation) * denominators[x_power];
    return true;
}

}  // namespace

Verdict verify_eccvm(Transcript& transcript, const PartView& part, EccvmResult& result) {
    transcript.load(part);
    Messages m;
    receive_messages(transcript, m);
    if (transcript.failed()) return transcript.error();

    const Verdict failure = verdict_invalid(BBIPC_STEP_ECCVM);
    if (m.round_values[0][0] + m.round_values[0][1] != m.libra_sum * m.libra_challenge) return failure;  // check 1
    const auto libra = libra_vector(m);
    if (!subgroup_check<Fq>(m.r, generator_inverse, libra, m.libra.values, m.libra_evaluation)) return failure;  // check 2
    const auto translation = translation_vector(m);
    if (!subgroup_check<Fq>(m.w, generator_inverse, translation, m.translation.values, m.masking_evaluation)) return failure;  // check 3
    Fq sumcheck_value;
    if (!final_sumcheck_value(m, sumcheck_value)) return failure;
    return final_claim(m, sumcheck_value, result) ? verdict_valid() : failure;
}

BBIPC_END

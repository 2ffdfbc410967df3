#include "joint.hpp"

#include "../field/hex.hpp"
#include "../msm/msm.hpp"
#include "../relations/mega.hpp"
#include "../relations/sumcheck_factors.hpp"
#include "../relations/translator.hpp"
#include "opening.hpp"

BBIPC_BEGIN

namespace {

constexpr std::size_t rounds = translator::rounds;             // 17
constexpr std::size_t subgroup_order = 256;
constexpr std::size_t libra_length = 9;                        // coefficients per round

constexpr Fr omega = hex_element<Fr>("07b0c561a6148404f086204a9f36ffb0617942546750f230c893619174a57a76");
constexpr Fr omega_inverse = hex_element<Fr>("204bd3277422fad364751ad938e2b5e6a54cf8c68712848a692c553d0329f5d6");

// H of the translator key under Aztec's setup; a constant of the protocol under every setup.
constexpr Fr translator_key_hash = hex_element<Fr>("281228e56fbfb62a424c94bda780104c9b5e758b8a02f148ce5e98c2867fdfc1");

// What the part contains (chapters 10.3, 13.1 and 14.2).
struct Messages {
    G1 masking;                          // gemini_masking_poly
    G1 concatenated[translator::concatenated_columns];
    G1 ordered[5];
    Fr beta, gamma;                      // beta_t, gamma_t
    G1 z_perm;
    Fr alpha, gate;
    G1 libra_secret, libra_grand_sum, libra_quotient;  // C_G, C_A, C_Q
    Fr libra_sum, libra_challenge;       // sigma, lambda
    G1 round_commitments[rounds];
    Fr round_values[rounds][2];          // S_i(0), S_i(1)
    Fr u[rounds];
    Fr minicircuit[translator::minicircuit_evaluations];
    Fr mega[mega::evaluations];
    Fr full_size[translator::full_size_evaluations];
    Fr libra_evaluation;                 // e_lib
    Fr rho;
    G1 folds[rounds];                    // [k - 1] = A_k for k = 1..16; the last is unused
    Fr r;
    Fr fold_values[rounds];              // n_k
    SubgroupEvaluations<Fr> libra;
    Fr nu;
    G1 shplonk_quotient;                 // Qs
    Fr z;
    G1 witness;                          // W
};

void receive_messages(Transcript& t, Messages& m) {
    t.absorb(translator_key_hash);
    m.masking = t.receive_g1();
    for (G1& commitment : m.concatenated) commitment = t.receive_g1();
    for (G1& commitment : m.ordered) commitment = t.receive_g1();
    m.beta = t.challenge().fr();
    m.gamma = t.challenge().fr();
    m.z_perm = t.receive_g1();
    m.alpha = t.challenge().fr();
    m.gate = t.challenge().fr();
    m.libra_secret = t.receive_g1();
    m.libra_sum = t.receive_fr();
    m.libra_challenge = t.challenge().fr();
    for (std::size_t i = 0; i < rounds; ++i) {
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
    m.libra_grand_sum = t.receive_g1();
    m.libra_quotient = t.receive_g1();
    m.rho = t.challenge().fr();
    for (std::size_t k = 1; k < rounds; ++k) m.folds[k - 1] = t.receive_g1();
    m.r = t.challenge().fr();
    for (Fr& value : m.fold_values) value = t.receive_fr();
    m.libra.secret = t.receive_fr();
    m.libra.grand_sum_next = t.receive_fr();
    m.libra.grand_sum = t.receive_fr();
    m.libra.quotient = t.receive_fr();
    m.nu = t.challenge().fr();
    m.shplonk_quotient = t.receive_g1();
    m.z = t.challenge().fr();
    m.witness = t.receive_g1();
}

// F, the value that the last round polynomial must take (13.4).
Fr final_sumcheck_value(const Messages& m, const JointInputs& inputs, const translator::Evaluations& evaluations) {
    const Fr separator = gate_separator<Fr>(m.u, m.gate);
    Fr mega_values[mega::subrelations];
    mega_subrelations(m.mega, inputs.oink.beta, inputs.oink.gamma, inputs.oink.public_input_delta, mega_values);
    const Fr mega_value = mega_batched_relation(mega_values, m.alpha, separator, first_rows_indicator<Fr>(m.u));

    Fr translator_values[translator::subrelations];
    const auto parameters = translator_parameters(inputs.x, inputs.v, inputs.accumulated_result, m.beta, m.gamma);
    translator_subrelations(evaluations, parameters, translator_values);
    const Fr translator_value = translator_batched_relation(translator_values, m.alpha, separator);

    const Fr translator_weight = m.alpha.pow(U256{{mega::subrelations, 0, 0, 0}});
    return mega_value + translator_weight * translator_value + m.libra_evaluation * m.libra_challenge;
}

// f of check B (14.5).
std::array<Fr, subgroup_order> libra_vector(const Messages& m) {
    std::array<Fr, subgroup_order> f{};
    f[0] = Fr::one();
    for (std::size_t k = 0; k < rounds; ++k) {
        Powers<Fr> powers(m.u[k]);
        for (std::size_t i = 0; i < libra_length; ++i) f[1 + libra_length * k + i] = powers.next();
    }
    return f;
}

// The claims about columns (14.1): U with the index in it of each entry of T.
class Columns {
  public:
    static constexpr std::size_t unshifted_count = 57, shifted_count = 19;

    Columns(const Messages& m, const JointInputs& inputs, const translator::Evaluations& evaluations) {
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
        for (std::size_t j = 0; j < translator::concatenated_columns; ++j) unshifted(m.concatenated[j], evaluations.concatenated[j]);
        for (std::size_t j = 0; j < mega::precomputed_columns; ++j) unshifted(inputs.key.commitments[j], m.mega[j]);
        const std::size_t first_witness = size_;
        for (std::size_t j = 0; j < mega::witness_columns; ++j) unshifted(inputs.oink.witness[j], m.mega[mega::precomputed_columns + j]);

        for (std::size_t j = 0; j < mega::shifts; ++j) shifted(first_witness + j, m.mega[mega::w_l_shift + j]);  // w_l..w_4, z_perm
        for (const std::size_t entry : to_be_shifted) shifted(entry, *full++);
        for (std::size_t j = 0; j < translator::concatenated_columns; ++j) shifted(first_concatenated + j, evaluations.concatenated_shift[j]);
    }

    struct Batched {
        Fr evaluation;                 // E
        Fr scalars[unshifted_count];   // of the commitments of U, those of T merged in
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

// P0 and P1 of 14.7; false if a denominator vanishes.
bool opening(const Messages& m, const JointInputs& inputs, const translator::Evaluations& evaluations, const Fr& sumcheck_value,
             PairingCheck& check) {
    Denominators<Fr> denominators;
    const Gemini<Fr, rounds> gemini(denominators, m.r, m.z, m.u);
    const std::size_t at_r = denominators.add(m.z - m.r);
    const std::size_t at_omega_r = denominators.add(m.z - omega * m.r);
    const std::size_t at_1 = denominators.add(m.z - Fr::one());
    const std::size_t at_0 = denominators.add(m.z);
    std::size_t at_u[rounds];
    for (std::size_t k = 0; k < rounds; ++k) at_u[k] = denominators.add(m.z - m.u[k]);
    if (!denominators.invert()) return false;

    std::vector<G1> points;
    std::vector<Fr> scalars;
    points.reserve(96);
    scalars.reserve(96);
    const auto add = [&](const G1& point, const Fr& scalar) {
        points.push_back(point);
        scalars.push_back(scalar);
    };

    const Columns columns(m, inputs, evaluations);
    const auto batched = columns.batch(m.rho, gemini.positive(0) + m.nu * gemini.negative(0),
                                       gemini.r_inverse() * (gemini.positive(0) - m.nu * gemini.negative(0)));
    for (std::size_t j = 0; j < Columns::unshifted_count; ++j) add(columns.commitments()[j], batched.scalars[j]);

    Fr constant = Fr::zero();
    const std::array<Fr, rounds> fold_values = gemini.fold_values(batched.evaluation, m.fold_values);
    Powers<Fr> nu(m.nu);
    for (std::size_t k = 0; k < rounds; ++k) {
        const Fr positive = nu.next() * gemini.positive(k);
        const Fr negative = nu.next() * gemini.negative(k);
        if (k != 0) add(m.folds[k - 1], -(positive + negative));
        constant += positive * fold_values[k] + negative * m.fold_values[k];
    }

    const Fr secret = nu.next() * denominators[at_r];  // 14.5
    const Fr grand_sum_next = nu.next() * denominators[at_omega_r];
    const Fr grand_sum = nu.next() * denominators[at_r];
    const Fr grand_sum_at_1 = nu.next() * denominators[at_1];  // the value is 0
    const Fr quotient = nu.next() * denominators[at_r];
    add(m.libra_secret, -secret);
    add(m.libra_grand_sum, -(grand_sum_next + grand_sum + grand_sum_at_1));
    add(m.libra_quotient, -quotient);
    constant += secret * m.libra.secret + grand_sum_next * m.libra.grand_sum_next + grand_sum * m.libra.grand_sum +
                quotient * m.libra.quotient;

    for (std::size_t k = 0; k < rounds; ++k) {  // 14.6
        const Fr implied = k + 1 < rounds ? m.round_values[k + 1][0] + m.round_values[k + 1][1] : sumcheck_value;
        const Fr weight_0 = nu.next() * denominators[at_0];
        const Fr weight_1 = nu.next() * denominators[at_1];
        const Fr weight_u = nu.next() * denominators[at_u[k]];
        add(m.round_commitments[k], -(weight_0 + weight_1 + weight_u));
        constant += weight_0 * m.round_values[k][0] + weight_1 * m.round_values[k][1] + weight_u * implied;
    }

    add(g1_generator(), constant);
    add(m.witness, m.z);
    const Jacobian<G1Curve> p0 = msm<G1Curve>(points, scalars) + m.shplonk_quotient;
    check = PairingCheck{BBIPC_STEP_JOINT_PAIRING, p0.to_affine(), -m.witness};
    return true;
}

}  // namespace

Verdict verify_joint(Transcript& transcript, const PartView& part, const JointInputs& inputs, PairingCheck& check) {
    transcript.load(part);
    Messages m;
    receive_messages(transcript, m);
    if (transcript.failed()) return transcript.error();

    const Verdict failure = verdict_invalid(BBIPC_STEP_JOINT_REDUCTION);
    if (m.round_values[0][0] + m.round_values[0][1] != m.libra_sum * m.libra_challenge) return failure;  // check A
    const auto libra = libra_vector(m);
    if (!subgroup_check<Fr>(m.r, omega_inverse, libra, m.libra, m.libra_evaluation)) return failure;  // check B
    const auto evaluations = translator_evaluations(m.minicircuit, m.full_size, m.u);
    const Fr sumcheck_value = final_sumcheck_value(m, inputs, evaluations);
    return opening(m, inputs, evaluations, sumcheck_value, check) ? verdict_valid() : failure;
}

BBIPC_END

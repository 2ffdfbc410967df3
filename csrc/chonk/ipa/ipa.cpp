#include "ipa.hpp"

#include "../../generators/generators_msm.hpp"
#include "../opening/batching.hpp"
#include "../opening/combination.hpp"
#include "folding.hpp"

BBIPC_BEGIN

namespace {

// b0 = prod_i (1 + d_{14-i} z^(2^i)), the value at z of the polynomial with coefficients s_j.
Fq evaluate_challenge_polynomial(const IpaClaim& claim) {
    Fq product = Fq::one();
    Fq power = claim.opening.point;
    for (std::size_t i = 0; i < ipa_rounds; ++i) {
        product *= Fq::one() + claim.inverse_challenges[ipa_rounds - 1 - i] * power;
        power = power.sqr();
    }
    return product;
}

// Adds weight * (C + f U + sum (d_i L_i + c_i R_i) - a0 b0 U), the small points of check 2. The point of the constant is that of
// U = gen * one.
void add_check_2(Combination<GrumpkinCurve>& sum, const IpaClaim& claim, const Fq& weight) {
    sum.add(claim.opening.commitment, weight);
    sum.add_constant(weight * (claim.opening.value - claim.a0 * claim.b0) * claim.generator_challenge);
    for (std::size_t i = 0; i < ipa_rounds; ++i) {
        sum.add(claim.left[i], weight * claim.inverse_challenges[i]);
        sum.add(claim.right[i], weight * claim.challenges[i]);
    }
}

// Check 2, then check 1: the first rejects cheaply.
bool check_exactly(const IpaClaim& claim, const Options& options) {
    Combination<GrumpkinCurve> sum(grumpkin_generator());
    add_check_2(sum, claim, Fq::one());
    sum.add(claim.g0, -claim.a0);
    if (!sum.sum(options.lane_path).is_infinity()) return false;

    const IpaClaim* const claims[1] = {&claim};
    const Fq weights[1] = {Fq::one()};
    const std::vector<U256> scalars = folding_scalars(claims, weights, options.threads, options.lane_path);
    const Grumpkin points[1] = {claim.g0};
    const Fq factors[1] = {-Fq::one()};
    return generators_msm_with(scalars.data(), points, factors, options.threads, options.lane_path).is_infinity();
}

// sum_j (sum_p (Gm B^p - A^p a0_p) s_pj) SRS[j] + sum_p A^p Cz_p - Gm sum_p B^p G0_p - (sum_p A^p a0_p b0_p gen_p) one = 0.
bool check_combined(std::span<const IpaClaim* const> claims, const Options& options, bool& cancelled) {
    const Fq a = random_element<Fq>(*options.random), b = random_element<Fq>(*options.random),
             gm = random_element<Fq>(*options.random);
    Powers<Fq> a_powers(a), b_powers(b, gm);
    std::vector<Fq> weights;
    Combination<GrumpkinCurve> sum(grumpkin_generator());
    sum.reserve(claims.size() * (2 * ipa_rounds + 2));
    for (const IpaClaim* claim : claims) {
        const Fq a_power = a_powers.next(), b_power = b_powers.next();
        add_check_2(sum, *claim, a_power);
        sum.add(claim->g0, -b_power);
        weights.push_back(b_power - a_power * claim->a0);
    }
    const std::vector<U256> scalars = folding_scalars(claims, weights, options.threads, options.lane_path);
    cancelled = options.cancel.raised();
    if (cancelled) return false;
    return generators_msm_with(scalars.data(), sum.points(), sum.scalars(), options.threads, options.lane_path).is_infinity();
}

void receive_ipa(Transcript& transcript, const PartView& part, IpaClaim& claim) {
    transcript.load(part);
    transcript.absorb(claim.opening.commitment);
    transcript.absorb(claim.opening.point);
    transcript.absorb(claim.opening.value);
    claim.generator_challenge = transcript.challenge().fq();
    for (std::size_t i = 0; i < ipa_rounds; ++i) {
        claim.left[i] = transcript.receive_grumpkin();
        claim.right[i] = transcript.receive_grumpkin();
        claim.challenges[i] = transcript.challenge().fq();
    }
    claim.g0 = transcript.receive_grumpkin();
    claim.a0 = transcript.receive_fq();
}

}  // namespace

void record_ipa(const PartView& part, const OpeningClaim& opening, RecordedTranscript& record) {
    Transcript transcript = Transcript::recording(record);
    IpaClaim ignored;
    ignored.opening = opening;
    receive_ipa(transcript, part, ignored);
}

Objection read_ipa(Transcript transcript, const PartView& part, const OpeningClaim& opening, IpaClaim& claim) {
    claim.opening = opening;
    receive_ipa(transcript, part, claim);
    if (transcript.failed()) return Rejection::unreadable(transcript.error(), BBIPC_STEP_IPA);
    claim.inverse_challenges = claim.challenges;
    const bool invertible = batch_invert(std::span<Fq>(claim.inverse_challenges));
    if (claim.generator_challenge.is_zero() || !invertible) return Rejection::invalid(BBIPC_STEP_IPA);
    claim.b0 = evaluate_challenge_polynomial(claim);
    return std::nullopt;
}

bool check_ipa(std::span<const IpaClaim* const> claims, const Options& options, bool& cancelled) {
    cancelled = options.cancel.raised();
    return !cancelled && check_combined(claims, options, cancelled);
}

bool check_ipa_alone(const IpaClaim& claim, const Options& options, bool& cancelled) {
    cancelled = options.cancel.raised();
    return !cancelled && check_exactly(claim, options);
}

BBIPC_END
